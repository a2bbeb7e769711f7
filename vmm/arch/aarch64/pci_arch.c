/* The PCI bus of board virt: who takes messages, a GICv2m frame or an ITS. */
#include "../../pci.h"

#include "../../boot/fdt_pci.h"
#include "vm.h"

#include <dev/gicv2m.h>
#include <dev/its.h>
#include <selvage/base.h>
#include <selvage/log.h>

_Static_assert(PCI_PINS == FDT_PCI_PINS, "pins");

static struct {
	struct pci_host host;
	bool has_its; /* else the frame */
	struct gicv2m frame;
	struct its its;
} bus;

static void pulse(void *opaque, uint32_t irq)
{
	vgic_pulse(&((struct vm *)opaque)->gic, 0, irq);
}

/* The SPI that a message means, or 0. */
static uint32_t interrupt_of(const struct vm *vm, uint64_t address, uint32_t data)
{
	return bus.has_its ? 0
			   : gicv2m_interrupt(&bus.frame, address - vm->board->msi.base, data);
}

bool pci_arch_message(struct vm *vm, unsigned slot, uint64_t address, uint32_t data)
{
	uint32_t irq = interrupt_of(vm, address, data);

	if (irq != 0)
		pulse(vm, irq);
	return irq != 0 || (bus.has_its && address == vm->board->its.base + ITS_TRANSLATER &&
			    its_message(&bus.its, slot, data));
}

static enum mmio_outcome frame(void *device, unsigned vcpu, struct mmio *m)
{
	(void)vcpu;
	return gicv2m_access(device, m);
}

static enum mmio_outcome its(void *device, unsigned vcpu, struct mmio *m)
{
	(void)vcpu;
	return its_access(device, m);
}

static bool read_memory(void *opaque, uint64_t gpa, void *to, size_t size)
{
	return gmem_read(&((struct vm *)opaque)->mem, gpa, to, size);
}

static void lpis_on(void *vm)
{
	(void)vm;
	its_reload(&bus.its);
}

static bool describe(const struct vm *vm, void *fdt, size_t size)
{
	uint32_t pools = 0;

	for (unsigned i = 0; i < BOARD_VIRTIO_SLOTS; i++)
		if (vm->pool[i] != 0 && !(vm->virtio_slots >> i & 1))
			pools |= 1u << i;
	return fdt_add_pci(fdt, size, vm->board, bus.has_its, pools);
}

void pci_arch_install(struct vm *vm)
{
	bus.has_its = vm->info->vm.flags & SYSDESC_VM_ITS;
	if (bus.has_its && !(vm->features & ABI_EXTF_VCPU_STATE)) {
		log_warning("no ITS on this kernel, which injects no LPIs: GICv2m instead");
		bus.has_its = false;
	}
	if (bus.has_its) {
		vm->n_lpis = BOARD_LPIS;
		vm->hooks.lpis_on = lpis_on;
	} else {
		vm->n_irqs = (unsigned)align_up_u64(vm->board->msi_irq + BOARD_MSIS, 32);
	}
	vm->hooks.describe = describe;
}

struct pci_host *pci_arch_init(struct vm *vm)
{
	const struct board *b = vm->board;

	pci_host_init(&bus.host, b->pci_memory.base, 0);
	bus.frame = (struct gicv2m){ b->msi_irq, BOARD_MSIS, vm, pulse };
	its_init(&bus.its, &vm->gic, &(struct its_env){ vm, read_memory });
	return vm_add(vm, "pci io", b->pci_io, pci_bus_io, &bus.host) &&
			       (bus.has_its ? vm_add(vm, "its", b->its, its, &bus.its)
					    : vm_add(vm, "gicv2m", b->msi, frame, &bus.frame))
		       ? &bus.host
		       : NULL;
}

/* The guest places its BARs. */
void pci_arch_plugged(const struct vm *vm, unsigned slot, struct virtio_pci *v)
{
	(void)vm, (void)slot, (void)v;
}
