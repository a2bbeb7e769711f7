/* Instructions of a vector table: their text, and where they lead. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum insn_set { INSN_ARM,
		INSN_THUMB,
		INSN_A64 };

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
