#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

static void reserve(struct buffer *b, size_t more)
{
	size_t room = b->room ? b->room : 256;

	if (more == 0)
		return;
	while (room - b->size < more)
		room *= 2;
	if (room == b->room)
		return;
	b->data = realloc(b->data, room);
	if (!b->data) {
		diag_error("out of memory");
		exit(1);
	}
	b->room = room;
}

void buffer_append(struct buffer *b, const void *data, size_t size)
{
	if (size == 0)
		return;
	reserve(b, size);
	memcpy(b->data + b->size, data, size);
	b->size += size;
}

void buffer_zeros(struct buffer *b, size_t size)
{
	reserve(b, size);
	memset(b->data + b->size, 0, size);
	b->size += size;
}

void buffer_pad(struct buffer *b, size_t align)
{
	buffer_zeros(b, (align - b->size % align) % align);
}

void buffer_text(struct buffer *b, const char *format, ...)
{
	va_list args;
	char text[2048];
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n > 0)
		buffer_append(b, text,
			      (size_t)n < sizeof(text) ? (size_t)n
						       : sizeof(text) - 1);
}

void buffer_drop(struct buffer *b, size_t size)
{
	if (size == 0)
		return;
	memmove(b->data, b->data + size, b->size - size);
	b->size -= size;
}

void buffer_free(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){ 0 };
}
