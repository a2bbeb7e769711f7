/* The machine's counter, which a host test provides. */
#pragma once

#include <stdint.h>

uint64_t clock_arch_now(void);
uint64_t clock_arch_about(void);
uint64_t clock_arch_hz(void);
