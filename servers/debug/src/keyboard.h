/* The machine's keyboard: arch/<name>/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define KEY_TEXT 4u

/* What a key means: bytes as a terminal sends them, or something of the screen's. */
struct key {
	char text[KEY_TEXT];
	uint8_t n;
	uint8_t view;   /* that is to be shown; 0: as it is */
	uint8_t scroll; /* half a screen back: 1; forth: 2 */
};

/* To be asked only if init says that there is a screen (selvage/servers.h). False, with a
 * line in the log: there is no keyboard. */
bool keyboard_open(void);
/* Its interrupt came: more keys may be there. */
void keyboard_taken(void);
/* False: none waits. */
bool keyboard_next(struct key *key);
