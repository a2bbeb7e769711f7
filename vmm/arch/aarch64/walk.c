/* Stage 1: VMSAv8-64 (Arm ARM D8.2, D8.3), 48-bit addresses; VMSAv8-32 with
 * long descriptors (G5.5) and short ones (G5.4). */
#include "walk.h"

#include <selvage/base.h>
#include <stddef.h>

#define SCTLR_M 1u
#define DESC_VALID 1u
#define DESC_TABLE 2u /* at levels 0-2; at level 3: page */
#define ADDRESS_BITS 48u
#define TTBCR_EAE (1u << 31)

/* TG0 (TCR 15:14) and TG1 (TCR 31:30) to log2 of the granule; 0: reserved. */
static const uint8_t tg0_bits[4] = { 12, 16, 14, 0 };
static const uint8_t tg1_bits[4] = { 0, 14, 12, 16 };

struct regime {
	uint64_t base;
	unsigned granule_bits;
	unsigned va_bits;
};

static void take_base(const struct walk_regs *r, bool high, struct regime *out)
{
	out->base = (high ? r->ttbr1 : r->ttbr0) & mask_u64(ADDRESS_BITS) & ~1ull;
}

static bool pick_wide(const struct walk_regs *r, uint64_t va, struct regime *out)
{
	bool high = va >> 55 & 1;
	unsigned tsz = (unsigned)(r->tcr >> (high ? 16 : 0)) & 0x3f;

	out->granule_bits = high ? tg1_bits[r->tcr >> 30 & 3] : tg0_bits[r->tcr >> 14 & 3];
	if (out->granule_bits == 0 || tsz < 16 || tsz > 39)
		return false;
	out->va_bits = 64 - tsz;
	take_base(r, high, out);
	return true;
}

/* TTBR0 has the lowest 2^(32 - T0SZ) bytes, TTBR1 the highest 2^(32 - T1SZ);
 * a size of 0 stands for all that the other leaves. */
static bool pick_long(const struct walk_regs *r, uint32_t va, struct regime *out)
{
	unsigned t0 = r->tcr & 7, t1 = r->tcr >> 16 & 7;
	bool low = (uint64_t)va >> (32 - t0) == 0;
	bool high = ((uint64_t)(uint32_t)~va >> (32 - t1)) == 0;

	if (t0 == 0)
		low = t1 == 0 || !high;
	if (!low && t1 != 0 && !high)
		return false;
	out->granule_bits = 12;
	out->va_bits = 32 - (low ? t0 : t1);
	take_base(r, !low, out);
	return true;
}

static void note(const struct walk_regs *r, gpa_t at, uint64_t descriptor)
{
	struct walk_trace *t = r->trace;

	if (t == NULL || t->n >= WALK_MAX_STEPS)
		return;
	t->step[t->n].at = at;
	t->step[t->n++].descriptor = descriptor;
}

static bool walk_long(const struct gmem *m, const struct walk_regs *r, const struct regime *g,
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
		note(r, at, desc);
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

static bool read_short(const struct gmem *m, const struct walk_regs *r, gpa_t at, uint32_t *desc)
{
	if (!gmem_read_u32(m, at, desc))
		return false;
	note(r, at, *desc);
	return true;
}

/* A descriptor's page of 2^bits bytes. */
static bool short_page(uint32_t desc, unsigned bits, uint32_t va, gpa_t *gpa)
{
	*gpa = (desc & ~mask_u64(bits)) | (va & mask_u64(bits));
	return true;
}

/* TTBCR.N (2:0) gives TTBR0 the lowest 2^(32 - N) bytes. Bits 1:0: 0 nothing,
 * 1 table or large page, 2 and 3 section or small page; 18: supersection. */
static bool walk_short(const struct gmem *m, const struct walk_regs *r, uint32_t va, gpa_t *gpa)
{
	unsigned n = r->tcr & 7;
	bool high = (uint64_t)va >> (32 - n) != 0;
	uint64_t table = (uint32_t)(high ? r->ttbr1 : r->ttbr0) & ~mask_u64(high ? 14 : 14 - n);
	uint32_t desc;

	if (high)
		n = 0;
	if (!read_short(m, r, table + ((va >> 20) & mask_u64(12 - n)) * 4, &desc))
		return false;
	if ((desc & 3) > 1 && (desc >> 18 & 1)) {
		short_page(desc, 24, va, gpa);
		*gpa |= (uint64_t)(desc >> 20 & 0xf) << 32 | (uint64_t)(desc >> 5 & 0xf) << 36;
		return true;
	}
	if ((desc & 3) != 1)
		return (desc & 3) != 0 && short_page(desc, 20, va, gpa);
	if (!read_short(m, r, (desc & ~0x3ffull) + (va >> 12 & 0xff) * 4, &desc))
		return false;
	return (desc & 3) != 0 && short_page(desc, (desc & 3) == 1 ? 16 : 12, va, gpa);
}

bool walk_stage1(const struct gmem *m, const struct walk_regs *r, uint64_t va,
		 gpa_t *gpa)
{
	struct regime g;

	if (r->narrow)
		va = (uint32_t)va;
	if (!(r->sctlr & SCTLR_M)) {
		*gpa = va;
		return true;
	}
	if (r->narrow && !(r->tcr & TTBCR_EAE))
		return walk_short(m, r, (uint32_t)va, gpa);
	if (r->narrow ? !pick_long(r, (uint32_t)va, &g) : !pick_wide(r, va, &g))
		return false;
	return walk_long(m, r, &g, va, gpa);
}

struct walk_regs walk_regs_of(struct vcpu *v)
{
	return (struct walk_regs){
		.sctlr = vcpu_get(v, vcpu_field(ABI_VCPU_SCTLR_EL1)),
		.tcr = vcpu_get(v, vcpu_field(ABI_VCPU_TCR_EL1)),
		.ttbr0 = vcpu_get(v, vcpu_field(ABI_VCPU_TTBR0_EL1)),
		.ttbr1 = vcpu_get(v, vcpu_field(ABI_VCPU_TTBR1_EL1)),
		.narrow = v->narrow,
	};
}

bool walk_vcpu(const struct gmem *m, struct vcpu *v, uint64_t va, gpa_t *gpa)
{
	const struct walk_regs regs = walk_regs_of(v);

	return walk_stage1(m, &regs, va, gpa);
}
