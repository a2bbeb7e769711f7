/* Switching the machine off, once nobody needs it any more. */
#pragma once

#include <stdbool.h>

/* Init switches off as soon as its output has left. */
void machine_off_request(void);
bool machine_off_requested(void);
/* Returns only if refused. */
void machine_off(void);
