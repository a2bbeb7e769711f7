/* Board `pc`: configuration by ports, ACPI's registers, fake ranges, and the
 * timers wired to both kinds of interrupt controllers. */
#include <dev/pc/acpi_pm.h>
#include <dev/pc/fake.h>
#include <dev/pc/hpet.h>
#include <dev/pc/lapic.h>
#include <dev/pc/pc_irq.h>
#include <dev/pc/pci_ports.h>
#include <dev/pc/pit.h>
#include <dev/pc/rtc.h>
#include <dev/pc/ticks.h>

#include "dev_pc.h"

/* --- PCI -------------------------------------------------------------------------------- */

static unsigned resets;

static void reset(void *opaque)
{
	(void)opaque;
	resets++;
}

static enum mmio_outcome bar_access(void *device, unsigned bar, struct mmio *m)
{
	(void)device;
	return mmio_done(m, bar);
}

static void test_pci(void **state)
{
	static const struct pci_class class = { .access = bar_access };
	static const struct pci_env env;
	static const struct pci_identity id = { .vendor = 0x1af4, .device = 0x1041 };
	struct pci_host host;
	struct pci_function f;
	struct pci_ports p;
	struct mmio beyond = { .offset = 6, .size = 4 };

	(void)state;
	resets = 0;
	pci_host_init(&host, 0xe0000000, 0xc000);
	pci_init(&f, &id, &class, NULL, &env);
	pci_add_bar(&f, 0, 0x20, true);
	pci_plug(&host, 3, &f);
	pci_ports_init(&p, &host, reset, NULL);
	assert_int_equal(RD(pci_ports_access, &p, 4, 4), UINT32_MAX); /* not enabled */
	WR(pci_ports_access, &p, 0, 4, 0xff001803);
	assert_int_equal(RD(pci_ports_access, &p, 0, 4), 0x80001800);
	assert_int_equal(RD(pci_ports_access, &p, 4, 4), 0x10411af4);
	assert_int_equal(RD(pci_ports_access, &p, 6, 2), 0x1041);
	assert_int_equal(RD(pci_ports_access, &p, 5, 1), 0x1a);
	assert_int_equal(pci_ports_access(&p, &beyond), MMIO_HANDLED);
	assert_int_equal(beyond.value, UINT32_MAX);
	WR(pci_ports_access, &p, 0, 4, 0x80001810);
	WR(pci_ports_access, &p, 4, 4, UINT32_MAX);
	assert_int_equal(RD(pci_ports_access, &p, 4, 4), 0xffffffe1);
	WR(pci_ports_access, &p, 4, 2, 0xc000);
	WR(pci_ports_access, &p, 0, 4, 0x80001804);
	WR(pci_ports_access, &p, 4, 1, 1);
	WR(pci_ports_access, &p, 0, 4, 0x80001810);
	assert_int_equal(RD(pci_ports_access, &p, 4, 4), 0xffffc001);
	/* Other devices, functions and buses. */
	WR(pci_ports_access, &p, 0, 4, 0x80002000);
	assert_int_equal(RD(pci_ports_access, &p, 4, 4), UINT32_MAX);
	WR(pci_ports_access, &p, 0, 4, 0x80001900);
	assert_int_equal(RD(pci_ports_access, &p, 4, 4), UINT32_MAX);
	WR(pci_ports_access, &p, 0, 4, 0x80011800);
	assert_int_equal(RD(pci_ports_access, &p, 4, 4), UINT32_MAX);
	/* 0xcf9: bit 1 chooses, bit 2 rising resets; the address stays. */
	WR(pci_ports_access, &p, 1, 1, 0x02);
	assert_int_equal(resets, 0);
	WR(pci_ports_access, &p, 1, 1, 0x06);
	WR(pci_ports_access, &p, 1, 1, 0x06);
	assert_int_equal(resets, 1);
	assert_int_equal(RD(pci_ports_access, &p, 1, 1), 0x06);
	assert_int_equal(RD(pci_ports_access, &p, 0, 4), 0x80011800);
}

static void test_fake(void **state)
{
	struct fake_range ones = { .fill = 0xff }, zeroes = { 0 };

	(void)state;
	assert_int_equal(RD(fake_access, &ones, 0x1234, 8), UINT64_MAX);
	assert_int_equal(RD(fake_access, &ones, 0x1234, 2), 0xffff);
	WR(fake_access, &ones, 0, 4, 0);
	assert_int_equal(RD(fake_access, &ones, 0, 1), 0xff);
	assert_int_equal(RD(fake_access, &zeroes, 0, 4), 0);
	assert_int_equal(ones.reads, 3);
	assert_int_equal(ones.writes, 1);
}

