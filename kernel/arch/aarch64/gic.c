/* What is common to both versions, and the choice between them. */
#include <arch/gic.h>

#include <arch/sysreg.h>
#include <kernel/arch.h>

#define PRIORITY_DEVICES 0xa0a0a0a0u
#define GICD_TYPER_LINES(t) (((t)&31) + 1) /* registers of 32 interrupts */

static struct gic_place gic;
static irq_t irq_lines;   /* INTIDs below this exist */
static uint32_t last_iar; /* GICv2 ends an SGI with its source in it */
static unsigned lr_count;

void gicd_reset_spis(paddr_t dist)
{
	unsigned n = GICD_TYPER_LINES(*mmio32(dist, GICD_TYPER));

	for (unsigned i = 1; i < n; i++) {
		*mmio32(dist, GICD_ICENABLER + 4 * i) = ~0u;
		*mmio32(dist, GICD_ICPENDR + 4 * i) = ~0u;
		*mmio32(dist, GICD_ICACTIVER + 4 * i) = ~0u;
		for (unsigned j = 0; j < 8; j++)
			*mmio32(dist, GICD_IPRIORITYR + 32 * i + 4 * j) = PRIORITY_DEVICES;
	}
	irq_lines = 32 * n < INTID_SPECIAL ? 32 * n : INTID_SPECIAL;
}

void gic_init(const struct gic_place *place)
{
	gic = *place;
	if (gic.version == 3)
		gicv3_init(&gic);
	else
		gicv2_init(&gic);
	/* GICH_VTR and ICH_VTR_EL2 have the same ListRegs and PRIbits fields. */
	uint32_t vtr = gic.version == 3 ? gicv3_vtr() : gicv2_vtr();
	lr_count = (vtr & 31) + 1;
	if (lr_count > VGIC_LRS)
		lr_count = VGIC_LRS;
	vgic_disable();
	gic_unmask(PPI_MAINTENANCE);
	gic_unmask(PPI_HYP_TIMER);
	gic_unmask(PPI_VIRTUAL_TIMER);
}

unsigned gic_version(void) { return gic.version; }
unsigned vgic_lr_count(void) { return lr_count; }

irq_t gic_acknowledge(void)
{
	last_iar = gic.version == 3 ? gicv3_acknowledge() : gicv2_acknowledge();
	return gic.version == 3 ? last_iar & 0xffffff : last_iar & 0x3ff;
}

void gic_end(irq_t irq)
{
	if (gic.version == 3)
		gicv3_end(irq);
	else
		gicv2_end((last_iar & 0x3ff) == irq ? last_iar : irq);
}

static void set_enabled(irq_t irq, bool on)
{
	if (gic.version == 3 && irq < INTID_FIRST_SPI)
		gicv3_set_enabled(irq, on);
	else
		*mmio32(gic.dist, (on ? GICD_ISENABLER : GICD_ICENABLER) + irq / 32 * 4) =
			1u << (irq % 32);
}

void gic_mask(irq_t irq)
{
	set_enabled(irq, false);
	dsb_sy(); /* before it is ended or the cause is removed */
}

void gic_unmask(irq_t irq) { set_enabled(irq, true); }

void gic_set_active(irq_t irq, bool active)
{
	if (gic.version == 3)
		gicv3_set_active(irq, active);
	else
		*mmio32(gic.dist, active ? GICD_ISACTIVER : GICD_ICACTIVER) = 1u << irq;
	dsb_sy(); /* before its timer is on again */
}

void vgic_load(const struct vgic_state *s)
{
	gic.version == 3 ? gicv3_vgic_load(s) : gicv2_vgic_load(s);
}

void vgic_save(struct vgic_state *s) { gic.version == 3 ? gicv3_vgic_save(s) : gicv2_vgic_save(s); }

void vgic_enable(uint32_t hcr)
{
	gic.version == 3 ? gicv3_vgic_hcr(hcr | ICH_HCR_EN) : gicv2_vgic_hcr(hcr | ICH_HCR_EN);
}

void vgic_disable(void) { gic.version == 3 ? gicv3_vgic_hcr(0) : gicv2_vgic_hcr(0); }

uint64_t vgic_read_lr(unsigned i) { return gic.version == 3 ? gicv3_read_lr(i) : gicv2_read_lr(i); }

void vgic_write_lr(unsigned i, uint64_t v)
{
	gic.version == 3 ? gicv3_write_lr(i, v) : gicv2_write_lr(i, v);
}

uint32_t vgic_eoi_lrs(void) { return gic.version == 3 ? gicv3_eoi_lrs() : gicv2_eoi_lrs(); }

/* The target: a CPU interface's number (GICv2), an affinity (GICv3). */
bool gic_sgi_target_ok(word_t target)
{
	if (gic.version == 2)
		return target < 8;
	return !(target & ~MPIDR_AFFINITY) && (target & 0xff) < 16;
}

void arch_sgi_send(struct cap c)
{
	word_t irq = cap_sub(c), target = c.w1;

	dsb_sy(); /* what was written before is there when it arrives */
	if (gic.version == 2)
		*mmio32(gic.dist, GICD_SGIR) = (uint32_t)(1u << (16 + target) | irq);
	else /* Aff3 at 48, Aff2 at 32, INTID at 24, Aff1 at 16, list of Aff0 */
		SYSREG_WRITE(icc_sgi1r_el1, (target >> 32 & 0xff) << 48 |
						    (target >> 16 & 0xff) << 32 | irq << 24 |
						    (target >> 8 & 0xff) << 16 |
						    1ull << (target & 15));
}

/* --- the core's view --- */
unsigned arch_irq_count(void) { return irq_lines; }

bool arch_irq_valid(word_t irq)
{
	return irq != PPI_MAINTENANCE && irq != PPI_HYP_TIMER && irq != PPI_VIRTUAL_TIMER;
}

void arch_irq_mask(irq_t irq) { gic_mask(irq); }
void arch_irq_unmask(irq_t irq) { gic_unmask(irq); }
void arch_irq_ack(irq_t irq) { gic_end(irq); }

void gic_set_trigger(irq_t irq, bool edge)
{
	if (irq < INTID_FIRST_SPI) {
		if (gic.version == 3)
			gicv3_set_trigger(irq, edge);
		return; /* GICv2: PPIs have fixed triggers */
	}
	volatile uint32_t *cfg = mmio32(gic.dist, GICD_ICFGR + irq / 16 * 4);
	uint32_t bit = 2u << (irq % 16 * 2);

	*cfg = edge ? *cfg | bit : *cfg & ~bit;
}

bool arch_irq_pending(void)
{
	return SYSREG_READ(isr_el1) & (1 << 7); /* I */
}
