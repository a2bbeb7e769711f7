/* Local APIC, I/O APIC and their bus against SDM volume 3, chapter 11, and
 * Intel 290566. */
#include <dev/pc/apic.h>
#include <dev/pc/ioapic.h>
#include <dev/pc/lapic.h>
#include <dev/pc/ticks.h>

#include "dev_pc.h"

#define TSC_HZ 2400000000ull

enum { ID = 0x20,
       VERSION = 0x30,
       TPR = 0x80,
       PPR = 0xa0,
       EOI = 0xb0,
       LDR = 0xd0,
       DFR = 0xe0,
       SVR = 0xf0,
       ISR = 0x100,
       TMR = 0x180,
       IRR = 0x200,
       ESR = 0x280,
       ICR = 0x300,
       ICR_HIGH = 0x310,
       LVT_TIMER = 0x320,
       LVT_LINT0 = 0x350,
       LVT_LINT1 = 0x360,
       LVT_ERROR = 0x370,
       INITIAL = 0x380,
       CURRENT = 0x390,
       DIVIDE = 0x3e0 };

struct core {
	struct lapic apic;
	bool intr;
	enum lapic_signal signal;
	uint8_t vector;
	unsigned signals;
};

static struct machine {
	struct core core[3];
	struct apic_bus bus;
	struct ioapic io;
	uint64_t now;
	uint8_t pic_vector;
} m;

static uint64_t now_ns(void *opaque)
{
	(void)opaque;
	return m.now;
}

static uint64_t tsc(void *opaque)
{
	(void)opaque;
	return ticks_from_ns(m.now, TSC_HZ);
}

static void set_intr(void *opaque, bool level)
{
	struct core *c = opaque;

	assert_int_not_equal(c->intr, level);
	c->intr = level;
}

static void signal(void *opaque, enum lapic_signal signal, uint8_t vector)
{
	struct core *c = opaque;

	c->signal = signal;
	c->vector = vector;
	c->signals++;
}

static void send(void *opaque, const struct apic_message *msg)
{
	apic_bus_send(&m.bus, opaque ? &((struct core *)opaque)->apic : NULL, msg);
}

static void eoi(void *opaque, uint8_t vector)
{
	(void)opaque;
	ioapic_eoi(&m.io, vector);
}

static uint8_t acknowledge(void *opaque)
{
	(void)opaque;
	return m.pic_vector;
}

/* Three cores with IDs 0 to 2, enabled. */
static struct lapic *fresh(void)
{
	memset(&m, 0, sizeof(m));
	m.now = 1000;
	for (unsigned i = 0; i < 3; i++) {
		struct core *c = &m.core[i];

		lapic_init(&c->apic,
			   &(struct lapic_env){ c, now_ns, tsc, set_intr, signal, send, eoi,
						acknowledge },
			   i, i == 0, TSC_HZ);
		m.bus.core[i] = &c->apic;
		WR(lapic_access, &c->apic, SVR, 4, 0x1ff);
	}
	ioapic_init(&m.io, &(struct ioapic_env){ NULL, send }, 3);
	return &m.core[0].apic;
}

static uint32_t rd(struct lapic *l, uint32_t reg)
{
	return (uint32_t)RD(lapic_access, l, reg, 4);
}

static void wr(struct lapic *l, uint32_t reg, uint32_t value)
{
	WR(lapic_access, l, reg, 4, value);
}

static void io_write(uint8_t reg, uint32_t value)
{
	WR(ioapic_access, &m.io, 0, 4, reg);
	WR(ioapic_access, &m.io, 0x10, 4, value);
}

static uint32_t io_read(uint8_t reg)
{
	WR(ioapic_access, &m.io, 0, 4, reg);
	return (uint32_t)RD(ioapic_access, &m.io, 0x10, 4);
}

static void io_route(unsigned pin, uint32_t low, uint32_t high)
{
	io_write((uint8_t)(0x11 + 2 * pin), high);
	io_write((uint8_t)(0x10 + 2 * pin), low);
}

