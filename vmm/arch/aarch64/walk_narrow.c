/* Stage 1: VMSAv8-32 with long descriptors (Arm ARM G5.5) and short ones
 * (G5.4). */
#include "walk.h"

#include <selvage/base.h>

#define TTBCR_EAE (1u << 31)

/* TTBR0 has the lowest 2^(32 - T0SZ) bytes, TTBR1 the highest 2^(32 - T1SZ);
 * a size of 0 stands for all that the other leaves. */
static bool pick_long(const struct walk_regs *r, uint32_t va, struct walk_regime *out)
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
	walk_take_base(r, !low, out);
	return true;
}

static bool read_short(const struct gmem *m, const struct walk_regs *r, gpa_t at, uint32_t *desc)
{
	if (!gmem_read_u32(m, at, desc))
		return false;
	walk_note(r, at, *desc);
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

bool walk_narrow(const struct gmem *m, const struct walk_regs *r, uint32_t va, gpa_t *gpa)
{
	struct walk_regime g;

	if (!(r->tcr & TTBCR_EAE))
		return walk_short(m, r, va, gpa);
	return pick_long(r, va, &g) && walk_long(m, r, &g, va, gpa);
}
