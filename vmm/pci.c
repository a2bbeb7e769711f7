/*
 * The VM's PCI bus. Virtio devices are its functions; the device number is the
 * slot's. Where the host bridge's windows are and who takes interrupts and
 * messages, the architecture says (pci_arch.c).
 */
#include "pci.h"

#include "vm.h"

#include <selvage/base.h>
#include <selvage/log.h>

static struct {
	struct vm *vm;
	struct pci_host *host;
	uint32_t line[PCI_PINS]; /* functions that assert it, a bit each */
	struct slot {
		struct vm *vm;
		struct virtio_pci virtio;
	} slot[PCI_SLOTS];
} bus;

/* --- Interrupts --------------------------------------------------------------------- */

static void set_intx(void *opaque, bool level)
{
	const struct slot *s = opaque;
	unsigned number = (unsigned)(s - bus.slot), pin = number % PCI_PINS;
	uint32_t bit = 1u << number;

	bus.line[pin] = level ? bus.line[pin] | bit : bus.line[pin] & ~bit;
	vm_set_irq(s->vm, s->vm->board->pci_irq + pin, bus.line[pin] != 0);
}

static void send(void *opaque, uint64_t address, uint32_t data)
{
	const struct slot *s = opaque;
	const unsigned number = (unsigned)(s - bus.slot);
	unsigned long long n;

	if (pci_arch_message(s->vm, number, address, data))
		return;
	n = vm_count(s->vm, s, "message");
	if (n != 0)
		log_warning("%s in slot %u: a message to %llx that is no interrupt (%llu so far)",
			    s->virtio.device->class->name, number, (unsigned long long)address, n);
}

/* --- Accesses --------------------------------------------------------------------------- */

static enum mmio_outcome ecam(void *device, unsigned vcpu, struct mmio *m)
{
	const enum mmio_outcome outcome = pci_ecam_access(device, m);

	(void)vcpu;
	if (m->write && bus.vm->hooks.pci_configured != NULL)
		bus.vm->hooks.pci_configured(bus.vm);
	return outcome;
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

enum mmio_outcome pci_bus_io(void *device, unsigned vcpu, struct mmio *m)
{
	(void)vcpu;
	return counted(m, pci_io_access(device, m));
}

/* --- Construction ---------------------------------------------------------------------- */

static bool plug(struct vm *vm, unsigned slot, struct virtio *device)
{
	struct slot *s = &bus.slot[slot];
	const struct pci_env env = { s, set_intx, send };

	s->vm = vm;
	virtio_pci_init(&s->virtio, device, &env);
	pci_plug(bus.host, slot, &s->virtio.f);
	pci_arch_plugged(vm, slot, &s->virtio);
	return true;
}

const struct virtio_pci *pci_bus_device(unsigned slot) { return &bus.slot[slot].virtio; }

void pci_bus_plug(unsigned slot, struct pci_function *f)
{
	pci_plug(bus.host, slot, f);
}

static void install(struct vm *vm)
{
	bus.vm = vm;
	vm->hooks.plug_pci = plug;
	pci_arch_install(vm);
}

static const char *init(struct vm *vm)
{
	const struct board *b = vm->board;

	if (b->pci_ecam.size == 0)
		return "the board has no place for PCI";
	bus.host = pci_arch_init(vm);
	return bus.host != NULL &&
			       vm_add(vm, "pci configuration", b->pci_ecam, ecam, bus.host) &&
			       vm_add(vm, "pci memory", b->pci_memory, memory, bus.host)
		       ? NULL
		       : "no room for PCI on the bus";
}

const struct vm_part part_pci = {
	.bit = VMM_PART_PCI,
	.install = install,
	.init = init,
};
