/* Carries out a decoded instruction. SDM volume 2, each instruction's "Operation". */
#include "internal.h"

enum x86_result x86_refuse(struct run *r, const char *why)
{
	r->out->why = why;
	return X86_REFUSED;
}

enum x86_result x86_raise(struct run *r, unsigned vector)
{
	r->out->vector = (uint8_t)vector;
	r->out->has_error_code = vector >= X86_SS_FAULT;
	r->out->error_code = 0;
	return X86_EXCEPTION;
}

enum x86_result x86_open(struct run *r, unsigned k, enum access access, struct at *at)
{
	at->o = &r->i->operand[k];
	if (at->o->kind != X86_MEMORY)
		return X86_DONE;
	return x86_find(r, 0, r->i->segment, x86_offset(r, r->s), at->o->size, access, &at->place);
}

enum x86_result x86_load(struct run *r, const struct at *at, uint64_t *value)
{
	const struct x86_operand *o = at->o;
	struct x86_segment segment;

	switch (o->kind) {
	case X86_GPR: *value = x86_reg(r->s, o->reg, o->size); return X86_DONE;
	case X86_HIGH: *value = r->s->reg[o->reg] >> 8 & 0xff; return X86_DONE;
	case X86_IMMEDIATE: *value = r->i->imm; return X86_DONE;
	case X86_MEMORY: return x86_get(r, &at->place, value);
	case X86_SELECTOR:
		r->env->segment(r->env->opaque, o->reg, &segment);
		*value = segment.selector;
		return X86_DONE;
	default: return x86_refuse(r, "an operand of a kind that is not read here");
	}
}

enum x86_result x86_store(struct run *r, const struct at *at, uint64_t value)
{
	const struct x86_operand *o = at->o;

	switch (o->kind) {
	case X86_GPR: x86_set_reg(r->s, o->reg, o->size, value); return X86_DONE;
	case X86_HIGH:
		r->s->reg[o->reg] = (r->s->reg[o->reg] & ~0xff00ull) | (value & 0xff) << 8;
		return X86_DONE;
	case X86_MEMORY: return x86_put(r, &at->place, value);
	default: return x86_refuse(r, "a segment register, or another that is not written here");
	}
}

static enum x86_result mov(struct run *r)
{
	struct at to, from;
	uint64_t value;

	TRY(x86_open(r, 0, WRITE, &to));
	TRY(x86_open(r, 1, READ, &from));
	TRY(x86_load(r, &from, &value));
	if (r->i->op == OP_MOVSX)
		value = x86_sign(value, from.o->size);
	if (r->i->op == OP_MOVBE)
		value = __builtin_bswap64(value) >> (64 - 8 * from.o->size);
	return x86_store(r, &to, value);
}

static enum x86_result alu(struct run *r)
{
	bool keeps = r->i->sub == ALU_CMP || r->i->sub == ALU_TEST;
	uint64_t a, b, flags = r->s->rflags;
	struct at to, from;

	TRY(x86_open(r, 0, keeps ? READ : MODIFY, &to));
	TRY(x86_open(r, 1, READ, &from));
	TRY(x86_load(r, &to, &a));
	TRY(x86_load(r, &from, &b));
	a = x86_alu(r->i->sub, a, b & x86_mask(to.o->size), to.o->size, &flags);
	if (!keeps)
		TRY(x86_store(r, &to, a));
	r->s->rflags = flags;
	return X86_DONE;
}

static enum x86_result unary(struct run *r)
{
	uint64_t a, flags = r->s->rflags;
	struct at to;

	TRY(x86_open(r, 0, MODIFY, &to));
	TRY(x86_load(r, &to, &a));
	TRY(x86_store(r, &to, x86_unary(r->i->sub, a, to.o->size, &flags)));
	r->s->rflags = flags;
	return X86_DONE;
}

static enum x86_result shift(struct run *r)
{
	bool two = r->i->op == OP_DOUBLE_SHIFT;
	uint64_t a, b = 0, count, flags = r->s->rflags;
	struct at to, from, by;

