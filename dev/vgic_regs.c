#include "vgic_regs.h"

#include "vgic_internal.h"

/* Product "S", revision 0, implementer as in the Arm models. */
#define IIDR 0x5300043bu
#define CTLR_V3_FIXED (1u << 4 | 1u << 6)                     /* ARE, DS */
#define TYPER_IDBITS (9u << 19)                               /* 10 bits of INTID */
#define TYPER_NO1N (1u << 25)                                 /* IROUTER.IRM is RES0 */
#define TYPER_LPIS (1u << 17 | (VGIC_LPI_ID_BITS - 1u) << 19) /* and bits of INTID */
#define TYPER_NUM_LPIS_SHIFT 11u
#define REDIST_TYPER_PLPIS (1u << 0)
#define REDIST_CTLR_LPIS (1u << 0)
#define PROPBASER_KEPT 0x070fffffffffff9full /* IHI 0069H 12.11.37, but reserved bits */
#define PENDBASER_KEPT 0x070fffffffff0f80ull /* 12.11.36; PTZ reads as 0 */
#define WAKER_SLEEP (1u << 1)
#define WAKER_CHILDREN (1u << 2)
#define GICR_SGI_BASE 0x10000u

/* Block of a register with one bit per interrupt, NULL beyond the last. */
static struct vgic_block *bits_block(struct vgic *g, unsigned vcpu, uint32_t at)
{
	unsigned block = at / 4u;

	return block < vgic_register_blocks(g) ? vgic_block(g, vcpu, block) : NULL;
}

/* --- Control and identification ------------------------------------ */

static uint64_t ctlr_read(struct vgic *g, unsigned vcpu, uint32_t at,
			  unsigned size)
{
	(void)vcpu, (void)at, (void)size;
	return g->ctlr | (g->config.version == 3 ? CTLR_V3_FIXED : 0);
}

/* The group enables concern every interrupt. */
static void ctlr_write(struct vgic *g, unsigned vcpu, uint32_t at,
		       unsigned size, uint64_t value)
{
	uint32_t ctlr = (uint32_t)value & (VGIC_CTLR_GRP0 | VGIC_CTLR_GRP1);
	struct vgic_edit e;

	(void)vcpu, (void)at, (void)size;
	if (ctlr == g->ctlr)
		return;
	g->ctlr = ctlr;
	for (unsigned v = 0; v < g->config.n_vcpus; v++) {
		e = vgic_edit_begin(g, v, 0, UINT32_MAX);
		vgic_edit_end(g, &e);
	}
	for (unsigned b = 1; b < vgic_n_blocks(g); b++) {
		e = vgic_edit_begin(g, 0, b, UINT32_MAX);
		vgic_edit_end(g, &e);
	}
}

static uint64_t typer_read(struct vgic *g, unsigned vcpu, uint32_t at,
			   unsigned size)
{
	uint32_t lines = vgic_register_blocks(g) - 1u;
	uint32_t n_lpis = g->config.n_lpis;

	(void)vcpu, (void)at, (void)size;
	if (n_lpis != 0) /* 2^(field + 1) of them */
		lines |= TYPER_LPIS |
			 ((uint32_t)__builtin_ctz(n_lpis) - 1u) << TYPER_NUM_LPIS_SHIFT;
	else if (g->config.version == 3)
		lines |= TYPER_IDBITS;
	if (g->config.version == 3)
		return lines | TYPER_NO1N;
	return lines | (g->config.n_vcpus - 1u) << 5;
}

static uint64_t redist_typer_read(struct vgic *g, unsigned vcpu, uint32_t at,
				  unsigned size)
{
	uint64_t last = vcpu + 1u == g->config.n_vcpus;
	uint64_t typer = (uint64_t)vcpu << 32 | vcpu << 8 | last << 4;

	(void)size;
	typer |= g->config.n_lpis != 0 ? REDIST_TYPER_PLPIS : 0;
	return typer >> (at * 8u);
}

static uint64_t redist_ctlr_read(struct vgic *g, unsigned vcpu, uint32_t at, unsigned size)
{
	(void)at, (void)size;
	return g->cpu[vcpu].lpis_on ? REDIST_CTLR_LPIS : 0;
}