static void test_registers(void **state)
{
	static const struct {
		uint32_t reg, reset, ones;
	} map[] = {
		{ ID, 0, 0 },
		{ VERSION, 0x01050014, 0x01050014 },
		{ TPR, 0, 0xff },
		{ PPR, 0, 0 },
		{ LDR, 0, 0xff000000 },
		{ DFR, 0xffffffff, 0xffffffff },
		{ SVR, 0xff, 0x11ff },
		{ ISR, 0, 0 },
		{ TMR + 0x70, 0, 0 },
		{ IRR, 0, 0 },
		{ ESR, 0, 0 },
		{ ICR_HIGH, 0, 0xff000000 },
		{ LVT_TIMER, 0x10000, 0x700ff },
		{ LVT_LINT0, 0x10000, 0x1a7ff },
		{ LVT_ERROR, 0x10000, 0x100ff },
		{ INITIAL, 0, 0 }, /* with the timer in mode 0 it runs: see below */
		{ DIVIDE, 0, 0xb },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		struct lapic *l = fresh();

		lapic_reset(l);
		assert_int_equal(rd(l, map[i].reg), map[i].reset);
		if (map[i].reg == INITIAL)
			continue;
		wr(l, map[i].reg, UINT32_MAX);
		assert_int_equal(rd(l, map[i].reg), map[i].ones);
	}
}

static void test_priority(void **state)
{
	struct lapic *l = fresh();

	(void)state;
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	assert_int_equal(lapic_acknowledge(l), 0xff); /* spurious, and not in service */
	assert_int_equal(rd(l, ISR + 0x70), 0);
	wr(l, ICR, 0x40041); /* to itself */
	wr(l, ICR, 0x40052);
	assert_int_equal(rd(l, IRR + 0x20), 1u << 1 | 1u << 18);
	assert_true(m.core[0].intr);
	assert_int_equal(lapic_acknowledge(l), 0x52);
	assert_false(m.core[0].intr);
	assert_int_equal(rd(l, PPR), 0x50);
	wr(l, ICR, 0x40053); /* the same class waits */
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	wr(l, ICR, 0x40061);
	assert_int_equal(lapic_acknowledge(l), 0x61);
	wr(l, EOI, 0);
	assert_int_equal(rd(l, ISR + 0x20), 1u << 18);
	wr(l, EOI, 0);
	assert_int_equal(lapic_acknowledge(l), 0x53);
	wr(l, EOI, 0);
	wr(l, TPR, 0x41);
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	assert_int_equal(lapic_cr8(l), 4);
	lapic_set_cr8(l, 3);
	assert_int_equal(rd(l, TPR), 0x30);
	assert_int_equal(lapic_acknowledge(l), 0x41);
	/* Disabled by software it takes none, but keeps what it has. */
	wr(l, ICR, 0x40070);
	wr(l, SVR, 0xff);
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	wr(l, ICR, 0x40080);
	wr(l, SVR, 0x1ff);
	assert_int_equal(lapic_acknowledge(l), 0x70);
	wr(l, EOI, 0);
	wr(l, EOI, 0);
	wr(l, EOI, 0); /* one too many */
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
}

static unsigned arrived(unsigned vector)
{
	unsigned cores = 0;

	for (unsigned i = 0; i < 3; i++)
		if (m.core[i].apic.irr.word[vector / 32] >> vector % 32 & 1)
			cores |= 1u << i;
	return cores;
}