	TRY(x86_open(r, 0, MODIFY, &to));
	TRY(x86_open(r, 1, READ, two ? &from : &by));
	if (two)
		TRY(x86_open(r, 2, READ, &by));
	TRY(x86_load(r, &to, &a));
	TRY(x86_load(r, &by, &count));
	if (two)
		TRY(x86_load(r, &from, &b));
	count &= 0xff;
	if (two)
		a = x86_double_shift(r->i->sub, a, b, (unsigned)count, to.o->size, &flags);
	else
		a = x86_shift(r->i->sub, a, (unsigned)count, to.o->size, &flags);
	TRY(x86_store(r, &to, a));
	r->s->rflags = flags;
	return X86_DONE;
}

/* XCHG and XADD: a register gets what the destination was. */
static enum x86_result exchange(struct run *r)
{
	bool sum = r->i->op == OP_XADD;
	uint64_t a, b, flags = r->s->rflags, put;
	struct at to, with;

	TRY(x86_open(r, 0, MODIFY, &to));
	TRY(x86_open(r, 1, MODIFY, &with));
	TRY(x86_load(r, &to, &a));
	TRY(x86_load(r, &with, &b));
	put = sum ? x86_alu(ALU_ADD, a, b, to.o->size, &flags) : b;
	/* Memory first: it may fail. Of two registers the destination is last. */
	if (to.o->kind == X86_MEMORY) {
		TRY(x86_store(r, &to, put));
		TRY(x86_store(r, &with, a));
	} else {
		TRY(x86_store(r, &with, a));
		TRY(x86_store(r, &to, put));
	}
	r->s->rflags = flags;
	return X86_DONE;
}

static enum x86_result cmpxchg(struct run *r)
{
	unsigned size = r->i->operand[0].size;
	uint64_t a, b, accumulator = x86_reg(r->s, X86_RAX, size), flags = r->s->rflags;
	struct at to, from;

	TRY(x86_open(r, 0, MODIFY, &to));
	TRY(x86_open(r, 1, READ, &from));
	TRY(x86_load(r, &to, &a));
	TRY(x86_load(r, &from, &b));
	x86_alu(ALU_CMP, accumulator, a, size, &flags);
	/* The destination is written in both cases. */
	TRY(x86_store(r, &to, flags & ZF ? b : a));
	if (!(flags & ZF))
		x86_set_reg(r->s, X86_RAX, size, a);
	r->s->rflags = flags;
	return X86_DONE;
}

static uint64_t word(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	for (unsigned n = 0; n < size; n++)
		value |= (uint64_t)bytes[n] << 8 * n;
	return value;
}

static void set_word(uint8_t *bytes, unsigned size, uint64_t value)
{
	for (unsigned n = 0; n < size; n++)
		bytes[n] = (uint8_t)(value >> 8 * n);
}

/* CMPXCHG8B and CMPXCHG16B */
static enum x86_result cmpxchg_pair(struct run *r)
{
	struct x86_state *s = r->s;
	unsigned half = r->i->operand[0].size / 2;
	uint8_t bytes[32];
	uint64_t low, high;
	bool equal;
	struct at to;

	if (r->i->operand[0].kind != X86_MEMORY)
		return x86_refuse(r, "no memory operand");
	if (half == 8 && x86_offset(r, s) & 15)
		return x86_raise(r, X86_GP);
	TRY(x86_open(r, 0, MODIFY, &to));
	TRY(x86_get_bytes(r, &to.place, bytes));
	low = word(bytes, half);
	high = word(bytes + half, half);
	equal = low == x86_reg(s, X86_RAX, half) && high == x86_reg(s, X86_RDX, half);
	if (equal) {
		set_word(bytes, half, s->reg[X86_RBX]);
		set_word(bytes + half, half, s->reg[X86_RCX]);
	}
	TRY(x86_put_bytes(r, &to.place, bytes));
	if (!equal) {
		x86_set_reg(s, X86_RAX, half, low);
		x86_set_reg(s, X86_RDX, half, high);
	}
	s->rflags = (s->rflags & ~(uint64_t)ZF) | (equal ? ZF : 0);
	return X86_DONE;
}

