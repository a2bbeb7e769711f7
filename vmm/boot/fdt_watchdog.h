/* The node of a watchdog (binding watchdog/arm,sp805), and its clock's. */
#pragma once

#include "../board/board.h"

#include <stdbool.h>
#include <stddef.h>

/* Into the tree in fdt[size]. False: there is no room. */
bool fdt_add_watchdog(void *fdt, size_t size, const struct board *board);
