/*
 * The PC's interrupt wiring: sixteen ISA lines that go to both kinds of
 * controllers, and the I/O APIC's other pins. Lines are named by the I/O
 * APIC's pin ("GSI" of ACPI); ISA line 0 is pin 2 (and IR0). Several sources
 * may share a line, which is up while one of them holds it.
 */
#pragma once

#include <dev/pc/i8259.h>
#include <dev/pc/ioapic.h>
#include <stdbool.h>
#include <stdint.h>

#define PC_IRQ_SOURCES 32u

struct pc_irq {
	struct i8259 *pic;          /* NULL: there is none */
	struct ioapic *ioapic;      /* NULL: there is none */
	uint32_t held[IOAPIC_PINS]; /* by which sources, a bit each */
	uint32_t cut;               /* sources that do not get through */
};

/* The pin of an ISA line, 0 to 15. */
unsigned pc_irq_of_isa(unsigned line);
void pc_irq_init(struct pc_irq *r, struct i8259 *pic, struct ioapic *ioapic);
/* What does not exist is nothing. */
void pc_irq_set(struct pc_irq *r, unsigned gsi, unsigned source, bool level);
/* Cuts a source off, or joins it on: HPET's legacy replacement takes the lines
 * of PIT and RTC. It keeps its level meanwhile. */
void pc_irq_cut(struct pc_irq *r, unsigned source, bool cut);
