/* Moves between memory and vector registers. */
#include "internal.h"

#include <string.h>

static enum x86_result vector(struct run *r, const struct x86_operand *o, bool write,
			      uint8_t value[32])
{
	const struct x86_env *env = r->env;

	if (!env->vector || !env->vector(env->opaque, o->kind, o->reg, write, value))
		return x86_refuse(r, "vector registers, which the caller does not show");
	return X86_DONE;
}

/* What becomes of the register: SSE keeps the upper half of a YMM register, AVX
 * clears it. */
static enum x86_result load(struct run *r, const struct place *p)
{
	const struct x86_insn *i = r->i;
	uint8_t value[32] = { 0 }, loaded[32] = { 0 }, upper[32] = { 0 };
	unsigned at = i->sub == VECTOR_HIGH ? 8 : 0;
	bool merge = i->sub == VECTOR_LOW || i->sub == VECTOR_HIGH;

	TRY(vector(r, &i->operand[0], false, upper));
	if (merge)
		TRY(vector(r, &i->operand[i->operand[1].kind == X86_XMM ? 1 : 0], false, value));
	TRY(x86_get_bytes(r, p, loaded));
	memcpy(value + at, loaded, p->size);
	if (!i->vex)
		memcpy(value + 16, upper + 16, 16);
	else if (p->size <= 16)
		memset(value + 16, 0, 16);
	return vector(r, &i->operand[0], true, value);
}

static enum x86_result store(struct run *r, const struct place *p)
{
	const struct x86_insn *i = r->i;
	uint8_t value[32] = { 0 };

	TRY(vector(r, &i->operand[1], false, value));
	return x86_put_bytes(r, p, value + (i->sub == VECTOR_HIGH ? 8 : 0));
}

enum x86_result x86_vector(struct run *r)
{
	const struct x86_insn *i = r->i;
	bool to_memory = i->operand[0].kind == X86_MEMORY;
	unsigned k = to_memory ? 0 : i->operand[1].kind == X86_MEMORY ? 1
								      : 2;
	unsigned size = i->operand[k].size;
	uint64_t offset = x86_offset(r, r->s);
	struct place p;

	if (i->operand[k].kind != X86_MEMORY || size > 32 || i->operand[to_memory].kind < X86_XMM)
		return x86_refuse(r, "a form of a vector move that has no memory operand");
	/* The bases of segments are not looked at: with one that is not aligned the
	 * processor had found out. */
	if (i->sub == VECTOR_ALIGNED && offset % size)
		return x86_raise(r, X86_GP);
	TRY(x86_find(r, 0, i->segment, offset, size, to_memory ? WRITE : READ, &p));
	return to_memory ? store(r, &p) : load(r, &p);
}
