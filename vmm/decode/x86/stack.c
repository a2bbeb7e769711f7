/* PUSH, POP, CALL and their like: one side is the stack, the other anything. */
#include "internal.h"

static unsigned width(const struct run *r)
{
	if (r->s->mode == X86_64)
		return 8;
	return r->s->stack32 ? 4 : 2;
}

static void move_to(struct x86_state *s, unsigned size, uint64_t rsp)
{
	/* ESP is the whole register outside of 64-bit mode, SP a part of it. */
	x86_set_reg(s, X86_RSP, size, rsp);
}

static enum x86_result find(struct run *r, int64_t below, unsigned size, enum access access,
			    struct place *p)
{
	uint64_t offset = (r->s->reg[X86_RSP] - (uint64_t)below) & x86_mask(width(r));

	return x86_find(r, 1, X86_SS, offset, size, access, p);
}

static enum x86_result push(struct run *r, uint64_t value)
{
	struct place p;

	TRY(find(r, r->i->size, r->i->size, WRITE, &p));
	TRY(x86_put(r, &p, value));
	move_to(r->s, width(r), r->s->reg[X86_RSP] - r->i->size);
	return X86_DONE;
}

enum x86_result x86_push(struct run *r)
{
	struct place p;
	struct at at;
	uint64_t value;

	TRY(find(r, r->i->size, r->i->size, WRITE, &p));
	TRY(x86_open(r, 0, READ, &at));
	TRY(x86_load(r, &at, &value));
	return push(r, value);
}

enum x86_result x86_pop(struct run *r)
{
	const struct x86_state before = *r->s;
	enum x86_result result;
	struct place p;
	struct at at;
	uint64_t value;

	TRY(find(r, 0, r->i->size, READ, &p));
	/* An address with RSP in it is computed after RSP has moved. */
	move_to(r->s, width(r), r->s->reg[X86_RSP] + r->i->size);
	result = x86_open(r, 0, WRITE, &at);
	if (result == X86_DONE)
		result = x86_get(r, &p, &value);
	if (result == X86_DONE)
		result = x86_store(r, &at, value);
	if (result != X86_DONE)
		*r->s = before;
	return result;
}

enum x86_result x86_call(struct run *r)
{
	struct place p;
	struct at at;
	uint64_t target;

	if (r->i->op == OP_CALL)
		TRY(find(r, r->i->size, r->i->size, WRITE, &p));
	TRY(x86_open(r, 0, READ, &at));
	TRY(x86_load(r, &at, &target));
	if (r->i->operand[0].kind == X86_IMMEDIATE)
		target += r->next;
	target &= x86_mask(r->i->size);
	TRY(x86_check_target(r, target));
	if (r->i->op == OP_CALL)
		TRY(push(r, r->next));
	r->next = target;
	return X86_DONE;
}

enum x86_result x86_ret(struct run *r)
{
	struct place p;
	uint64_t target;

	TRY(find(r, 0, r->i->size, READ, &p));
	TRY(x86_get(r, &p, &target));
	TRY(x86_check_target(r, target));
	move_to(r->s, width(r), r->s->reg[X86_RSP] + r->i->size + r->i->imm);
	r->next = target;
	return X86_DONE;
}

enum x86_result x86_leave(struct run *r)
{
	uint64_t frame = x86_reg(r->s, X86_RBP, width(r)), value;
	struct place p;

	TRY(x86_find(r, 1, X86_SS, frame, r->i->size, READ, &p));
	TRY(x86_get(r, &p, &value));
	move_to(r->s, width(r), frame + r->i->size);
	x86_set_reg(r->s, X86_RBP, r->i->size, value);
	return X86_DONE;
}
