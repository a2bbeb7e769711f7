/* What the tests of board `pc`'s devices share. */
#pragma once

#include <dev/mmio.h>
#include <setjmp.h>
#include <stdarg.h>
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
