/* The block function's test vector of RFC 8439 2.3.2; the generator on it. */
#include <selvage/drbg.h>
#include <string.h>

#include "unit.h"

static void block_of_the_rfc(void **state)
{
	static const uint8_t nonce[12] = { 0, 0, 0, 9, 0, 0, 0, 0x4a };
	static const uint8_t want[64] = {
		0x10,
		0xf1,
		0xe7,
		0xe4,
		0xd1,
		0x3b,
		0x59,
		0x15,
		0x50,
		0x0f,
		0xdd,
		0x1f,
		0xa3,
		0x20,
		0x71,
		0xc4,
		0xc7,
		0xd1,
		0xf4,
		0xc7,
		0x33,
		0xc0,
		0x68,
		0x03,
		0x04,
		0x22,
		0xaa,
		0x9a,
		0xc3,
		0xd4,
		0x6c,
		0x4e,
		0xd2,
		0x82,
		0x64,
		0x46,
		0x07,
		0x9f,
		0xaa,
		0x09,
		0x14,
		0xc2,
		0xd7,
		0x05,
		0xd9,
		0x8b,
		0x02,
		0xa2,
		0xb5,
		0x12,
		0x9c,
		0xd1,
		0xde,
		0x16,
		0x4e,
		0xb9,
		0xcb,
		0xd0,
		0x83,
		0xe8,
		0xa2,
		0x50,
		0x3c,
		0x4e,
	};
	uint8_t key[32], out[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	chacha_block(out, key, 1, nonce);
	assert_memory_equal(out, want, sizeof(want));
}

/* Blocks 1, 2, ... of a key whose block 0 makes the next key. */
static void generator(void **state)
{
	static const uint8_t nonce[CHACHA_NONCE_BYTES];
	struct drbg d = { { 1, 2, 3 } };
	uint8_t key[CHACHA_KEY_BYTES] = { 1, 2, 3 }, block[64], got[100];

	(void)state;
	for (unsigned call = 0; call < 3; call++) {
		drbg_fill(&d, got, sizeof(got));
		chacha_block(block, key, 1, nonce);
		assert_memory_equal(got, block, 64);
		chacha_block(block, key, 2, nonce);
		assert_memory_equal(got + 64, block, sizeof(got) - 64);
		chacha_block(block, key, 0, nonce);
		memcpy(key, block, sizeof(key));
		assert_memory_equal(d.key, key, sizeof(key));
	}
	drbg_fill(&d, got, 0);
	assert_memory_not_equal(d.key, key, sizeof(key));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(block_of_the_rfc),
					    cmocka_unit_test(generator) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
