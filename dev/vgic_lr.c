/*
 * List registers: what stands in which, and what the guest made of it.
 *
 * An interrupt that stands in a list register is `listed`. Its pending latch
 * has moved there with it, so that a new edge can be told from the old one;
 * `absorb` brings state back into the block, `compose` takes it out again.
 * A level-triggered interrupt always asks for a maintenance exit when the
 * guest deactivates it: only then is it known whether its line still asks for
 * more. So do all others while something waits for room.
 */
#include "vgic_internal.h"

#define NO_LR VGIC_MAX_LRS
/* Rank of an interrupt that is active already: after every pending one. */
#define RANK_ACTIVE 0x100u
#define RANK_NONE 0x200u

static unsigned lowest(uint32_t mask)
{
	return (unsigned)__builtin_ctz(mask);
}

static uint32_t all_lrs(const struct vgic *g)
{
	return (1u << g->config.n_lrs) - 1u;
}

static void hold(struct vgic *g, unsigned v)
{
	if (g->cpu[v].hold_depth++ == 0 && g->env.hold)
		g->env.hold(g->env.opaque, v, true);
}

static void let_go(struct vgic *g, unsigned v)
{
	if (--g->cpu[v].hold_depth == 0 && g->env.hold)
		g->env.hold(g->env.opaque, v, false);
}

static void write_lr(struct vgic *g, unsigned v, unsigned i, uint64_t value)
{
	struct vgic_cpu *c = &g->cpu[v];

	c->lr_stale &= ~(1u << i);
	if (c->lr[i].hw == value)
		return;
	c->lr[i].hw = value;
	g->env.write_lr(g->env.opaque, v, i, value);
}

/* The vCPU in whose list registers a listed interrupt stands. */
static unsigned lr_cpu_of(const struct vgic *g, unsigned vcpu, unsigned irq)
{
	if (irq < VGIC_PRIVATE_IRQS)
		return vcpu;
	return g->spi_lr_cpu[irq - VGIC_PRIVATE_IRQS];
}

static unsigned lr_of(const struct vgic_cpu *c, unsigned irq)
{
	for (uint32_t m = c->lr_used; m; m &= m - 1)
		if (c->lr[lowest(m)].irq == irq)
			return lowest(m);
	return NO_LR;
}

static void list(struct vgic *g, unsigned v, unsigned i, unsigned irq)
{
	struct vgic_cpu *c = &g->cpu[v];
	struct vgic_block *b = vgic_block(g, v, irq / 32u);
	uint32_t bit = 1u << irq % 32u;

	c->lr[i].irq = (uint16_t)irq;
	c->lr[i].source = 0;
	c->lr[i].soft = false;
	c->lr[i].placed_active = (b->active & bit) != 0;
	c->lr_used |= 1u << i;
	b->listed |= bit;
	c->wait[irq / 32u] &= ~bit;
	if (irq >= VGIC_PRIVATE_IRQS)
		g->spi_lr_cpu[irq - VGIC_PRIVATE_IRQS] = (uint8_t)v;
}

static void unlist(struct vgic *g, unsigned v, unsigned i)
{
	struct vgic_cpu *c = &g->cpu[v];
	unsigned irq = c->lr[i].irq;

	vgic_block(g, v, irq / 32u)->listed &= ~(1u << irq % 32u);
	c->lr_used &= ~(1u << i);
	/* Room for one that waits. */
	g->work |= 1u << v;
}

/* The guest has finished with the interrupt in list register i. */
static void finished(struct vgic *g, unsigned v, unsigned i)
{
	struct vgic_cpu *c = &g->cpu[v];
	unsigned irq = c->lr[i].irq;
	uint32_t bit = 1u << irq % 32u;

	if (g->env.eoi && !(vgic_block(g, v, irq / 32u)->edge & bit))
		c->eoi[irq / 32u] |= bit;
	unlist(g, v, i);
}

