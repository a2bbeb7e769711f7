#include "vgic_sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vgic_ref.h"

struct machine {
	struct vgic gic;
	struct ref ref;
	struct vgic_sim_options opt;
	const uint8_t *bytes;
	size_t n;
	uint64_t lr[VGIC_MAX_VCPUS][VGIC_MAX_LRS];
	int report[VGIC_MAX_VCPUS]; /* maintenance fault on its way, or -1 */
	bool held[VGIC_MAX_VCPUS];
	bool asleep[VGIC_MAX_VCPUS]; /* in WFI: wakes by vgic_work only */
	bool drained;                /* final phase */
};

static void fail(const char *what, unsigned vcpu, unsigned detail)
{
	fprintf(stderr, "vgic_sim: %s (vcpu %u, %u)\n", what, vcpu, detail);
	abort();
}

#define CHECK(condition, vcpu, detail)                  \
	do {                                            \
		if (!(condition))                       \
			fail(#condition, vcpu, detail); \
	} while (0)

static uint8_t next(struct machine *m)
{
	if (m->n == 0)
		return 0;
	m->n--;
	return *m->bytes++;
}

static uint32_t next32(struct machine *m)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < 4; i++)
		v = v << 8 | next(m);
	return v;
}

static unsigned lr_irq(uint64_t lr)
{
	return lr & 0x3ff;
}

static unsigned lr_source(uint64_t lr)
{
	return lr >> VGIC_LR_SOURCE_SHIFT & 7;
}

static unsigned lr_priority(uint64_t lr)
{
	return lr >> VGIC_LR_PRIORITY_SHIFT & 0xff;
}

static bool is_pending(uint64_t lr)
{
	return (lr & VGIC_LR_STATE) == VGIC_LR_STATE_PENDING;
}

/* --- The model's environment ------------------------------------------------ */

static uint64_t read_lr(void *opaque, unsigned v, unsigned i)
{
	struct machine *m = opaque;

	CHECK(v < m->opt.n_vcpus && i < m->opt.n_lrs, v, i);
	CHECK(m->opt.lr_readback, v, i);
	return m->lr[v][i];
}

static void check_lr(struct machine *m, unsigned v, unsigned i, uint64_t value)
{
	const uint64_t known = VGIC_LR_STATE | VGIC_LR_GROUP1 | VGIC_LR_EOI |
			       0xffull << VGIC_LR_PRIORITY_SHIFT |
			       7ull << VGIC_LR_SOURCE_SHIFT | 0x3ff;

	CHECK((value & ~known) == 0, v, i);
	if (!(value & VGIC_LR_STATE))
		return;
	CHECK(lr_irq(value) < m->opt.n_irqs, v, i);
	CHECK(lr_source(value) == 0 ||
		      (m->opt.version == 2 && lr_irq(value) < 16),
	      v, i);
	for (unsigned j = 0; j < m->opt.n_lrs; j++)
		CHECK(j == i || !(m->lr[v][j] & VGIC_LR_STATE) ||
			      lr_irq(m->lr[v][j]) != lr_irq(value),
		      v, i);
}

static void write_lr(void *opaque, unsigned v, unsigned i, uint64_t value)
{
	struct machine *m = opaque;

	CHECK(v < m->opt.n_vcpus && i < m->opt.n_lrs, v, i);
	CHECK(m->opt.lr_readback, v, i);
	/* Rewriting what the guest may be using needs a stopped vCPU. */
	CHECK(m->held[v] || !(m->lr[v][i] & VGIC_LR_STATE), v, i);
	check_lr(m, v, i, value);
	m->lr[v][i] = value;
}

static void inject(void *opaque, unsigned v, unsigned i, unsigned irq,
		   unsigned priority, unsigned group)
{
	struct machine *m = opaque;
	uint64_t value = irq | (uint64_t)priority << 51 |
			 (group ? VGIC_LR_GROUP1 : 0) | VGIC_LR_EOI |
			 VGIC_LR_STATE_PENDING;

	CHECK(!m->opt.lr_readback && priority < 32 && group < 2, v, i);
	CHECK(!(m->lr[v][i] & VGIC_LR_STATE), v, i);
	check_lr(m, v, i, value);
	m->lr[v][i] = value;
}

