/* Answers of the control channel to those who watch VMs (docs/control-channel.md). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The n-th line, "" to skip it; false: there are no more. */
bool watch_stats(unsigned n, char *text, size_t size);
