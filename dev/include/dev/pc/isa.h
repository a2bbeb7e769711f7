/*
 * Devices of eight bits on the ISA bus: a wider access of a port is one of
 * each byte, the lowest first.
 */
#pragma once

#include <dev/mmio.h>

struct isa_class {
	uint8_t (*read)(void *device, unsigned port);
	void (*write)(void *device, unsigned port, uint8_t value);
};

/* The record's offset is a port of the device, from 0; always MMIO_HANDLED. */
static inline enum mmio_outcome isa_access(const struct isa_class *class, void *device,
					   struct mmio *m)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < m->size; i++) {
		unsigned port = (unsigned)m->offset + i;

		if (m->write)
			class->write(device, port, (uint8_t)(m->value >> 8 * i));
		else
			value |= (uint64_t) class->read(device, port) << 8 * i;
	}
	return m->write ? MMIO_HANDLED : mmio_done(m, value);
}
