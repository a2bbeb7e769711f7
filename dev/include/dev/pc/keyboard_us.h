/*
 * Characters as strokes of a US keyboard, in codes of scan code set 2: for an
 * owner that has text and a guest that has a keyboard.
 */
#pragma once

#include <stdbool.h>

#include <stdint.h>

struct key_stroke {
	uint8_t code;
	bool extended; /* with the prefix 0xe0 */
	bool shift, control;
};

#define KEY_SHIFT 0x12u
#define KEY_CONTROL 0x14u

/* ASCII, control characters among them. False: no key gives this character. */
bool keyboard_us(char character, struct key_stroke *stroke);
