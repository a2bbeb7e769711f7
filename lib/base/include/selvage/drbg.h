/*
 * A generator of random bytes from a secret key, on the ChaCha20 block
 * function: each call makes the next key first and forgets the one it used
 * ("fast key erasure"), so that who learns the state learns nothing of what
 * was given out before. What it gives is as hard to guess as the key.
 */
#pragma once

#include <selvage/chacha.h>
#include <stddef.h>

struct drbg {
	uint8_t key[CHACHA_KEY_BYTES];
};

/* At most 2^32 - 1 blocks of 64 bytes in one call. */
void drbg_fill(struct drbg *d, void *to, size_t bytes);