static void test_destinations(void **state)
{
	struct lapic *l = fresh();

	(void)state;
	wr(l, ICR_HIGH, 2u << 24);
	wr(l, ICR, 0x30);
	assert_int_equal(arrived(0x30), 4);
	wr(l, ICR_HIGH, 0xffu << 24);
	wr(l, ICR, 0x31);
	assert_int_equal(arrived(0x31), 7);
	wr(l, ICR, 0x80032); /* all */
	assert_int_equal(arrived(0x32), 7);
	wr(l, ICR, 0xc0033); /* all others */
	assert_int_equal(arrived(0x33), 6);
	/* Flat. */
	for (unsigned i = 0; i < 3; i++)
		WR(lapic_access, &m.core[i].apic, LDR, 4, 1u << (24 + i));
	wr(l, ICR_HIGH, 5u << 24);
	wr(l, ICR, 0x834);
	assert_int_equal(arrived(0x34), 5);
	/* Lowest priority: core 2 of 1 and 2. */
	WR(lapic_access, &m.core[1].apic, TPR, 4, 0x20);
	wr(l, ICR_HIGH, 6u << 24);
	wr(l, ICR, 0x935);
	assert_int_equal(arrived(0x35), 4);
	/* Clusters 0x1 (0, 1) and 0x2 (2). */
	for (unsigned i = 0; i < 3; i++) {
		WR(lapic_access, &m.core[i].apic, DFR, 4, 0);
		WR(lapic_access, &m.core[i].apic, LDR, 4, (i < 2 ? 0x11u << i : 0x21u) << 24);
	}
	WR(lapic_access, &m.core[1].apic, LDR, 4, 0x12u << 24);
	wr(l, ICR_HIGH, 0x13u << 24);
	wr(l, ICR, 0x836);
	assert_int_equal(arrived(0x36), 3);
	wr(l, ICR_HIGH, 0xf1u << 24);
	wr(l, ICR, 0x837);
	assert_int_equal(arrived(0x37), 5);
}

static void test_startup(void **state)
{
	struct lapic *l = fresh();
	struct core *ap = &m.core[1];

	(void)state;
	wr(l, ICR_HIGH, 1u << 24);
	WR(lapic_access, &ap->apic, TPR, 4, 0x20);
	wr(l, ICR, 0xc500); /* INIT, asserted */
	assert_int_equal(ap->signal, LAPIC_INIT);
	assert_int_equal(rd(&ap->apic, TPR), 0);
	assert_int_equal(rd(&ap->apic, SVR), 0xff);
	assert_int_equal(rd(&ap->apic, ID), 1u << 24);
	wr(l, ICR, 0x8500); /* and let go: nobody minds */
	assert_int_equal(ap->signals, 1);
	wr(l, ICR, 0x69f);
	assert_int_equal(ap->signal, LAPIC_STARTUP);
	assert_int_equal(ap->vector, 0x9f);
	wr(l, ICR, 0x400);
	assert_int_equal(ap->signal, LAPIC_NMI);
	assert_int_equal(ap->signals, 3);
	/* INIT to oneself by shorthand is not valid. */
	wr(l, ICR, 0x44500);
	wr(l, ICR, 0x84500);
	assert_int_equal(m.core[0].signals, 0);
}

static void test_errors(void **state)
{
	struct lapic *l = fresh();
	struct mmio odd = { .offset = 0x3c0, .size = 4 }, byte = { .offset = TPR, .size = 1 };

	(void)state;
	wr(l, LVT_ERROR, 0xfe);
	wr(l, ICR, 0x4000f);             /* vector below 16 */
	assert_int_equal(rd(l, ESR), 0); /* not before it is written */
	wr(l, ESR, 0);
	assert_int_equal(rd(l, ESR), 0x20);
	assert_int_equal(lapic_acknowledge(l), 0xfe);
	wr(l, EOI, 0);
	send(NULL, &(struct apic_message){ .destination = 0, .vector = 3 });
	assert_int_equal(lapic_access(l, &odd), MMIO_IGNORED);
	assert_int_equal(lapic_access(l, &byte), MMIO_IGNORED);
	wr(l, ESR, 0);
	assert_int_equal(rd(l, ESR), 0xc0);
	wr(l, ESR, 0);
	assert_int_equal(rd(l, ESR), 0);
	/* An error interrupt with an illegal vector is no further one. */
	wr(l, LVT_ERROR, 1);
	lapic_acknowledge(l);
	wr(l, ICR, 0x40001);
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
}

