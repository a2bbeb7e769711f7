/* A growing run of bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buffer {
	uint8_t *data;
	size_t size;
	size_t room;
};

/* These end the program when there is no memory. */
void buffer_append(struct buffer *b, const void *data, size_t size);
void buffer_pad(struct buffer *b, size_t align); /* with zeros */
void buffer_zeros(struct buffer *b, size_t size);
void buffer_text(struct buffer *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Removes the first `size` bytes. */
void buffer_drop(struct buffer *b, size_t size);
void buffer_free(struct buffer *b);
