/* T32: Thumb and Thumb-2 (Arm ARM F3.1). */
#include "a32.h"

#include <stddef.h>

#define SP 13u

static void simple(struct decode *d, const struct decode_state *s, unsigned t, unsigned n,
		   unsigned size, bool load, uint32_t offset)
{
	const struct a32_access a = {
		.t = t,
		.t2 = A32_NONE,
		.n = n,
		.size = size,
		.load = load,
		.index = true,
		.add = true,
		.offset = offset,
	};

	a32_access(d, s, &a);
}

/* 0101 ooo m n t */
static void by_register(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	static const uint8_t sizes[8] = { 4, 2, 1, 1, 4, 2, 1, 2 };
	const unsigned op = bits(insn, 11, 9);
	const struct a32_access a = {
		.t = bits(insn, 2, 0),
		.t2 = A32_NONE,
		.n = bits(insn, 5, 3),
		.size = sizes[op],
		.load = op >= 3,
		.sign = (op & 3) == 3,
		.index = true,
		.add = true,
		.offset = a32_reg(s, bits(insn, 8, 6)),
	};

	a32_access(d, s, &a);
}

static void push_or_pop(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const bool pop = bits(insn, 11, 11);
	const struct a32_multiple m = {
		.n = SP,
		.list = bits(insn, 7, 0) | bits(insn, 8, 8) << (pop ? 15 : 14),
		.load = pop,
		.before = !pop,
		.add = pop,
		.writeback = true,
	};

	a32_multiple(d, s, &m);
	if (d->refused == NULL)
		d->name = pop ? "pop" : "push";
}

static void multiple16(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const bool load = bits(insn, 11, 11);
	const unsigned n = bits(insn, 10, 8), list = bits(insn, 7, 0);
	const struct a32_multiple m = {
		.n = n,
		.list = list,
		.load = load,
		.add = true,
		.writeback = !load || !(list >> n & 1),
	};

	a32_multiple(d, s, &m);
}

static void narrow(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const unsigned imm5 = bits(insn, 10, 6), imm8 = bits(insn, 7, 0);
	const unsigned t = bits(insn, 2, 0), n = bits(insn, 5, 3), t8 = bits(insn, 10, 8);
	const bool load = bits(insn, 11, 11);

	switch (bits(insn, 15, 12)) {
	case 4:
		if (load)
			simple(d, s, t8, 15, 4, true, imm8 * 4);
		break;
	case 5:
		by_register(d, s, insn);
		break;
	case 6:
		simple(d, s, t, n, 4, load, imm5 * 4);
		break;
	case 7:
		simple(d, s, t, n, 1, load, imm5);
		break;
	case 8:
		simple(d, s, t, n, 2, load, imm5 * 2);
		break;
	case 9:
		simple(d, s, t8, SP, 4, load, imm8 * 4);
		break;
	case 11:
		if (bits(insn, 10, 9) == 2)
			push_or_pop(d, s, insn);
		break;
	case 12:
		multiple16(d, s, insn);
		break;
	default:
		break;
	}
}

/* 1110100 op 0 W L n, list */
static void multiple32(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const unsigned op = bits(insn, 24, 23), list = bits(insn, 15, 0);
	const bool load = bits(insn, 20, 20);
	const struct a32_multiple m = {
		.n = bits(insn, 19, 16),
		.list = list,
		.load = load,
		.before = op == 2,
		.add = op == 1,
		.writeback = bits(insn, 21, 21),
	};

	if (op == 0 || op == 3) {
		decode_refuse(d, load ? "rfe" : "srs", ODD);
		return;
	}
	a32_multiple(d, s, &m);
	if (__builtin_popcount(list) < 2 || (list & 1u << SP) || (list >> 14) == 3 ||
	    (!load && (list >> 15 || (m.writeback && (list >> m.n & 1)))))
		decode_refuse(d, d->name, UNPREDICTABLE);
}

/* LDA, STL and theirs among the exclusives: 1110100 0110 L n t 1111 10 size 1111 */
static void ordered(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const bool load = bits(insn, 20, 20);
	const unsigned op = bits(insn, 7, 4), t = bits(insn, 15, 12), n = bits(insn, 19, 16);

	if (bits(insn, 23, 23) && op <= 1 && load) {
		decode_refuse(d, op ? "tbh" : "tbb", ODD);
		return;
	}
	if (!bits(insn, 23, 23) || op < 8 || op > 10) {
		decode_refuse(d, load ? "ldrex" : "strex", EXCLUSIVE);
		return;
	}
	simple(d, s, t, n, 1u << (op - 8), load, 0);
	if (t == 15 || n == 15 || bits(insn, 11, 8) != 15 || bits(insn, 3, 0) != 15)
		decode_refuse(d, d->name, UNPREDICTABLE);
}

