/* Stage 1: VMSAv8-64 (Arm ARM D8.2, D8.3), 48-bit addresses. */
#include "walk.h"

#include <selvage/base.h>
#include <stddef.h>

#define SCTLR_M 1u
#define DESC_VALID 1u
#define DESC_TABLE 2u /* at levels 0-2; at level 3: page */
#define ADDRESS_BITS 48u

/* TG0 (TCR 15:14) and TG1 (TCR 31:30) to log2 of the granule; 0: reserved. */
static const uint8_t tg0_bits[4] = { 12, 16, 14, 0 };
static const uint8_t tg1_bits[4] = { 0, 14, 12, 16 };

void walk_take_base(const struct walk_regs *r, bool high, struct walk_regime *out)
{
	out->base = (high ? r->ttbr1 : r->ttbr0) & mask_u64(ADDRESS_BITS) & ~1ull;
}

static bool pick_wide(const struct walk_regs *r, uint64_t va, struct walk_regime *out)
{
	bool high = va >> 55 & 1;
	unsigned tsz = (unsigned)(r->tcr >> (high ? 16 : 0)) & 0x3f;

	out->granule_bits = high ? tg1_bits[r->tcr >> 30 & 3] : tg0_bits[r->tcr >> 14 & 3];
	if (out->granule_bits == 0 || tsz < 16 || tsz > 39)
		return false;
	out->va_bits = 64 - tsz;
	walk_take_base(r, high, out);
	return true;
}

void walk_note(const struct walk_regs *r, gpa_t at, uint64_t descriptor)
{
	struct walk_trace *t = r->trace;

	if (t == NULL || t->n >= WALK_MAX_STEPS)
		return;
	t->step[t->n].at = at;
	t->step[t->n++].descriptor = descriptor;
}

bool walk_long(const struct gmem *m, const struct walk_regs *r, const struct walk_regime *g,
	       uint64_t va, gpa_t *gpa)
{
	const unsigned stride = g->granule_bits - 3;
	/* The first level covers what is left above whole strides. */
	unsigned shift =
		g->granule_bits + (g->va_bits - g->granule_bits - 1) / stride * stride;
	uint64_t table = g->base, desc;

	va &= mask_u64(g->va_bits);
	for (;;) {
		const gpa_t at = table + ((va >> shift) & mask_u64(stride)) * 8;

		if (!gmem_read_u64(m, at, &desc))
			return false;
		walk_note(r, at, desc);
		if (!(desc & DESC_VALID))
			return false;
		if (shift == g->granule_bits || !(desc & DESC_TABLE))
			break;
		table = desc & mask_u64(ADDRESS_BITS) &
			~mask_u64(g->granule_bits);
		shift -= stride;
	}
	if (shift == g->granule_bits && !(desc & DESC_TABLE))
		return false;
	*gpa = (desc & mask_u64(ADDRESS_BITS) & ~mask_u64(shift)) |
	       (va & mask_u64(shift));
	return true;
}

bool walk_stage1(const struct gmem *m, const struct walk_regs *r, uint64_t va,
		 gpa_t *gpa)
{
	struct walk_regime g;

	if (r->narrow != NULL)
		va = (uint32_t)va;
	if (!(r->sctlr & SCTLR_M)) {
		*gpa = va;
		return true;
	}
	if (r->narrow != NULL)
		return r->narrow(m, r, (uint32_t)va, gpa);
	return pick_wide(r, va, &g) && walk_long(m, r, &g, va, gpa);
}
