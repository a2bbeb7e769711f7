/* A hostile guest at PCI's configuration ports and ACPI's registers. */
#include <dev/pc/acpi_pm.h>
#include <dev/pc/pci_ports.h>

#include "pc_fuzz.h"

static struct acpi_pm pm;
static struct pci_host host;
static struct pci_function function;
static struct pci_ports ports;

static enum mmio_outcome bar(void *device, unsigned n, struct mmio *m)
{
	(void)device;
	if (m->offset + m->size > (n == 0 ? 0x40u : PCI_MSIX_BYTES))
		abort();
	return mmio_done(m, 0);
}

static void message(void *opaque, uint64_t address, uint32_t data)
{
	(void)opaque;
	(void)address;
	(void)data;
}

static void set_intx(void *opaque, bool level)
{
	(void)opaque;
	hear(1, level);
}

void device_start(void)
{
	static const struct pci_class class = { .access = bar };
	static const struct pci_identity id = { .vendor = 0x1af4, .device = 0x1041 };
	struct acpi_pm_env env = { { NULL, now_ns, set_irq, NULL }, nothing };

	acpi_pm_init(&pm, &env);
	pci_host_init(&host, 0xe0000000, 0);
	pci_init(&function, &id, &class, NULL,
		 &(struct pci_env){ NULL, set_intx, message });
	pci_add_bar(&function, 0, 0x40, true);
	pci_add_msix(&function, 1, 4);
	pci_plug(&host, 0, &function);
	pci_ports_init(&ports, &host, nothing, NULL);
}

enum mmio_outcome device_access(unsigned which, struct mmio *m)
{
	if (which >= 4) {
		m->offset &= 15;
		return acpi_pm_access(&pm, m);
	}
	if (which == 3) {
		m->offset &= 0xffff;
		m->offset &= ~(m->size - 1ull);
		return pci_io_access(&host, m);
	}
	m->offset &= 7ull & ~(m->size - 1ull);
	/* Functions that are there, more often than not. */
	if (which == 0 && m->offset == 0)
		m->value = 0x80000000u | (m->value & 0xfc);
	return pci_ports_access(&ports, m);
}

void device_act(const uint8_t *b)
{
	uint64_t due = acpi_pm_deadline(&pm);

	if (b[1] & 1)
		pci_set_intx(&function, b[2] & 1);
	else if (b[1] & 2)
		pci_notify(&function, b[2] & 7);
	else if (b[1] & 4)
		acpi_pm_press_button(&pm);
	acpi_pm_expired(&pm);
	keep(due, acpi_pm_deadline(&pm));
}

void device_check(void)
{
	if (line[0] != pm.irq || line[1] != function.line)
		abort();
}
