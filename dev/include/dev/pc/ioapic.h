/*
 * I/O APIC: Intel 82093AA (290566) with the EOI register of version 0x20.
 *
 * Lines are levels of assertion: the polarity bit is kept and means nothing.
 * An edge at a masked pin is lost, as the data sheet says.
 */
#pragma once

#include <dev/mmio.h>
#include <dev/pc/apic.h>
#include <stdbool.h>
#include <stdint.h>

#define IOAPIC_FRAME_BYTES 0x1000u
#define IOAPIC_PINS 24u

struct ioapic_env {
	void *opaque;
	/* To the local APICs, as a rule by apic_bus_send(). */
	void (*send)(void *opaque, const struct apic_message *msg);
};

/* Private to the model; here so that the owner can embed it. */
struct ioapic {
	struct ioapic_env env;
	uint8_t id, select;
	uint32_t lines;
	uint64_t entry[IOAPIC_PINS]; /* redirection table */
};

/* Reset state, all masked; `env` is copied and not called. */
void ioapic_init(struct ioapic *io, const struct ioapic_env *env, uint8_t id);
/* Lines keep their levels. */
void ioapic_reset(struct ioapic *io);
enum mmio_outcome ioapic_access(struct ioapic *io, struct mmio *m);
void ioapic_set_line(struct ioapic *io, unsigned pin, bool level);
/* A local APIC's end of an interrupt that came by level. */
void ioapic_eoi(struct ioapic *io, uint8_t vector);