static void test_lint(void **state)
{
	struct lapic *l = fresh();

	(void)state;
	lapic_set_lint(l, 0, true);
	assert_int_equal(lapic_request(l), LAPIC_NOTHING); /* masked */
	lapic_virtual_wire(l);
	m.pic_vector = 0x21;
	assert_int_equal(lapic_request(l), LAPIC_EXTINT);
	assert_true(m.core[0].intr);
	assert_int_equal(lapic_acknowledge(l), 0x21);
	lapic_set_lint(l, 0, false);
	assert_false(m.core[0].intr);
	lapic_set_lint(l, 1, true);
	assert_int_equal(m.core[0].signal, LAPIC_NMI);
	/* A vector of its own comes first. */
	lapic_set_lint(l, 0, true);
	wr(l, ICR, 0x40041);
	assert_int_equal(lapic_acknowledge(l), 0x41);
	assert_int_equal(lapic_acknowledge(l), 0x21);
	lapic_set_lint(l, 0, false);
	wr(l, EOI, 0);
	/* By level, with a vector: again until the line falls. */
	wr(l, LVT_LINT0, 0x8045);
	lapic_set_lint(l, 0, true);
	assert_int_equal(rd(l, LVT_LINT0), 0xc045);
	assert_int_equal(lapic_acknowledge(l), 0x45);
	wr(l, EOI, 0);
	assert_int_equal(lapic_acknowledge(l), 0x45);
	lapic_set_lint(l, 0, false);
	wr(l, EOI, 0);
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	assert_int_equal(rd(l, LVT_LINT0), 0x8045);
	/* Without an APIC the pin is the core's own. */
	assert_true(lapic_msr_write(l, LAPIC_MSR_BASE, 0xfee00100));
	lapic_set_lint(l, 0, true);
	assert_int_equal(lapic_request(l), LAPIC_EXTINT);
	assert_int_equal(lapic_acknowledge(l), 0x21);
}

/* To `ns`, with each deadline kept; how often the vector came. */
static unsigned run(struct lapic *l, uint64_t ns, unsigned vector)
{
	unsigned n = 0;

	while (lapic_deadline(l) <= ns) {
		m.now = lapic_deadline(l);
		lapic_expired(l);
		assert_true(lapic_deadline(l) > m.now);
		if (lapic_request(l) != LAPIC_VECTOR)
			continue;
		assert_int_equal(lapic_acknowledge(l), vector);
		wr(l, EOI, 0);
		n++;
	}
	m.now = ns;
	return n;
}

static void test_timer(void **state)
{
	static const unsigned dividers[] = { 2, 4, 8, 16, 32, 64, 128, 1 };
	struct lapic *l = fresh();

	(void)state;
	wr(l, LVT_TIMER, 0x40); /* one-shot */
	for (unsigned i = 0; i < 8; i++) {
		wr(l, DIVIDE, (i & 3) | (i & 4) << 1);
		wr(l, INITIAL, 1000);
		m.now += 250ull * dividers[i];
		assert_int_equal(rd(l, CURRENT), 750);
		assert_int_equal(run(l, m.now + 750ull * dividers[i] - 1, 0x40), 0);
		assert_int_equal(run(l, m.now + 1, 0x40), 1);
		assert_int_equal(rd(l, CURRENT), 0);
		assert_int_equal(lapic_deadline(l), NEVER);
	}
	wr(l, LVT_TIMER, 0x20041);
	wr(l, INITIAL, 1000); /* by 1 */
	assert_int_equal(run(l, m.now + 10000, 0x41), 10);
	/* A changed divider goes on from where it stands. */
	m.now += 400;
	wr(l, DIVIDE, 0);
	assert_int_equal(rd(l, CURRENT), 600);
	assert_int_equal(run(l, m.now + 1199, 0x41), 0);
	assert_int_equal(run(l, m.now + 1, 0x41), 1);
	assert_int_equal(run(l, m.now + 4000, 0x41), 2);
	/* Masked it goes on counting, unheard. */
	wr(l, LVT_TIMER, 0x30041);
	assert_int_equal(lapic_deadline(l), NEVER);
	m.now += 500;
	assert_int_equal(rd(l, CURRENT), 750);
	m.now += 2000;
	wr(l, LVT_TIMER, 0x20041);
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	wr(l, INITIAL, 0); /* stops */
	assert_int_equal(run(l, m.now + 100000, 0x41), 0);
}