static void hold(void *opaque, unsigned v, bool held)
{
	struct machine *m = opaque;

	CHECK(m->held[v] != held, v, held);
	m->held[v] = held;
}

/* The owner of a line drops it now and then when the guest is done. */
static void eoi(void *opaque, unsigned v, unsigned irq)
{
	struct machine *m = opaque;

	CHECK(irq < m->opt.n_irqs, v, irq);
	if (irq < 16 || (!m->drained && next(m) % 4 == 0))
		return;
	vgic_set_level(&m->gic, v, irq, false);
	ref_set_level(&m->ref, v, irq, false);
}

/* --- Checks ---------------------------------------------------------------- */

static void check_list_registers(struct machine *m, unsigned v)
{
	for (unsigned i = 0; i < m->opt.n_lrs; i++) {
		uint64_t lr = m->lr[v][i];
		struct ref_irq *q;

		if (!(lr & VGIC_LR_STATE))
			continue;
		q = ref_irq(&m->ref, v, lr_irq(lr));
		CHECK(q->active == ((lr & VGIC_LR_STATE_ACTIVE) != 0), v, i);
		CHECK(q->priority == lr_priority(lr), v, i);
		CHECK(q->group1 == ((lr & VGIC_LR_GROUP1) != 0), v, i);
		if (is_pending(lr))
			CHECK(ref_deliverable(&m->ref, v, lr_irq(lr)), v, i);
		if (lr & VGIC_LR_STATE_PENDING)
			CHECK(ref_pending(q), v, i);
	}
}

/* The guest is shown the most urgent interrupt, unless interrupts that it is
 * working on take all the room. */
static void check_most_urgent(struct machine *m, unsigned v)
{
	unsigned best = 0x100, shown = 0x100, active = 0;

	for (unsigned i = 0; i < m->opt.n_lrs; i++) {
		uint64_t lr = m->lr[v][i];

		/* A report that is due may make room. */
		if (!(lr & VGIC_LR_STATE) && (lr & VGIC_LR_EOI))
			return;
		active += (lr & VGIC_LR_STATE_ACTIVE) != 0;
		if (is_pending(lr) && lr_priority(lr) < shown)
			shown = lr_priority(lr);
	}
	for (unsigned i = 0; i < m->opt.n_irqs; i++)
		if (ref_deliverable(&m->ref, v, i) &&
		    ref_irq(&m->ref, v, i)->priority < best)
			best = ref_irq(&m->ref, v, i)->priority;
	if (active < m->opt.n_lrs)
		CHECK(shown == best, v, best);
}

static void check_flushed(struct machine *m, unsigned v)
{
	CHECK(!m->held[v], v, 0);
	if (!m->opt.lr_readback)
		return;
	check_list_registers(m, v);
	if (m->report[v] < 0)
		check_most_urgent(m, v);
}

static uint64_t access(struct machine *m, unsigned v, bool redist,
		       uint32_t offset, unsigned size, bool write,
		       uint64_t value)
{
	struct mmio a = { .offset = offset, .size = (uint8_t)size, .write = write, .value = value };
	enum mmio_outcome outcome;

	if (redist) {
		a.offset += v * VGIC_V3_REDIST_BYTES;
		outcome = vgic_redist_access(&m->gic, &a);
	} else {
		outcome = vgic_dist_access(&m->gic, v, &a);
	}
	CHECK(outcome == MMIO_HANDLED || outcome == MMIO_IGNORED, v, offset);
	CHECK(outcome == MMIO_HANDLED || a.reason, v, offset);
	return a.value;
}

static bool state_register(uint32_t offset)
{
	uint32_t o = offset & 0xffff;

	return (o >= 0x200 && o < 0x400) || (o >= 0xf10 && o < 0xf30);
}

