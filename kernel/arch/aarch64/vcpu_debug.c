/*
 * A guest's hardware breakpoints, watchpoints and single step, for its
 * handler (extension VCPU_SET_DEBUG; Arm ARM D2). The values stay in the
 * registers when a native thread runs: MDSCR_EL1.MDE is off then.
 */
#include <arch/sysreg.h>
#include <arch/types.h>
#include <arch/vcpu.h>
#include <kernel/tcb.h>

#define MDSCR_SS 1ull
#define MDSCR_MDE (1ull << 15)
#define MDCR_TDE (1ull << 8)
#define BCR_MASK 0x1e7ull      /* E, PMC, BAS: unlinked address match, EL1 and EL0 */
#define WCR_MASK 0x1f001fffull /* E, PAC, LSC, BAS, MASK */

#define REGS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) \
	X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

/* clang-format off */
enum { BVR, BCR, WVR, WCR };
/* clang-format on */

static unsigned breakpoints(void) { return 1 + (SYSREG_READ(id_aa64dfr0_el1) >> 12 & 15); }
static unsigned watchpoints(void) { return 1 + (SYSREG_READ(id_aa64dfr0_el1) >> 20 & 15); }

word_t *debug_register(struct vcpu *v, word_t field, word_t *mask)
{
	static const word_t masks[] = { ~3ull, BCR_MASK, ~3ull, WCR_MASK };
	word_t kind = (field - ABI_EXTV_DBGBVR0) / VCPU_DBG_REGS, i = field % VCPU_DBG_REGS;

	if (field < ABI_EXTV_DBGBVR0 || kind > WCR ||
	    i >= (kind <= BCR ? breakpoints() : watchpoints()))
		return NULL;
	*mask = masks[kind];
	return &v->dbg[kind][i];
}

void debug_enter(const struct vcpu *v)
{
	unsigned b = breakpoints(), w = watchpoints();

#define X(i)                                                   \
	if (i < b) {                                           \
		SYSREG_WRITE(dbgbvr##i##_el1, v->dbg[BVR][i]); \
		SYSREG_WRITE(dbgbcr##i##_el1, v->dbg[BCR][i]); \
	}                                                      \
	if (i < w) {                                           \
		SYSREG_WRITE(dbgwvr##i##_el1, v->dbg[WVR][i]); \
		SYSREG_WRITE(dbgwcr##i##_el1, v->dbg[WCR][i]); \
	}
	REGS(X)
#undef X
	SYSREG_WRITE(mdscr_el1, MDSCR_MDE | (v->debug & ABI_EXT_DEBUG_STEP ? MDSCR_SS : 0));
	SYSREG_WRITE(mdcr_el2, SYSREG_READ(mdcr_el2) | MDCR_TDE);
}

void debug_leave(void)
{
	SYSREG_WRITE(mdscr_el1, 0);
	SYSREG_WRITE(mdcr_el2, SYSREG_READ(mdcr_el2) & ~MDCR_TDE);
}

void vcpu_set_debug(struct vcpu *v, uint8_t mode)
{
	vcpu_evict(v);
	v->debug = mode;
	if (v->tcb)
		v->tcb->arch.context.spsr = spsr_sanitise(v->tcb->arch.context.spsr, v->tcb);
}