static void redist_ctlr_write(struct vgic *g, unsigned vcpu, uint32_t at, unsigned size,
			      uint64_t value)
{
	bool on = g->config.n_lpis != 0 && (value & REDIST_CTLR_LPIS);

	(void)at, (void)size;
	if (on == g->cpu[vcpu].lpis_on)
		return;
	g->cpu[vcpu].lpis_on = on;
	for (unsigned b = vgic_register_blocks(g); b < vgic_n_blocks(g); b++) {
		struct vgic_edit e = vgic_edit_begin(g, vcpu, b, UINT32_MAX);

		for (unsigned i = 0; i < 32; i++)
			vgic_reroute(g, b * 32u + i);
		vgic_edit_end(g, &e);
	}
	if (on && g->env.lpis_on)
		g->env.lpis_on(g->env.opaque);
}

static uint64_t propbaser_read(struct vgic *g, unsigned vcpu, uint32_t at, unsigned size)
{
	(void)vcpu, (void)size;
	return g->prop_base >> at * 8u;
}

/* One table for all redistributors; none changes while LPIs are on. */
static void propbaser_write(struct vgic *g, unsigned vcpu, uint32_t at, unsigned size,
			    uint64_t value)
{
	if (g->config.n_lpis != 0 && !g->cpu[vcpu].lpis_on)
		g->prop_base = mmio_merge(g->prop_base, at, size, value) & PROPBASER_KEPT;
}

static uint64_t pendbaser_read(struct vgic *g, unsigned vcpu, uint32_t at, unsigned size)
{
	(void)size;
	return g->cpu[vcpu].pend_base >> at * 8u;
}

static void pendbaser_write(struct vgic *g, unsigned vcpu, uint32_t at, unsigned size,
			    uint64_t value)
{
	uint64_t *base = &g->cpu[vcpu].pend_base;

	if (g->config.n_lpis != 0 && !g->cpu[vcpu].lpis_on)
		*base = mmio_merge(*base, at, size, value) & PENDBASER_KEPT;
}

static uint64_t waker_read(struct vgic *g, unsigned vcpu, uint32_t at,
			   unsigned size)
{
	(void)at, (void)size;
	return g->cpu[vcpu].asleep ? WAKER_SLEEP | WAKER_CHILDREN : 0;
}

/* Kept for the driver that polls it; it holds nothing back. */
static void waker_write(struct vgic *g, unsigned vcpu, uint32_t at,
			unsigned size, uint64_t value)
{
	(void)at, (void)size;
	g->cpu[vcpu].asleep = (value & WAKER_SLEEP) != 0;
}

/* --- One bit per interrupt ------------------------------------------ */

static uint64_t group_read(struct vgic *g, unsigned vcpu, uint32_t at,
			   unsigned size)
{
	const struct vgic_block *b = bits_block(g, vcpu, at);

	(void)size;
	return b ? b->group : 0;
}

static void group_write(struct vgic *g, unsigned vcpu, uint32_t at,
			unsigned size, uint64_t value)
{
	struct vgic_block *b = bits_block(g, vcpu, at);
	struct vgic_edit e;

	(void)size;
	if (!b)
		return;
	e = vgic_edit_begin(g, vcpu, at / 4u, b->group ^ (uint32_t)value);
	b->group = (uint32_t)value;
	vgic_edit_end(g, &e);
}

static uint64_t enable_read(struct vgic *g, unsigned vcpu, uint32_t at,
			    unsigned size)
{
	const struct vgic_block *b = bits_block(g, vcpu, at);

	(void)size;
	return b ? b->enabled : 0;
}

static void enable_change(struct vgic *g, unsigned vcpu, uint32_t at,
			  uint32_t set, uint32_t clear)
{
	struct vgic_block *b = bits_block(g, vcpu, at);
	struct vgic_edit e;
	uint32_t enabled;

	if (!b)
		return;
	if (at == 0 && g->config.sgis_on)
		clear &= ~VGIC_SGI_BITS;
	enabled = (b->enabled | set) & ~clear;
	if (enabled == b->enabled)
		return;
	e = vgic_edit_begin(g, vcpu, at / 4u, enabled ^ b->enabled);
	b->enabled = enabled;
	vgic_edit_end(g, &e);
}

