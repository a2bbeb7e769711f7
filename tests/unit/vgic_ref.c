#include "vgic_ref.h"

#include <string.h>

void ref_init(struct ref *r, unsigned version, unsigned n_vcpus,
	      unsigned n_irqs)
{
	memset(r, 0, sizeof(*r));
	r->version = version;
	r->n_vcpus = n_vcpus;
	r->n_irqs = n_irqs;
	for (unsigned v = 0; v < 8; v++)
		r->asleep[v] = true;
	for (unsigned v = 0; v < n_vcpus; v++)
		for (unsigned i = 0; i < n_irqs; i++) {
			struct ref_irq *q = ref_irq(r, v, i);

			q->group1 = version == 3;
			q->edge = i < 16;
			q->targets = n_vcpus == 1;
		}
}

struct ref_irq *ref_irq(struct ref *r, unsigned vcpu, unsigned irq)
{
	return irq < 32 ? &r->own[vcpu][irq] : &r->spi[irq];
}

bool ref_pending(const struct ref_irq *i)
{
	return i->latch || i->sources || (i->line && !i->edge);
}

int ref_target(struct ref *r, unsigned vcpu, unsigned irq)
{
	const struct ref_irq *q = ref_irq(r, vcpu, irq);

	if (irq < 32)
		return (int)vcpu;
	if (r->version == 3)
		return q->router < r->n_vcpus ? (int)q->router : -1;
	for (int v = 0; v < (int)r->n_vcpus; v++)
		if (q->targets >> v & 1)
			return v;
	return -1;
}

bool ref_deliverable(struct ref *r, unsigned vcpu, unsigned irq)
{
	const struct ref_irq *q = ref_irq(r, vcpu, irq);

	return ref_pending(q) && q->enabled && r->group_on[q->group1] &&
	       !q->active && ref_target(r, vcpu, irq) == (int)vcpu;
}

void ref_set_level(struct ref *r, unsigned vcpu, unsigned irq, bool level)
{
	struct ref_irq *q = ref_irq(r, vcpu, irq);

	if (level && !q->line && q->edge)
		q->latch = true;
	q->line = level;
}

void ref_pulse(struct ref *r, unsigned vcpu, unsigned irq)
{
	ref_irq(r, vcpu, irq)->latch = true;
}

void ref_ack(struct ref *r, unsigned vcpu, unsigned irq, unsigned source)
{
	struct ref_irq *q = ref_irq(r, vcpu, irq);

	q->active = true;
	q->latch = false;
	q->sources &= (uint8_t) ~(1u << source);
}

static void send(struct ref *r, unsigned from, unsigned to, unsigned irq)
{
	if (r->version == 2)
		r->own[to][irq].sources |= (uint8_t)(1u << from);
	else
		r->own[to][irq].latch = true;
}

void ref_sgir_v3(struct ref *r, unsigned vcpu, uint64_t value, bool group1)
{
	unsigned irq = value >> 24 & 15;
	bool irm = value >> 40 & 1;
	bool affinity = (value >> 16 & 0xff) || (value >> 32 & 0xff) ||
			(value >> 48 & 0xff) || (value >> 44 & 0xf);

	for (unsigned v = 0; v < r->n_vcpus; v++) {
		bool chosen = irm ? v != vcpu : !affinity && (value >> v & 1);

		if (chosen && (group1 || !r->own[v][irq].group1))
			send(r, vcpu, v, irq);
	}
}

/* --- Registers, interrupt by interrupt ------------------------------------ */

enum kind {
	NONE,
	CTLR,
	TYPER,
	IIDR,
	RTYPER,
	WAKER,
	GROUP,
	ISENABLE,
	ICENABLE,
	ISPEND,
	ICPEND,
	ISACTIVE,
	ICACTIVE,
	PRIORITY,
	TARGETS,
	CONFIG,
	SGIR,
	CPENDSGI,
	SPENDSGI,
	ROUTER,
	ID
};

