/* What the board has, under \_SB, and how it is switched off (ACPI 6.4, 5.6,
 * 6.2.13 _PRT, 7.4.2 _S5; identities as in the PNP list). */
#include "dsdt.h"

#include <selvage/base.h>

#define CONFIG_PORT 0xcf8u
#define ECAM_BUS_BYTES 0x100000u
#define PCI_DEVICES 32u

/* A name of four characters with a number in hexadecimal at its end. */
static void number_name(char name[5], unsigned digits, unsigned number)
{
	for (unsigned i = 0; i < digits; i++)
		name[3 - i] = "0123456789ABCDEF"[number >> 4 * i & 0xf];
}

/* All pins, rotated from device to device as bridges do. */
static void pci_routes(struct aml *a, const struct acpi_config *c)
{
	aml_mark_t table, route;

	aml_name(a, "_PRT");
	table = aml_package(a, PCI_DEVICES * 4);
	for (uint32_t i = 0; i < PCI_DEVICES * 4; i++) {
		route = aml_package(a, 4);
		aml_integer(a, i / 4 << 16 | 0xffff);
		aml_integer(a, i % 4);
		aml_integer(a, 0);
		aml_integer(a, c->pci_gsi[(i / 4 + i) % 4]);
		aml_end(a, route);
	}
	aml_end(a, table);
}

static void pci_windows(struct aml *a, const struct acpi_config *c)
{
	aml_mark_t resources = aml_resources(a);

	aml_bus_window(a, 0, c->last_bus);
	aml_io(a, CONFIG_PORT, 8);
	aml_io_window(a, 0, CONFIG_PORT - 1);
	aml_io_window(a, CONFIG_PORT + 8, 0xffff);
	if (c->pci_mmio_size != 0)
		aml_memory_window(a, c->pci_mmio_gpa, c->pci_mmio_size);
	if (c->pci_mmio64_size != 0)
		aml_memory_window_64(a, c->pci_mmio64_gpa, c->pci_mmio64_size);
	aml_resources_end(a, resources);
}

static void pci_host(struct aml *a, const struct acpi_config *c)
{
	aml_mark_t device = aml_device(a, "PCI0");

	if (c->ecam_gpa != 0) {
		aml_name_eisa(a, "_HID", "PNP0A08");
		aml_name_eisa(a, "_CID", "PNP0A03");
	} else {
		aml_name_eisa(a, "_HID", "PNP0A03");
	}
	aml_name_integer(a, "_UID", 0);
	aml_name_integer(a, "_BBN", 0);
	pci_windows(a, c);
	pci_routes(a, c);
	aml_end(a, device);
}

/* Linux uses the window only where it is set aside like this. */
static void pci_config_window(struct aml *a, const struct acpi_config *c)
{
	aml_mark_t device = aml_device(a, "MB00"), resources;

	aml_name_eisa(a, "_HID", "PNP0C02");
	aml_name_integer(a, "_UID", 0);
	resources = aml_resources(a);
	aml_memory(a, c->ecam_gpa, (c->last_bus + 1u) * ECAM_BUS_BYTES);
	aml_resources_end(a, resources);
	aml_end(a, device);
}

static void pnp_device(struct aml *a, const char *name, const char *id, uint16_t port,
		       uint8_t ports, uint16_t port2, uint8_t irq)
{
	aml_mark_t device = aml_device(a, name), resources;

	aml_name_eisa(a, "_HID", id);
	resources = aml_resources(a);
	aml_io(a, port, ports);
	if (port2 != 0)
		aml_io(a, port2, ports);
	aml_irq(a, irq);
	aml_resources_end(a, resources);
	aml_end(a, device);
}

static void uart(struct aml *a, const struct acpi_uart *u, unsigned number)
{
	char name[] = "COM0";
	aml_mark_t device, resources;

	number_name(name, 1, number);
	device = aml_device(a, name);
	aml_name_eisa(a, "_HID", "PNP0501");
	aml_name_integer(a, "_UID", number);
	resources = aml_resources(a);
	aml_io(a, u->port, 8);
	aml_irq(a, u->irq);
	aml_resources_end(a, resources);
	aml_end(a, device);
}

static void hpet(struct aml *a, const struct acpi_config *c)
{
	aml_mark_t device = aml_device(a, "HPET"), resources;

	aml_name_eisa(a, "_HID", "PNP0103");
	aml_name_integer(a, "_UID", 0);
	resources = aml_resources(a);
	aml_memory(a, c->hpet_gpa, 0x400);
	aml_resources_end(a, resources);
	aml_end(a, device);
}

static void virtio(struct aml *a, const struct acpi_virtio *v, unsigned number)
{
	char name[] = "VR00";
	aml_mark_t device, resources;

	number_name(name, 2, number);
	device = aml_device(a, name);
	aml_name_string(a, "_HID", "LNRO0005");
	aml_name_integer(a, "_UID", number);
	resources = aml_resources(a);
	aml_memory(a, v->gpa, v->size);
	aml_interrupt(a, v->gsi);
	aml_resources_end(a, resources);
	aml_end(a, device);
}

static void devices(struct aml *a, const struct acpi_config *c)
{
	if (c->pci)
		pci_host(a, c);
	if (c->pci && c->ecam_gpa != 0)
		pci_config_window(a, c);
	if (c->pit)
		pnp_device(a, "TIMR", "PNP0100", 0x40, 4, 0, 0);
	if (c->rtc)
		pnp_device(a, "RTC_", "PNP0B00", 0x70, 2, 0, 8);
	if (c->i8042)
		pnp_device(a, "KBD_", "PNP0303", 0x60, 1, 0x64, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(c->uart); i++)
		if (c->uart[i].port != 0)
			uart(a, &c->uart[i], i + 1);
	if (c->hpet_gpa != 0)
		hpet(a, c);
	for (unsigned i = 0; i < c->n_virtio; i++)
		virtio(a, &c->virtio[i], i);
}

void dsdt_fill(struct aml *a, const struct acpi_config *c)
{
	aml_mark_t mark = aml_scope(a, "\\_SB_");

	devices(a, c);
	aml_end(a, mark);
	aml_name(a, "\\_S5_");
	mark = aml_package(a, 4);
	aml_integer(a, c->s5_type);
	for (unsigned i = 0; i < 3; i++)
		aml_integer(a, 0);
	aml_end(a, mark);
}
