/* Random frames, and a sum that tells them apart. */
#pragma once

#include <stdint.h>
#include <stdlib.h>

static inline uint32_t make_frame(uint8_t *frame, uint32_t least, uint32_t most)
{
	uint32_t bytes = least + (uint32_t)rand() % (most - least + 1);

	for (uint32_t i = 0; i < bytes; i++)
		frame[i] = (uint8_t)rand();
	return bytes;
}

static inline unsigned sum(const uint8_t *frame, uint32_t bytes)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < bytes; i++)
		n = n * 31 + frame[i];
	return n;
}
