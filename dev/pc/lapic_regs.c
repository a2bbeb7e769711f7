/* The local APIC's registers, as a frame and as MSRs: SDM volume 3, tables 11-1
 * and 11-6. A register's number is its MSR's, and its offset's in the frame
 * divided by 16. */
#include "lapic_internal.h"

#define VERSION (0x14u | (LAPIC_LVTS - 1) << 16 | 1u << 24)

enum { REG_ID = 0x02,
       REG_VERSION = 0x03,
       REG_TPR = 0x08,
       REG_APR = 0x09,
       REG_PPR = 0x0a,
       REG_EOI = 0x0b,
       REG_RRD = 0x0c,
       REG_LDR = 0x0d,
       REG_DFR = 0x0e,
       REG_SVR = 0x0f,
       REG_ISR = 0x10,
       REG_TMR = 0x18,
       REG_IRR = 0x20,
       REG_ESR = 0x28,
       REG_ICR = 0x30,
       REG_ICR_HIGH = 0x31,
       REG_LVT = 0x32,
       REG_INITIAL = 0x38,
       REG_CURRENT = 0x39,
       REG_DIVIDE = 0x3e,
       REG_SELF_IPI = 0x3f };

#define SVR_WRITABLE (LVT_VECTOR | SVR_ENABLE | SVR_NO_BROADCAST)
#define ICR_WRITABLE 0xccfffu /* of the lower half, not the delivery status */
/* The base's bits that are reserved, for 52 bits of physical address. */
#define BASE_RESERVED 0xfff00000000002ffull

/* Figure 11-8: what of each entry can be written. */
static const uint32_t lvt_writable[LAPIC_LVTS] = {
	[LVT_TIMER] = LVT_VECTOR | LVT_MASKED | LVT_TIMER_MODE,
	[LVT_THERMAL] = 0x107ff,
	[LVT_PERFORMANCE] = 0x107ff,
	[LVT_LINT0] = 0x1a7ff,
	[LVT_LINT1] = 0x1a7ff,
	[LVT_ERROR] = LVT_VECTOR | LVT_MASKED,
};

/* --- Both ways ------------------------------------------------------------------------ */

/* What reads alike both ways; false: there is no such register. */
static bool read_common(struct lapic *l, unsigned reg, uint32_t *value)
{
	if (reg >= REG_ISR && reg < REG_ESR) {
		const struct lapic_set *set = reg < REG_TMR ? &l->isr : reg < REG_IRR ? &l->tmr
										      : &l->irr;

		*value = set->word[reg % 8];
		return true;
	}
	if (reg - REG_LVT < LAPIC_LVTS) {
		*value = l->lvt[reg - REG_LVT];
		return true;
	}
	switch (reg) {
	case REG_VERSION: *value = VERSION; return true;
	case REG_TPR: *value = l->tpr; return true;
	case REG_PPR: *value = lapic_priority(l); return true;
	case REG_LDR: *value = l->ldr; return true;
	case REG_SVR: *value = l->svr; return true;
	case REG_ESR: *value = l->esr; return true;
	case REG_INITIAL: *value = l->initial; return true;
	case REG_CURRENT: *value = lapic_timer_current(l); return true;
	case REG_DIVIDE: *value = l->divide; return true;
	default: return false;
	}
}

static void write_lvt(struct lapic *l, unsigned i, uint32_t value)
{
	value &= lvt_writable[i];
	/* While it is disabled by software everything stays masked (11.4.7.2). */
	if (!(l->svr & SVR_ENABLE))
		value |= LVT_MASKED;
	if (i == LVT_TIMER) {
		lapic_timer_set_lvt(l, value);
		return;
	}
	/* A pin that is no longer sensed by level waits for no EOI. */
	l->lvt[i] = value | (value & LVT_LEVEL ? l->lvt[i] & LVT_REMOTE_IRR : 0);
	if ((value & LVT_LEVEL) && (i == LVT_LINT0 || i == LVT_LINT1) && l->lint[i - LVT_LINT0])
		lapic_local(l, i);
}

static void write_svr(struct lapic *l, uint32_t value)
{
	l->svr = value & SVR_WRITABLE;
	if (l->svr & SVR_ENABLE)
		return;
	for (unsigned i = 0; i < LAPIC_LVTS; i++)
		l->lvt[i] |= LVT_MASKED;
}

/* What is written alike both ways. */
static bool write_common(struct lapic *l, unsigned reg, uint32_t value)
{
	if (reg - REG_LVT < LAPIC_LVTS) {
		write_lvt(l, reg - REG_LVT, value);
		return true;
	}
	switch (reg) {
	case REG_TPR: l->tpr = value & 0xff; return true;
	case REG_EOI: lapic_end(l); return true;
	case REG_SVR: write_svr(l, value); return true;
	case REG_ESR: /* shows what has come together since the last write */
		l->esr = l->errors;
		l->errors = 0;
		return true;
	case REG_INITIAL: lapic_timer_set_initial(l, value); return true;
	case REG_DIVIDE: lapic_timer_set_divide(l, value); return true;
	default: return false;
	}
}

/* --- Frame ---------------------------------------------------------------------------- */

static bool frame_read(struct lapic *l, unsigned reg, uint32_t *value)
{
	switch (reg) {
	case REG_ID: *value = l->id << 24; return true;
	case REG_DFR: *value = l->dfr; return true;
	case REG_ICR: *value = (uint32_t)l->icr; return true;
	case REG_ICR_HIGH: *value = (uint32_t)(l->icr >> 32); return true;
	case REG_APR:
	case REG_EOI:
	case REG_RRD: *value = 0; return true;
	default: return read_common(l, reg, value);
	}
}