/* Brings the state in a list register's value back into the block. */
static void absorb(struct vgic *g, unsigned v, unsigned i, uint64_t value)
{
	const struct vgic_lr *lr = &g->cpu[v].lr[i];
	struct vgic_block *b = vgic_block(g, v, lr->irq / 32u);
	uint32_t bit = 1u << lr->irq % 32u;

	vgic_set_bit(&b->active, bit, (value & VGIC_LR_STATE_ACTIVE) != 0);
	if (!(value & VGIC_LR_STATE_PENDING))
		return;
	if (vgic_has_sources(g, lr->irq))
		vgic_sources_set(g, v, lr->irq,
				 (uint8_t)(g->cpu[v].sgi_sources[lr->irq] |
					   1u << lr->source));
	else if (lr->soft)
		b->latch |= bit;
}

/* Reads a list register in use; afterwards its interrupt is either free or
 * still listed, with its state in the block (to be settled). */
static void fold(struct vgic *g, unsigned v, unsigned i)
{
	struct vgic_cpu *c = &g->cpu[v];
	bool asked = (c->lr[i].hw & VGIC_LR_EOI) != 0;
	uint64_t value = g->env.read_lr(g->env.opaque, v, i);

	c->lr[i].hw = value;
	absorb(g, v, i, value);
	if (value & VGIC_LR_STATE)
		return;
	/* The maintenance exit for it may be on its way already: it must not
	 * be taken for the next interrupt's. */
	if (asked)
		c->lr_echo |= 1u << i;
	if (value & VGIC_LR_EOI)
		c->lr_stale |= 1u << i;
	finished(g, v, i);
}

/* Takes the pending state out of the block, into the list register. */
static void take_pending(struct vgic *g, unsigned v, struct vgic_lr *lr)
{
	struct vgic_block *b = vgic_block(g, v, lr->irq / 32u);
	uint32_t bit = 1u << lr->irq % 32u;
	uint8_t sources;

	lr->soft = (b->latch & bit) != 0;
	if (!vgic_has_sources(g, lr->irq)) {
		b->latch &= ~bit;
		return;
	}
	sources = g->cpu[v].sgi_sources[lr->irq];
	lr->source = (uint8_t)lowest(sources);
	vgic_sources_set(g, v, lr->irq, (uint8_t)(sources & (sources - 1u)));
}

/* May the interrupt become pending in this vCPU's list register? Active and
 * pending at once is for edges: a level is looked at when it is deactivated,
 * and an SGI's next source gets its turn then. While others wait nothing is
 * both, since it would become pending again without a report. */
static bool may_pend(const struct vgic *g, unsigned v, unsigned irq,
		     const struct vgic_block *b)
{
	uint32_t bit = 1u << irq % 32u;

	if (!(vgic_deliverable(g, b) & bit))
		return false;
	if (irq >= VGIC_PRIVATE_IRQS && !(g->route[v][irq / 32u] & bit))
		return false;
	return !(b->active & bit) ||
	       ((b->edge & bit) && !vgic_has_sources(g, irq) &&
		!g->cpu[v].overflow);
}

/* The value that list register i is to have for its interrupt. */
static uint64_t compose(struct vgic *g, unsigned v, unsigned i)
{
	struct vgic_lr *lr = &g->cpu[v].lr[i];
	struct vgic_block *b = vgic_block(g, v, lr->irq / 32u);
	uint32_t bit = 1u << lr->irq % 32u;
	uint64_t value = vgic_intid(g, lr->irq);

	value |= (uint64_t)b->priority[lr->irq % 32u] << VGIC_LR_PRIORITY_SHIFT;
	value |= (b->group & bit) ? VGIC_LR_GROUP1 : 0;
	value |= (b->active & bit) ? VGIC_LR_STATE_ACTIVE : 0;
	if (may_pend(g, v, lr->irq, b)) {
		take_pending(g, v, lr);
		value |= VGIC_LR_STATE_PENDING;
	}
	if (vgic_has_sources(g, lr->irq))
		value |= (uint64_t)lr->source << VGIC_LR_SOURCE_SHIFT;
	if (!(b->edge & bit) || (b->latch & bit) || g->cpu[v].overflow)
		value |= VGIC_LR_EOI;
	return value;
}

