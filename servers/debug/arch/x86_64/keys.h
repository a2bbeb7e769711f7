/*
 * Scan codes of set 1, as a PC's keyboard controller gives them, to what a terminal
 * would send, by the US layout of <dev/pc/keyboard_us.h>. State and bytes only; any codes are
 * survived.
 */
#pragma once

#include "keyboard.h"

#define KEYS_CODES 0x80u

struct keys {
	uint8_t held; /* modifiers, left and right ones apart */
	bool caps;
	bool extended; /* behind 0xe0 */
	uint8_t skip;  /* codes of the pause key that are left */
	char plain[KEYS_CODES], shifted[KEYS_CODES];
};

void keys_init(struct keys *k);
/* True: the code made a key. */
bool keys_take(struct keys *k, uint8_t code, struct key *key);