static uint64_t pending_read(struct vgic *g, unsigned vcpu, uint32_t at,
			     unsigned size)
{
	(void)size;
	return bits_block(g, vcpu, at) ? vgic_view_pending(g, vcpu, at / 4u) : 0;
}

static void pending_change(struct vgic *g, unsigned vcpu, uint32_t at,
			   uint32_t set, uint32_t clear)
{
	struct vgic_block *b = bits_block(g, vcpu, at);
	/* SGIs of a GICv2 have registers of their own (IHI 0048B 4.3.7). */
	uint32_t fixed = at == 0 && g->config.version == 2 ? VGIC_SGI_BITS : 0;
	struct vgic_edit e;

	if (!b)
		return;
	set = vgic_direct_change(g, vcpu, at / 4u, VGIC_DIRECT_PEND, set & ~fixed);
	clear = vgic_direct_change(g, vcpu, at / 4u, VGIC_DIRECT_UNPEND, clear & ~fixed);
	e = vgic_edit_begin(g, vcpu, at / 4u, (set | clear) & ~fixed);
	b->latch = (b->latch | (set & ~fixed)) & ~(clear & ~fixed);
	vgic_edit_end(g, &e);
}

static uint64_t active_read(struct vgic *g, unsigned vcpu, uint32_t at,
			    unsigned size)
{
	(void)size;
	return bits_block(g, vcpu, at) ? vgic_view_active(g, vcpu, at / 4u) : 0;
}

static void active_change(struct vgic *g, unsigned vcpu, uint32_t at,
			  uint32_t set, uint32_t clear)
{
	struct vgic_block *b = bits_block(g, vcpu, at);
	struct vgic_edit e;

	if (!b)
		return;
	set &= ~b->direct; /* as far as it is ours to say */
	clear = vgic_direct_change(g, vcpu, at / 4u, VGIC_DIRECT_DEACTIVATE, clear);
	e = vgic_edit_begin(g, vcpu, at / 4u, set | clear);
	b->active = (b->active | set) & ~clear;
	vgic_edit_end(g, &e);
}

/* --- One byte per interrupt ------------------------------------------ */

static uint64_t priority_read(struct vgic *g, unsigned vcpu, uint32_t at,
			      unsigned size)
{
	const struct vgic_block *b;
	uint64_t value = 0;

	if (at + size > g->config.n_irqs)
		return 0;
	b = vgic_block(g, vcpu, at / 32u);
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)b->priority[(at + i) % 32u] << (i * 8u);
	return value;
}

static void priority_write(struct vgic *g, unsigned vcpu, uint32_t at,
			   unsigned size, uint64_t value)
{
	struct vgic_block *b;
	struct vgic_edit e;
	uint32_t mask = ((1u << size) - 1u) << at % 32u;

	if (at + size > g->config.n_irqs)
		return;
	b = vgic_block(g, vcpu, at / 32u);
	e = vgic_edit_begin(g, vcpu, at / 32u, mask);
	for (unsigned i = 0; i < size; i++)
		b->priority[(at + i) % 32u] =
			(uint8_t)(value >> (i * 8u)) & VGIC_PRIORITY_MASK;
	vgic_edit_end(g, &e);
}

static uint8_t targets_get(const struct vgic *g, unsigned vcpu, unsigned irq)
{
	if (irq >= g->config.n_irqs)
		return 0;
	if (irq < VGIC_PRIVATE_IRQS)
		return (uint8_t)(1u << vcpu);
	return g->spi_targets[irq - VGIC_PRIVATE_IRQS];
}

static uint64_t targets_read(struct vgic *g, unsigned vcpu, uint32_t at,
			     unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)targets_get(g, vcpu, at + i) << (i * 8u);
	return value;
}