/* After fold and perhaps a change: the list register gets the block's state,
 * or becomes free. */
static void settle(struct vgic *g, unsigned v, unsigned i)
{
	uint64_t value = compose(g, v, i);
	uint64_t news = value & ~g->cpu[v].lr[i].hw & VGIC_LR_STATE_PENDING;

	if (news || g->cpu[v].overflow)
		g->work |= 1u << v;
	if (value & VGIC_LR_STATE) {
		write_lr(g, v, i, value);
		return;
	}
	unlist(g, v, i);
	write_lr(g, v, i, 0);
}

struct vgic_edit vgic_edit_begin(struct vgic *g, unsigned vcpu, unsigned block,
				 uint32_t mask)
{
	struct vgic_block *b = vgic_block(g, vcpu, block);
	struct vgic_edit e = { .vcpu = vcpu, .block = block, .mask = mask };

	if (!g->config.lr_readback)
		return e;
	for (uint32_t m = b->listed & mask; m; m &= m - 1) {
		unsigned irq = block * 32u + lowest(m);
		unsigned v = lr_cpu_of(g, vcpu, irq);

		if (!(e.held & 1u << v))
			hold(g, v);
		e.held |= 1u << v;
		fold(g, v, lr_of(&g->cpu[v], irq));
	}
	return e;
}

void vgic_edit_end(struct vgic *g, const struct vgic_edit *e)
{
	struct vgic_block *b = vgic_block(g, e->vcpu, e->block);

	for (uint32_t m = e->held ? b->listed & e->mask : 0; m; m &= m - 1) {
		unsigned irq = e->block * 32u + lowest(m);
		unsigned v = lr_cpu_of(g, e->vcpu, irq);

		settle(g, v, lr_of(&g->cpu[v], irq));
	}
	vgic_direct_tell(g, e->vcpu, e->block, e->mask);
	vgic_requeue(g, e->vcpu, e->block);
	for (uint32_t m = e->held; m; m &= m - 1)
		let_go(g, lowest(m));
}

/* Snapshot of a listed interrupt's list register. Where none can be read it
 * counts as pending. */
static uint64_t peek(struct vgic *g, unsigned vcpu, unsigned irq)
{
	unsigned v = lr_cpu_of(g, vcpu, irq);

	if (!g->config.lr_readback)
		return VGIC_LR_STATE_PENDING;
	return g->env.read_lr(g->env.opaque, v, lr_of(&g->cpu[v], irq));
}

uint32_t vgic_view_pending(struct vgic *g, unsigned vcpu, unsigned block)
{
	const struct vgic_block *b = vgic_block(g, vcpu, block);
	uint32_t pending = vgic_pending(b);

	for (uint32_t m = b->listed & ~pending; m; m &= m - 1)
		if (peek(g, vcpu, block * 32u + lowest(m)) &
		    VGIC_LR_STATE_PENDING)
			pending |= 1u << lowest(m);
	return (pending & ~b->direct) | vgic_direct_pending(g, vcpu, block);
}

uint32_t vgic_view_active(struct vgic *g, unsigned vcpu, unsigned block)
{
	const struct vgic_block *b = vgic_block(g, vcpu, block);
	uint32_t active = b->active;

	for (uint32_t m = b->listed; m && g->config.lr_readback; m &= m - 1)
		vgic_set_bit(&active, 1u << lowest(m),
			     (peek(g, vcpu, block * 32u + lowest(m)) &
			      VGIC_LR_STATE_ACTIVE) != 0);
	return (active & ~b->direct) | vgic_direct_active(g, vcpu, block);
}

