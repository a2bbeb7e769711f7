#include <dev/vgic.h>

#include "vgic_internal.h"
#include "vgic_regs.h"

static void set_wait(struct vgic *g, unsigned vcpu, unsigned block,
		     uint32_t wait)
{
	struct vgic_cpu *c = &g->cpu[vcpu];

	/* While some wait, any change may change who comes first. */
	if ((wait & ~c->wait[block]) || c->overflow)
		g->work |= 1u << vcpu;
	c->wait[block] = wait;
}

void vgic_requeue(struct vgic *g, unsigned vcpu, unsigned block)
{
	const struct vgic_block *b = vgic_block(g, vcpu, block);
	uint32_t want = (b->active | vgic_deliverable(g, b)) & ~(b->listed | b->direct);

	if (block == 0) {
		set_wait(g, vcpu, 0, want);
		return;
	}
	for (unsigned v = 0; v < g->config.n_vcpus; v++)
		set_wait(g, v, block, want & g->route[v][block]);
}

void vgic_sources_set(struct vgic *g, unsigned vcpu, unsigned irq,
		      uint8_t sources)
{
	struct vgic_cpu *c = &g->cpu[vcpu];

	c->sgi_sources[irq] = sources;
	vgic_set_bit(&c->own.latch, 1u << irq, sources != 0);
}

void vgic_sgi(struct vgic *g, unsigned source, unsigned target, unsigned irq)
{
	struct vgic_cpu *c = &g->cpu[target];
	struct vgic_edit e;

	if (vgic_direct_change(g, target, 0, VGIC_DIRECT_PEND, 1u << irq) == 0)
		return;
	e = vgic_edit_begin(g, target, 0, 1u << irq);
	if (vgic_has_sources(g, irq))
		vgic_sources_set(g, target, irq,
				 (uint8_t)(c->sgi_sources[irq] | 1u << source));
	else
		c->own.latch |= 1u << irq;
	vgic_edit_end(g, &e);
}

/* The vCPU that an SPI goes to, or VGIC_MAX_VCPUS. A GICv2 SPI with several
 * targets goes to the first of them. */
static unsigned target_of(const struct vgic *g, unsigned irq)
{
	unsigned v;

	if (g->config.version == 3) {
		v = g->spi_router[irq - VGIC_PRIVATE_IRQS];
		return v < g->config.n_vcpus &&
				       (irq < g->config.n_irqs || g->cpu[v].lpis_on)
			       ? v
			       : VGIC_MAX_VCPUS;
	}
	v = g->spi_targets[irq - VGIC_PRIVATE_IRQS];
	return v ? (unsigned)__builtin_ctz(v) : VGIC_MAX_VCPUS;
}

void vgic_reroute(struct vgic *g, unsigned irq)
{
	unsigned target = target_of(g, irq);

	for (unsigned v = 0; v < g->config.n_vcpus; v++)
		vgic_set_bit(&g->route[v][irq / 32u], 1u << irq % 32u,
			     v == target);
}

/* ICC_SGI1R_EL1 (IHI 0069H 12.2.20): Aff3, RS, IRM, Aff2, INTID, Aff1, list. */
#define SGIR_IRM (1ull << 40)
#define SGIR_AFFINITY 0x00fff0ff00ff0000ull /* and the range selector: all 0 */

void vgic_write_sgir(struct vgic *g, unsigned vcpu, uint64_t value, bool group1)
{
	unsigned irq = (unsigned)(value >> 24) & 0xfu;
	uint32_t all = (1u << g->config.n_vcpus) - 1u;
	uint32_t targets = (uint32_t)value & 0xffffu & all;

	if (g->config.version != 3 || vcpu >= g->config.n_vcpus)
		return;
	if (value & SGIR_IRM)
		targets = all & ~(1u << vcpu);
	else if (value & SGIR_AFFINITY)
		targets = 0;
	for (; targets; targets &= targets - 1) {
		unsigned v = (unsigned)__builtin_ctz(targets);
		bool in_group1 = g->cpu[v].own.group >> irq & 1u;

		/* SGI0R and ASGI1R reach interrupts of group 0 only. */
		if (group1 || !in_group1)
			vgic_sgi(g, vcpu, v, irq);
	}
}

/* Is there such an input? */
static bool has_line(const struct vgic *g, unsigned vcpu, unsigned irq)
{
	return irq >= 16 && irq < g->config.n_irqs &&
	       (irq >= VGIC_PRIVATE_IRQS || vcpu < g->config.n_vcpus);
}

