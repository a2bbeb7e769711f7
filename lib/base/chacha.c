#include <selvage/base.h>
#include <selvage/chacha.h>

static uint32_t rotate(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

static void quarter_round(uint32_t *s, unsigned a, unsigned b, unsigned c, unsigned d)
{
	s[a] += s[b];
	s[d] = rotate(s[d] ^ s[a], 16);
	s[c] += s[d];
	s[b] = rotate(s[b] ^ s[c], 12);
	s[a] += s[b];
	s[d] = rotate(s[d] ^ s[a], 8);
	s[c] += s[d];
	s[b] = rotate(s[b] ^ s[c], 7);
}

static void double_round(uint32_t *s)
{
	for (unsigned i = 0; i < 4; i++)
		quarter_round(s, i, 4 + i, 8 + i, 12 + i);
	for (unsigned i = 0; i < 4; i++)
		quarter_round(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
}

void chacha_block(uint8_t out[CHACHA_BLOCK_BYTES], const uint8_t key[CHACHA_KEY_BYTES],
		  uint32_t counter, const uint8_t nonce[CHACHA_NONCE_BYTES])
{
	uint32_t start[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	uint32_t s[16];

	for (unsigned i = 0; i < 8; i++)
		start[4 + i] = load_le32(key + 4 * i);
	start[12] = counter;
	for (unsigned i = 0; i < 3; i++)
		start[13 + i] = load_le32(nonce + 4 * i);
	for (unsigned i = 0; i < 16; i++)
		s[i] = start[i];
	for (unsigned i = 0; i < 10; i++)
		double_round(s);
	for (unsigned i = 0; i < 16; i++)
		store_le32(out + 4 * i, s[i] + start[i]);
}
