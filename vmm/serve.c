/*
 * The connections that this VM serves to others (link.h): a PCI function for
 * each, through which a program in the guest reaches the control page and the
 * memory of the driver VM that is shared. Those are mapped by init, where
 * serve_place() says; the monitor has neither. What it adds is registers, with
 * the two doorbells of the connection, and the interrupt: kicks of the other
 * side, direct where the kernel has that.
 *
 * The areas stay where they are, whatever the guest does: Enhanced Allocation
 * (PCI Express 4.0, 7.8.5), which Linux takes as it is. While the driver VM is not
 * there its memory is not either: an access is an external abort then, as from a
 * device that was pulled out.
 */
#include "arch/aarch64/arch.h"
#include "pci.h"

#include <selvage/backend.h>
#include <selvage/base.h>
#include <string.h>

#define EA_CAPABILITY 0x14u
#define EA_ENTRIES 2u /* offset of how many */
#define EA_FIRST 4u
#define EA_ENTRY_BYTES 12u /* of 32-bit addresses */
#define EA_ENTRY_WORDS 2u  /* behind the first */
#define EA_BAR(n) ((n) << 4)
#define EA_SECONDARY_NONE 0xff0000u
#define EA_ENABLED (1u << 31)
#define CLASS_OTHER 0xff0000u

struct served {
	const struct vmm_served *info;
	unsigned number;
	struct pci_function function;
};

static struct served served[SYSDESC_VM_SERVED];

/* --- Registers ---------------------------------------------------------------------- */

static uint32_t read_register(const struct served *s, uint64_t offset)
{
	switch (offset) {
	case SELVAGE_REG_MAGIC: return SELVAGE_MAGIC;
	case SELVAGE_REG_VERSION: return SELVAGE_VERSION;
	case SELVAGE_REG_KIND: return s->info->device;
	default: return 0;
	}
}

static enum mmio_outcome registers(void *device, unsigned vcpu, struct mmio *m)
{
	const struct served *s = device;
	uint64_t value = 0;

	(void)vcpu;
	if (m->write && m->offset == SELVAGE_REG_EVENT)
		sel4_signal(VMM_CAP_SERVED_EVENT(s->number));
	else if (m->write && m->offset == SELVAGE_REG_INTERRUPT)
		sel4_signal(VMM_CAP_SERVED_INTERRUPT(s->number));
	else if (m->write)
		return mmio_ignore(m, "no such doorbell");
	if (range_within_u64(m->offset, m->size, SELVAGE_REG_NAME, sizeof(s->info->name)))
		memcpy(&value, s->info->name + (m->offset - SELVAGE_REG_NAME), m->size);
	else if (m->size == 4)
		value = read_register(s, m->offset);
	return mmio_done(m, value);
}

/* Where the kernel has doorbells, a store to this one does not come here; there are
 * some for each vCPU. */
static void set_doorbell(struct vm *vm, const struct served *s, uint64_t registers_gpa)
{
	if (!(vm->features & ABI_EXTF_DOORBELL) || vm->n_doorbells == ABI_DOORBELLS)
		return;
	for (unsigned i = 0; i < vm->info->n_vcpus; i++)
		(void)sel4_ext_vcpu_set_doorbell(vm->vcpu[i].cpu.caps.vcpu, vm->n_doorbells,
						 registers_gpa + SELVAGE_REG_INTERRUPT, 4, 0,
						 VMM_CAP_SERVED_INTERRUPT(s->number));
	vm->n_doorbells++;
}

static enum mmio_outcome not_there(void *device, unsigned vcpu, struct mmio *m)
{
	(void)device, (void)vcpu;
	return mmio_fault(m, "the driver VM is not there");
}

/* --- The function ---------------------------------------------------------------------- */

/* There is no BAR but those that stay where they are. */
static enum mmio_outcome no_bar(void *device, unsigned bar, struct mmio *m)
{
	(void)device, (void)bar;
	return mmio_ignore(m, "no such BAR");
}

static const struct pci_class class = { .access = no_bar };

static void no_line(void *opaque, bool level) { (void)opaque, (void)level; }
static void no_message(void *opaque, uint64_t address, uint32_t data)
{
	(void)opaque, (void)address, (void)data;
}

static void add_entry(struct pci_function *f, uint32_t at, unsigned bar, uint64_t gpa,
		      uint64_t bytes)
{
	store_le32(f->config + at,
		   EA_ENABLED | EA_SECONDARY_NONE | EA_BAR(bar) | EA_ENTRY_WORDS);
	store_le32(f->config + at + 4, (uint32_t)gpa);
	store_le32(f->config + at + 8, (uint32_t)(bytes - 1) & ~3u);
}

static void make_function(struct served *s, const struct serve_place *place)
{
	static const struct pci_identity identity = {
		.vendor = SELVAGE_PCI_VENDOR,
		.device = SELVAGE_PCI_BACKEND,
		.subsystem_vendor = SELVAGE_PCI_VENDOR,
		.subsystem = SELVAGE_PCI_BACKEND,
		.class_code = CLASS_OTHER,
	};
	const struct pci_env env = { s, no_line, no_message };
	struct pci_function *f = &s->function;
	uint32_t at;

	pci_init(f, &identity, &class, s, &env);
	at = pci_add_capability(f, EA_CAPABILITY, EA_FIRST + SELVAGE_AREAS * EA_ENTRY_BYTES);
	f->config[at + EA_ENTRIES] = SELVAGE_AREAS;
	for (unsigned i = 0; i < SELVAGE_AREAS; i++)
		add_entry(f, at + EA_FIRST + i * EA_ENTRY_BYTES, i, place->area[i].gpa,
			  place->area[i].bytes);
	/* Its line is edge-triggered and the kernel's: whoever asks hears that there
	 * may have been one. */
	pci_set_intx(f, true);
}

static const char *serve(struct vm *vm, unsigned i)
{
	const struct serve_place place = serve_place(vm->info, i);
	struct served *s = &served[i];
	const struct bus_region region = {
		.name = "connection",
		.base = place.area[SELVAGE_REGS].gpa,
		.size = place.area[SELVAGE_REGS].bytes,
		.handler = registers,
		.device = s,
	};

	*s = (struct served){ .info = &vm->info->served[i], .number = i };
	set_doorbell(vm, s, region.base);
	make_function(s, &place);
	pci_bus_plug(BOARD_PCI_OWN_LINES + i, &s->function);
	if (!direct_has(vm, vm->board->pci_line_irq + i))
		return "a kernel without direct interrupts cannot tell it of what it serves";
	return bus_add(&vm->bus, &region) ? NULL : "no room for what it serves";
}

/* Before the interrupt controller is set up: what it should leave to the kernel. */
static void install(struct vm *vm)
{
	for (unsigned i = 0; i < vm->info->n_served; i++)
		direct_add(vm, vm->board->pci_line_irq + i, VMM_CAP_SERVED_KICK(i));
}

static const char *init(struct vm *vm)
{
	const struct bus_region memory = {
		.name = "driver's memory",
		.base = SYSDESC_SERVE_MEMORY,
		.size = SYSDESC_SERVE_END - SYSDESC_SERVE_MEMORY,
		.handler = not_there,
		.absent = true,
	};
	const char *error = NULL;

	for (unsigned i = 0; i < vm->info->n_served && error == NULL; i++)
		error = serve(vm, i);
	if (error == NULL && !bus_add(&vm->bus, &memory))
		error = "no room for what it serves";
	return error;
}

const struct vm_part part_serve = {
	.bit = VMM_PART_SERVE,
	.install = install,
	.init = init,
};
