/* Instructions of a vector table: their text, and where they lead. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum insn_set { INSN_ARM,
		INSN_THUMB,
		INSN_A64,
		INSN_X86_16,
		INSN_X86_32,
		INSN_X86_64,
		INSN_DATA /* a word, and no instruction */ };

enum insn_kind {
	INSN_NONE,     /* no instruction, or one that no vector holds: zeros, erased flash, UDF */
	INSN_PLAIN,    /* an instruction that goes on to the next one */
	INSN_JUMP,     /* leaves the table to `target` */
	INSN_LITERAL,  /* loads the address it leaves to from `target` */
	INSN_REGISTER, /* leaves the table to what a register says */
};

struct insn {
	enum insn_kind kind;
	uint64_t target;
};

/* The instruction that a little-endian word holds at this address; its text goes to `text`. */
struct insn insn_decode(enum insn_set set, uint32_t word, uint64_t address, char *text,
			size_t room);

#define INSN_X86_BYTES 15u
/* The one that these bytes of an x86's begin with: of a kind that is NONE, JUMP, REGISTER (through
 * a register or memory) or PLAIN. */
struct insn insn_decode_x86(enum insn_set set, const uint8_t bytes[INSN_X86_BYTES],
			    uint64_t address, char *text, size_t room);