static void targets_write(struct vgic *g, unsigned vcpu, uint32_t at,
			  unsigned size, uint64_t value)
{
	uint32_t all = (1u << g->config.n_vcpus) - 1u;
	uint32_t mask = ((1u << size) - 1u) << at % 32u;
	struct vgic_edit e;

	/* With one CPU the targets are fixed. */
	if (at < VGIC_PRIVATE_IRQS || at + size > g->config.n_irqs ||
	    g->config.n_vcpus == 1)
		return;
	e = vgic_edit_begin(g, vcpu, at / 32u, mask);
	for (unsigned i = 0; i < size; i++) {
		g->spi_targets[at + i - VGIC_PRIVATE_IRQS] =
			(uint8_t)((value >> (i * 8u)) & all);
		vgic_reroute(g, at + i);
	}
	vgic_edit_end(g, &e);
}

/* --- Trigger type: two bits per interrupt, the upper one counts ------- */

static uint64_t icfgr_read(struct vgic *g, unsigned vcpu, uint32_t at,
			   unsigned size)
{
	const struct vgic_block *b = bits_block(g, vcpu, at / 8u * 4u);
	unsigned shift = at % 8u * 4u;
	uint32_t value = 0;

	(void)size;
	for (unsigned i = 0; b && i < 16; i++)
		value |= (b->edge >> (shift + i) & 1u) << (2u * i + 1u);
	return value;
}

static void icfgr_write(struct vgic *g, unsigned vcpu, uint32_t at,
			unsigned size, uint64_t value)
{
	struct vgic_block *b = bits_block(g, vcpu, at / 8u * 4u);
	unsigned shift = at % 8u * 4u;
	struct vgic_edit e;
	uint32_t edge = 0;

	(void)size;
	if (!b || at < 4) /* SGIs are edge-triggered */
		return;
	for (unsigned i = 0; i < 16; i++)
		edge |= (uint32_t)(value >> (2u * i + 1u) & 1u) << (shift + i);
	e = vgic_edit_begin(g, vcpu, at / 8u, 0xffffu << shift);
	b->edge = (b->edge & ~(0xffffu << shift)) | edge;
	vgic_edit_end(g, &e);
}

/* --- SGIs of version 2 ------------------------------------------------ */

static void sgir_write(struct vgic *g, unsigned vcpu, uint32_t at,
		       unsigned size, uint64_t value)
{
	uint32_t all = (1u << g->config.n_vcpus) - 1u;
	const uint32_t by_filter[4] = { (uint32_t)(value >> 16) & 0xffu & all,
					all & ~(1u << vcpu), 1u << vcpu, 0 };
	uint32_t targets = by_filter[value >> 24 & 3u];

	(void)at, (void)size;
	for (; targets; targets &= targets - 1)
		vgic_sgi(g, vcpu, (unsigned)__builtin_ctz(targets),
			 (unsigned)value & 0xfu);
}

static uint64_t sources_read(struct vgic *g, unsigned vcpu, uint32_t at,
			     unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)vgic_view_sources(g, vcpu, at + i)
			 << (i * 8u);
	return value;
}

static void sources_of_one(struct vgic *g, unsigned vcpu, unsigned irq, uint8_t set, uint8_t clear)
{
	uint8_t all = (uint8_t)((1u << g->config.n_vcpus) - 1u);
	struct vgic_edit e;

	set &= all;
	if ((set && !vgic_direct_change(g, vcpu, 0, VGIC_DIRECT_PEND, 1u << irq)) ||
	    (clear && !vgic_direct_change(g, vcpu, 0, VGIC_DIRECT_UNPEND, 1u << irq)))
		return;
	e = vgic_edit_begin(g, vcpu, 0, 1u << irq);
	vgic_sources_set(g, vcpu, irq,
			 (uint8_t)((g->cpu[vcpu].sgi_sources[irq] | set) & ~clear));
	vgic_edit_end(g, &e);
}

static void sources_change(struct vgic *g, unsigned vcpu, uint32_t at, uint32_t set, uint32_t clear)
{
	for (unsigned i = 0; i < 4 && ((set | clear) >> i * 8u) != 0; i++)
		sources_of_one(g, vcpu, at + i, (uint8_t)(set >> i * 8u),
			       (uint8_t)(clear >> i * 8u));
}

