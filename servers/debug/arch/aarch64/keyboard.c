/* No machine of this architecture has one. */
#include "keyboard.h"

bool keyboard_open(void) { return false; }
void keyboard_taken(void) {}

bool keyboard_next(struct key *key)
{
	(void)key;
	return false;
}