static void check_read(struct machine *m, unsigned v, bool redist,
		       uint32_t offset, unsigned size)
{
	uint64_t got = access(m, v, redist, offset, size, false, 0);

	/* Without read-back, pending and active are not known exactly. */
	if (m->opt.lr_readback || !state_register(offset))
		CHECK(got == ref_read(&m->ref, v, redist, offset, size), v,
		      offset);
}

static void check_all_registers(struct machine *m)
{
	uint32_t bytes = m->opt.version == 2 ? VGIC_V2_DIST_BYTES : VGIC_V3_DIST_BYTES;

	for (unsigned v = 0; v < m->opt.n_vcpus; v++) {
		for (uint32_t o = 0; o < bytes; o += 4)
			check_read(m, v, false, o, 4);
		for (uint32_t o = 0; m->opt.version == 3 &&
				     o < VGIC_V3_REDIST_BYTES;
		     o += 4)
			check_read(m, v, true, o, 4);
	}
}

/* --- What can happen -------------------------------------------------------- */

static void flush(struct machine *m, unsigned v)
{
	m->asleep[v] = false;
	vgic_flush(&m->gic, v);
	if (vgic_work(&m->gic) & 1u << v) /* the eoi callback made more */
		vgic_flush(&m->gic, v);
	CHECK(!(vgic_work(&m->gic) & 1u << v), v, 0);
	check_flushed(m, v);
}

static void flush_all(struct machine *m)
{
	for (unsigned v = 0; v < m->opt.n_vcpus; v++)
		if (vgic_work(&m->gic) & 1u << v)
			flush(m, v);
	for (unsigned v = 0; v < m->opt.n_vcpus; v++)
		for (unsigned i = 0; m->asleep[v] && i < m->opt.n_irqs; i++)
			CHECK(!ref_deliverable(&m->ref, v, i), v, i);
}

static void deliver_report(struct machine *m, unsigned v)
{
	int index = m->report[v];

	if (index < 0)
		return;
	m->report[v] = -1;
	vgic_maintenance(&m->gic, v, index);
	flush_all(m);
}

/* The kernel notices that list registers have ended: one report at a time,
 * with the EOI bit switched off. The vCPU is stopped until it is handled. */
static void raise_maintenance(struct machine *m, unsigned v)
{
	for (unsigned i = 0; i < m->opt.n_lrs && m->report[v] < 0; i++)
		if (!(m->lr[v][i] & VGIC_LR_STATE) &&
		    (m->lr[v][i] & VGIC_LR_EOI)) {
			m->lr[v][i] &= ~VGIC_LR_EOI;
			m->report[v] = (int)i;
		}
}

static void guest_ack(struct machine *m, unsigned v)
{
	uint64_t *best = NULL;

	for (unsigned i = 0; i < m->opt.n_lrs; i++)
		if (is_pending(m->lr[v][i]) &&
		    (!best || lr_priority(m->lr[v][i]) < lr_priority(*best)))
			best = &m->lr[v][i];
	if (!best)
		return;
	*best = (*best & ~VGIC_LR_STATE) | VGIC_LR_STATE_ACTIVE;
	/* Plain seL4 cannot pass the source on; the model knows it. */
	ref_ack(&m->ref, v, lr_irq(*best),
		m->opt.lr_readback ? lr_source(*best) : m->gic.cpu[v].lr[best - m->lr[v]].source);
}

static void guest_deactivate(struct machine *m, unsigned v, unsigned i)
{
	uint64_t *lr = &m->lr[v][i];

	if (!(*lr & VGIC_LR_STATE_ACTIVE))
		return;
	*lr &= ~VGIC_LR_STATE_ACTIVE;
	ref_irq(&m->ref, v, lr_irq(*lr))->active = false;
}