/* --- ACPI ------------------------------------------------------------------------------- */

static uint64_t now;
static bool sci;
static unsigned offs;

static uint64_t now_ns(void *opaque)
{
	(void)opaque;
	return now;
}

static void set_sci(void *opaque, unsigned line, bool level)
{
	(void)opaque;
	(void)line;
	assert_int_not_equal(sci, level);
	sci = level;
}

static void power_off(void *opaque)
{
	(void)opaque;
	offs++;
}

static void test_acpi(void **state)
{
	const struct acpi_pm_env env = { .timer = { NULL, now_ns, set_sci, NULL },
					 .power_off = power_off };
	struct acpi_pm a;

	(void)state;
	now = 0;
	sci = false;
	offs = 0;
	acpi_pm_init(&a, &env);
	assert_int_equal(RD(acpi_pm_access, &a, ACPI_PM_CONTROL, 2), 1);
	assert_int_equal(RD(acpi_pm_access, &a, ACPI_PM_TIMER, 4), 0);
	now = 1000000000;
	assert_int_equal(RD(acpi_pm_access, &a, ACPI_PM_TIMER, 4), 3579545);
	now = 5000000000;
	assert_int_equal(RD(acpi_pm_access, &a, ACPI_PM_TIMER, 4), 5 * 3579545 - (1 << 24));
	assert_int_equal(RD(acpi_pm_access, &a, 0, 2), 1); /* overflowed */
	assert_false(sci);
	WR(acpi_pm_access, &a, 2, 2, 0xffff);
	assert_int_equal(RD(acpi_pm_access, &a, 2, 2), 0x721);
	assert_true(sci);
	assert_int_equal(acpi_pm_deadline(&a), NEVER);
	WR(acpi_pm_access, &a, 0, 2, 0x0001);
	assert_false(sci);
	now = acpi_pm_deadline(&a);
	assert_int_equal(now, ticks_to_ns(3u << 23, ACPI_PM_HZ));
	acpi_pm_expired(&a);
	assert_true(sci);
	WR(acpi_pm_access, &a, 2, 2, 0x100);
	assert_false(sci);
	assert_int_equal(acpi_pm_deadline(&a), NEVER);
	acpi_pm_press_button(&a);
	assert_true(sci);
	assert_int_equal(RD(acpi_pm_access, &a, 0, 4), 0x01000101);
	WR(acpi_pm_access, &a, 0, 2, 0x100);
	assert_false(sci);
	/* Only S5 by its type and its enable bit. */
	WR(acpi_pm_access, &a, ACPI_PM_CONTROL, 2, ACPI_PM_S5 << 10);
	WR(acpi_pm_access, &a, ACPI_PM_CONTROL, 2, 1u << 13 | 1u << 10);
	assert_int_equal(offs, 0);
	WR(acpi_pm_access, &a, ACPI_PM_CONTROL, 2, 1u << 13 | ACPI_PM_S5 << 10);
	assert_int_equal(offs, 1);
	assert_int_equal(RD(acpi_pm_access, &a, ACPI_PM_CONTROL, 2), ACPI_PM_S5 << 10 | 1);
}

/* --- Timers and interrupt controllers --------------------------------------------------- */

enum { FROM_PIT,
       FROM_RTC,
       FROM_HPET,
       FROM_PCI_A,
       FROM_PCI_B };

static struct machine {
	struct i8259 pic;
	struct ioapic io;
	struct lapic apic;
	struct apic_bus bus;
	struct pc_irq irq;
	struct pit pit;
	struct rtc rtc;
	struct hpet hpet;
	bool intr;
} m;

static void pic_intr(void *opaque, bool level)
{
	(void)opaque;
	lapic_set_lint(&m.apic, 0, level);
}

static void apic_intr(void *opaque, bool level)
{
	(void)opaque;
	m.intr = level;
}

static void apic_signal(void *opaque, enum lapic_signal signal, uint8_t vector)
{
	(void)opaque;
	(void)signal;
	(void)vector;
}

static void send(void *opaque, const struct apic_message *msg)
{
	apic_bus_send(&m.bus, opaque, msg);
}