/* BT and its like: with a register, memory is a string of bits. */
static enum x86_result bit(struct run *r)
{
	const struct x86_operand *o = r->i->operand;
	unsigned size = o[0].size, bits = 8 * size;
	enum access access = r->i->sub == BIT_TEST ? READ : MODIFY;
	uint64_t index, value, one;
	struct at to = { .o = &o[0] }, from;

	TRY(x86_open(r, 1, READ, &from));
	TRY(x86_load(r, &from, &index));
	if (o[0].kind == X86_MEMORY) {
		uint64_t offset = x86_offset(r, r->s);

		if (o[1].kind == X86_GPR)
			offset += (uint64_t)((int64_t)x86_sign(index, size) >>
					     (size == 2 ? 4 : size == 4 ? 5
									: 6)) *
				  size;
		TRY(x86_find(r, 0, r->i->segment, offset & x86_mask(r->i->address), size, access,
			     &to.place));
	}
	TRY(x86_load(r, &to, &value));
	one = 1ull << (index & (bits - 1));
	index = value & one;
	switch (r->i->sub) {
	case BIT_SET: value |= one; break;
	case BIT_RESET: value &= ~one; break;
	case BIT_COMPLEMENT: value ^= one; break;
	default: break;
	}
	if (access == MODIFY)
		TRY(x86_store(r, &to, value));
	r->s->rflags = (r->s->rflags & ~(uint64_t)CF) | (index ? CF : 0);
	return X86_DONE;
}

static enum x86_result scan(struct run *r)
{
	unsigned size = r->i->operand[0].size;
	struct at to, from;
	uint64_t a, old;

	TRY(x86_open(r, 0, WRITE, &to));
	TRY(x86_open(r, 1, READ, &from));
	TRY(x86_load(r, &to, &old));
	TRY(x86_load(r, &from, &a));
	/* Nothing found: all 64 bits of the destination stay. */
	if (!a && r->i->sub <= SCAN_BSR)
		old = r->s->reg[to.o->reg], size = 8;
	a = x86_scan(r->i->sub, a, old, r->i->operand[0].size, &r->s->rflags);
	x86_set_reg(r->s, to.o->reg, size, a);
	return X86_DONE;
}

/* The forms with one operand: RDX:RAX, of a byte AX. */
static uint64_t upper(const struct run *r, unsigned size)
{
	return size == 1 ? r->s->reg[X86_RAX] >> 8 & 0xff : x86_reg(r->s, X86_RDX, size);
}

static void set_pair(struct run *r, unsigned size, uint64_t low, uint64_t high)
{
	if (size == 1) {
		x86_set_reg(r->s, X86_RAX, 2, high << 8 | low);
	} else {
		x86_set_reg(r->s, X86_RAX, size, low);
		x86_set_reg(r->s, X86_RDX, size, high);
	}
}

static enum x86_result multiply(struct run *r)
{
	const struct x86_operand *o = r->i->operand;
	unsigned size = o[0].size;
	uint64_t a, b, low, high;
	struct at to, first, second;

	TRY(x86_open(r, 0, READ, &to));
	if (o[1].kind == X86_NONE) {
		TRY(x86_load(r, &to, &b));
		low = x86_multiply(r->i->sub, x86_reg(r->s, X86_RAX, size), b, size, &high,
				   &r->s->rflags);
		set_pair(r, size, low, high);
		return X86_DONE;
	}
	TRY(x86_open(r, o[2].kind != X86_NONE ? 1 : 0, READ, &first));
	TRY(x86_open(r, o[2].kind != X86_NONE ? 2 : 1, READ, &second));
	TRY(x86_load(r, &first, &a));
	TRY(x86_load(r, &second, &b));
	low = x86_multiply(true, a, b & x86_mask(size), size, &high, &r->s->rflags);
	return x86_store(r, &to, low);
}