/* What stands at an offset; *first: offset in its range. */
static enum kind decode(const struct ref *r, bool redist, uint32_t offset,
			uint32_t *at)
{
	static const struct {
		uint32_t from, to;
		enum kind kind;
	} common[] = {
		{ 0x80, 0x100, GROUP },
		{ 0x100, 0x180, ISENABLE },
		{ 0x180, 0x200, ICENABLE },
		{ 0x200, 0x280, ISPEND },
		{ 0x280, 0x300, ICPEND },
		{ 0x300, 0x380, ISACTIVE },
		{ 0x380, 0x400, ICACTIVE },
		{ 0x400, 0x7fc, PRIORITY },
		{ 0x800, 0xbfc, TARGETS },
		{ 0xc00, 0xd00, CONFIG },
	};
	uint32_t base = redist ? 0x10000 : 0;
	uint32_t id = r->version == 2 ? 0xfd0 : 0xffd0;

	*at = 0;
	if (offset >= id && offset < id + 0x30) {
		*at = offset - id;
		return ID;
	}
	if (redist && offset < 0x10000) {
		*at = offset & 4;
		return offset == 4 ? IIDR : (offset & ~7u) == 8 ? RTYPER
				    : offset == 0x14            ? WAKER
								: NONE;
	}
	for (unsigned i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (offset >= base + common[i].from &&
		    offset < base + common[i].to) {
			*at = offset - base - common[i].from;
			return common[i].kind;
		}
	if (redist)
		return NONE;
	*at = offset & 15;
	if (r->version == 2 && offset == 0xf00)
		return SGIR;
	if (r->version == 2 && offset >= 0xf10 && offset < 0xf20)
		return CPENDSGI;
	if (r->version == 2 && offset >= 0xf20 && offset < 0xf30)
		return SPENDSGI;
	*at = offset - 0x6000;
	if (r->version == 3 && offset >= 0x6100 && offset < 0x7fe0)
		return ROUTER;
	*at = 0;
	return offset == 0 ? CTLR : offset == 4 ? TYPER
			    : offset == 8       ? IIDR
						: NONE;
}

static bool size_ok(enum kind k, unsigned size)
{
	bool byte = k == PRIORITY || k == TARGETS || k == CPENDSGI ||
		    k == SPENDSGI;

	return size == 4 || (size == 1 && byte) ||
	       (size == 8 && (k == ROUTER || k == RTYPER));
}

/* Interrupts that a register of this frame covers. */
static bool covers(const struct ref *r, bool redist, enum kind k, unsigned irq)
{
	if (irq >= r->n_irqs)
		return false;
	if (redist)
		return irq < 32 && k != TARGETS;
	if (r->version == 3)
		return irq >= 32 && k != TARGETS;
	return true;
}

static bool get_bit(enum kind k, const struct ref_irq *q)
{
	switch (k) {
	case GROUP: return q->group1;
	case ISENABLE:
	case ICENABLE: return q->enabled;
	case ISPEND:
	case ICPEND: return ref_pending(q);
	default: return q->active;
	}
}

static void set_bit(const struct ref *r, enum kind k, struct ref_irq *q,
		    unsigned irq, bool bit)
{
	bool fixed = r->version == 2 && irq < 16;

	if (k == GROUP)
		q->group1 = bit;
	if (!bit)
		return;
	switch (k) {
	case ISENABLE: q->enabled = true; break;
	case ICENABLE: q->enabled = false; break;
	case ISPEND: q->latch |= !fixed; break;
	case ICPEND: q->latch &= fixed; break;
	case ISACTIVE: q->active = true; break;
	case ICACTIVE: q->active = false; break;
	default: break;
	}
}

static uint8_t get_byte(struct ref *r, enum kind k, unsigned vcpu, unsigned irq)
{
	const struct ref_irq *q = ref_irq(r, vcpu, irq);

	if (k == PRIORITY)
		return q->priority;
	if (k == TARGETS)
		return (uint8_t)(irq < 32 ? 1u << vcpu : q->targets);
	return q->sources;
}

static void set_byte(struct ref *r, enum kind k, unsigned vcpu, unsigned irq,
		     uint8_t byte)
{
	struct ref_irq *q = ref_irq(r, vcpu, irq);
	uint8_t all = (uint8_t)((1u << r->n_vcpus) - 1u);

	if (k == PRIORITY)
		q->priority = byte & 0xf8;
	if (k == TARGETS && irq >= 32 && r->n_vcpus > 1)
		q->targets = byte & all;
	if (k == SPENDSGI)
		q->sources |= byte & all;
	if (k == CPENDSGI)
		q->sources &= (uint8_t)~byte;
}

static uint32_t id_value(const struct ref *r, bool redist, uint32_t at)
{
	uint32_t part = r->version == 2 ? 0x90 : redist ? 0x93
							: 0x92;
	uint32_t pidr2 = r->version == 2 ? 0x2b : 0x3b;
	const uint32_t value[12] = { 0x44, 0, 0, 0, part, 0xb4, pidr2, 0,
				     0x0d, 0xf0, 0x05, 0xb1 };

	return value[at / 4];
}

static uint64_t read_control(struct ref *r, enum kind k, unsigned vcpu,
			     bool redist, uint32_t at)
{
	uint64_t typer;

	switch (k) {
	case CTLR:
		return (uint64_t)r->group_on[0] | (uint64_t)r->group_on[1] << 1 |
		       (r->version == 3 ? 0x50 : 0);
	case TYPER:
		return (r->n_irqs / 32 - 1) |
		       (r->version == 3 ? 0x2480000u : (r->n_vcpus - 1) << 5);
	case IIDR: return 0x5300043b;
	case RTYPER:
		typer = (uint64_t)vcpu << 32 | vcpu << 8 |
			(vcpu == r->n_vcpus - 1 ? 16 : 0);
		return at ? typer >> 32 : typer;
	case WAKER: return r->asleep[vcpu] ? 6 : 0;
	case ID: return id_value(r, redist, at);
	case ROUTER:
		return at % 8 || at / 8 >= r->n_irqs ? 0 : r->spi[at / 8].router;
	default: return 0;
	}
}

uint64_t ref_read(struct ref *r, unsigned vcpu, bool redist, uint32_t offset,
		  unsigned size)
{
	uint32_t at;
	enum kind k = decode(r, redist, offset, &at);
	uint64_t value = 0;

	if (!size_ok(k, size))
		return 0;
	if (k >= GROUP && k <= ICACTIVE) {
		for (unsigned i = 0; i < 32; i++)
			if (covers(r, redist, k, at * 8 + i))
				value |= (uint64_t)get_bit(k, ref_irq(r, vcpu, at * 8 + i)) << i;
	} else if (k == PRIORITY || k == TARGETS || k == CPENDSGI ||
		   k == SPENDSGI) {
		for (unsigned i = 0; i < size; i++)
			if (covers(r, redist, k, at + i))
				value |= (uint64_t)get_byte(r, k, vcpu, at + i) << (8 * i);
	} else if (k == CONFIG) {
		for (unsigned i = 0; i < 16; i++)
			if (covers(r, redist, k, at * 4 + i) &&
			    ref_irq(r, vcpu, at * 4 + i)->edge)
				value |= 2ull << (2 * i);
	} else {
		value = read_control(r, k, vcpu, redist, at);
	}
	return size == 8 ? value : value & ((1ull << (8 * size)) - 1);
}

static void write_sgir(struct ref *r, unsigned vcpu, uint32_t value)
{
	for (unsigned v = 0; v < r->n_vcpus; v++) {
		unsigned filter = value >> 24 & 3;

		if ((filter == 0 && (value >> (16 + v) & 1)) ||
		    (filter == 1 && v != vcpu) || (filter == 2 && v == vcpu))
			send(r, vcpu, v, value & 15);
	}
}

static void write_control(struct ref *r, enum kind k, unsigned vcpu,
			  uint32_t at, uint64_t value)
{
	if (k == CTLR) {
		r->group_on[0] = value & 1;
		r->group_on[1] = value >> 1 & 1;
	}
	if (k == WAKER)
		r->asleep[vcpu] = value >> 1 & 1;
	if (k == SGIR)
		write_sgir(r, vcpu, (uint32_t)value);
	if (k == ROUTER && at % 8 == 0 && at / 8 < r->n_irqs)
		r->spi[at / 8].router = (uint32_t)value & 0xffffff;
}

void ref_write(struct ref *r, unsigned vcpu, bool redist, uint32_t offset,
	       unsigned size, uint64_t value)
{
	uint32_t at;
	enum kind k = decode(r, redist, offset, &at);

	if (!size_ok(k, size))
		return;
	if (k >= GROUP && k <= ICACTIVE) {
		for (unsigned i = 0; i < 32; i++)
			if (covers(r, redist, k, at * 8 + i))
				set_bit(r, k, ref_irq(r, vcpu, at * 8 + i),
					at * 8 + i, value >> i & 1);
	} else if (k == PRIORITY || k == TARGETS || k == CPENDSGI ||
		   k == SPENDSGI) {
		for (unsigned i = 0; i < size; i++)
			if (covers(r, redist, k, at + i))
				set_byte(r, k, vcpu, at + i,
					 (uint8_t)(value >> (8 * i)));
	} else if (k == CONFIG) {
		for (unsigned i = 0; i < 16; i++)
			if (covers(r, redist, k, at * 4 + i) && at * 4 + i >= 16)
				ref_irq(r, vcpu, at * 4 + i)->edge =
					value >> (2 * i + 1) & 1;
	} else {
		write_control(r, k, vcpu, at, value);
	}
}