static void eoi(void *opaque, uint8_t vector)
{
	(void)opaque;
	ioapic_eoi(&m.io, vector);
}

static uint8_t acknowledge(void *opaque)
{
	(void)opaque;
	return i8259_acknowledge(&m.pic);
}

static void pit_irq(void *opaque, unsigned line, bool level)
{
	(void)opaque;
	pc_irq_set(&m.irq, pc_irq_of_isa(line), FROM_PIT, level);
}

static void rtc_irq(void *opaque, unsigned line, bool level)
{
	(void)opaque;
	(void)line;
	pc_irq_set(&m.irq, pc_irq_of_isa(8), FROM_RTC, level);
}

static void hpet_irq(void *opaque, unsigned timer, unsigned gsi, bool level)
{
	(void)opaque;
	pc_irq_set(&m.irq, gsi, FROM_HPET + timer * 8, level);
}

static void hpet_legacy(void *opaque, bool on)
{
	(void)opaque;
	pc_irq_cut(&m.irq, FROM_PIT, on);
	pc_irq_cut(&m.irq, FROM_RTC, on);
}

static void chip(unsigned chip_number, unsigned port, uint8_t value)
{
	struct mmio a = { .offset = port, .size = 1, .write = true, .value = value };

	i8259_access(&m.pic, chip_number, &a);
}

static void power_on(void)
{
	static const struct lapic_env apic_env = { &m.apic, now_ns, now_ns, apic_intr,
						   apic_signal, send, eoi, acknowledge };

	memset(&m, 0, sizeof(m));
	now = 1000;
	i8259_init(&m.pic, &(struct i8259_env){ NULL, pic_intr });
	ioapic_init(&m.io, &(struct ioapic_env){ NULL, send }, 1);
	lapic_init(&m.apic, &apic_env, 0, true, 1000000000);
	lapic_virtual_wire(&m.apic);
	m.bus.core[0] = &m.apic;
	pc_irq_init(&m.irq, &m.pic, &m.io);
	pit_init(&m.pit, &(struct timer_env){ NULL, now_ns, pit_irq, NULL });
	rtc_init(&m.rtc, &(struct timer_env){ NULL, now_ns, rtc_irq, NULL }, 0);
	hpet_init(&m.hpet, &(struct hpet_env){ NULL, now_ns, hpet_irq, hpet_legacy }, 0xff0104);
	for (unsigned i = 0; i < 2; i++) {
		chip(i, 0, 0x11);
		chip(i, 1, i ? 0x28 : 0x20);
		chip(i, 1, i ? 2 : 4);
		chip(i, 1, 1);
	}
}

static void pit_program(uint8_t control, uint16_t count)
{
	WR(pit_access, &m.pit, 3, 1, control);
	WR(pit_access, &m.pit, 0, 1, count & 0xff);
	WR(pit_access, &m.pit, 0, 1, count >> 8);
}

/* Until one is due: its vector; 0: none in a second. */
static unsigned wait(void)
{
	uint64_t end = now + 1000000000, next;

	while (!m.intr) {
		next = pit_deadline(&m.pit);
		if (rtc_deadline(&m.rtc) < next)
			next = rtc_deadline(&m.rtc);
		if (hpet_deadline(&m.hpet) < next)
			next = hpet_deadline(&m.hpet);
		if (next > end)
			return 0;
		now = next > now ? next : now;
		pit_expired(&m.pit);
		rtc_expired(&m.rtc);
		hpet_expired(&m.hpet);
	}
	return lapic_acknowledge(&m.apic);
}

/* A control word may raise the output, and that is a tick too. */
static void settle(void)
{
	while (m.intr) {
		lapic_acknowledge(&m.apic);
		chip(0, 0, 0x20);
		WR(lapic_access, &m.apic, 0xb0, 4, 0);
	}
}

/* As before an APIC driver: PIT, 8259, LINT0. */
static void test_pit_by_8259(void **state)
{
	uint64_t before;

	(void)state;
	power_on();
	pit_program(0x34, 11932); /* 100 Hz */
	if (m.intr) {             /* the output has risen with the control word */
		wait();
		chip(0, 0, 0x20);
	}
	before = now;
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(wait(), 0x20);
		chip(0, 0, 0x20);
	}
	assert_in_range(now - before, 500000000, 500012000);
	WR(rtc_access, &m.rtc, 0, 1, 0x0b);
	WR(rtc_access, &m.rtc, 1, 1, 0x42); /* 1,024 Hz */
	chip(0, 1, 1);
	assert_int_equal(wait(), 0x28);
}