/* --- Affinity routing -------------------------------------------------- */

static uint64_t irouter_read(struct vgic *g, unsigned vcpu, uint32_t at,
			     unsigned size)
{
	unsigned irq = at / 8u;

	(void)vcpu, (void)size;
	if (irq >= g->config.n_irqs || at % 8u != 0)
		return 0; /* Aff3 */
	return g->spi_router[irq - VGIC_PRIVATE_IRQS];
}

static void irouter_write(struct vgic *g, unsigned vcpu, uint32_t at,
			  unsigned size, uint64_t value)
{
	unsigned irq = at / 8u;
	struct vgic_edit e;

	(void)size;
	if (irq >= g->config.n_irqs || at % 8u != 0)
		return;
	e = vgic_edit_begin(g, vcpu, irq / 32u, 1u << irq % 32u);
	g->spi_router[irq - VGIC_PRIVATE_IRQS] = (uint32_t)value & 0xffffffu;
	vgic_reroute(g, irq);
	vgic_edit_end(g, &e);
}

/* --- The maps ------------------------------------------------------------ */

/* clang-format off */
#define CONST32(name, offset, constant)                                        \
	{ name, offset, 4, 0, VGIC_W32, .value = constant }
#define ZERO(name, offset, bytes, sizes)                                       \
	{ name, offset, bytes, 0, sizes, .value = 0 }
/* Identification registers at the end of each 4 KiB or 64 KiB frame. */
#define IDENTIFICATION(base, part, pidr2)                                      \
	CONST32("PIDR4", (base) + 0xd0, 0x44),                                 \
	ZERO("PIDR5-7", (base) + 0xd4, 12, VGIC_W32),                          \
	CONST32("PIDR0", (base) + 0xe0, part),                                 \
	CONST32("PIDR1", (base) + 0xe4, 0xb4),                                 \
	CONST32("PIDR2", (base) + 0xe8, pidr2),                                \
	CONST32("PIDR3", (base) + 0xec, 0x00),                                 \
	CONST32("CIDR0", (base) + 0xf0, 0x0d),                                 \
	CONST32("CIDR1", (base) + 0xf4, 0xf0),                                 \
	CONST32("CIDR2", (base) + 0xf8, 0x05),                                 \
	CONST32("CIDR3", (base) + 0xfc, 0xb1)
/* Registers that the distributors and SGI_base share. `own` is 1 where the
 * first 32 interrupts are elsewhere (affinity routing), `n` their bytes per
 * bit of an interrupt. */
#define STATE_REGISTERS(p, base, own, n)                                       \
	{ p "_IGROUPR", (base) + 0x080, n, (own) * 4u, VGIC_W32, 0,            \
	  group_read, .write = group_write },                                  \
	{ p "_ISENABLER", (base) + 0x100, n, (own) * 4u, VGIC_W32, 0,          \
	  enable_read, .set = enable_change },                                 \
	{ p "_ICENABLER", (base) + 0x180, n, (own) * 4u, VGIC_W32, 0,          \
	  enable_read, .clear = enable_change },                               \
	{ p "_ISPENDR", (base) + 0x200, n, (own) * 4u, VGIC_W32, 0,            \
	  pending_read, .set = pending_change },                               \
	{ p "_ICPENDR", (base) + 0x280, n, (own) * 4u, VGIC_W32, 0,            \
	  pending_read, .clear = pending_change },                             \
	{ p "_ISACTIVER", (base) + 0x300, n, (own) * 4u, VGIC_W32, 0,          \
	  active_read, .set = active_change },                                 \
	{ p "_ICACTIVER", (base) + 0x380, n, (own) * 4u, VGIC_W32, 0,          \
	  active_read, .clear = active_change }
/* clang-format on */

