/* The machine's text screen: arch/<name>/. */
#pragma once

#include "screen.h"

/* To be asked only if init says that there is one (selvage/servers.h). */
const struct screen_out *screen_hw_open(void);
