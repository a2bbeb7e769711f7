/* What the files of this folder share. */
#pragma once

#include "x86.h"

enum x86_op {
	OP_UNKNOWN,
	OP_MOV,
	OP_MOVSX, /* MOVZX is OP_MOV with a smaller source */
	OP_MOVBE,
	OP_ALU,   /* sub: enum x86_alu */
	OP_UNARY, /* sub: enum x86_unary */
	OP_SHIFT, /* sub: enum x86_shift */
	OP_DOUBLE_SHIFT,
	OP_XCHG,
	OP_XADD,
	OP_CMPXCHG,
	OP_CMPXCHG_PAIR,
	OP_BIT,      /* sub: enum x86_bit */
	OP_SCAN,     /* sub: enum x86_scan */
	OP_MULTIPLY, /* sub: 1: signed */
	OP_DIVIDE,   /* the same */
	OP_SETCC,    /* sub: condition, as encoded */
	OP_CMOVCC,   /* the same */
	OP_PUSH,
	OP_POP,
	OP_CALL,
	OP_JMP,
	OP_RET,
	OP_LEAVE,
	OP_XLAT,
	OP_STRING, /* sub: enum x86_string */
	OP_VECTOR, /* sub: enum x86_vector */
	OPS
};
enum x86_alu { ALU_ADD,
	       ALU_OR,
	       ALU_ADC,
	       ALU_SBB,
	       ALU_AND,
	       ALU_SUB,
	       ALU_XOR,
	       ALU_CMP,
	       ALU_TEST };
enum x86_unary { UNARY_INC,
		 UNARY_DEC,
		 UNARY_NEG,
		 UNARY_NOT };
enum x86_shift { SHIFT_ROL,
		 SHIFT_ROR,
		 SHIFT_RCL,
		 SHIFT_RCR,
		 SHIFT_SHL,
		 SHIFT_SHR,
		 SHIFT_SAR };
enum x86_bit { BIT_TEST,
	       BIT_SET,
	       BIT_RESET,
	       BIT_COMPLEMENT };
enum x86_scan { SCAN_BSF,
		SCAN_BSR,
		SCAN_TZCNT,
		SCAN_LZCNT,
		SCAN_POPCNT };
enum x86_string { STRING_MOVS,
		  STRING_STOS,
		  STRING_LODS,
		  STRING_CMPS,
		  STRING_SCAS,
		  STRING_INS,
		  STRING_OUTS };
enum x86_vector { VECTOR_WHOLE, /* a load clears what is above it */
		  VECTOR_ALIGNED,
		  VECTOR_LOW, /* 8 bytes; a load keeps, or takes from a second source, the others */
		  VECTOR_HIGH };

#define CF 0x001u
#define PF 0x004u
#define AF 0x010u
#define ZF 0x040u
#define SF 0x080u
#define TF 0x100u
#define DF 0x400u
#define OF 0x800u
#define RF 0x10000u
#define ARITHMETIC (CF | PF | AF | ZF | SF | OF)

/* op.c: the operation of a Zydis mnemonic; false: none here. */
struct x86_named {
	uint16_t mnemonic;
	uint8_t op, sub;
};
const struct x86_named *x86_op_of(unsigned mnemonic);
extern const unsigned x86_op_count;

/* alu.c: values of `size` bytes, zero-extended; flags in *flags. */
uint64_t x86_alu(enum x86_alu op, uint64_t a, uint64_t b, unsigned size, uint64_t *flags);
uint64_t x86_unary(enum x86_unary op, uint64_t a, unsigned size, uint64_t *flags);
uint64_t x86_shift(enum x86_shift op, uint64_t a, unsigned count, unsigned size, uint64_t *flags);
uint64_t x86_double_shift(bool right, uint64_t a, uint64_t b, unsigned count, unsigned size,
			  uint64_t *flags);
/* old: what the destination keeps if there is no bit to find. */
uint64_t x86_scan(enum x86_scan op, uint64_t a, uint64_t old, unsigned size, uint64_t *flags);
bool x86_condition(unsigned condition, uint64_t flags);
uint64_t x86_multiply(bool is_signed, uint64_t a, uint64_t b, unsigned size, uint64_t *high,
		      uint64_t *flags);
/* false: #DE */
bool x86_divide(bool is_signed, uint64_t *low, uint64_t *high, uint64_t divisor, unsigned size);

static inline uint64_t x86_mask(unsigned size)
{
	return ~0ull >> (64 - 8 * size);
}

static inline uint64_t x86_sign(uint64_t value, unsigned size)
{
	unsigned shift = 64 - 8 * size;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

/* One instruction under way. */
struct run {
	const struct x86_insn *i;
	struct x86_state *s;
	const struct x86_env *env;
	struct x86_outcome *out;
	uint64_t next;   /* RIP afterwards */
	bool one_access; /* its memory operand is all that it touches */
	struct {
		bool valid, write;
		uint64_t page, gpa;
	} seen[2]; /* the last translation of source and destination */
};

enum access { READ,
	      WRITE,
	      MODIFY };

/* Where an operand in memory is: on one page or two. */
struct place {
	uint64_t gpa[2];
	uint8_t size, first; /* bytes on the first page */
};

enum x86_result x86_refuse(struct run *r, const char *why);
enum x86_result x86_raise(struct run *r, unsigned vector);

/* memory.c. `way`: which of r->seen; 0 for the memory operand of the instruction. */
enum x86_result x86_find(struct run *r, unsigned way, unsigned segment, uint64_t offset,
			 unsigned size, enum access access, struct place *p);
enum x86_result x86_get(struct run *r, const struct place *p, uint64_t *value);
enum x86_result x86_put(struct run *r, const struct place *p, uint64_t value);
enum x86_result x86_get_bytes(struct run *r, const struct place *p, uint8_t *bytes);
enum x86_result x86_put_bytes(struct run *r, const struct place *p, const uint8_t *bytes);
/* Of the memory operand: its offset in the segment. */
uint64_t x86_offset(const struct run *r, const struct x86_state *s);
/* The instruction may go on at `target`. */
enum x86_result x86_check_target(struct run *r, uint64_t target);

/* register.c */
uint64_t x86_reg(const struct x86_state *s, unsigned reg, unsigned size);
void x86_set_reg(struct x86_state *s, unsigned reg, unsigned size, uint64_t value);

/* string.c, vector.c */
enum x86_result x86_string(struct run *r);
enum x86_result x86_vector(struct run *r);
/* stack.c */
enum x86_result x86_push(struct run *r);
enum x86_result x86_pop(struct run *r);
enum x86_result x86_call(struct run *r);
enum x86_result x86_ret(struct run *r);
enum x86_result x86_leave(struct run *r);

/* run.c: operands. */
struct at {
	const struct x86_operand *o;
	struct place place;
};
enum x86_result x86_open(struct run *r, unsigned k, enum access access, struct at *at);
enum x86_result x86_load(struct run *r, const struct at *at, uint64_t *value);
enum x86_result x86_store(struct run *r, const struct at *at, uint64_t value);

#define TRY(call)                                   \
	do {                                        \
		enum x86_result try_result_ = call; \
		if (try_result_ != X86_DONE)        \
			return try_result_;         \
	} while (0)
