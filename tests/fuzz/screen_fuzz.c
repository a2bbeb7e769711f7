/* Any bytes for the screen's two views: what is drawn is text inside it, in its colours. */
#include "screen.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CELLS (SCREEN_ROWS * SCREEN_COLUMNS)
#define PIECE 32u

static uint16_t shown[CELLS];

static void cell(unsigned at, uint16_t value)
{
	if (at >= CELLS || value >> 8 != SCREEN_COLOURS || (value & 0xff) < ' ' ||
	    (value & 0xff) > '~')
		abort();
	shown[at] = value;
}

static void cursor(unsigned at)
{
	if (at > CELLS)
		abort();
}

/* The first byte of each piece says for whom it is, and whether all is drawn then. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct screen_out out = { cell, cursor };
	static struct screen s;
	unsigned turns = 0;

	screen_init(&s);
	for (size_t i = 0; i < size; i += PIECE + 1) {
		size_t n = size - i - 1 < PIECE ? size - i - 1 : PIECE;

		if (data[i] & 1)
			screen_log(&s, (const char *)data + i + 1, n);
		else
			screen_shell(&s, (const char *)data + i + 1, n);
		if (data[i] & 2)
			(void)screen_draw(&s, &out);
	}
	while (screen_draw(&s, &out))
		if (++turns >= SCREEN_ROWS)
			abort();
	for (unsigned i = 0; i < CELLS; i++)
		if (shown[i] != s.drawn[i / SCREEN_COLUMNS][i % SCREEN_COLUMNS])
			abort();
	return 0;
}