/* 1110100 P U 1 W L n t t2 imm8 */
static void dual(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const struct a32_access a = {
		.t = bits(insn, 15, 12),
		.t2 = bits(insn, 11, 8),
		.n = bits(insn, 19, 16),
		.size = 4,
		.load = bits(insn, 20, 20),
		.index = bits(insn, 24, 24),
		.add = bits(insn, 23, 23),
		.writeback = bits(insn, 21, 21),
		.offset = bits(insn, 7, 0) * 4,
	};

	if (!a.index && !a.writeback) {
		ordered(d, s, insn);
		return;
	}
	a32_access(d, s, &a);
	if (a.n == 15 && !a.load)
		decode_refuse(d, d->name, UNPREDICTABLE);
}

/* Offset and writeback of 1111100 S U size L n t, and what follows; false: no
 * such instruction. */
static bool single_offset(const struct decode_state *s, uint32_t insn, struct a32_access *a)
{
	a->index = a->add = true;
	if (a->n == 15) {
		a->add = bits(insn, 23, 23);
		a->offset = bits(insn, 11, 0);
	} else if (bits(insn, 23, 23)) {
		a->offset = bits(insn, 11, 0);
	} else if (bits(insn, 11, 11)) {
		a->index = bits(insn, 10, 10);
		a->add = bits(insn, 9, 9);
		a->writeback = bits(insn, 8, 8);
		a->offset = bits(insn, 7, 0);
		return a->index || a->writeback;
	} else {
		a->offset = a32_reg(s, bits(insn, 3, 0)) << bits(insn, 5, 4);
		return bits(insn, 10, 6) == 0;
	}
	return true;
}

static void single32(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const unsigned size = bits(insn, 22, 21);
	const bool sign = bits(insn, 24, 24);
	const bool twelve = bits(insn, 23, 23) || bits(insn, 19, 16) == 15;
	const bool by_reg = !twelve && !bits(insn, 11, 11);
	const bool unprivileged = !twelve && bits(insn, 11, 8) == 14;
	struct a32_access a = {
		.t = bits(insn, 15, 12),
		.t2 = A32_NONE,
		.n = bits(insn, 19, 16),
		.size = 1u << size,
		.load = bits(insn, 20, 20),
		.sign = sign,
	};

	if (size == 3 || (sign && size == 2) || (!a.load && (sign || a.n == 15)) ||
	    !single_offset(s, insn, &a))
		return;
	if (a.load && a.t == 15 && size < 2 && !a.writeback && !unprivileged) {
		d->name = "pld";
		return;
	}
	a32_access(d, s, &a);
	if ((by_reg && bits(insn, 3, 0) == 15) || (a.t == 15 && (!a.load || unprivileged)))
		decode_refuse(d, d->name, UNPREDICTABLE);
}

/* insn: first halfword above. */
static void wide(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	switch (bits(insn, 31, 25)) {
	case 0x74: /* 1110100 */
		if (bits(insn, 22, 22))
			dual(d, s, insn);
		else
			multiple32(d, s, insn);
		break;
	case 0x7c: /* 1111100 */
		if (bits(insn, 24, 24) && !bits(insn, 20, 20))
			decode_refuse(d, "vld1-4/vst1-4", SIMD);
		else
			single32(d, s, insn);
		break;
	case 0x76: /* 1110110 */
	case 0x7e:
		a32_coprocessor(d, insn);
		break;
	default:
		break;
	}
}

void decode_thumb(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const bool is_wide = bits(insn, 15, 11) >= 0x1d;
	const unsigned it = it_of(s->pstate);

	d->bytes = is_wide ? 4 : 2;
	d->pstate = a32_it_advance(s->pstate);
	if (is_wide)
		wide(d, s, insn << 16 | insn >> 16);
	else
		narrow(d, s, insn);
	if (d->refused == NULL && (it & 15) != 0 && !a32_condition(s->pstate, it >> 4)) {
		d->n = 0;
		d->writeback = false;
	}
}