/* The vCPU runs: what is reported late is reported first. */
static void guest_run(struct machine *m, unsigned v)
{
	uint8_t what = next(m);

	deliver_report(m, v);
	flush_all(m);
	if (m->asleep[v])
		return;
	raise_maintenance(m, v);
	if (m->report[v] >= 0)
		return;
	if (what & 1)
		guest_ack(m, v);
	else
		guest_deactivate(m, v, what / 4 % m->opt.n_lrs);
	if (what & 2) /* at once; else at the next entry */
		raise_maintenance(m, v);
}

/* Interrupts are drawn from a few, so that things meet. */
static unsigned some_irq(struct machine *m)
{
	uint8_t b = next(m);

	if (b & 0x80)
		return b % 16u;
	if (b & 0x40)
		return 16u + b % 16u;
	return 32u + (b & 0x20 ? b % 4u : (b * 37u) % (m->opt.n_irqs - 32u));
}

static uint32_t frame_bytes(const struct machine *m, bool redist)
{
	if (redist)
		return VGIC_V3_REDIST_BYTES;
	return m->opt.version == 3 ? VGIC_V3_DIST_BYTES : VGIC_V2_DIST_BYTES;
}

static uint32_t some_offset(struct machine *m, bool redist)
{
	static const uint16_t base[] = { 0, 0x80, 0x100, 0x180, 0x200, 0x280,
					 0x300, 0x380, 0x400, 0x800, 0xc00,
					 0xf00, 0xf10, 0xf20, 0x6100, 0x14 };
	uint8_t b = next(m);

	if (b >= 0xf0)
		return next32(m) % frame_bytes(m, redist);
	return base[b % 16] + (b / 16 < 8 ? 4u * (b / 16) : next(m)) +
	       (redist && b % 16 != 15 ? 0x10000u : 0);
}

static void some_access(struct machine *m, unsigned v)
{
	bool redist = m->opt.version == 3 && (next(m) & 1);
	uint32_t offset = some_offset(m, redist);
	uint8_t how = next(m);
	unsigned size = 4;
	uint64_t value;

	if ((how & 7) == 0)
		size = 1u << (how >> 3 & 3);
	offset &= ~(size - 1);
	/* Out of reach without read-back: changes of what is listed. */
	if (!m->opt.lr_readback && (how & 0x80) && (offset & 0xff80) == 0x300)
		return;
	if (!(how & 0x80)) {
		check_read(m, v, redist, offset, size);
		return;
	}
	value = next32(m);
	if (how & 0x40)
		value |= (uint64_t)next32(m) << 32;
	access(m, v, redist, offset, size, true, value);
	ref_write(&m->ref, v, redist, offset, size,
		  size == 8 ? value : value & ((1ull << 8 * size) - 1));
}

static void some_sgi(struct machine *m, unsigned v)
{
	uint64_t value = next32(m);

	if (m->opt.version == 2) {
		access(m, v, false, 0xf00, 4, true, value);
		ref_write(&m->ref, v, false, 0xf00, 4, value);
		return;
	}
	if (next(m) < 0xc0)
		value &= ~0xff0000ull; /* mostly an affinity that exists */
	value |= (uint64_t)(next(m) % 8 == 0) << 40;
	vgic_write_sgir(&m->gic, v, value, !(value >> 31 & 1));
	ref_sgir_v3(&m->ref, v, value, !(value >> 31 & 1));
}

static void some_line(struct machine *m, unsigned v)
{
	unsigned irq = some_irq(m);
	uint8_t how = next(m);

	if (irq < 16) { /* has no line: ignored */
		vgic_set_level(&m->gic, v, irq, true);
		return;
	}
	if ((how & 3) == 3) {
		vgic_pulse(&m->gic, v, irq);
		ref_pulse(&m->ref, v, irq);
		return;
	}
	vgic_set_level(&m->gic, v, irq, how & 1);
	ref_set_level(&m->ref, v, irq, how & 1);
}