static void test_tsc_deadline(void **state)
{
	struct lapic *l = fresh();
	uint64_t value;

	(void)state;
	assert_true(lapic_msr_write(l, LAPIC_MSR_TSC_DEADLINE, 5000)); /* not in this mode */
	assert_true(lapic_msr_read(l, LAPIC_MSR_TSC_DEADLINE, &value));
	assert_int_equal(value, 0);
	wr(l, LVT_TIMER, 0x40050);
	wr(l, INITIAL, 1000);
	assert_int_equal(rd(l, INITIAL), 0);
	assert_int_equal(lapic_deadline(l), NEVER);
	assert_true(lapic_msr_write(l, LAPIC_MSR_TSC_DEADLINE, tsc(NULL) + 2400));
	assert_int_equal(run(l, m.now + 999, 0x50), 0);
	/* Asked in the middle of a count, it may be a nanosecond late. */
	assert_int_equal(run(l, m.now + 2, 0x50), 1);
	assert_true(lapic_msr_read(l, LAPIC_MSR_TSC_DEADLINE, &value));
	assert_int_equal(value, 0);
	assert_true(lapic_msr_write(l, LAPIC_MSR_TSC_DEADLINE, 1)); /* past: at once */
	assert_int_equal(lapic_acknowledge(l), 0x50);
	wr(l, EOI, 0);
	assert_true(lapic_msr_write(l, LAPIC_MSR_TSC_DEADLINE, UINT64_MAX));
	assert_int_equal(run(l, m.now + 1000000000, 0x50), 0);
	assert_true(lapic_msr_write(l, LAPIC_MSR_TSC_DEADLINE, tsc(NULL) + 2400));
	wr(l, LVT_TIMER, 0x50); /* another mode disarms */
	assert_int_equal(lapic_deadline(l), NEVER);
}

static bool x2(struct lapic *l, uint32_t reg, uint64_t value)
{
	return lapic_msr_write(l, LAPIC_MSR_FIRST + reg / 16, value);
}