static bool frame_write(struct lapic *l, unsigned reg, uint32_t value)
{
	switch (reg) {
	case REG_ID: return true; /* it stays the one that ACPI's tables name */
	case REG_LDR: l->ldr = value & 0xff000000; return true;
	case REG_DFR: l->dfr = value | 0x0fffffff; return true;
	case REG_ICR: lapic_command(l, (l->icr >> 32 << 32) | (value & ICR_WRITABLE)); return true;
	case REG_ICR_HIGH:
		l->icr = (uint32_t)l->icr | (uint64_t)(value & 0xff000000) << 32;
		return true;
	case REG_VERSION:
	case REG_APR:
	case REG_PPR:
	case REG_RRD:
	case REG_CURRENT: return true; /* read-only */
	default: return (reg >= REG_ISR && reg < REG_ESR) || write_common(l, reg, value);
	}
}

enum mmio_outcome lapic_access(struct lapic *l, struct mmio *m)
{
	unsigned reg = (unsigned)(m->offset >> 4);
	uint32_t value = (uint32_t)m->value;
	bool known;

	if (m->size != 4 || m->offset % 16 != 0 || m->offset >= LAPIC_FRAME_BYTES)
		return mmio_ignore(m, "the local APIC is read and written by words");
	known = reg < 0x40 && (m->write ? frame_write(l, reg, value) : frame_read(l, reg, &value));
	if (!known) {
		lapic_error(l, ESR_REGISTER);
		return mmio_ignore(m, "no such register");
	}
	lapic_update(l);
	return m->write ? MMIO_HANDLED : mmio_done(m, value);
}

uint64_t lapic_frame(const struct lapic *l)
{
	if ((l->base & (BASE_ENABLE | BASE_X2APIC)) != BASE_ENABLE)
		return UINT64_MAX;
	return l->base & ~0xfffull;
}

/* --- MSRs ----------------------------------------------------------------------------- */

static bool x2_read(struct lapic *l, unsigned reg, uint64_t *value)
{
	uint32_t low;

	if (reg == REG_ID)
		low = l->id;
	else if (reg == REG_ICR) {
		*value = l->icr;
		return true;
	} else if (!read_common(l, reg, &low))
		return false;
	*value = low;
	return true;
}

static bool reserved(unsigned reg, uint64_t value)
{
	if (reg - REG_LVT < LAPIC_LVTS)
		return value & ~(uint64_t)(lvt_writable[reg - REG_LVT] | 1u << 12 | LVT_REMOTE_IRR);
	switch (reg) {
	case REG_TPR: return value >> 8 != 0;
	case REG_SVR: return value & ~(uint64_t)SVR_WRITABLE;
	case REG_DIVIDE: return value & ~0xbull;
	case REG_EOI:
	case REG_ESR: return value != 0; /* 11.12.1.2 */
	default: return value >> 32 != 0;
	}
}

static bool x2_write(struct lapic *l, unsigned reg, uint64_t value)
{
	if (reg == REG_ICR) {
		if (value & 0xffffffffull & ~(uint64_t)(ICR_WRITABLE | 1u << 12))
			return false;
		lapic_command(l, value & ~(1ull << 12));
		return true;
	}
	if (reg == REG_SELF_IPI) {
		if (value > 0xff)
			return false;
		lapic_command(l, (value & 0xff) | APIC_TO_SELF << 18);
		return true;
	}
	return !reserved(reg, value) && write_common(l, reg, (uint32_t)value);
}

/* 11.4.3, 11.12.5: disabled, xAPIC, x2APIC, disabled, and no other way. */
static bool write_base(struct lapic *l, uint64_t value)
{
	uint64_t was = l->base & (BASE_ENABLE | BASE_X2APIC);
	uint64_t is = value & (BASE_ENABLE | BASE_X2APIC);

	if ((value & BASE_RESERVED) || is == BASE_X2APIC ||
	    (is == BASE_ENABLE && was == (BASE_ENABLE | BASE_X2APIC)) ||
	    (is == (BASE_ENABLE | BASE_X2APIC) && was == 0))
		return false;
	if (is == 0 && was != 0) /* all is as after a reset when it comes back */
		lapic_reset(l);
	l->base = (value & ~BASE_BSP) | (l->bsp ? BASE_BSP : 0);
	if (is != was && lapic_is_x2apic(l)) {
		l->ldr = (l->id & ~15u) << 12 | 1u << (l->id & 15);
		l->icr = (uint32_t)l->icr;
	}
	return true;
}

bool lapic_msr_read(struct lapic *l, uint32_t msr, uint64_t *value)
{
	switch (msr) {
	case LAPIC_MSR_BASE: *value = l->base; return true;
	case LAPIC_MSR_TSC_DEADLINE: *value = lapic_timer_deadline_msr(l); break;
	default:
		if (!lapic_is_x2apic(l) || msr - LAPIC_MSR_FIRST > 0xff ||
		    !x2_read(l, msr - LAPIC_MSR_FIRST, value))
			return false;
	}
	lapic_update(l);
	return true;
}

bool lapic_msr_write(struct lapic *l, uint32_t msr, uint64_t value)
{
	bool ok = true;

	if (msr == LAPIC_MSR_BASE)
		ok = write_base(l, value);
	else if (msr == LAPIC_MSR_TSC_DEADLINE)
		lapic_timer_set_deadline(l, value);
	else
		ok = lapic_is_x2apic(l) && msr - LAPIC_MSR_FIRST <= 0xff &&
		     x2_write(l, msr - LAPIC_MSR_FIRST, value);
	lapic_update(l);
	return ok;
}

unsigned lapic_cr8(const struct lapic *l)
{
	return l->tpr >> 4;
}

void lapic_set_cr8(struct lapic *l, unsigned value)
{
	l->tpr = (value & 15) << 4;
	lapic_update(l);
}