/* IHI 0048B table 4-1. */
const struct vgic_reg vgic_dist_v2[] = {
	{ "GICD_CTLR", 0x000, 4, 0, VGIC_W32, 0, ctlr_read, .write = ctlr_write },
	{ "GICD_TYPER", 0x004, 4, 0, VGIC_W32, 0, .read = typer_read },
	CONST32("GICD_IIDR", 0x008, IIDR),
	STATE_REGISTERS("GICD", 0, 0, 0x80),
	{ "GICD_IPRIORITYR", 0x400, 0x3fc, 0, VGIC_W8_32, 0, priority_read,
	  .write = priority_write },
	{ "GICD_ITARGETSR", 0x800, 0x3fc, 0, VGIC_W8_32, 0, targets_read,
	  .write = targets_write },
	{ "GICD_ICFGR", 0xc00, 0x100, 0, VGIC_W32, 0, icfgr_read, .write = icfgr_write },
	ZERO("GICD_NSACR", 0xe00, 0x100, VGIC_W32),
	{ "GICD_SGIR", 0xf00, 4, 0, VGIC_W32, 0, NULL, .write = sgir_write },
	{ "GICD_CPENDSGIR", 0xf10, 16, 0, VGIC_W8_32, 0, sources_read,
	  .clear = sources_change },
	{ "GICD_SPENDSGIR", 0xf20, 16, 0, VGIC_W8_32, 0, sources_read,
	  .set = sources_change },
	IDENTIFICATION(0xf00, 0x90, 0x2b),
};

/* IHI 0069H table 12-25, with affinity routing on: the first 32 interrupts
 * and the registers of version 2 only are RES0. */
const struct vgic_reg vgic_dist_v3[] = {
	{ "GICD_CTLR", 0x0000, 4, 0, VGIC_W32, 0, ctlr_read, .write = ctlr_write },
	{ "GICD_TYPER", 0x0004, 4, 0, VGIC_W32, 0, .read = typer_read },
	CONST32("GICD_IIDR", 0x0008, IIDR),
	ZERO("GICD_TYPER2", 0x000c, 4, VGIC_W32),
	ZERO("GICD_STATUSR", 0x0010, 4, VGIC_W32),
	STATE_REGISTERS("GICD", 0, 1, 0x80),
	{ "GICD_IPRIORITYR", 0x0400, 0x3fc, 32, VGIC_W8_32, 0, priority_read,
	  .write = priority_write },
	ZERO("GICD_ITARGETSR", 0x0800, 0x3fc, VGIC_W8_32),
	{ "GICD_ICFGR", 0x0c00, 0x100, 8, VGIC_W32, 0, icfgr_read,
	  .write = icfgr_write },
	ZERO("GICD_IGRPMODR", 0x0d00, 0x80, VGIC_W32),
	ZERO("GICD_NSACR", 0x0e00, 0x100, VGIC_W32),
	ZERO("GICD_SGIR", 0x0f00, 4, VGIC_W32),
	ZERO("GICD_CPENDSGIR", 0x0f10, 16, VGIC_W8_32),
	ZERO("GICD_SPENDSGIR", 0x0f20, 16, VGIC_W8_32),
	/* IROUTER<n> at 0x6000 + 8n: there is none below interrupt 32. */
	{ "GICD_IROUTER", 0x6000, 0x1fe0, 0x100, VGIC_W32_64, 0, irouter_read,
	  .write = irouter_write },
	IDENTIFICATION(0xff00, 0x92, 0x3b),
};

