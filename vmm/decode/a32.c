/* A32 (Arm ARM F4.1), and what it has in common with T32. */
#include "a32.h"

#include <selvage/vcpu_arch.h>
#include <stddef.h>

#define MODE_MASK 0x1fu
#define MODE_USR 0x10u
#define MODE_SYS 0x1fu
#define FLAG_C (1u << 29)

uint32_t a32_reg(const struct decode_state *s, unsigned n)
{
	if (n == 15)
		return (uint32_t)s->pc + (s->pstate & DECODE_PSTATE_THUMB ? 4 : 8);
	return (uint32_t)s->x[vcpu_r_number(n, s->pstate)];
}

static unsigned target(const struct decode_state *s, unsigned n)
{
	return n == 15 ? DECODE_PC : vcpu_r_number(n, s->pstate);
}

bool a32_condition(uint32_t pstate, unsigned condition)
{
	bool n = pstate >> 31 & 1, z = pstate >> 30 & 1, c = pstate >> 29 & 1, v = pstate >> 28 & 1;
	bool is[8] = { z, c, n, v, c && !z, n == v, n == v && !z, true };

	return condition == 15 || is[condition >> 1] != (condition & 1);
}

uint32_t a32_it_advance(uint32_t pstate)
{
	unsigned it = it_of(pstate);

	it = it & 7 ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
	return (pstate & ~IT_MASK) | (it >> 2) << 10 | (it & 3) << 25;
}

static void write_back(struct decode *d, const struct decode_state *s, unsigned n, uint32_t value)
{
	d->writeback = true;
	d->base = (uint8_t)vcpu_r_number(n, s->pstate);
	d->base_value = value;
}

static const char *name_of(const struct a32_access *a)
{
	if (a->t2 != A32_NONE)
		return a->load ? "ldrd" : "strd";
	return decode_name(a->load, a->size / 2, a->sign);
}

static bool is_open(const struct a32_access *a)
{
	if (a->writeback && (a->n == 15 || a->n == a->t || a->n == a->t2))
		return true;
	if (a->t2 != A32_NONE)
		return a->t == 15 || a->t2 == 15 || (a->load && a->t == a->t2);
	return a->t == 15 && a->size != 4;
}

void a32_access(struct decode *d, const struct decode_state *s, const struct a32_access *a)
{
	uint32_t base = a32_reg(s, a->n), moved = a->add ? base + a->offset : base - a->offset;
	uint32_t address;

	d->name = name_of(a);
	d->write = !a->load;
	d->sign = a->sign ? 4 : 0;
	if (is_open(a)) {
		decode_refuse(d, d->name, UNPREDICTABLE);
		return;
	}
	if (a->n == 15 && (s->pstate & DECODE_PSTATE_THUMB))
		moved -= base & 3;
	address = a->index ? moved : base;
	decode_add(d, address, a->size, target(s, a->t));
	if (a->t2 != A32_NONE)
		decode_add(d, (uint32_t)(address + 4), 4, target(s, a->t2));
	if (a->writeback)
		write_back(d, s, a->n, moved);
}

/* A base that is stored must be the lowest register, or its value is open. */
static bool multiple_is_open(const struct a32_multiple *m)
{
	if (m->n == 15 || m->list == 0)
		return true;
	if (!m->writeback || !(m->list >> m->n & 1))
		return false;
	return m->load || (m->list & ((1u << m->n) - 1)) != 0;
}

void a32_multiple(struct decode *d, const struct decode_state *s, const struct a32_multiple *m)
{
	const uint32_t size = 4u * (unsigned)__builtin_popcount(m->list);
	const uint32_t base = m->n == 15 ? 0 : a32_reg(s, m->n);
	uint32_t address = m->add ? base : base - size;

	d->name = m->load ? "ldm" : "stm";
	d->write = !m->load;
	if (multiple_is_open(m)) {
		decode_refuse(d, d->name, UNPREDICTABLE);
		return;
	}
	if (m->before == m->add)
		address += 4;
	for (unsigned i = 0; i < 16; i++) {
		if (!(m->list >> i & 1))
			continue;
		decode_add(d, address, 4, m->user && i != 15 ? i : target(s, i));
		address += 4;
	}
	if (m->writeback)
		write_back(d, s, m->n, m->add ? base + size : base - size);
}

/* DecodeImmShift() and Shift(). */
static uint32_t shifted(uint32_t value, unsigned type, unsigned amount, bool carry)
{
	switch (type) {
	case 0:
		return value << amount;
	case 1:
		return amount ? value >> amount : 0;
	case 2:
		return (uint32_t)((int32_t)value >> (amount ? amount : 31));
	default:
		return amount ? value >> amount | value << (32 - amount)
			      : value >> 1 | (uint32_t)carry << 31;
	}
}

/* LDR, STR, LDRB, STRB and their unprivileged forms. */
static void word_or_byte(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const bool index = bits(insn, 24, 24), w = bits(insn, 21, 21), reg = bits(insn, 25, 25);
	const unsigned m = bits(insn, 3, 0);
	struct a32_access a = {
		.t = bits(insn, 15, 12),
		.t2 = A32_NONE,
		.n = bits(insn, 19, 16),
		.size = bits(insn, 22, 22) ? 1 : 4,
		.load = bits(insn, 20, 20),
		.index = index,
		.add = bits(insn, 23, 23),
		.writeback = !index || w,
		.offset = bits(insn, 11, 0),
	};

	if (reg)
		a.offset = shifted(a32_reg(s, m), bits(insn, 6, 5), bits(insn, 11, 7),
				   s->pstate & FLAG_C);
	a32_access(d, s, &a);
	if ((reg && m == 15) || (!index && w && a.t == 15))
		decode_refuse(d, d->name, UNPREDICTABLE);
}