void vgic_set_level(struct vgic *g, unsigned vcpu, unsigned irq, bool level)
{
	uint32_t bit = 1u << irq % 32u;
	struct vgic_block *b;
	struct vgic_edit e;

	if (!has_line(g, vcpu, irq))
		return;
	b = vgic_block(g, vcpu, irq / 32u);
	if (((b->line & bit) != 0) == level)
		return;
	if ((b->direct & bit) || (!level && (b->edge & bit))) { /* says nothing */
		vgic_set_bit(&b->line, bit, level);
		return;
	}
	e = vgic_edit_begin(g, vcpu, irq / 32u, bit);
	vgic_set_bit(&b->line, bit, level);
	if (level)
		b->latch |= bit & b->edge;
	vgic_edit_end(g, &e);
}

void vgic_pulse(struct vgic *g, unsigned vcpu, unsigned irq)
{
	uint32_t bit = 1u << irq % 32u;
	struct vgic_edit e;

	if (!has_line(g, vcpu, irq))
		return;
	if (vgic_direct_change(g, vcpu, irq / 32u, VGIC_DIRECT_PEND, bit) == 0)
		return;
	e = vgic_edit_begin(g, vcpu, irq / 32u, bit);
	vgic_block(g, vcpu, irq / 32u)->latch |= bit;
	vgic_edit_end(g, &e);
}

/* Firmware leaves a GICv3's interrupts in group 1; a GICv2's single Security
 * state starts with group 0. */
static void reset_block(const struct vgic *g, struct vgic_block *b, bool private, uint32_t direct)
{
	b->group = g->config.version == 3 ? UINT32_MAX : 0;
	b->enabled = private && g->config.sgis_on ? VGIC_SGI_BITS : 0;
	b->edge = private ? VGIC_SGI_BITS : 0;
	b->direct = direct;
}

static void reset_state(struct vgic *g)
{
	for (unsigned v = 0; v < g->config.n_vcpus; v++) {
		g->cpu[v].asleep = true;
		reset_block(g, &g->cpu[v].own, true, (uint32_t)g->config.direct);
	}
	for (unsigned b = 1; b < vgic_register_blocks(g); b++)
		reset_block(g, &g->spi[b - 1], false,
			    b == 1 ? (uint32_t)(g->config.direct >> 32) : 0);
	for (unsigned b = vgic_register_blocks(g); b < vgic_n_blocks(g); b++) {
		g->spi[b - 1].group = UINT32_MAX;
		g->spi[b - 1].edge = UINT32_MAX;
	}
	for (unsigned i = VGIC_PRIVATE_IRQS; i < g->config.n_irqs; i++) {
		/* With one CPU, everything goes to it (IHI 0048B 4.3.12). */
		g->spi_targets[i - VGIC_PRIVATE_IRQS] = g->config.n_vcpus == 1;
		vgic_reroute(g, i);
	}
}

static bool lpis_valid(const struct vgic_config *c)
{
	return c->n_lpis == 0 ||
	       (c->version == 3 && c->lr_readback && c->n_lpis % 32u == 0 &&
		(c->n_lpis & (c->n_lpis - 1)) == 0 && c->n_lpis <= VGIC_MAX_IRQS - c->n_irqs);
}

static bool config_valid(const struct vgic_config *c)
{
	return (c->version == 2 || c->version == 3) && c->n_vcpus >= 1 &&
	       c->n_vcpus <= VGIC_MAX_VCPUS && c->n_irqs >= 64 &&
	       c->n_irqs <= VGIC_MAX_IRQS && c->n_irqs % 32u == 0 && lpis_valid(c) &&
	       c->n_lrs >= 1 && c->n_lrs <= VGIC_MAX_LRS;
}

bool vgic_init(struct vgic *g, const struct vgic_config *config,
	       const struct vgic_env *env)
{
	if (!config_valid(config))
		return false;
	*g = (struct vgic){ .config = *config, .env = *env };
	if (config->version == 2)
		vgic_map_init(&g->dist, vgic_dist_v2, vgic_n_dist_v2);
	else
		vgic_map_init(&g->dist, vgic_dist_v3, vgic_n_dist_v3);
	vgic_map_init(&g->redist, vgic_redist, vgic_n_redist);
	reset_state(g);
	return true;
}