/* And after: pin 2 of the I/O APIC; the 8259s masked. */
static void test_pit_by_ioapic(void **state)
{
	(void)state;
	power_on();
	chip(0, 1, 0xff);
	chip(1, 1, 0xff);
	WR(ioapic_access, &m.io, 0, 4, 0x14);
	WR(ioapic_access, &m.io, 0x10, 4, 0x30);
	pit_program(0x38, 1000); /* one-shot */
	settle();
	assert_int_equal(wait(), 0x30);
	WR(lapic_access, &m.apic, 0xb0, 4, 0);
	assert_int_equal(wait(), 0);
	pit_program(0x34, 1000);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(wait(), 0x30);
		WR(lapic_access, &m.apic, 0xb0, 4, 0);
	}
}

/* HPET takes lines 0 and 8 over; PIT and RTC are not heard meanwhile. */
static void test_legacy_replacement(void **state)
{
	uint32_t at;

	(void)state;
	power_on();
	pit_program(0x34, 1000);
	settle();
	WR(hpet_access, &m.hpet, 0x10, 4, 3);
	assert_int_equal(wait(), 0);
	WR(hpet_access, &m.hpet, 0x100, 4, 0x14c);
	at = (uint32_t)RD(hpet_access, &m.hpet, 0xf0, 4);
	WR(hpet_access, &m.hpet, 0x108, 4, at + 5000);
	WR(hpet_access, &m.hpet, 0x108, 4, 100000);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(wait(), 0x20);
		chip(0, 0, 0x20);
	}
	WR(hpet_access, &m.hpet, 0x10, 4, 0);
	settle();
	assert_int_equal(wait(), 0x20); /* PIT again */
}

/* How guests measure the APIC's timer: against channel 2 of the PIT, 10 ms. */
static void test_calibration(void **state)
{
	uint64_t counted;

	(void)state;
	power_on();
	WR(lapic_access, &m.apic, 0x320, 4, 0x10000);
	WR(lapic_access, &m.apic, 0x3e0, 4, 3); /* by 16 */
	WR(pit_port61_access, &m.pit, 0, 1, 1);
	WR(pit_access, &m.pit, 3, 1, 0xb0);
	WR(pit_access, &m.pit, 2, 1, (PIT_HZ / 100) & 0xff);
	WR(lapic_access, &m.apic, 0x380, 4, UINT32_MAX);
	WR(pit_access, &m.pit, 2, 1, (PIT_HZ / 100) >> 8);
	while (!(RD(pit_port61_access, &m.pit, 0, 1) & 0x20))
		now += 700; /* what an exit takes */
	counted = UINT32_MAX - RD(lapic_access, &m.apic, 0x390, 4);
	assert_in_range(counted, 624900, 625100);
	assert_false(m.intr);
}

static void test_shared_line(void **state)
{
	(void)state;
	power_on();
	WR(ioapic_access, &m.io, 0, 4, 0x30); /* pin 16 */
	WR(ioapic_access, &m.io, 0x10, 4, 0x8055);
	pc_irq_set(&m.irq, 16, FROM_PCI_A, true);
	pc_irq_set(&m.irq, 16, FROM_PCI_B, true);
	assert_int_equal(lapic_acknowledge(&m.apic), 0x55);
	pc_irq_set(&m.irq, 16, FROM_PCI_A, false);
	WR(lapic_access, &m.apic, 0xb0, 4, 0);
	assert_int_equal(lapic_acknowledge(&m.apic), 0x55); /* the other one */
	pc_irq_set(&m.irq, 16, FROM_PCI_B, false);
	WR(lapic_access, &m.apic, 0xb0, 4, 0);
	assert_false(m.intr);
	/* What there is not. */
	pc_irq_set(&m.irq, 24, FROM_PCI_A, true);
	pc_irq_set(&m.irq, 16, 32, true);
	pc_irq_cut(&m.irq, 32, true);
	pc_irq_set(&m.irq, 0, FROM_PCI_A, true);
	assert_false(m.intr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_fake),
		cmocka_unit_test(test_acpi),
		cmocka_unit_test(test_pit_by_8259),
		cmocka_unit_test(test_pit_by_ioapic),
		cmocka_unit_test(test_legacy_replacement),
		cmocka_unit_test(test_calibration),
		cmocka_unit_test(test_shared_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
