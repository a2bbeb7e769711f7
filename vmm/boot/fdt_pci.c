#include "fdt_pci.h"

#include "fdt.h"

#include <libfdt.h>
#include <selvage/base.h>
#include <selvage/fmt.h>
#include <string.h>

#define PHANDLE_MSI 3
#define SPACE_IO 0x01000000u /* of an address's first cell */
#define SPACE_MEMORY 0x02000000u
#define DEVICE_SHIFT 11u
#define GIC_SPI 0
#define IRQ_EDGE_RISING 1
#define IRQ_LEVEL_HIGH 4

/* A node of the tree; the first error sticks. */
struct node {
	void *fdt;
	int at;
	int error;
};

static struct node add(void *fdt, int parent, const char *name, uint64_t base)
{
	struct node n = { .fdt = fdt };
	char full[32];

	fmt_print(full, sizeof(full), "%s@%llx", name, (unsigned long long)base);
	n.at = fdt_add_subnode(fdt, parent, full);
	n.error = n.at < 0 ? n.at : 0;
	return n;
}

static void text(struct node *n, const char *name, const char *value)
{
	if (n->error == 0)
		n->error = fdt_setprop(n->fdt, n->at, name, value, (int)strlen(value) + 1);
}

/* More of a list of cells. */
static void cells(struct node *n, const char *name, const uint32_t *cell, unsigned count)
{
	for (unsigned i = 0; n->error == 0 && i < count; i++)
		n->error = fdt_appendprop_u32(n->fdt, n->at, name, cell[i]);
}

static void cell(struct node *n, const char *name, uint32_t value)
{
	cells(n, name, &value, 1);
}

static void empty(struct node *n, const char *name)
{
	if (n->error == 0)
		n->error = fdt_setprop_empty(n->fdt, n->at, name);
}

static void reg(struct node *n, const struct board_range *r)
{
	const uint32_t reg[4] = { (uint32_t)(r->base >> 32), (uint32_t)r->base,
				  (uint32_t)(r->size >> 32), (uint32_t)r->size };

	cells(n, "reg", reg, ARRAY_SIZE(reg));
}

/* `space`, the address on the bus, the CPU's address and the size. */
static void range(struct node *n, uint32_t space, uint32_t at, const struct board_range *r)
{
	const uint32_t range[7] = {
		space, 0, at, (uint32_t)(r->base >> 32), (uint32_t)r->base, 0, (uint32_t)r->size
	};

	cells(n, "ranges", range, ARRAY_SIZE(range));
}

static void interrupt(struct node *n, uint32_t device, uint32_t pin, uint32_t irq, uint32_t type)
{
	const uint32_t entry[10] = { device << DEVICE_SHIFT, 0, 0, pin, FDT_PHANDLE_GIC, 0, 0,
				     GIC_SPI, irq - 32, type };

	cells(n, "interrupt-map", entry, ARRAY_SIZE(entry));
}

/* INTA# of device d is pin d modulo 4, as everywhere; but those from
 * BOARD_PCI_OWN_LINES on have a line of their own each, for INTA#. */
static void interrupts(struct node *n, const struct board *b)
{
	const uint32_t mask[4] = { (BOARD_PCI_OWN_LINES | 7) << DEVICE_SHIFT, 0, 0, 7 };

	for (uint32_t d = 0; d < 8; d++)
		for (uint32_t pin = 0; pin < FDT_PCI_PINS; pin++)
			interrupt(n, d, pin + 1, b->pci_irq + (d + pin) % FDT_PCI_PINS,
				  IRQ_LEVEL_HIGH);
	for (uint32_t d = 0; d < BOARD_PCI_LINES; d++)
		interrupt(n, BOARD_PCI_OWN_LINES + d, 1, b->pci_line_irq + d, IRQ_EDGE_RISING);
	cells(n, "interrupt-map-mask", mask, ARRAY_SIZE(mask));
	cell(n, "#interrupt-cells", 1);
}

/* Who takes messages. */
static bool add_frame(void *fdt, const struct board *b, bool its)
{
	const struct board_range *r = its ? &b->its : &b->msi;
	struct node n = add(fdt, fdt_node_offset_by_phandle(fdt, FDT_PHANDLE_GIC),
			    its ? "its" : "v2m", r->base);

	text(&n, "compatible", its ? "arm,gic-v3-its" : "arm,gic-v2m-frame");
	empty(&n, "msi-controller");
	if (its)
		cell(&n, "#msi-cells", 1);
	reg(&n, r);
	cell(&n, "phandle", PHANDLE_MSI);
	return n.error == 0;
}

/* A function that the bus finds by itself, for what cannot be found there. */
static bool add_pools(void *fdt, int bridge, uint32_t pools)
{
	bool ok = true;

	for (; ok && pools != 0; pools &= pools - 1) {
		const uint32_t slot = bit_lowest_u64(pools);
		const uint32_t reg[5] = { slot << DEVICE_SHIFT };
		struct node n = add(fdt, bridge, "virtio", slot);

		cells(&n, "reg", reg, ARRAY_SIZE(reg));
		cell(&n, "memory-region", FDT_PHANDLE_POOL + slot);
		ok = n.error == 0;
	}
	return ok;
}

static bool add_bridge(void *fdt, const struct board *b, uint32_t pools)
{
	const uint32_t buses[2] = { 0, 0 };
	const uint32_t msis[4] = { 0, PHANDLE_MSI, 0, 0x10000 };
	struct node n = add(fdt, 0, "pcie", b->pci_ecam.base);

	text(&n, "compatible", "pci-host-ecam-generic");
	text(&n, "device_type", "pci");
	cell(&n, "#address-cells", 3);
	cell(&n, "#size-cells", 2);
	cells(&n, "bus-range", buses, ARRAY_SIZE(buses));
	reg(&n, &b->pci_ecam);
	range(&n, SPACE_IO, 0, &b->pci_io);
	range(&n, SPACE_MEMORY, (uint32_t)b->pci_memory.base, &b->pci_memory);
	range(&n, SPACE_MEMORY, (uint32_t)b->pci_fixed.base, &b->pci_fixed);
	interrupts(&n, b);
	cells(&n, "msi-map", msis, ARRAY_SIZE(msis));
	empty(&n, "dma-coherent");
	return n.error == 0 && add_pools(fdt, n.at, pools);
}

bool fdt_add_pci(void *fdt, size_t size, const struct board *board, bool its, uint32_t pools)
{
	if (fdt_open_into(fdt, fdt, (int)size) != 0 || !add_frame(fdt, board, its) ||
	    !add_bridge(fdt, board, pools))
		return false;
	return fdt_pack(fdt) == 0;
}