static void test_x2apic(void **state)
{
	struct lapic *l = fresh();
	uint64_t value;

	(void)state;
	assert_int_equal(lapic_frame(l), 0xfee00000);
	assert_false(x2(l, TPR, 0x20)); /* not in xAPIC mode */
	assert_false(lapic_msr_write(l, LAPIC_MSR_BASE, 0xfee00400));
	assert_false(lapic_msr_write(l, LAPIC_MSR_BASE, 0xfee00801));
	for (unsigned i = 0; i < 3; i++)
		assert_true(lapic_msr_write(&m.core[i].apic, LAPIC_MSR_BASE, 0xfee00c00));
	assert_true(lapic_msr_read(l, LAPIC_MSR_BASE, &value));
	assert_int_equal(value, 0xfee00d00); /* BSP is not the guest's to write */
	assert_int_equal(lapic_frame(l), NEVER);
	assert_true(x2(l, TPR, 0x20));
	assert_false(x2(l, TPR, 0x100));
	assert_false(x2(l, ID, 1));
	assert_false(x2(l, LDR, 1));
	assert_false(x2(l, DFR, 0));
	assert_false(x2(l, ICR_HIGH, 0));
	assert_false(x2(l, EOI, 1));
	assert_false(x2(l, ESR, 1));
	assert_false(x2(l, SVR, 0x200));
	assert_false(x2(l, LVT_TIMER, 0x800));
	assert_true(x2(l, LVT_TIMER, 0x40030));
	assert_false(lapic_msr_read(l, LAPIC_MSR_FIRST + EOI / 16, &value));
	assert_false(lapic_msr_read(l, LAPIC_MSR_FIRST + DFR / 16, &value));
	assert_true(lapic_msr_read(&m.core[2].apic, LAPIC_MSR_FIRST + ID / 16, &value));
	assert_int_equal(value, 2);
	assert_true(lapic_msr_read(&m.core[2].apic, LAPIC_MSR_FIRST + LDR / 16, &value));
	assert_int_equal(value, 4);
	assert_true(x2(l, TPR, 0));
	assert_true(x2(l, 0x3f0, 0x44)); /* self IPI */
	assert_false(x2(l, 0x3f0, 0x144));
	assert_int_equal(lapic_acknowledge(l), 0x44);
	assert_true(x2(l, EOI, 0));
	assert_true(x2(l, ICR, 2ull << 32 | 0x45));
	assert_int_equal(arrived(0x45), 4);
	assert_true(x2(l, ICR, 6ull << 32 | 0x846)); /* logical */
	assert_int_equal(arrived(0x46), 6);
	assert_true(x2(l, ICR, 0xffffffffull << 32 | 0x47));
	assert_int_equal(arrived(0x47), 7);
	assert_true(lapic_msr_read(l, LAPIC_MSR_FIRST + ICR / 16, &value));
	assert_int_equal(value, 0xffffffffull << 32 | 0x47);
	/* A message of eight bits for all. */
	send(NULL, &(struct apic_message){ .destination = APIC_BROADCAST, .vector = 0x48 });
	assert_int_equal(arrived(0x48), 7);
	/* Back only through disabled, and then all is reset. */
	assert_false(lapic_msr_write(l, LAPIC_MSR_BASE, 0xfee00800));
	assert_true(lapic_msr_write(l, LAPIC_MSR_BASE, 0xfee00000));
	assert_false(lapic_msr_write(l, LAPIC_MSR_BASE, 0xfee00c00));
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	assert_true(lapic_msr_write(l, LAPIC_MSR_BASE, 0xd0000800));
	assert_int_equal(lapic_frame(l), 0xd0000000);
	assert_int_equal(rd(l, SVR), 0xff);
	assert_int_equal(rd(l, LDR), 0);
}

static void test_ioapic_registers(void **state)
{
	(void)state;
	fresh();
	assert_int_equal(io_read(0), 3u << 24);
	io_write(0, 0xff000000);
	assert_int_equal(io_read(0), 0x0f000000);
	assert_int_equal(io_read(1), 0x00170020);
	assert_int_equal(io_read(2), 0x0f000000);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		assert_int_equal(io_read((uint8_t)(0x10 + 2 * pin)), 0x10000);
		io_write((uint8_t)(0x10 + 2 * pin), UINT32_MAX);
		io_write((uint8_t)(0x11 + 2 * pin), UINT32_MAX);
		assert_int_equal(io_read((uint8_t)(0x10 + 2 * pin)), 0x1afff);
		assert_int_equal(io_read((uint8_t)(0x11 + 2 * pin)), 0xff000000);
	}
	assert_int_equal(io_read(0x40), 0);
	assert_int_equal(io_read(0xff), 0);
}

static void test_ioapic_edge(void **state)
{
	struct lapic *l = fresh();

	(void)state;
	ioapic_set_line(&m.io, 4, true); /* masked: lost */
	io_route(4, 0x31, 0);
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	ioapic_set_line(&m.io, 4, false);
	ioapic_set_line(&m.io, 4, true);
	ioapic_set_line(&m.io, 4, true); /* no edge */
	assert_int_equal(lapic_acknowledge(l), 0x31);
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	ioapic_set_line(&m.io, 4, false);
	ioapic_set_line(&m.io, 4, true); /* while it is in service: again after it */
	wr(l, EOI, 0);
	assert_int_equal(lapic_acknowledge(l), 0x31);
	assert_int_equal(rd(l, TMR + 0x10), 0);
	wr(l, EOI, 0);
	/* NMI and ExtINT by a pin. */
	io_route(5, 0x400, 1u << 24);
	ioapic_set_line(&m.io, 5, true);
	assert_int_equal(m.core[1].signal, LAPIC_NMI);
	ioapic_set_line(&m.io, 5, false);
	io_route(5, 0x8400, 1u << 24); /* that is an edge, whatever the trigger mode says */
	assert_int_equal(m.core[1].signals, 1);
	ioapic_set_line(&m.io, 5, true);
	assert_int_equal(m.core[1].signals, 2);
	assert_int_equal(io_read(0x1a), 0x8400);
	io_route(0, 0x700, 0);
	m.pic_vector = 0x77;
	ioapic_set_line(&m.io, 0, true);
	assert_int_equal(lapic_request(l), LAPIC_EXTINT);
	assert_int_equal(lapic_acknowledge(l), 0x77);
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	ioapic_set_line(&m.io, 99, true); /* no such pin */
}

