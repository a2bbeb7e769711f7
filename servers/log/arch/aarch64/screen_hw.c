/* No machine of this architecture has a text screen. */
#include "screen_hw.h"

const struct screen_out *screen_hw_open(void) { return NULL; }
