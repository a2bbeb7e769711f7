/*
 * What the compiler calls for copies and clearing of structures, where there
 * is no C library: in the kernel and its loader.
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int c, size_t n);

/* Keeps the compiler from turning a loop into a call of its own function. */
#define NOT_A_CALL() __asm__ volatile("" :: \
					      : "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if (!(((uintptr_t)t | (uintptr_t)f) & 7))
		for (; n >= 8; n -= 8, t += 8, f += 8) {
			*(uint64_t *)(void *)t = *(const uint64_t *)(const void *)f;
			NOT_A_CALL();
		}
	for (; n; n--) {
		*t++ = *f++;
		NOT_A_CALL();
	}
	return to;
}

void *memset(void *to, int c, size_t n)
{
	uint8_t *t = to;

	if (!c && !((uintptr_t)t & 7))
		for (; n >= 8; n -= 8, t += 8) {
			*(uint64_t *)(void *)t = 0;
			NOT_A_CALL();
		}
	for (; n; n--) {
		*t++ = (uint8_t)c;
		NOT_A_CALL();
	}
	return to;
}