uint8_t vgic_view_sources(struct vgic *g, unsigned vcpu, unsigned irq)
{
	const struct vgic_cpu *c = &g->cpu[vcpu];
	uint8_t sources = c->sgi_sources[irq];

	if (vgic_direct_pending(g, vcpu, 0) & 1u << irq)
		return 1; /* the only vCPU's */
	if ((c->own.listed & 1u << irq) &&
	    (peek(g, vcpu, irq) & VGIC_LR_STATE_PENDING))
		sources |= (uint8_t)(1u << c->lr[lr_of(c, irq)].source);
	return sources;
}

static bool owes_eois(const struct vgic *g, const struct vgic_cpu *c)
{
	uint32_t any = 0;

	for (unsigned b = 0; b < vgic_n_blocks(g); b++)
		any |= c->eoi[b];
	return any != 0;
}

/* Tells the owner about deactivated level interrupts. */
static void report_eois(struct vgic *g, unsigned v)
{
	struct vgic_cpu *c = &g->cpu[v];

	for (unsigned b = 0; b < vgic_n_blocks(g); b++)
		while (c->eoi[b]) { /* at most 32 */
			unsigned irq = lowest(c->eoi[b]);

			c->eoi[b] &= c->eoi[b] - 1;
			g->env.eoi(g->env.opaque, v, b * 32u + irq);
		}
}

static void refresh(struct vgic *g, unsigned v, unsigned i)
{
	unsigned block = g->cpu[v].lr[i].irq / 32u;

	fold(g, v, i);
	if (g->cpu[v].lr_used & 1u << i)
		settle(g, v, i);
	vgic_requeue(g, v, block);
}

/* All list registers in use, with their vCPU held. */
static void refresh_all(struct vgic *g, unsigned v)
{
	for (uint32_t m = g->cpu[v].lr_used; m; m &= m - 1)
		refresh(g, v, lowest(m));
}

static unsigned rank_of(struct vgic *g, unsigned v, unsigned irq)
{
	const struct vgic_block *b = vgic_block(g, v, irq / 32u);

	if (b->active & 1u << irq % 32u)
		return RANK_ACTIVE;
	return b->priority[irq % 32u];
}

/* The most urgent interrupt that waits; its rank is RANK_NONE if none does. */
static unsigned best_waiting(struct vgic *g, unsigned v, unsigned *rank)
{
	unsigned best = 0;

	*rank = RANK_NONE;
	for (unsigned b = 0; b < vgic_n_blocks(g); b++)
		for (uint32_t m = g->cpu[v].wait[b]; m; m &= m - 1) {
			unsigned irq = b * 32u + lowest(m);
			unsigned r = rank_of(g, v, irq);

			if (r < *rank) {
				*rank = r;
				best = irq;
			}
		}
	return best;
}

/* Rank of a list register's interrupt for eviction. One that the guest has
 * acknowledged cannot go: its end would not be noticed. */
static unsigned lr_rank(const struct vgic_lr *lr)
{
	if (!(lr->hw & VGIC_LR_STATE_ACTIVE))
		return (unsigned)(lr->hw >> VGIC_LR_PRIORITY_SHIFT) & 0xffu;
	return lr->placed_active ? RANK_ACTIVE : 0;
}

/* The least urgent list register in use. */
static unsigned least_urgent(const struct vgic_cpu *c, unsigned *rank)
{
	unsigned worst = NO_LR;

	*rank = 0;
	for (uint32_t m = c->lr_used; m; m &= m - 1) {
		unsigned r = lr_rank(&c->lr[lowest(m)]);

		if (r > *rank) {
			*rank = r;
			worst = lowest(m);
		}
	}
	return worst;
}

