/*
 * What somebody hostile can have happen as often as he likes: it is counted by
 * cause, and said a few times for each.
 */
#pragma once

#include <stdint.h>

#define CAUSES_MAX 64u /* apart; those that come later count as one */

struct causes {
	struct cause {
		const void *where;
		const char *why;
		uint64_t n, next;
	} of[CAUSES_MAX + 1];
};

/* How often it has happened there for that reason, if this is worth a line: the first time, and
 * each power of ten; else 0. `where` is compared, not looked at; so is `why`, a static text. */
uint64_t causes_count(struct causes *c, const void *where, const char *why);