static void test_ioapic_level(void **state)
{
	struct lapic *l = fresh();

	(void)state;
	ioapic_set_line(&m.io, 16, true);
	io_route(16, 0x8051, 0); /* up when it is unmasked: now */
	assert_int_equal(io_read(0x30), 0xc051);
	assert_int_equal(lapic_acknowledge(l), 0x51);
	assert_int_equal(rd(l, TMR + 0x20), 1u << 17);
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	wr(l, EOI, 0); /* reaches the I/O APIC: still up */
	assert_int_equal(lapic_acknowledge(l), 0x51);
	ioapic_set_line(&m.io, 16, false);
	wr(l, EOI, 0);
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	assert_int_equal(io_read(0x30), 0x8051);
	/* Directed EOI: by the register, not by broadcast. */
	wr(l, SVR, 0x11ff);
	ioapic_set_line(&m.io, 16, true);
	assert_int_equal(lapic_acknowledge(l), 0x51);
	wr(l, EOI, 0);
	assert_int_equal(lapic_request(l), LAPIC_NOTHING);
	WR(ioapic_access, &m.io, 0x40, 4, 0x51);
	assert_int_equal(lapic_acknowledge(l), 0x51);
	wr(l, EOI, 0);
	/* By hand: edge and back takes remote IRR away. */
	io_write(0x30, 0x10051);
	io_write(0x30, 0x8051);
	assert_int_equal(lapic_acknowledge(l), 0x51);
	wr(l, EOI, 0);
	ioapic_reset(&m.io);
	assert_int_equal(io_read(0x30), 0x10000);
}

static void test_msi(void **state)
{
	struct apic_message msg;

	(void)state;
	fresh();
	assert_false(apic_message_of_msi(0xfed00000, 0, &msg));
	assert_false(apic_message_of_msi(0x1fee00000, 0, &msg));
	assert_true(apic_message_of_msi(0xfee02000, 0x4061, &msg));
	assert_int_equal(apic_bus_send(&m.bus, NULL, &msg), 1);
	assert_int_equal(arrived(0x61), 4);
	assert_true(apic_message_of_msi(0xfeeff000, 0x62, &msg));
	assert_int_equal(apic_bus_send(&m.bus, NULL, &msg), 3);
	WR(lapic_access, &m.core[1].apic, LDR, 4, 1u << 25);
	assert_true(apic_message_of_msi(0xfee0200c, 0x163, &msg));
	assert_int_equal(apic_bus_send(&m.bus, NULL, &msg), 1);
	assert_int_equal(arrived(0x63), 2);
	assert_true(apic_message_of_msi(0xfee09000, 0x64, &msg));
	assert_int_equal(apic_bus_send(&m.bus, NULL, &msg), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_priority),
		cmocka_unit_test(test_destinations),
		cmocka_unit_test(test_startup),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_lint),
		cmocka_unit_test(test_timer),
		cmocka_unit_test(test_tsc_deadline),
		cmocka_unit_test(test_x2apic),
		cmocka_unit_test(test_ioapic_registers),
		cmocka_unit_test(test_ioapic_edge),
		cmocka_unit_test(test_ioapic_level),
		cmocka_unit_test(test_msi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