static void evict(struct vgic *g, unsigned v, unsigned i)
{
	unsigned block = g->cpu[v].lr[i].irq / 32u;

	absorb(g, v, i, g->cpu[v].lr[i].hw);
	unlist(g, v, i);
	vgic_requeue(g, v, block);
}

static void place(struct vgic *g, unsigned v, unsigned i, unsigned irq)
{
	list(g, v, i, irq);
	settle(g, v, i);
}

/* Fills free list registers, the most urgent interrupts first. Returns the
 * rank of the first that found none, or RANK_NONE. */
static unsigned fill(struct vgic *g, unsigned v)
{
	uint32_t free = all_lrs(g) & ~g->cpu[v].lr_used;
	unsigned rank, irq;

	for (;;) { /* at most once per list register */
		irq = best_waiting(g, v, &rank);
		if (rank == RANK_NONE || !free)
			return rank;
		place(g, v, lowest(free), irq);
		free &= free - 1;
	}
}

/* Lets more urgent interrupts take the place of less urgent ones. What is in
 * use is known exactly (refreshed). */
static void displace(struct vgic *g, unsigned v)
{
	unsigned rank, worst_rank, irq, i;

	for (unsigned n = 0; n < g->config.n_lrs; n++) {
		irq = best_waiting(g, v, &rank);
		i = least_urgent(&g->cpu[v], &worst_rank);
		if (i == NO_LR || rank >= worst_rank)
			return;
		evict(g, v, i);
		place(g, v, i, irq);
	}
}

/* While something waits, every list register reports when the guest is done
 * with what stands there. */
static bool all_report(const struct vgic_cpu *c)
{
	for (uint32_t m = c->lr_used; m; m &= m - 1) {
		uint64_t hw = c->lr[lowest(m)].hw;

		if (!(hw & VGIC_LR_EOI) || (hw & VGIC_LR_STATE) == VGIC_LR_STATE)
			return false;
	}
	return true;
}

/* As above, once `overflow` says so; what is in use is known exactly. */
static void make_report(struct vgic *g, unsigned v)
{
	struct vgic_cpu *c = &g->cpu[v];

	for (uint32_t m = c->lr_used; m; m &= m - 1) {
		absorb(g, v, lowest(m), c->lr[lowest(m)].hw);
		settle(g, v, lowest(m));
	}
}

/* More wait than there are free list registers; `rank` is the most urgent. */
static void spill(struct vgic *g, unsigned v, unsigned rank)
{
	struct vgic_cpu *c = &g->cpu[v];
	unsigned worst_rank;

	/* Nothing to learn from reading: each will report its end, and none
	 * is less urgent than what waits. */
	(void)least_urgent(c, &worst_rank);
	if (all_report(c) && rank >= worst_rank) {
		c->overflow = true;
		return;
	}
	hold(g, v);
	refresh_all(g, v);
	report_eois(g, v);
	c->overflow = fill(g, v) != RANK_NONE;
	if (c->overflow) {
		displace(g, v);
		make_report(g, v);
	}
	let_go(g, v);
}

static void flush_lrs(struct vgic *g, unsigned v)
{
	struct vgic_cpu *c = &g->cpu[v];
	unsigned rank = fill(g, v);

	if (rank != RANK_NONE)
		spill(g, v, rank);
	else
		c->overflow = false;
	/* A free register with its EOI bit set would go on reporting. */
	for (uint32_t m = c->lr_stale & ~c->lr_used; m; m &= m - 1)
		write_lr(g, v, lowest(m), 0);
}

/* Without read-back an interrupt can only be put into a free list register
 * and is out of reach until it is reported as deactivated. */
