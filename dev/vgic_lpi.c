/*
 * LPIs (IHI 0069H chapter 5): interrupts from n_irqs on, edge-triggered and of
 * group 1. What the guest's tables say of one, an ITS passes on; the pending
 * tables of the redistributors are not used, since nothing is pending when LPIs
 * are switched on, and all of it is forgotten with the VM.
 */
#include "vgic_internal.h"

#define PROPBASER_ADDRESS 0x000ffffffffff000ull
#define PROPBASER_ID_BITS 0x1full /* less one */
#define CONFIG_ENABLED (1u << 0)
#define CONFIG_PRIORITY 0xfcu

unsigned vgic_lpi(const struct vgic *g, uint32_t intid)
{
	uint32_t i = intid - VGIC_FIRST_LPI;

	return i < g->config.n_lpis ? g->config.n_irqs + i : 0;
}

uint64_t vgic_lpi_config_address(const struct vgic *g, unsigned lpi)
{
	uint32_t intid = vgic_intid(g, lpi);
	uint64_t bits = (g->prop_base & PROPBASER_ID_BITS) + 1u;

	return (uint64_t)intid >> bits == 0
		       ? (g->prop_base & PROPBASER_ADDRESS) + (intid - VGIC_FIRST_LPI)
		       : UINT64_MAX;
}

/* Of one interrupt of a shared block. */
static struct vgic_edit edit(struct vgic *g, unsigned lpi)
{
	return vgic_edit_begin(g, 0, lpi / 32u, 1u << lpi % 32u);
}

void vgic_lpi_configure(struct vgic *g, unsigned lpi, uint8_t config)
{
	struct vgic_block *b = vgic_block(g, 0, lpi / 32u);
	struct vgic_edit e = edit(g, lpi);

	b->priority[lpi % 32u] = config & CONFIG_PRIORITY & VGIC_PRIORITY_MASK;
	vgic_set_bit(&b->enabled, 1u << lpi % 32u, (config & CONFIG_ENABLED) != 0);
	vgic_edit_end(g, &e);
}

void vgic_lpi_route(struct vgic *g, unsigned lpi, unsigned vcpu)
{
	struct vgic_edit e = edit(g, lpi);

	g->spi_router[lpi - VGIC_PRIVATE_IRQS] = vcpu;
	vgic_reroute(g, lpi);
	vgic_edit_end(g, &e);
}

void vgic_lpi_set_pending(struct vgic *g, unsigned lpi, bool pending)
{
	struct vgic_edit e = edit(g, lpi);

	vgic_set_bit(&vgic_block(g, 0, lpi / 32u)->latch, 1u << lpi % 32u, pending);
	vgic_edit_end(g, &e);
}