/* Halfwords, signed bytes and doublewords: bits 7 and 4 set, 6:5 not zero. */
static void extra(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const bool index = bits(insn, 24, 24), w = bits(insn, 21, 21), imm = bits(insn, 22, 22);
	const bool l = bits(insn, 20, 20);
	const unsigned op = bits(insn, 6, 5), t = bits(insn, 15, 12), m = bits(insn, 3, 0);
	const bool dual = !l && op != 1;
	const struct a32_access a = {
		.t = t,
		.t2 = dual ? t + 1 : A32_NONE,
		.n = bits(insn, 19, 16),
		.size = dual ? 4 : op == 2 ? 1
					   : 2,
		.load = l || op == 2,
		.sign = l && op != 1,
		.index = index,
		.add = bits(insn, 23, 23),
		.writeback = !index || w,
		.offset = imm ? bits(insn, 11, 8) << 4 | m : a32_reg(s, m),
	};
	bool open = !imm && (m == 15 || bits(insn, 11, 8) != 0);

	if (dual)
		open = open || (t & 1) || (!index && w) ||
		       (!imm && a.load && (m == t || m == t + 1));
	a32_access(d, s, &a);
	if (open)
		decode_refuse(d, d->name, UNPREDICTABLE);
}

/* SWP, the exclusives, and the ordered loads and stores among them. */
static void ordered(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	static const uint8_t sizes[4] = { 4, 8, 1, 2 };
	const bool load = bits(insn, 20, 20);
	const unsigned t = load ? bits(insn, 15, 12) : bits(insn, 3, 0);
	const struct a32_access a = {
		.t = t,
		.t2 = A32_NONE,
		.n = bits(insn, 19, 16),
		.size = sizes[bits(insn, 22, 21)],
		.load = load,
		.index = true,
		.add = true,
	};

	if (!bits(insn, 23, 23)) {
		if (bits(insn, 21, 20) == 0)
			decode_refuse(d, "swp", "undefined since Armv8");
		return;
	}
	if (bits(insn, 9, 8) != 0 || a.size == 8) {
		if (bits(insn, 9, 8) != 1)
			decode_refuse(d, load ? "ldrex" : "strex", EXCLUSIVE);
		return;
	}
	a32_access(d, s, &a);
	if (t == 15 || a.n == 15 || bits(insn, 11, 10) != 3 ||
	    (load ? bits(insn, 3, 0) : bits(insn, 15, 12)) != 15)
		decode_refuse(d, d->name, UNPREDICTABLE);
}

static void block(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const unsigned mode = s->pstate & MODE_MASK;
	const struct a32_multiple m = {
		.n = bits(insn, 19, 16),
		.list = bits(insn, 15, 0),
		.load = bits(insn, 20, 20),
		.before = bits(insn, 24, 24),
		.add = bits(insn, 23, 23),
		.writeback = bits(insn, 21, 21),
		.user = bits(insn, 22, 22),
	};

	if (m.user && m.load && (m.list >> 15 & 1)) {
		decode_refuse(d, "ldm (exception return)", ODD);
		return;
	}
	a32_multiple(d, s, &m);
	if (m.user && (m.writeback || mode == MODE_USR || mode == MODE_SYS))
		decode_refuse(d, d->name, UNPREDICTABLE);
}

static void unconditional(struct decode *d, uint32_t insn)
{
	if (bits(insn, 27, 25) == 4)
		decode_refuse(d, bits(insn, 20, 20) ? "rfe" : "srs", ODD);
	else if (bits(insn, 27, 24) == 4 && !bits(insn, 20, 20))
		decode_refuse(d, "vld1-4/vst1-4", SIMD);
	else if (bits(insn, 27, 26) == 1 && bits(insn, 24, 24) && bits(insn, 21, 20) == 1)
		d->name = "pld";
}

/* Bits 27:25 are 110 (F4.1.20, and F3.1.16 for T32). */
void a32_coprocessor(struct decode *d, uint32_t insn)
{
	const bool load = bits(insn, 20, 20);

	if (bits(insn, 24, 21) == 2 || bits(insn, 24, 21) == 0)
		return; /* moves between registers */
	if (bits(insn, 11, 9) == 5)
		decode_refuse(d, load ? "vldr/vldm" : "vstr/vstm", SIMD);
	else
		decode_refuse(d, load ? "ldc" : "stc", ODD);
}

static void any_condition(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	switch (bits(insn, 27, 25)) {
	case 0:
		if (!bits(insn, 7, 7) || !bits(insn, 4, 4))
			break;
		if (bits(insn, 6, 5) != 0)
			extra(d, s, insn);
		else if (bits(insn, 24, 24))
			ordered(d, s, insn);
		break;
	case 3:
		if (bits(insn, 4, 4))
			break;
		word_or_byte(d, s, insn);
		break;
	case 2:
		word_or_byte(d, s, insn);
		break;
	case 4:
		block(d, s, insn);
		break;
	case 6:
		a32_coprocessor(d, insn);
		break;
	default:
		break;
	}
}

void decode_arm(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const unsigned condition = bits(insn, 31, 28);

	if (condition == 15) {
		unconditional(d, insn);
		return;
	}
	any_condition(d, s, insn);
	if (d->name != NULL && d->refused == NULL && !a32_condition(s->pstate, condition)) {
		d->n = 0;
		d->writeback = false;
	}
}
