/* What the three files of the vGIC share; nobody else includes it. */
#pragma once

#include <dev/vgic.h>

#define VGIC_CTLR_GRP0 (1u << 0)
#define VGIC_CTLR_GRP1 (1u << 1)
/* The virtual CPU interface compares five bits of priority. */
#define VGIC_PRIORITY_MASK 0xf8u
#define VGIC_SGI_BITS 0xffffu

/* Those with registers of GICD or GICR, and all: behind them come the LPIs'. */
static inline unsigned vgic_register_blocks(const struct vgic *g)
{
	return g->config.n_irqs / 32u;
}

static inline unsigned vgic_n_blocks(const struct vgic *g)
{
	return (g->config.n_irqs + g->config.n_lpis) / 32u;
}

/* The number by which the guest knows an interrupt. */
static inline uint32_t vgic_intid(const struct vgic *g, unsigned irq)
{
	return irq < g->config.n_irqs ? irq : irq - g->config.n_irqs + VGIC_FIRST_LPI;
}

/* Block 0 is the vCPU's own, the others are shared. */
static inline struct vgic_block *vgic_block(struct vgic *g, unsigned vcpu,
					    unsigned block)
{
	return block == 0 ? &g->cpu[vcpu].own : &g->spi[block - 1];
}

static inline uint32_t vgic_pending(const struct vgic_block *b)
{
	return b->latch | (b->line & ~b->edge);
}

/* Pending, enabled and in an enabled group. */
static inline uint32_t vgic_deliverable(const struct vgic *g,
					const struct vgic_block *b)
{
	uint32_t groups = ((g->ctlr & VGIC_CTLR_GRP0) ? ~b->group : 0) |
			  ((g->ctlr & VGIC_CTLR_GRP1) ? b->group : 0);

	return vgic_pending(b) & b->enabled & groups;
}

/* GICv2 keeps pending SGIs per source CPU. */
static inline bool vgic_has_sources(const struct vgic *g, unsigned irq)
{
	return g->config.version == 2 && irq < 16;
}

static inline void vgic_set_bit(uint32_t *word, uint32_t bit, bool value)
{
	*word = value ? *word | bit : *word & ~bit;
}

/* Recomputes which interrupts of a block wait for a list register. */
void vgic_requeue(struct vgic *g, unsigned vcpu, unsigned block);

/*
 * A change of the state of interrupts `mask` of a block. Between begin and
 * end their state is in the block alone, whatever list registers held; end
 * brings list registers and waiting sets in line with it again.
 */
struct vgic_edit {
	unsigned vcpu, block;
	uint32_t mask;
	uint32_t held; /* vCPUs that are kept from executing */
};

struct vgic_edit vgic_edit_begin(struct vgic *g, unsigned vcpu, unsigned block,
				 uint32_t mask);
void vgic_edit_end(struct vgic *g, const struct vgic_edit *e);

/* Direct interrupts (vgic_direct.c): what the guest configured is told; their
 * state, and changes of it, are the environment's. */
void vgic_direct_tell(struct vgic *g, unsigned vcpu, unsigned block, uint32_t mask);
uint32_t vgic_direct_pending(struct vgic *g, unsigned vcpu, unsigned block);
uint32_t vgic_direct_active(struct vgic *g, unsigned vcpu, unsigned block);
/* Of those among `mask` that are direct; returns the others. */
uint32_t vgic_direct_change(struct vgic *g, unsigned vcpu, unsigned block,
			    enum vgic_direct_change change, uint32_t mask);
/* Whether one is pending that the guest has enabled. */
bool vgic_direct_waits(struct vgic *g, unsigned vcpu);

/* Pending and active as the guest sees them now: list registers included. */
uint32_t vgic_view_pending(struct vgic *g, unsigned vcpu, unsigned block);
uint32_t vgic_view_active(struct vgic *g, unsigned vcpu, unsigned block);
/* Source CPUs of a pending GICv2 SGI, the one in a list register included. */
uint8_t vgic_view_sources(struct vgic *g, unsigned vcpu, unsigned irq);

/* Adds or removes pending sources of a GICv2 SGI (inside an edit). */
void vgic_sources_set(struct vgic *g, unsigned vcpu, unsigned irq,
		      uint8_t sources);
/* Makes an SGI pending at `target`. */
void vgic_sgi(struct vgic *g, unsigned source, unsigned target, unsigned irq);
/* An SPI's targets have changed (inside an edit): where does it go? */
void vgic_reroute(struct vgic *g, unsigned irq);
