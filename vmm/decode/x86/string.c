/*
 * String operations. SDM volume 2, REP: each iteration is complete before the
 * next, so an exception or the end of the caller's patience finds RCX, RSI and
 * RDI as they are between two iterations.
 */
#include "internal.h"

#define ITERATIONS 64

static bool has_source(unsigned sub)
{
	return sub == STRING_MOVS || sub == STRING_LODS || sub == STRING_CMPS || sub == STRING_OUTS;
}

static bool has_destination(unsigned sub)
{
	return sub != STRING_LODS && sub != STRING_OUTS;
}

static bool writes(unsigned sub)
{
	return sub == STRING_MOVS || sub == STRING_STOS || sub == STRING_INS;
}

static void step(struct run *r, unsigned reg)
{
	uint64_t by = r->s->rflags & DF ? -(uint64_t)r->i->size : r->i->size;

	x86_set_reg(r->s, reg, r->i->address, r->s->reg[reg] + by);
}

static enum x86_result port(struct run *r, bool write, uint64_t *value)
{
	uint32_t word = (uint32_t)*value;

	if (!r->env->port || !r->env->port(r->env->opaque, (uint16_t)r->s->reg[X86_RDX], r->i->size,
					   write, &word))
		return x86_refuse(r, "a string operation on a port, which is an exit of its own");
	*value = word;
	return X86_DONE;
}

static enum x86_result iteration(struct run *r)
{
	const struct x86_insn *i = r->i;
	unsigned size = i->size;
	uint64_t a = x86_reg(r->s, X86_RAX, size), b = 0;
	struct place source, destination;

	if (has_source(i->sub))
		TRY(x86_find(r, 0, i->segment, x86_reg(r->s, X86_RSI, i->address), size, READ,
			     &source));
	if (has_destination(i->sub))
		TRY(x86_find(r, 1, X86_ES, x86_reg(r->s, X86_RDI, i->address), size,
			     writes(i->sub) ? WRITE : READ, &destination));
	if (has_source(i->sub))
		TRY(x86_get(r, &source, &a));
	if (i->sub == STRING_INS || i->sub == STRING_OUTS)
		TRY(port(r, i->sub == STRING_OUTS, &a));
	if (has_destination(i->sub))
		TRY(writes(i->sub) ? x86_put(r, &destination, a) : x86_get(r, &destination, &b));
	if (i->sub == STRING_LODS)
		x86_set_reg(r->s, X86_RAX, size, a);
	if (has_destination(i->sub) && !writes(i->sub))
		x86_alu(ALU_CMP, a, b, size, &r->s->rflags);
	if (has_source(i->sub))
		step(r, X86_RSI);
	if (has_destination(i->sub))
		step(r, X86_RDI);
	return X86_DONE;
}

/* REPE and REPNE look at ZF where the operation compares. */
static bool ends(const struct run *r)
{
	bool compares = r->i->sub == STRING_CMPS || r->i->sub == STRING_SCAS;

	return compares && !(r->s->rflags & ZF) != r->i->until_equal;
}

enum x86_result x86_string(struct run *r)
{
	const struct x86_insn *i = r->i;
	unsigned left = r->env->iterations ? r->env->iterations : ITERATIONS;

	/* The one memory operand of these may be what the exit was about; in a loop
	 * it is only in the first iteration. */
	if (!i->repeat && !i->until_equal)
		return iteration(r);
	r->one_access = false;
	for (; x86_reg(r->s, X86_RCX, i->address); left--) {
		if (!left)
			return X86_AGAIN;
		TRY(iteration(r));
		x86_set_reg(r->s, X86_RCX, i->address, r->s->reg[X86_RCX] - 1);
		if (ends(r))
			break;
	}
	return X86_DONE;
}
