/* One case: an encoding, and the registers with which its operand is in the window. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Linear addresses: data, code, descriptors. */
#define WINDOW 0x40000u
#define CODE 0x80000u
#define CODE_BYTES 0x10000u
#define TABLES 0xa0000u

struct diff_state {
	uint64_t reg[16], rip, rflags;
	unsigned mode; /* 2, 4, 8: as enum x86_mode */
};

struct diff_case {
	const struct diff_class *class;
	struct diff_state state;
	uint64_t base[6]; /* of the segments */
	uint8_t bytes[16];
	unsigned n;
	uint64_t target; /* where its operand is to be, in the window */
	uint8_t vector[16][32];
	uint64_t random;
};

enum {
	LOCKS = 1,  /* takes a LOCK prefix */
	STRING = 2, /* no ModRM; RSI, RDI, RCX */
	BITS = 4,   /* a bit string, by a register */
	DIVIDES = 8,
	JUMPS = 16,
	MOFFS = 32,
	VECTOR = 64,
	NO_66 = 128, /* 66 would make another instruction of it */
	ONLY_64 = 256,
	PLAIN = 512, /* no ModRM, no memory operand but the stack */
	XLAT = 1024,
	ALIGNED = 2048,
	NO_RIP = 4096, /* not relative to RIP */
};

struct diff_class {
	const char *name;
	uint8_t opcode[4]; /* without prefixes; first 66, f2 or f3: mandatory */
	uint8_t length;
	uint8_t random; /* bits of the last opcode byte that are random */
	int8_t reg;     /* of ModRM; -1: any; -2: 0 to 7 without 6; */
	int8_t imm;     /* bytes; -1: as the operand, at most 4 */
	uint16_t flags;
};

extern const struct diff_class diff_classes[];
extern const unsigned diff_class_count;

uint64_t diff_random(struct diff_case *c);
void diff_generate(struct diff_case *c, uint64_t number);
