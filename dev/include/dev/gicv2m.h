/*
 * GICv2m's frame for message-signalled interrupts (Arm Server Base System
 * Architecture, appendix E): a write of an SPI's number makes it pending.
 */
#pragma once

#include <dev/mmio.h>
#include <stdint.h>

#define GICV2M_BYTES 0x1000u
#define GICV2M_SETSPI 0x040u

struct gicv2m {
	uint32_t base, n; /* SPIs, by interrupt number */
	void *opaque;
	void (*pulse)(void *opaque, uint32_t irq);
};

/* Never MMIO_FAULT. */
enum mmio_outcome gicv2m_access(struct gicv2m *g, struct mmio *m);
/* The interrupt that a message of `data` to `offset` of the frame makes
 * pending; 0: none. */
uint32_t gicv2m_interrupt(const struct gicv2m *g, uint64_t offset, uint32_t data);
