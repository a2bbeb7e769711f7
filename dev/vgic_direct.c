/*
 * Direct interrupts: pending and active state is the environment's (env), what
 * the guest has configured is told to it. An SPI is told to its target as it is
 * and to the other vCPUs as not enabled.
 */
#include "vgic_internal.h"

static unsigned conf_of(const struct vgic *g, unsigned v, unsigned block, unsigned i)
{
	const struct vgic_block *b = block == 0 ? &g->cpu[v].own : &g->spi[block - 1];
	bool group1 = b->group >> i & 1u;
	bool on = g->ctlr & (group1 ? VGIC_CTLR_GRP1 : VGIC_CTLR_GRP0);

	if (block != 0 && !(g->route[v][block] >> i & 1u))
		return 0;
	return b->priority[i] | (group1 ? VGIC_DIRECT_GROUP1 : 0) |
	       (on && (b->enabled >> i & 1u) ? VGIC_DIRECT_ENABLED : 0);
}

static void tell(struct vgic *g, unsigned v, unsigned block, unsigned i)
{
	unsigned conf = conf_of(g, v, block, i);
	uint16_t *told = &g->cpu[v].direct_conf[block * 32u + i];

	if (*told == conf)
		return;
	*told = (uint16_t)conf;
	g->env.direct_conf(g->env.opaque, v, block * 32u + i, conf);
}

void vgic_direct_tell(struct vgic *g, unsigned vcpu, unsigned block, uint32_t mask)
{
	for (uint32_t m = mask & vgic_block(g, vcpu, block)->direct; m; m &= m - 1) {
		unsigned i = (unsigned)__builtin_ctz(m);

		if (block == 0)
			tell(g, vcpu, 0, i);
		for (unsigned v = 0; block != 0 && v < g->config.n_vcpus; v++)
			tell(g, v, block, i);
	}
}

static uint32_t state(struct vgic *g, unsigned vcpu, unsigned block,
		      uint64_t (*read)(void *opaque, unsigned vcpu))
{
	uint32_t direct = vgic_block(g, vcpu, block)->direct, bits = 0;

	if (direct != 0 && block == 0)
		bits = (uint32_t)read(g->env.opaque, vcpu);
	for (unsigned v = 0; direct != 0 && block != 0 && v < g->config.n_vcpus; v++)
		bits |= (uint32_t)(read(g->env.opaque, v) >> 32);
	return bits & direct;
}

uint32_t vgic_direct_pending(struct vgic *g, unsigned vcpu, unsigned block)
{
	const struct vgic_block *b = vgic_block(g, vcpu, block);

	return state(g, vcpu, block, g->env.direct_pending) | (b->line & b->direct);
}

uint32_t vgic_direct_active(struct vgic *g, unsigned vcpu, unsigned block)
{
	return state(g, vcpu, block, g->env.direct_active);
}

static void change_spis(struct vgic *g, unsigned block, enum vgic_direct_change change,
			uint32_t spis)
{
	for (unsigned v = 0; v < g->config.n_vcpus; v++) {
		uint32_t m = change == VGIC_DIRECT_PEND ? spis & g->route[v][block] : spis;

		if (m != 0)
			g->env.direct_change(g->env.opaque, v, change, (uint64_t)m << 32);
	}
}

uint32_t vgic_direct_change(struct vgic *g, unsigned vcpu, unsigned block,
			    enum vgic_direct_change change, uint32_t mask)
{
	uint32_t direct = vgic_block(g, vcpu, block)->direct & mask;

	if (direct != 0 && block != 0)
		change_spis(g, block, change, direct);
	else if (direct != 0)
		g->env.direct_change(g->env.opaque, vcpu, change, direct);
	return mask & ~direct;
}

bool vgic_direct_waits(struct vgic *g, unsigned vcpu)
{
	uint64_t pending;

	if (g->config.direct == 0)
		return false;
	pending = g->env.direct_pending(g->env.opaque, vcpu) & g->config.direct;
	for (; pending != 0; pending &= pending - 1)
		if (g->cpu[vcpu].direct_conf[__builtin_ctzll(pending)] & VGIC_DIRECT_ENABLED)
			return true;
	return false;
}
