/*
 * The decoder of x86 against Unicorn: random encodings with a memory operand,
 * carried out by both on the same registers and memory.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

struct diff_result {
	uint64_t compared, exceptions; /* both raised the same */
	uint64_t skipped;              /* the emulator does not check what the manual asks for */
	uint64_t differing;
};

/* Cases number `first` to `first + count`; differences go to `out`. */
void diff_run(uint64_t first, uint64_t count, struct diff_result *result, FILE *out);
