/* A hostile guest at two local APICs and an I/O APIC. */
#include <dev/pc/ioapic.h>
#include <dev/pc/lapic.h>

#include "pc_fuzz.h"

static struct lapic core[2];
static struct apic_bus bus;
static struct ioapic io;

static void send(void *opaque, const struct apic_message *msg)
{
	apic_bus_send(&bus, opaque, msg);
}

static void set_intr(void *opaque, bool level)
{
	hear(opaque == &core[1], level);
}

static void hear_signal(void *opaque, enum lapic_signal signal, uint8_t vector)
{
	(void)opaque;
	if (signal != LAPIC_STARTUP && vector != 0)
		abort();
}

static void eoi(void *opaque, uint8_t vector)
{
	(void)opaque;
	ioapic_eoi(&io, vector);
}

static uint8_t acknowledge(void *opaque)
{
	(void)opaque;
	return 0x20;
}

void device_start(void)
{
	for (unsigned i = 0; i < 2; i++) {
		struct lapic_env env = { &core[i], now_ns, now_ns, set_intr,
					 hear_signal, send, eoi, acknowledge };

		lapic_init(&core[i], &env, i, i == 0, 1000000000);
		bus.core[i] = &core[i];
	}
	lapic_virtual_wire(&core[0]);
	ioapic_init(&io, &(struct ioapic_env){ NULL, send }, 2);
}

enum mmio_outcome device_access(unsigned which, struct mmio *m)
{
	uint64_t value;

	switch (which) {
	case 0:
	case 1: m->offset = (m->offset & 0x3f) << 4; return lapic_access(&core[which], m);
	case 2:
		m->offset &= 0x50;
		return ioapic_access(&io, m);
	case 3:
		if (m->write)
			lapic_msr_write(&core[0], LAPIC_MSR_BASE,
					0xfee00000 | (m->offset & 0x1c) << 8);
		break;
	case 4: lapic_msr_write(&core[0], LAPIC_MSR_TSC_DEADLINE, m->value); break;
	default:
		if (m->write)
			lapic_msr_write(&core[0], LAPIC_MSR_FIRST + (uint32_t)(m->offset & 0x3f),
					m->value);
		else
			lapic_msr_read(&core[0], LAPIC_MSR_FIRST + (uint32_t)(m->offset & 0xff),
				       &value);
	}
	return m->write ? MMIO_HANDLED : mmio_done(m, 0);
}

void device_act(const uint8_t *b)
{
	struct lapic *l = &core[b[1] & 1];
	struct apic_message msg;
	uint64_t due = lapic_deadline(l);

	switch (b[1] >> 1 & 7) {
	case 0: ioapic_set_line(&io, b[2] & 31, b[3] & 1); break;
	case 1: lapic_set_lint(l, b[2] & 3, b[3] & 1); break;
	case 2: lapic_acknowledge(l); break;
	case 3: lapic_set_cr8(l, b[2]); break;
	case 4:
		if (apic_message_of_msi(0xfee00000u | (uint32_t)b[2] << 12 | (b[3] & 4),
					(uint32_t)b[3] << 8 | b[2], &msg))
			apic_bus_send(&bus, NULL, &msg);
		break;
	default:
		lapic_expired(l);
		keep(due, lapic_deadline(l));
	}
}

void device_check(void)
{
	for (unsigned i = 0; i < 2; i++)
		if (line[i] != (lapic_request(&core[i]) != LAPIC_NOTHING))
			abort();
}