static void some_wfi(struct machine *m, unsigned v)
{
	bool expected = false, got;

	deliver_report(m, v);
	got = vgic_has_pending(&m->gic, v, VGIC_VMCR_ANY);
	for (unsigned i = 0; i < m->opt.n_irqs; i++)
		expected |= ref_deliverable(&m->ref, v, i);
	m->asleep[v] = !got;
	/* Injected blind: it may have to say yes too often, never no. */
	CHECK(got == expected || (got && !m->opt.lr_readback), v, expected);
}

static void step(struct machine *m)
{
	uint8_t op = next(m);
	unsigned v = op / 16 % m->opt.n_vcpus;

	switch (op % 16) {
	case 0:
	case 1:
	case 2:
	case 3: some_access(m, v); break;
	case 4:
	case 5:
	case 6: some_line(m, v); break;
	case 7: some_sgi(m, v); break;
	case 8: some_wfi(m, v); break;
	case 9: deliver_report(m, v); break;
	case 10: vgic_sync(&m->gic, v); break;
	default: guest_run(m, v); break;
	}
	if (op % 4 != 1) /* mostly, as after an exit */
		flush_all(m);
}

/* --- The end: everything is delivered --------------------------------------- */

static void enable_everything(struct machine *m)
{
	for (unsigned v = 0; v < m->opt.n_vcpus; v++)
		for (unsigned b = 0; b < m->opt.n_irqs / 32; b++) {
			bool redist = m->opt.version == 3 && b == 0;
			uint32_t base = redist ? 0x10000 : 4 * b;

			access(m, v, redist, base + 0x100, 4, true, ~0u);
			ref_write(&m->ref, v, redist, base + 0x100, 4, ~0u);
		}
	access(m, 0, false, 0, 4, true, 3);
	ref_write(&m->ref, 0, false, 0, 4, 3);
}

/* The guest takes and ends what it is shown. False: there was nothing. */
static bool drain_one(struct machine *m, unsigned v)
{
	bool busy = m->report[v] >= 0;

	deliver_report(m, v);
	flush_all(m);
	m->asleep[v] = false;
	raise_maintenance(m, v);
	if (m->report[v] >= 0)
		return true;
	guest_ack(m, v);
	for (unsigned i = 0; i < m->opt.n_lrs; i++) {
		busy |= (m->lr[v][i] & VGIC_LR_STATE_ACTIVE) != 0;
		guest_deactivate(m, v, i);
	}
	return busy;
}

/* Whatever is enabled gets through in the end; owners lower their lines. */
static void drain(struct machine *m)
{
	m->drained = true;
	enable_everything(m);
	for (unsigned n = 0, idle = 0; n < 40 * VGIC_MAX_IRQS && idle < 3; n++) {
		idle++;
		for (unsigned v = 0; v < m->opt.n_vcpus; v++)
			if (drain_one(m, v))
				idle = 0;
	}
	for (unsigned v = 0; v < m->opt.n_vcpus; v++)
		for (unsigned i = 0; i < m->opt.n_irqs; i++)
			CHECK(!ref_deliverable(&m->ref, v, i), v, i);
}

void vgic_sim_run(const struct vgic_sim_options *options, const uint8_t *bytes,
		  size_t n)
{
	static struct machine machine;
	struct machine *m = &machine;
	struct vgic_env env = {
		.opaque = m,
		.read_lr = read_lr,
		.write_lr = write_lr,
		.inject = inject,
		.hold = hold,
		.eoi = eoi,
	};
	struct vgic_config config = { options->version, options->n_vcpus,
				      options->n_irqs, options->n_lrs,
				      options->lr_readback, 0, false, 0 };

	memset(m, 0, sizeof(*m));
	m->opt = *options;
	m->bytes = bytes;
	m->n = n;
	for (unsigned v = 0; v < VGIC_MAX_VCPUS; v++)
		m->report[v] = -1;
	ref_init(&m->ref, options->version, options->n_vcpus, options->n_irqs);
	if (!vgic_init(&m->gic, &config, &env))
		fail("vgic_init", 0, 0);
	if (next(m) & 1)
		enable_everything(m);
	while (m->n > 0)
		step(m);
	flush_all(m);
	check_all_registers(m);
	drain(m);
}
