#include "scroll.h"

#include <string.h>

#include "replay.h"

void scroll_add(struct scroll *scroll, const void *data, size_t size)
{
	buffer_append(&scroll->data, data, size);
	/* Cut seldom: every cut moves what is kept. And at a line's start, so that no text from
	 * the middle of a line looks like one. */
	if (scroll->data.size > 2 * SCROLL_KEEP) {
		size_t keep;

		(void)scroll_tail(scroll, SCROLL_KEEP, &keep);
		buffer_drop(&scroll->data, scroll->data.size - keep);
	}
}

const uint8_t *scroll_tail(const struct scroll *scroll, size_t limit,
			   size_t *size)
{
	const uint8_t *data = scroll->data.data;
	size_t n = scroll->data.size;
	size_t start = n > limit ? n - limit : 0;

	if (start > 0) {
		const uint8_t *newline = memchr(data + start, '\n', n - start);

		if (newline)
			start = (size_t)(newline - data) + 1;
	}
	*size = n - start;
	return data ? data + start : (const uint8_t *)"";
}

void scroll_replay(const struct scroll *scroll, size_t limit, struct buffer *out)
{
	size_t size;
	const uint8_t *tail = scroll_tail(scroll, limit, &size);

	replay_add(out, tail, size);
}
