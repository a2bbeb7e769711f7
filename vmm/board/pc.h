/*
 * Board `pc`: which device model is at which port and address, and how their
 * interrupts are wired (dev/pc/README.md). All under the VM's lock.
 */
#pragma once

#include "../bus.h"

#include <dev/mmio.h>
#include <dev/pc/acpi_pm.h>
#include <dev/pc/fake.h>
#include <dev/pc/hpet.h>
#include <dev/pc/i8042.h>
#include <dev/pc/lapic.h>
#include <dev/pc/pc_irq.h>
#include <dev/pc/pci_ports.h>
#include <dev/pc/pit.h>
#include <dev/pc/rtc.h>
#include <dev/pc/uart16550.h>
#include <stdbool.h>
#include <stdint.h>

struct vm;
struct acpi_config;
struct board;

extern const struct board board_pc;

struct pc {
	uint32_t timers; /* enum sysdesc_timer */
	struct i8259 pic;
	struct ioapic ioapic;
	struct lapic lapic;
	struct apic_bus bus;
	struct pc_irq irq;
	struct pit pit;
	struct hpet hpet;
	struct rtc rtc;
	struct uart16550 com1;
	struct i8042 keyboard;
	struct pci_host host;
	struct pci_ports pci;
	struct acpi_pm pm;
	struct fake_range nothing;
	struct bus_region hole;
	bool touched;        /* a device with a deadline was: pc_arm */
	bool nmi;            /* one has come, and goes with the next entry */
	uint64_t armed_ns;   /* for when the time server was asked; TICKS_NEVER: not */
	uint64_t tsc_offset; /* of the guest's, but for pauses */
};

/* Makes the devices that the VM has. NULL, or why not. */
const char *pc_init(struct vm *vm);
/* What ACPI tells the guest of them. */
void pc_describe(const struct vm *vm, struct acpi_config *config);
/* Which device is at an address where there may be one: what nobody has there reads as all
 * ones. NULL: there can be none. */
const struct bus_region *pc_device(struct vm *vm, uint64_t gpa);
/* The I/O APIC's pin, and ISA line, of an interrupt that board_pc numbers. */
unsigned pc_wire_gsi(uint32_t wire);
/* An access of a port: what nobody has reads as all ones. m->reason, NULL before, says why one
 * was ignored. */
void pc_port(struct vm *vm, uint16_t port, struct mmio *m);
/* The guest's time-stamp counter. */
uint64_t pc_tsc(const struct vm *vm);
/* Whether the guest is to be interrupted; by which vector, which is taken now. */
bool pc_irq_due(const struct vm *vm);
uint8_t pc_irq_take(struct vm *vm);
/* The vector that would be taken; 0: that is not known before. */
uint8_t pc_irq_vector(const struct vm *vm);
/* Behind an exit that touched one: asks for the next time that a device needs. */
void pc_arm(struct vm *vm);
/* The event thread has been told of it. */
void pc_expired(struct vm *vm);
