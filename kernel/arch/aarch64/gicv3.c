/* GICv3 (IHI 0069): distributor, redistributor, system registers. */
#include <arch/gic.h>

#include <arch/sysreg.h>
#include <kernel/panic.h>

#define GICD_CTLR_RWP (1u << 31)
#define GICD_CTLR_ARE_NS (1u << 4)
#define GICD_CTLR_GRP1NS (1u << 1)
#define GICD_IROUTER 0x6000
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_WAKER_SLEEP (1u << 1)
#define GICR_WAKER_ASLEEP (1u << 2)
#define GICR_CTLR_RWP (1u << 3)
#define GICR_TYPER_LAST (1u << 4)
#define GICR_TYPER_VLPIS (1u << 1)
#define GICR_FRAME 0x10000ull

static paddr_t dist, redist, sgi_frame;
static unsigned aprs; /* active-priority registers per group */

/* Waits for the effect of a write (bounded: dead hardware is a panic). */
static void wait_clear(paddr_t base, word_t offset, uint32_t bit)
{
	for (unsigned i = 0; i < 10000000; i++)
		if (!(*mmio32(base, offset) & bit))
			return;
	panic("GICv3: register 0x%lx does not settle", base + offset);
}

/* The redistributor of this core: its TYPER holds the core's affinity. */
static paddr_t find_redist(const struct gic_place *place)
{
	word_t mpidr = SYSREG_READ(mpidr_el1) & MPIDR_AFFINITY;
	uint32_t affinity = (uint32_t)(mpidr & 0xffffff) | (uint32_t)(mpidr >> 32) << 24;
	word_t at = 0;

	while (at + 2 * GICR_FRAME <= place->redist_bytes) {
		uint32_t low = *mmio32(place->redist + at, GICR_TYPER);
		if (*mmio32(place->redist + at, GICR_TYPER + 4) == affinity)
			return place->redist + at;
		if (low & GICR_TYPER_LAST)
			break;
		at += (low & GICR_TYPER_VLPIS ? 4u : 2u) * GICR_FRAME;
	}
	panic("GICv3: no redistributor for core 0x%lx", mpidr);
}

static void init_distributor(void)
{
	word_t mpidr = SYSREG_READ(mpidr_el1) & MPIDR_AFFINITY;

	*mmio32(dist, GICD_CTLR) = 0;
	wait_clear(dist, GICD_CTLR, GICD_CTLR_RWP);
	gicd_reset_spis(dist);
	unsigned n = (*mmio32(dist, GICD_TYPER) & 31) + 1;
	for (unsigned i = 1; i < n; i++)
		*mmio32(dist, GICD_IGROUPR + 4 * i) = ~0u;
	wait_clear(dist, GICD_CTLR, GICD_CTLR_RWP);
	*mmio32(dist, GICD_CTLR) = GICD_CTLR_ARE_NS | GICD_CTLR_GRP1NS;
	wait_clear(dist, GICD_CTLR, GICD_CTLR_RWP);
	for (irq_t i = 32; i < 32 * n && i < INTID_SPECIAL; i++)
		*(volatile uint64_t *)paddr_to_ptr(dist + GICD_IROUTER + 8 * i) = mpidr;
}

static void init_redistributor(void)
{
	*mmio32(redist, GICR_WAKER) &= ~GICR_WAKER_SLEEP;
	wait_clear(redist, GICR_WAKER, GICR_WAKER_ASLEEP);
	*mmio32(sgi_frame, GICD_ICENABLER) = ~0u;
	*mmio32(sgi_frame, GICD_ICPENDR) = ~0u;
	*mmio32(sgi_frame, GICD_ICACTIVER) = ~0u;
	*mmio32(sgi_frame, GICD_IGROUPR) = ~0u;
	for (unsigned i = 0; i < 8; i++)
		*mmio32(sgi_frame, GICD_IPRIORITYR + 4 * i) = 0xa0a0a0a0u;
	wait_clear(redist, GICD_CTLR, GICR_CTLR_RWP);
}

/* ICC_SRE_EL1: a guest of a GIC with a legacy mode could have cleared it. */
static void guest_sre(void)
{
	SYSREG_WRITE(icc_sre_el1, 7);
	isb();
}

