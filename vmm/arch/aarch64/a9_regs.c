/* DDI 0388I 4.2 (Cortex-A9), DDI 0406C B4 (Security Extensions). */
#include "a9_regs.h"

#include <selvage/base.h>
#include <selvage/vcpu_arch.h>

#define CP15(op1, crn, crm, op2) VCPU_SYSREG(0, op1, crn, crm, op2)
#define CBAR CP15(4, 15, 0, 0)
#define NSACR CP15(0, 1, 1, 2)

/* These keep what is written, and do nothing else. */
static const uint16_t kept[] = {
	CP15(0, 15, 0, 0), /* power control */
	CP15(0, 15, 0, 1), /* diagnostic */
	CP15(0, 15, 0, 2),
	CP15(0, 1, 1, 0),  /* SCR */
	CP15(0, 1, 1, 1),  /* SDER */
	CP15(0, 12, 0, 1), /* MVBAR */
};
_Static_assert(ARRAY_SIZE(kept) == ARRAY_SIZE(((struct a9_regs *)0)->kept), "one word each");

/* These read as zero and ignore writes. */
static const uint16_t empty[] = {
	CP15(0, 10, 0, 0), /* TLB lockdown */
	CP15(0, 15, 1, 0), /* NEON busy */
	CP15(5, 15, 4, 2), CP15(5, 15, 4, 4), CP15(5, 15, 5, 2), CP15(5, 15, 6, 2),
	CP15(5, 15, 7, 2), /* TLB lockdown: entries */
};

static size_t index_of(const uint16_t *table, size_t n, uint16_t code)
{
	size_t i = 0;

	while (i < n && table[i] != code)
		i++;
	return i;
}

static bool is_missing(uint16_t code, bool write)
{
	/* NSACR can be read, and says that coprocessors 10 and 11 are free. */
	return code == CBAR || (code == NSACR && write) ||
	       index_of(kept, ARRAY_SIZE(kept), code) < ARRAY_SIZE(kept) ||
	       index_of(empty, ARRAY_SIZE(empty), code) < ARRAY_SIZE(empty);
}

bool a9_insn_decode(uint32_t first, uint32_t second, struct a9_insn *insn)
{
	/* first: 1110 1110 op1 L CRn; second: Rt 1111 op2 1 CRm */
	if ((first & 0xff00u) != 0xee00u || (second & 0x0f10u) != 0x0f10u || second >> 12 == 15)
		return false;
	insn->code = CP15(first >> 5 & 7, first & 15, second & 15, second >> 5 & 7);
	insn->write = !(first & 0x10u);
	insn->rt = (uint8_t)(second >> 12 & 15);
	return is_missing(insn->code, insn->write);
}

size_t a9_insn_find(const uint8_t *bytes, size_t n, size_t from)
{
	struct a9_insn insn;

	for (size_t at = (from + 1) & ~(size_t)1; at + 4 <= n; at += 2) {
		uint32_t low = bytes[at] | (uint32_t)bytes[at + 1] << 8;
		uint32_t high = bytes[at + 2] | (uint32_t)bytes[at + 3] << 8;

		/* ARM: one word; Thumb: two halfwords, the first one first. */
		if ((at % 4 == 0 && a9_insn_decode(high, low, &insn)) ||
		    a9_insn_decode(low, high, &insn))
			return at;
	}
	return n;
}

uint32_t a9_reg_read(const struct a9_regs *r, uint16_t code, uint32_t periphbase)
{
	size_t i = index_of(kept, ARRAY_SIZE(kept), code);

	if (code == CBAR)
		return periphbase;
	return i < ARRAY_SIZE(kept) ? r->kept[i] : 0;
}

void a9_reg_write(struct a9_regs *r, uint16_t code, uint32_t value)
{
	size_t i = index_of(kept, ARRAY_SIZE(kept), code);

	if (i < ARRAY_SIZE(kept))
		r->kept[i] = value;
}
