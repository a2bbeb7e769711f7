/* Scan code set 2, of keyboards, to set 1, which the PC's controller makes of it. */
#pragma once

#include <stdint.h>

/* 0xf0, of breaks, is the caller's: it becomes bit 7 of what follows. */
uint8_t keyboard_set1(uint8_t code);