void gicv3_init(const struct gic_place *place)
{
	dist = place->dist;
	/* SRE, no bypass, EL1 may use ICC_SRE_EL1. */
	SYSREG_WRITE(icc_sre_el2, 0xf);
	isb();
	if (!(SYSREG_READ(icc_sre_el2) & 1))
		panic("GICv3: no system-register interface");
	redist = find_redist(place);
	sgi_frame = redist + GICR_FRAME;
	init_distributor();
	init_redistributor();
	guest_sre();
	SYSREG_WRITE(icc_pmr_el1, 0xf0);
	SYSREG_WRITE(icc_bpr1_el1, 0);
	SYSREG_WRITE(icc_ctlr_el1, 0); /* EOImode 0 */
	SYSREG_WRITE(icc_igrpen1_el1, 1);
	isb();
	aprs = 1u << ((gicv3_vtr() >> 26 & 7) - 4); /* PREbits 5, 6, 7 */
}

void gicv3_set_enabled(irq_t irq, bool on)
{
	*mmio32(sgi_frame, on ? GICD_ISENABLER : GICD_ICENABLER) = 1u << irq;
}

void gicv3_set_active(irq_t irq, bool active)
{
	*mmio32(sgi_frame, active ? GICD_ISACTIVER : GICD_ICACTIVER) = 1u << irq;
}

void gicv3_set_trigger(irq_t irq, bool edge)
{
	volatile uint32_t *cfg = mmio32(sgi_frame, GICD_ICFGR + irq / 16 * 4);
	uint32_t bit = 2u << (irq % 16 * 2);

	if (irq >= 16)
		*cfg = edge ? *cfg | bit : *cfg & ~bit;
}

uint32_t gicv3_acknowledge(void)
{
	uint32_t intid = (uint32_t)SYSREG_READ(icc_iar1_el1);

	dsb_sy(); /* IHI 0069 4.2.5: before the handler touches the device */
	return intid;
}

void gicv3_end(uint32_t intid) { SYSREG_WRITE(icc_eoir1_el1, intid); }
uint32_t gicv3_vtr(void) { return (uint32_t)SYSREG_READ(ich_vtr_el2); }
void gicv3_vgic_hcr(uint32_t hcr) { SYSREG_WRITE(ich_hcr_el2, hcr); }
uint32_t gicv3_eoi_lrs(void) { return (uint32_t)SYSREG_READ(ich_eisr_el2); }

/* clang-format off */
#define FOR_EACH_LR(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
/* clang-format on */

uint64_t gicv3_read_lr(unsigned i)
{
	switch (i) {
#define X(n) \
	case n: return SYSREG_READ(ich_lr##n##_el2);
		FOR_EACH_LR(X)
#undef X
	}
	return 0;
}

void gicv3_write_lr(unsigned i, uint64_t v)
{
	switch (i) {
#define X(n) \
	case n: SYSREG_WRITE(ich_lr##n##_el2, v); break;
		FOR_EACH_LR(X)
#undef X
	}
}

/* If there are more than `n`: register m of each group. */
#define FOR_EACH_APR(X) X(0, 0) X(1, 1) X(2, 2) X(2, 3)

static void load_active_priorities(const struct vgic_state *s)
{
#define X(n, m)                                              \
	if (aprs > (n)) {                                    \
		SYSREG_WRITE(ich_ap0r##m##_el2, s->ap0r[m]); \
		SYSREG_WRITE(ich_ap1r##m##_el2, s->ap1r[m]); \
	}
	FOR_EACH_APR(X)
#undef X
}

static void save_active_priorities(struct vgic_state *s)
{
#define X(n, m)                                                        \
	if (aprs > (n)) {                                              \
		s->ap0r[m] = (uint32_t)SYSREG_READ(ich_ap0r##m##_el2); \
		s->ap1r[m] = (uint32_t)SYSREG_READ(ich_ap1r##m##_el2); \
	}
	FOR_EACH_APR(X)
#undef X
}

void gicv3_vgic_load(const struct vgic_state *s)
{
	guest_sre();
	SYSREG_WRITE(ich_vmcr_el2, s->vmcr);
	load_active_priorities(s);
	for (unsigned i = 0; i < vgic_lr_count(); i++)
		gicv3_write_lr(i, s->lr[i]);
}

void gicv3_vgic_save(struct vgic_state *s)
{
	s->vmcr = (uint32_t)SYSREG_READ(ich_vmcr_el2);
	save_active_priorities(s);
	for (unsigned i = 0; i < vgic_lr_count(); i++)
		s->lr[i] = gicv3_read_lr(i);
}