static enum x86_result divide(struct run *r)
{
	unsigned size = r->i->operand[0].size;
	uint64_t low = x86_reg(r->s, X86_RAX, size), high = upper(r, size), divisor;
	struct at by;

	TRY(x86_open(r, 0, READ, &by));
	TRY(x86_load(r, &by, &divisor));
	if (!x86_divide(r->i->sub, &low, &high, divisor, size))
		return x86_raise(r, X86_DE);
	set_pair(r, size, low, high);
	return X86_DONE;
}

static enum x86_result setcc(struct run *r)
{
	struct at to;

	TRY(x86_open(r, 0, WRITE, &to));
	return x86_store(r, &to, x86_condition(r->i->sub, r->s->rflags));
}

/* Reads in both cases, and 32 bits clear those above them in both. */
static enum x86_result cmovcc(struct run *r)
{
	struct at to, from;
	uint64_t old, value;

	TRY(x86_open(r, 0, WRITE, &to));
	TRY(x86_open(r, 1, READ, &from));
	TRY(x86_load(r, &to, &old));
	TRY(x86_load(r, &from, &value));
	return x86_store(r, &to, x86_condition(r->i->sub, r->s->rflags) ? value : old);
}

static enum x86_result xlat(struct run *r)
{
	uint64_t offset = r->s->reg[X86_RBX] + (r->s->reg[X86_RAX] & 0xff), value;
	struct place p;

	TRY(x86_find(r, 0, r->i->segment, offset & x86_mask(r->i->address), 1, READ, &p));
	TRY(x86_get(r, &p, &value));
	x86_set_reg(r->s, X86_RAX, 1, value);
	return X86_DONE;
}

static enum x86_result unknown(struct run *r)
{
	return x86_refuse(r, "an instruction that is not carried out on a device");
}

static enum x86_result (*const handlers[OPS])(struct run *r) = {
	[OP_UNKNOWN] = unknown,
	[OP_MOV] = mov,
	[OP_MOVSX] = mov,
	[OP_MOVBE] = mov,
	[OP_ALU] = alu,
	[OP_UNARY] = unary,
	[OP_SHIFT] = shift,
	[OP_DOUBLE_SHIFT] = shift,
	[OP_XCHG] = exchange,
	[OP_XADD] = exchange,
	[OP_CMPXCHG] = cmpxchg,
	[OP_CMPXCHG_PAIR] = cmpxchg_pair,
	[OP_BIT] = bit,
	[OP_SCAN] = scan,
	[OP_MULTIPLY] = multiply,
	[OP_DIVIDE] = divide,
	[OP_SETCC] = setcc,
	[OP_CMOVCC] = cmovcc,
	[OP_PUSH] = x86_push,
	[OP_POP] = x86_pop,
	[OP_CALL] = x86_call,
	[OP_JMP] = x86_call,
	[OP_RET] = x86_ret,
	[OP_LEAVE] = x86_leave,
	[OP_XLAT] = xlat,
	[OP_STRING] = x86_string,
	[OP_VECTOR] = x86_vector,
};

/* Of the others each access may be what the exit was about. */
static bool has_one_access(const struct x86_insn *i)
{
	if (i->op == OP_STRING)
		return i->sub != STRING_MOVS && i->sub != STRING_CMPS;
	return i->op < OP_PUSH || i->op > OP_LEAVE || i->op == OP_JMP;
}

enum x86_result x86_run(const struct x86_insn *insn, struct x86_state *state,
			const struct x86_env *env, struct x86_outcome *outcome)
{
	struct run r = { .i = insn, .s = state, .env = env, .out = outcome };
	enum x86_result result;

	r.next = (state->rip + insn->bytes) & (state->mode == X86_64 ? ~0ull : 0xffffffff);
	r.one_access = has_one_access(insn);
	outcome->single_step = false;
	result = handlers[insn->op](&r);
	if (result != X86_DONE)
		return result;
	outcome->single_step = state->rflags & TF;
	state->rip = r.next;
	state->rflags &= ~(uint64_t)RF;
	return X86_DONE;
}
