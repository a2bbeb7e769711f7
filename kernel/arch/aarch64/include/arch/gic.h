/* The interrupt controller: GICv2 or GICv3, chosen at boot. */
#pragma once

#include <arch/vcpu.h>
#include <kernel/types.h>

/* INTIDs of the architecture's PPIs (BSA). */
#define PPI_MAINTENANCE 25
#define PPI_HYP_TIMER 26
#define PPI_VIRTUAL_TIMER 27
#define PPI_PHYSICAL_TIMER 30
#define SGI_MAX 15
#define INTID_FIRST_SPI 32
#define INTID_SPECIAL 1020 /* 1020-1023: nothing to handle */

/* Where the parts are; what the hardware lacks is 0. */
struct gic_place {
	unsigned version;
	paddr_t dist, cpu, hyp, redist; /* v2: dist cpu hyp; v3: dist redist */
	word_t redist_bytes;
};

void gic_init(const struct gic_place *place);
unsigned gic_version(void);
/* Acknowledges: the INTID, INTID_SPECIAL or above if there is none. */
irq_t gic_acknowledge(void);
/* Ends (priority drop and deactivation) the interrupt acknowledged last. */
void gic_end(irq_t irq);
void gic_mask(irq_t irq);
void gic_unmask(irq_t irq);
void gic_set_active(irq_t irq, bool active); /* a PPI */
bool gic_sgi_target_ok(word_t target);

/* --- virtual CPU interface --- */
unsigned vgic_lr_count(void);
/* Loads and saves everything; vgic_enable is ICH_HCR_EL2 alone. */
void vgic_load(const struct vgic_state *s);
void vgic_save(struct vgic_state *s);
void vgic_enable(uint32_t hcr);
void vgic_disable(void);
uint64_t vgic_read_lr(unsigned i);
void vgic_write_lr(unsigned i, uint64_t v);
/* Maintenance: bit set of list registers with an EOI to report. */
uint32_t vgic_eoi_lrs(void);

/* ICH_LR<n>_EL2, IHI 0069 12.4.4. */
#define LR_VINTID_MASK 0xffffull
#define LR_EOI (1ull << 41)        /* HW = 0: maintenance interrupt on EOI */
#define LR_SGI_SOURCE (7ull << 32) /* GICv2 guests: the SGI's sender */
#define LR_PRIORITY_SHIFT 48
#define LR_GROUP1 (1ull << 60)
#define LR_HW (1ull << 61)
#define LR_STATE_MASK (3ull << 62)
#define LR_PENDING (1ull << 62)
#define LR_ACTIVE (1ull << 63)
#define LR_PINTID(irq) ((uint64_t)(irq) << 32) /* HW = 1 */
#define LR_SOURCE(lr) ((unsigned)(lr)&63)      /* of a direct interrupt */
/* What a user may put into one: no link to a physical interrupt. */
#define LR_USER_MASK (LR_VINTID_MASK | LR_EOI | LR_SGI_SOURCE | \
		      0xffull << LR_PRIORITY_SHIFT | LR_GROUP1 | LR_STATE_MASK)
/* ICH_HCR_EL2: En; UIE, LRENPIE, NPIE, VGrp0EIE, VGrp0DIE, VGrp1EIE, 1DIE. */
#define ICH_HCR_EN 1u
#define ICH_HCR_USER_MASK 0xfeu

/* Of a masked interrupt. */
void gic_set_trigger(irq_t irq, bool edge);

/* --- the drivers --- */
void gicv2_init(const struct gic_place *place);
uint32_t gicv2_acknowledge(void);
void gicv2_end(uint32_t iar);
void gicv2_vgic_load(const struct vgic_state *s);
void gicv2_vgic_save(struct vgic_state *s);
void gicv2_vgic_hcr(uint32_t hcr);
uint64_t gicv2_read_lr(unsigned i);
void gicv2_write_lr(unsigned i, uint64_t v);
uint32_t gicv2_eoi_lrs(void);
uint32_t gicv2_vtr(void);
void gicv3_init(const struct gic_place *place);
void gicv3_set_active(irq_t irq, bool active);
void gicv3_set_enabled(irq_t irq, bool on); /* SGI and PPI only */
void gicv3_set_trigger(irq_t irq, bool edge);
uint32_t gicv3_acknowledge(void);
void gicv3_end(uint32_t intid);
void gicv3_vgic_load(const struct vgic_state *s);
void gicv3_vgic_save(struct vgic_state *s);
void gicv3_vgic_hcr(uint32_t hcr);
uint64_t gicv3_read_lr(unsigned i);
void gicv3_write_lr(unsigned i, uint64_t v);
uint32_t gicv3_eoi_lrs(void);
uint32_t gicv3_vtr(void);
/* The ID registers' way to a guest's own system-register interface. */
/* Distributor registers that both share. */
#define GICD_CTLR 0x000
#define GICD_TYPER 0x004
#define GICD_IGROUPR 0x080
#define GICD_ISENABLER 0x100
#define GICD_ICENABLER 0x180
#define GICD_ICPENDR 0x280
#define GICD_ISACTIVER 0x300
#define GICD_ICACTIVER 0x380
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR 0x800
#define GICD_ICFGR 0xc00
#define GICD_SGIR 0xf00 /* GICv2 */
#define MPIDR_AFFINITY 0xff00ffffffull
static inline volatile uint32_t *mmio32(paddr_t base, word_t offset)
{
	return (volatile uint32_t *)paddr_to_ptr(base + offset);
}
/* Disables, ungroups, lowers all SPIs: what both versions do at boot. */
void gicd_reset_spis(paddr_t dist);
