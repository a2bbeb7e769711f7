/* GICv2 (IHI 0048B): distributor, CPU interface, virtual interface control. */
#include <arch/gic.h>

#define GICC_CTLR 0x00
#define GICC_PMR 0x04
#define GICC_BPR 0x08
#define GICC_IAR 0x0c
#define GICC_EOIR 0x10
#define GICH_HCR 0x000
#define GICH_VTR 0x004
#define GICH_VMCR 0x008
#define GICH_EISR0 0x020
#define GICH_APR 0x0f0
#define GICH_LR 0x100
#define GICH_LR_ID 0x3ffu

static struct gic_place at;

void gicv2_init(const struct gic_place *place)
{
	at = *place;
	*mmio32(at.dist, GICD_CTLR) = 0;
	gicd_reset_spis(at.dist);
	unsigned n = (*mmio32(at.dist, GICD_TYPER) & 31) + 1;
	uint32_t self = *mmio32(at.dist, GICD_ITARGETSR) & 0xff;

	for (unsigned i = 8; i < 8 * n; i++)
		*mmio32(at.dist, GICD_ITARGETSR + 4 * i) = (self ? self : 1) * 0x01010101u;
	*mmio32(at.dist, GICD_ICENABLER) = ~0u;
	*mmio32(at.dist, GICD_ICPENDR) = ~0u;
	*mmio32(at.dist, GICD_ICACTIVER) = ~0u;
	for (unsigned i = 0; i < 8; i++)
		*mmio32(at.dist, GICD_IPRIORITYR + 4 * i) = 0xa0a0a0a0u;
	*mmio32(at.dist, GICD_CTLR) = 1;
	*mmio32(at.cpu, GICC_PMR) = 0xf0;
	*mmio32(at.cpu, GICC_BPR) = 0;
	*mmio32(at.cpu, GICC_CTLR) = 1; /* EOImode 0 */
}

uint32_t gicv2_acknowledge(void) { return *mmio32(at.cpu, GICC_IAR); }
void gicv2_end(uint32_t iar) { *mmio32(at.cpu, GICC_EOIR) = iar; }
uint32_t gicv2_vtr(void) { return *mmio32(at.hyp, GICH_VTR); }
void gicv2_vgic_hcr(uint32_t hcr) { *mmio32(at.hyp, GICH_HCR) = hcr; }
uint32_t gicv2_eoi_lrs(void) { return *mmio32(at.hyp, GICH_EISR0); }

/* GICH_LR (5.3.10) and ICH_LR: source, EOI or physical number in 19:10,
 * priority in 27:23. */
static uint32_t lr_to_v2(uint64_t lr)
{
	uint32_t v = (uint32_t)(lr & GICH_LR_ID);

	v |= (uint32_t)((lr & LR_SGI_SOURCE) >> 32) << 10;
	v |= lr & LR_EOI ? 1u << 19 : 0;
	v |= lr & LR_HW ? 1u << 31 | PPI_VIRTUAL_TIMER << 10 : 0;
	v |= (uint32_t)(lr >> (LR_PRIORITY_SHIFT + 3) & 31) << 23;
	v |= (uint32_t)(lr >> 62) << 28;
	return v | (lr & LR_GROUP1 ? 1u << 30 : 0);
}

static uint64_t lr_from_v2(uint32_t v)
{
	uint64_t lr = v & GICH_LR_ID;

	lr |= v & 1u << 31 ? LR_HW | LR_PINTID(v >> 10 & 0x3ff) : (uint64_t)(v >> 10 & 7) << 32;
	lr |= v >> 19 & 1 && !(v >> 31) ? LR_EOI : 0;
	lr |= (uint64_t)(v >> 23 & 31) << (LR_PRIORITY_SHIFT + 3);
	lr |= (uint64_t)(v >> 28 & 3) << 62;
	return lr | (v & (1u << 30) ? LR_GROUP1 : 0);
}

/* GICH_VMCR (5.3.4): enables, AckCtl, FIQEn, CBPR, EOIM, BPRs, 5-bit mask. */
static uint32_t vmcr_to_v2(uint32_t v)
{
	return (v & 0x1f) | (v & 1u << 9) | (v & 7u << 18) | (v & 7u << 21) |
	       (v >> 27 & 31) << 27;
}

uint64_t gicv2_read_lr(unsigned i) { return lr_from_v2(*mmio32(at.hyp, GICH_LR + 4 * i)); }
void gicv2_write_lr(unsigned i, uint64_t v) { *mmio32(at.hyp, GICH_LR + 4 * i) = lr_to_v2(v); }

void gicv2_vgic_load(const struct vgic_state *s)
{
	*mmio32(at.hyp, GICH_VMCR) = vmcr_to_v2(s->vmcr);
	*mmio32(at.hyp, GICH_APR) = s->ap1r[0];
	for (unsigned i = 0; i < vgic_lr_count(); i++)
		gicv2_write_lr(i, s->lr[i]);
}

void gicv2_vgic_save(struct vgic_state *s)
{
	s->vmcr = *mmio32(at.hyp, GICH_VMCR);
	s->ap1r[0] = *mmio32(at.hyp, GICH_APR);
	for (unsigned i = 0; i < vgic_lr_count(); i++)
		s->lr[i] = gicv2_read_lr(i);
}
