/* There is no C library for IA-32 here; what FreeRTOS includes is enough. */
#pragma once

#include <stddef.h>
