/* The recent output of a channel, bounded. */
#pragma once

#include "buffer.h"

#define SCROLL_KEEP 65536u

struct scroll {
	struct buffer data;
};

void scroll_add(struct scroll *scroll, const void *data, size_t size);
/* The last `limit` bytes or less, from the start of a line. */
const uint8_t *scroll_tail(const struct scroll *scroll, size_t limit,
			   size_t *size);
/* The same, appended to `out` without what a terminal would answer. */
void scroll_replay(const struct scroll *scroll, size_t limit, struct buffer *out);
