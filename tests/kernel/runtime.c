/* What every process copies with: memcpy and memset of lib/rt, of each size and place. */
#include "kt.h"

#include <string.h>

#define MOST 300u
#define PLACES 8u
#define EDGE 16u

static uint8_t from[MOST + PLACES], to[EDGE + PLACES + MOST + EDGE];

/* Exactly [at, at + bytes) of `to` is the source, or the value. */
static bool is_right(unsigned at, unsigned bytes, const uint8_t *source, uint8_t value)
{
	for (unsigned i = 0; i < sizeof(to); i++) {
		const bool within = i >= at && i < at + bytes;
		const uint8_t inside = source != NULL ? source[within ? i - at : 0] : value;

		if (to[i] != (within ? inside : 0xee))
			return false;
	}
	return true;
}

static void clear(void)
{
	for (volatile uint8_t *p = to; p < to + sizeof(to); p++)
		*p = 0xee;
}

static void copies(void)
{
	for (unsigned i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 7 + i / 256 + 1);
	for (unsigned bytes = 0; bytes <= MOST; bytes++)
		for (unsigned place = 0; place < PLACES; place++) {
			uint8_t *at = to + EDGE + place;

			clear();
			CHECK(memcpy(at, from + bytes % PLACES, bytes) == at);
			CHECK(is_right(EDGE + place, bytes, from + bytes % PLACES, 0));
		}
}

static void fills(void)
{
	for (unsigned bytes = 0; bytes <= MOST; bytes++)
		for (unsigned place = 0; place < PLACES; place++) {
			uint8_t *at = to + EDGE + place;

			clear();
			CHECK(memset(at, (int)(0x100 + bytes), bytes) == at);
			CHECK(is_right(EDGE + place, bytes, NULL, (uint8_t)bytes));
		}
}

static const struct kt_case cases[] = {
	{ "memcpy: all sizes and places, and nothing beside them", copies },
	{ "memset: all sizes and places, and nothing beside them", fills },
};

KT_GROUP(kt_runtime);