static void flush_inject(struct vgic *g, unsigned v)
{
	struct vgic_cpu *c = &g->cpu[v];
	uint32_t free = all_lrs(g) & ~c->lr_used;
	unsigned rank, irq;

	for (; free; free &= free - 1) {
		struct vgic_block *b;
		unsigned i = lowest(free);

		irq = best_waiting(g, v, &rank);
		if (rank >= RANK_ACTIVE)
			return;
		b = vgic_block(g, v, irq / 32u);
		list(g, v, i, irq);
		take_pending(g, v, &c->lr[i]);
		g->env.inject(g->env.opaque, v, i, irq,
			      b->priority[irq % 32u] >> 3,
			      b->group >> irq % 32u & 1u);
	}
}

void vgic_flush(struct vgic *g, unsigned vcpu)
{
	struct vgic_cpu *c = &g->cpu[vcpu];

	if (!(g->work & 1u << vcpu))
		return;
	report_eois(g, vcpu);
	if (g->config.lr_readback)
		flush_lrs(g, vcpu);
	else
		flush_inject(g, vcpu);
	vgic_set_bit(&g->work, 1u << vcpu, owes_eois(g, c));
}

void vgic_sync(struct vgic *g, unsigned vcpu)
{
	if (!g->config.lr_readback || !g->cpu[vcpu].lr_used)
		return;
	hold(g, vcpu);
	refresh_all(g, vcpu);
	let_go(g, vcpu);
}

void vgic_maintenance(struct vgic *g, unsigned vcpu, int index)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t bit;
	unsigned i, block;
	bool echo;

	if (index < 0 || (unsigned)index >= g->config.n_lrs) {
		vgic_sync(g, vcpu);
		return;
	}
	i = (unsigned)index;
	bit = 1u << i;
	echo = (c->lr_echo & bit) != 0;
	c->lr_echo &= ~bit;
	if (!(c->lr_used & bit))
		return;
	block = c->lr[i].irq / 32u;
	if (echo) { /* perhaps an old report: look */
		hold(g, vcpu);
		refresh(g, vcpu, i);
		let_go(g, vcpu);
		c->lr_echo &= ~bit; /* here it is, whichever it was */
		return;
	}
	c->lr[i].hw &= ~(VGIC_LR_STATE | VGIC_LR_EOI);
	absorb(g, vcpu, i, 0);
	finished(g, vcpu, i);
	vgic_requeue(g, vcpu, block);
}

/* Does the CPU interface let an interrupt of this group and priority pass? */
static bool passes(uint64_t vmcr, bool group1, unsigned priority)
{
	return (vmcr >> group1 & 1u) && priority < (vmcr >> 24 & 0xffu);
}

static bool listed_passes(const struct vgic_cpu *c, uint64_t vmcr)
{
	for (uint32_t m = c->lr_used; m; m &= m - 1) {
		uint64_t hw = c->lr[lowest(m)].hw;

		if ((hw & VGIC_LR_STATE) == VGIC_LR_STATE_PENDING &&
		    passes(vmcr, (hw & VGIC_LR_GROUP1) != 0,
			   (unsigned)(hw >> VGIC_LR_PRIORITY_SHIFT) & 0xffu))
			return true;
	}
	return false;
}

static bool waiting_passes(struct vgic *g, unsigned v, uint64_t vmcr)
{
	for (unsigned n = 0; n < vgic_n_blocks(g); n++) {
		const struct vgic_block *b = vgic_block(g, v, n);

		for (uint32_t m = g->cpu[v].wait[n] & ~b->active; m; m &= m - 1)
			if (passes(vmcr, b->group >> lowest(m) & 1u,
				   b->priority[lowest(m)]))
				return true;
	}
	return false;
}

bool vgic_has_pending(struct vgic *g, unsigned vcpu, uint64_t vmcr)
{
	vgic_sync(g, vcpu);
	report_eois(g, vcpu);
	/* What was injected blind is pending until it is reported. */
	if (!g->config.lr_readback && g->cpu[vcpu].lr_used)
		return true;
	return listed_passes(&g->cpu[vcpu], vmcr) || waiting_passes(g, vcpu, vmcr) ||
	       vgic_direct_waits(g, vcpu);
}
