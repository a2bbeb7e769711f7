/*
 * The ChaCha20 block function (RFC 8439 2.3), as a pseudo-random function:
 * who knows some blocks learns neither the key nor another block.
 */
#pragma once

#include <stdint.h>

#define CHACHA_KEY_BYTES 32
#define CHACHA_NONCE_BYTES 12
#define CHACHA_BLOCK_BYTES 64

void chacha_block(uint8_t out[CHACHA_BLOCK_BYTES], const uint8_t key[CHACHA_KEY_BYTES],
		  uint32_t counter, const uint8_t nonce[CHACHA_NONCE_BYTES]);
