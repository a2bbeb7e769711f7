#include <selvage/base.h>
#include <selvage/drbg.h>
#include <string.h>

void drbg_fill(struct drbg *d, void *to, size_t bytes)
{
	static const uint8_t nonce[CHACHA_NONCE_BYTES];
	uint8_t block[CHACHA_BLOCK_BYTES], key[CHACHA_KEY_BYTES];
	uint8_t *p = to;

	memcpy(key, d->key, sizeof(key));
	chacha_block(block, key, 0, nonce);
	memcpy(d->key, block, sizeof(d->key));
	for (uint32_t i = 1; bytes > 0; i++) {
		size_t n = min_size(bytes, sizeof(block));

		chacha_block(block, key, i, nonce);
		memcpy(p, block, n);
		p += n;
		bytes -= n;
	}
}
