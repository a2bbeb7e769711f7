/* What the tests of board `pc`'s devices share. */
#pragma once

#include <dev/mmio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NEVER UINT64_MAX

/* A read of a device's register that has to be carried out, and a write. */
#define RD(access, device, at, bytes)                                  \
	({                                                             \
		struct mmio m_ = { .offset = (at), .size = (bytes) };  \
		assert_int_equal(access((device), &m_), MMIO_HANDLED); \
		m_.value;                                              \
	})
#define WR(access, device, at, bytes, what)                            \
	({                                                             \
		struct mmio m_ = { .offset = (at),                     \
				   .size = (bytes),                    \
				   .write = true,                      \
				   .value = (what) };                  \
		assert_int_equal(access((device), &m_), MMIO_HANDLED); \
	})

/* The owner of a timer: its clock, and what it hears of its line. */
struct owner {
	uint64_t now;
	bool irq;
	unsigned rises;
};

static inline uint64_t owner_now(void *opaque)
{
	return ((struct owner *)opaque)->now;
}

static inline void owner_irq(void *opaque, unsigned line, bool level)
{
	struct owner *o = opaque;

	assert_int_equal(line, 0);
	assert_int_not_equal(o->irq, level);
	o->irq = level;
	o->rises += level;
}