/* IHI 0069H tables 12-27 and 12-29: RD_base, then SGI_base. */
const struct vgic_reg vgic_redist[] = {
	{ "GICR_CTLR", 0x0000, 4, 0, VGIC_W32, 0, redist_ctlr_read,
	  .write = redist_ctlr_write }, /* never a write pending */
	CONST32("GICR_IIDR", 0x0004, IIDR),
	{ "GICR_TYPER", 0x0008, 8, 0, VGIC_W32_64, 0, .read = redist_typer_read },
	ZERO("GICR_STATUSR", 0x0010, 4, VGIC_W32),
	{ "GICR_WAKER", 0x0014, 4, 0, VGIC_W32, 0, waker_read, .write = waker_write },
	{ "GICR_PROPBASER", 0x0070, 8, 0, VGIC_W32_64, 0, propbaser_read,
	  .write = propbaser_write },
	{ "GICR_PENDBASER", 0x0078, 8, 0, VGIC_W32_64, 0, pendbaser_read,
	  .write = pendbaser_write },
	IDENTIFICATION(0xff00, 0x93, 0x3b),
	STATE_REGISTERS("GICR", GICR_SGI_BASE, 0, 4),
	{ "GICR_IPRIORITYR", GICR_SGI_BASE + 0x400, 32, 0, VGIC_W8_32, 0,
	  priority_read, .write = priority_write },
	{ "GICR_ICFGR", GICR_SGI_BASE + 0xc00, 8, 0, VGIC_W32, 0, icfgr_read,
	  .write = icfgr_write },
	ZERO("GICR_IGRPMODR", GICR_SGI_BASE + 0xd00, 4, VGIC_W32),
	ZERO("GICR_NSACR", GICR_SGI_BASE + 0xe00, 4, VGIC_W32),
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
const size_t vgic_n_dist_v2 = LENGTH(vgic_dist_v2);
const size_t vgic_n_dist_v3 = LENGTH(vgic_dist_v3);
const size_t vgic_n_redist = LENGTH(vgic_redist);

void vgic_map_init(struct vgic_map *map, const struct vgic_reg *table, size_t n)
{
	size_t i = 0;

	map->table = table;
	map->end = table + n;
	for (unsigned page = 0; page < VGIC_MAP_PAGES; page++) {
		while (i < n && table[i].offset + table[i].bytes <= page * VGIC_MAP_PAGE_BYTES)
			i++;
		map->first[page] = (uint8_t)i;
	}
}

static const struct vgic_reg *find(const struct vgic_map *map, uint64_t offset)
{
	const struct vgic_reg *r;

	if (offset >= VGIC_MAP_PAGES * VGIC_MAP_PAGE_BYTES)
		return NULL;
	r = &map->table[map->first[offset / VGIC_MAP_PAGE_BYTES]];
	for (; r < map->end && r->offset <= offset; r++)
		if (offset - r->offset < r->bytes)
			return r;
	return NULL;
}

static enum mmio_outcome access(struct vgic *g, unsigned vcpu,
				const struct vgic_reg *r, uint32_t at,
				struct mmio *m)
{
	uint64_t value;

	if (!(r->sizes & m->size))
		return mmio_ignore(m, "access size");
	if (at < r->reserved)
		return mmio_ignore(m, "reserved with affinity routing");
	if (!m->write)
		return mmio_done(m, r->read ? r->read(g, vcpu, at, m->size) : r->value);
	value = m->value & mmio_mask(m);
	if (r->write)
		r->write(g, vcpu, at, m->size, value);
	else if (r->set)
		r->set(g, vcpu, at, (uint32_t)value, 0);
	else if (r->clear)
		r->clear(g, vcpu, at, 0, (uint32_t)value);
	return MMIO_HANDLED;
}

static enum mmio_outcome dispatch(struct vgic *g, unsigned vcpu,
				  const struct vgic_map *map, uint64_t offset,
				  struct mmio *m)
{
	const struct vgic_reg *r = find(map, offset);

	if (!r)
		return mmio_ignore(m, "reserved register");
	return access(g, vcpu, r, (uint32_t)offset - r->offset, m);
}

__attribute__((flatten)) enum mmio_outcome vgic_dist_access(struct vgic *g, unsigned vcpu,
							    struct mmio *m)
{
	return dispatch(g, vcpu, &g->dist, m->offset, m);
}

enum mmio_outcome vgic_redist_access(struct vgic *g, struct mmio *m)
{
	uint64_t vcpu = m->offset / VGIC_V3_REDIST_BYTES;

	if (g->config.version != 3 || vcpu >= g->config.n_vcpus)
		return mmio_ignore(m, "no such redistributor");
	return dispatch(g, (unsigned)vcpu, &g->redist,
			m->offset % VGIC_V3_REDIST_BYTES, m);
}
