#include <dev/pc/pci_ports.h>

#define DATA 4u /* CONFIG_DATA */
#define ENABLE (1u << 31)
#define ADDRESS_WRITABLE 0x80fffffcu
#define RESET_CPU (1u << 2)
#define RESET_WRITABLE 0x0eu

/* Bus, device, function and register stand in the address in ECAM's order. */
static uint64_t ecam_offset(uint32_t address)
{
	return (uint64_t)(address & 0x00ffff00u) << 4 | (address & 0xfcu);
}

static enum mmio_outcome reset_control(struct pci_ports *p, struct mmio *m)
{
	uint8_t was = p->control;

	if (!m->write)
		return mmio_done(m, p->control);
	p->control = m->value & RESET_WRITABLE;
	if (p->control & ~was & RESET_CPU)
		p->reset(p->opaque);
	return MMIO_HANDLED;
}

static enum mmio_outcome nothing(struct mmio *m)
{
	return m->write ? mmio_ignore(m, "no such port") : mmio_done(m, UINT64_MAX);
}

enum mmio_outcome pci_ports_access(struct pci_ports *p, struct mmio *m)
{
	struct mmio config = *m;
	enum mmio_outcome outcome;

	if (m->offset == PCI_PORTS_RESET && m->size == 1)
		return reset_control(p, m);
	if (m->offset == 0 && m->size == 4) {
		if (!m->write)
			return mmio_done(m, p->address);
		p->address = (uint32_t)m->value & ADDRESS_WRITABLE;
		return MMIO_HANDLED;
	}
	/* An access may not leave the register. */
	if (m->offset < DATA || m->offset + m->size > PCI_PORTS || !(p->address & ENABLE))
		return nothing(m);
	config.offset = ecam_offset(p->address) + m->offset - DATA;
	outcome = pci_ecam_access(p->host, &config);
	m->value = config.value;
	m->reason = config.reason;
	return outcome;
}

void pci_ports_init(struct pci_ports *p, struct pci_host *host, void (*reset)(void *opaque),
		    void *opaque)
{
	*p = (struct pci_ports){ .host = host, .opaque = opaque, .reset = reset };
}
