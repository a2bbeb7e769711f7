#include <dev/gicv2m.h>

#define TYPER 0x008u
#define IIDR 0xfccu

uint32_t gicv2m_interrupt(const struct gicv2m *g, uint64_t offset, uint32_t data)
{
	return offset == GICV2M_SETSPI && data - g->base < g->n ? data : 0;
}

enum mmio_outcome gicv2m_access(struct gicv2m *g, struct mmio *m)
{
	uint32_t irq;

	if (m->size > 4)
		return mmio_ignore(m, "access size");
	if (!m->write) {
		switch (m->offset) {
		case TYPER: return mmio_done(m, g->base << 16 | g->n);
		case IIDR: return mmio_done(m, 0);
		default: return mmio_ignore(m, "no such register");
		}
	}
	irq = gicv2m_interrupt(g, m->offset, (uint32_t)(m->value & mmio_mask(m)));
	if (irq == 0)
		return mmio_ignore(m, "no such register, or no interrupt of the frame");
	g->pulse(g->opaque, irq);
	return MMIO_HANDLED;
}
