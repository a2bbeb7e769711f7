/* A64 (Arm ARM C4.1.94). */
#include "internal.h"

#include <stddef.h>

static uint64_t sign_extend(uint32_t value, unsigned width)
{
	return (uint64_t)((int64_t)((uint64_t)value << (64 - width)) >> (64 - width));
}

static unsigned target(unsigned t)
{
	return t == 31 ? DECODE_ZERO : t;
}

static void write_back(struct decode *d, unsigned n, uint64_t value)
{
	d->writeback = true;
	d->base = (uint8_t)n;
	d->base_value = value;
}

/* Size (31:30) and opc (23:22) of a single register. False: unallocated. */
static bool single(struct decode *d, uint32_t insn)
{
	unsigned log2 = bits(insn, 31, 30), opc = bits(insn, 23, 22);

	if (opc == 2 && log2 == 3) {
		d->name = "prfm";
		return true;
	}
	if (log2 + (opc & 1) > 2 && opc >= 2)
		return false;
	d->write = opc == 0;
	d->sign = opc < 2 ? 0 : opc == 2 ? 8
					 : 4;
	d->name = decode_name(opc != 0, log2, d->sign != 0);
	return true;
}

static uint64_t extended(const struct decode_state *s, uint32_t insn)
{
	unsigned m = bits(insn, 20, 16), option = bits(insn, 15, 13);
	unsigned shift = bits(insn, 12, 12) ? bits(insn, 31, 30) : 0;
	uint64_t value = m == 31 ? 0 : s->x[m];

	if (option == 2)
		value = (uint32_t)value;
	else if (option == 6)
		value = (uint64_t)(int64_t)(int32_t)value;
	return value << shift;
}

/* Loads and stores of one register: C4.1.94.29 to .35. */
static void register_forms(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const unsigned t = bits(insn, 4, 0), n = bits(insn, 9, 5), log2 = bits(insn, 31, 30);
	const unsigned kind = bits(insn, 11, 10);
	uint64_t address = s->x[n], offset;
	bool scaled = bits(insn, 24, 24), wide = bits(insn, 21, 21);

	if (bits(insn, 26, 26)) {
		decode_refuse(d, "ldr/str (SIMD)", SIMD);
		return;
	}
	if (!scaled && wide && kind != 2) {
		decode_refuse(d, kind == 0 ? "atomic" : "ldraa", EXCLUSIVE);
		return;
	}
	if (!single(d, insn))
		return;
	if (scaled)
		offset = (uint64_t)bits(insn, 21, 10) << log2;
	else
		offset = wide ? extended(s, insn) : sign_extend(bits(insn, 20, 12), 9);
	if (!scaled && wide && !bits(insn, 14, 14)) {
		d->name = NULL; /* an extension of less than a word */
		return;
	}
	if (scaled || wide || kind != 1)
		address += offset;
	if (!scaled && !wide && kind != 0 && d->name[0] == 'p') {
		d->name = NULL;
		return;
	}
	if (!scaled && !wide && (kind & 1)) {
		write_back(d, n, s->x[n] + offset);
		if (n == t && n != 31)
			decode_refuse(d, d->name, UNPREDICTABLE);
	}
	if (d->refused == NULL && d->name[0] != 'p')
		decode_add(d, address, 1u << log2, target(t));
}

static void literal(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	unsigned opc = bits(insn, 31, 30);

	if (bits(insn, 26, 26)) {
		decode_refuse(d, "ldr (SIMD)", SIMD);
		return;
	}
	d->name = opc == 3 ? "prfm" : decode_name(true, 2, opc == 2);
	d->sign = opc == 2 ? 8 : 0;
	if (opc != 3)
		decode_add(d, s->pc + sign_extend(bits(insn, 23, 5), 19) * 4, opc == 1 ? 8 : 4,
			   target(bits(insn, 4, 0)));
}

static void pair(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	const unsigned t = bits(insn, 4, 0), n = bits(insn, 9, 5), t2 = bits(insn, 14, 10);
	const unsigned opc = bits(insn, 31, 30), kind = bits(insn, 24, 23);
	const unsigned log2 = opc == 2 ? 3 : 2;
	const bool load = bits(insn, 22, 22);
	uint64_t address = s->x[n];
	uint64_t offset = sign_extend(bits(insn, 21, 15), 7) << log2;

	if (bits(insn, 26, 26)) {
		decode_refuse(d, load ? "ldp (SIMD)" : "stp (SIMD)", SIMD);
		return;
	}
	if (opc == 3 || (opc == 1 && (!load || kind == 0)))
		return; /* unallocated, or the tags of MTE */
	d->name = !load ? "stp" : opc == 1 ? "ldpsw"
					   : "ldp";
	d->write = !load;
	d->sign = opc == 1 ? 8 : 0;
	if (kind & 1)
		write_back(d, n, address + offset);
	if ((load && t == t2) || ((kind & 1) && n != 31 && (n == t || n == t2))) {
		decode_refuse(d, d->name, UNPREDICTABLE);
		return;
	}
	if (kind != 1)
		address += offset;
	decode_add(d, address, 1u << log2, target(t));
	decode_add(d, address + (1u << log2), 1u << log2, target(t2));
}

/* Exclusives, and the ordered loads and stores among them. */
static void ordered(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	unsigned log2 = bits(insn, 31, 30);

	if (!bits(insn, 23, 23) || bits(insn, 21, 21)) {
		decode_refuse(d, bits(insn, 21, 21) ? "ldxp/stxp/cas" : "ldxr/stxr", EXCLUSIVE);
		return;
	}
	if (bits(insn, 20, 16) != 31 || bits(insn, 14, 10) != 31) {
		decode_refuse(d, "ldar/stlr", UNPREDICTABLE);
		return;
	}
	d->write = !bits(insn, 22, 22);
	d->name = d->write ? "stlr" : "ldar";
	decode_add(d, s->x[bits(insn, 9, 5)], 1u << log2, target(bits(insn, 4, 0)));
}

void decode_a64(struct decode *d, const struct decode_state *s, uint32_t insn)
{
	if (bits(insn, 27, 27) != 1 || bits(insn, 25, 25) != 0)
		return;
	switch (bits(insn, 29, 28)) {
	case 3:
		register_forms(d, s, insn);
		break;
	case 2:
		pair(d, s, insn);
		break;
	case 1:
		if (!bits(insn, 24, 24))
			literal(d, s, insn);
		else
			decode_refuse(d, "ldapur/stlur", ODD);
		break;
	default:
		if (bits(insn, 26, 26))
			decode_refuse(d, "ld1-4/st1-4", SIMD);
		else if (!bits(insn, 24, 24))
			ordered(d, s, insn);
		break;
	}
}
