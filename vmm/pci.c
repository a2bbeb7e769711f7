/*
 * The VM's PCI bus: host bridge, INTA# to INTD#, and who takes messages, a
 * GICv2m frame or an ITS. Virtio devices are its functions; the device number
 * is the slot's.
 */
#include "pci.h"

#include "boot/fdt_pci.h"
#include "vm.h"

#include <dev/gicv2m.h>
#include <dev/its.h>
#include <dev/virtio/pci.h>
#include <selvage/base.h>
#include <selvage/log.h>

static struct {
	struct vm *vm;
	struct pci_host host;
	bool has_its; /* else the frame */
	struct gicv2m frame;
	struct its its;
	uint32_t line[FDT_PCI_PINS]; /* functions that assert it, a bit each */
	struct slot {
		struct vm *vm;
		struct virtio_pci virtio;
	} slot[PCI_SLOTS];
} bus;

/* --- Interrupts --------------------------------------------------------------------- */

static void set_intx(void *opaque, bool level)
{
	const struct slot *s = opaque;
	unsigned number = (unsigned)(s - bus.slot), pin = number % FDT_PCI_PINS;
	uint32_t bit = 1u << number;

	bus.line[pin] = level ? bus.line[pin] | bit : bus.line[pin] & ~bit;
	vgic_set_level(&s->vm->gic, 0, s->vm->board->pci_irq + pin, bus.line[pin] != 0);
}

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

static bool deliver(const struct slot *s, uint64_t address, uint32_t data)
{
	uint32_t irq = interrupt_of(s->vm, address, data);

	if (irq != 0)
		pulse(s->vm, irq);
	return irq != 0 ||
	       (bus.has_its && address == s->vm->board->its.base + ITS_TRANSLATER &&
		its_message(&bus.its, (unsigned)(s - bus.slot), data));
}

static void send(void *opaque, uint64_t address, uint32_t data)
{
	const struct slot *s = opaque;

	if (deliver(s, address, data))
		return;
	if (vm_count(s->vm, VM_EVENT_VIRTIO))
		log_warning("%s in slot %u: a message to %llx that is no interrupt",
			    s->virtio.device->class->name, (unsigned)(s - bus.slot),
			    (unsigned long long)address);
}

uint32_t pci_queue_interrupt(const struct vm *vm, unsigned slot, int queue)
{
	uint64_t address;
	uint32_t data;

	return virtio_pci_message(&bus.slot[slot].virtio, queue, &address, &data)
		       ? interrupt_of(vm, address, data)
		       : 0;
}

/* --- Accesses --------------------------------------------------------------------------- */

static enum mmio_outcome ecam(void *device, unsigned vcpu, struct mmio *m)
{
	(void)vcpu;
	return pci_ecam_access(device, m);
}

static enum mmio_outcome counted(const struct mmio *m, enum mmio_outcome outcome)
{
	if (m->write && bus.vm->hooks.virtio_written != NULL)
		bus.vm->hooks.virtio_written(bus.vm);
	return outcome;
}

static enum mmio_outcome memory(void *device, unsigned vcpu, struct mmio *m)
{
	(void)vcpu;
	return counted(m, pci_memory_access(device, m));
}

static enum mmio_outcome io(void *device, unsigned vcpu, struct mmio *m)
{
	(void)vcpu;
	return counted(m, pci_io_access(device, m));
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

/* --- Construction ---------------------------------------------------------------------- */

static bool plug(struct vm *vm, unsigned slot, struct virtio *device)
{
	struct slot *s = &bus.slot[slot];
	const struct pci_env env = { s, set_intx, send };

	s->vm = vm;
	virtio_pci_init(&s->virtio, device, &env);
	pci_plug(&bus.host, slot, &s->virtio.f);
	return true;
}

void pci_bus_plug(unsigned slot, struct pci_function *f)
{
	pci_plug(&bus.host, slot, f);
}

static bool describe(const struct vm *vm, void *fdt, size_t size)
{
	uint32_t pools = 0;

	for (unsigned i = 0; i < BOARD_VIRTIO_SLOTS; i++)
		if (vm->pool[i] != 0 && !(vm->virtio_slots >> i & 1))
			pools |= 1u << i;
	return fdt_add_pci(fdt, size, vm->board, bus.has_its, pools);
}

static void install(struct vm *vm)
{
	bus.vm = vm;
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
	vm->hooks.plug_pci = plug;
	vm->hooks.describe = describe;
}

static const char *init(struct vm *vm)
{
	const struct board *b = vm->board;

	if (b->pci_ecam.size == 0)
		return "the board has no place for PCI";
	pci_host_init(&bus.host, b->pci_memory.base, 0);
	bus.frame = (struct gicv2m){ b->msi_irq, BOARD_MSIS, vm, pulse };
	its_init(&bus.its, &vm->gic, &(struct its_env){ vm, read_memory });
	return vm_add(vm, "pci configuration", b->pci_ecam, ecam, &bus.host) &&
			       vm_add(vm, "pci memory", b->pci_memory, memory, &bus.host) &&
			       vm_add(vm, "pci io", b->pci_io, io, &bus.host) &&
			       (bus.has_its ? vm_add(vm, "its", b->its, its, &bus.its)
					    : vm_add(vm, "gicv2m", b->msi, frame, &bus.frame))
		       ? NULL
		       : "no room for PCI on the bus";
}

const struct vm_part part_pci = {
	.bit = VMM_PART_PCI,
	.install = install,
	.init = init,
};
