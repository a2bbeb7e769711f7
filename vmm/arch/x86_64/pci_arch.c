/* The PCI bus of board pc: as firmware leaves it, with messages to the local APIC. */
#include "../../pci.h"

#include "vm.h"

#include <selvage/backend.h>

#define BRIDGE_SLOT (PCI_SLOTS - 1)
#define BRIDGE_ID 0x4842u
#define CLASS_HOST_BRIDGE 0x060000u

/* Where BARs go next. */
static uint32_t next_memory, next_io;

static enum mmio_outcome no_bar(void *device, unsigned bar, struct mmio *m)
{
	(void)device, (void)bar;
	return mmio_ignore(m, "no such BAR");
}

/* Guests look for one before they believe that there is a bus at all. */
static void add_bridge(struct pci_host *host)
{
	static const struct pci_class class = { .access = no_bar };
	static const struct pci_identity identity = {
		.vendor = SELVAGE_PCI_VENDOR,
		.device = BRIDGE_ID,
		.subsystem_vendor = SELVAGE_PCI_VENDOR,
		.subsystem = BRIDGE_ID,
		.class_code = CLASS_HOST_BRIDGE,
	};
	static const struct pci_env env; /* it has no interrupt */
	static struct pci_function bridge;

	pci_init(&bridge, &identity, &class, NULL, &env);
	bridge.config[PCI_INTERRUPT_PIN] = 0;
	pci_plug(host, BRIDGE_SLOT, &bridge);
}

/* Of one size, whatever the queue: the kernel can take it. */
static bool kick_at(const struct vm *vm, unsigned slot, uint64_t *at, uint64_t *how)
{
	uint32_t port;

	if (!virtio_pci_kick_port(pci_bus_device(slot), &port) ||
	    port - vm->board->pci_io.base >= vm->board->pci_io.size)
		return false;
	*at = port;
	*how = ABI_DOORBELL_PORT | sizeof(uint16_t);
	return true;
}

void pci_arch_install(struct vm *vm) { vm->hooks.kick_at = kick_at; }

/* Configuration by ports and their window are the board's (board/pc.c). */
struct pci_host *pci_arch_init(struct vm *vm)
{
	add_bridge(&vm->pc.host);
	next_memory = (uint32_t)vm->board->pci_memory.base;
	next_io = (uint32_t)vm->board->pci_io.base;
	return &vm->pc.host;
}

/* There is no firmware that would do it, and not every guest can. */
void pci_arch_plugged(const struct vm *vm, unsigned slot, struct virtio_pci *v)
{
	virtio_pci_kick_by_port(v);
	if (!(vm->pc.timers & (uint32_t)SYSDESC_TIMER_LAPIC))
		pci_drop_msix(&v->f);
	pci_assign(&v->f, &next_memory, &next_io,
		   (uint8_t)pc_wire_gsi(vm->board->pci_irq + slot % PCI_PINS));
}

bool pci_arch_message(struct vm *vm, unsigned slot, uint64_t address, uint32_t data)
{
	struct apic_message msg;

	(void)slot;
	return apic_message_of_msi(address, data, &msg) &&
	       apic_bus_send(&vm->pc.bus, NULL, &msg) != 0;
}
