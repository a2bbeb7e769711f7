/* The vCPU, the board and the boot protocols of a PC guest. */
#include "vm.h"

#include "../../boot/pc/boot.h"
#include "../../boot/pc/tables.h"
#include "arch.h"
#include "enter.h"

#include <selvage/clock.h>
#include <selvage/modules.h>

#define CR8_ACCESSES (1u << 8 | 1u << 24) /* control_exit.c */

static uint64_t event(struct vm *vm, uint64_t badges)
{
	if (!(badges & VMM_NTFN_TIMER))
		return 0;
	mutex_lock(&vm->lock);
	vm->handler = NULL;
	pc_expired(vm);
	vm_deliver_irqs(vm, NULL);
	mutex_unlock(&vm->lock);
	return 0;
}

/* Every VM has it. */
static const struct vm_part part_pc = { .init = pc_init, .event = event };

const struct board *vm_arch_begin(struct vm *vm)
{
	vm->part[vm->n_parts++] = &part_pc;
	if (vm->info->vm.devices & (uint32_t)SYSDESC_DEV_KICK)
		vm->part[vm->n_parts++] = &part_pc_kick;
	return &board_pc;
}

const char *vm_arch_init(struct vm *vm)
{
	struct vm_vcpu *vc = &vm->vcpu[0];
	const struct vcpu_caps caps = {
		.tcb = VMM_CAP_VCPU(0) + VMM_VCPU_TCB,
		.vcpu = VMM_CAP_VCPU(0) + VMM_VCPU_OBJ,
		.fault_ep = VMM_CAP_VCPU(0) + VMM_VCPU_FAULT_EP,
		.reply = VMM_CAP_VCPU(0) + VMM_VCPU_REPLY,
		.ready = VMM_CAP_VCPU(0) + VMM_VCPU_WAKE,
		.features = vm->features,
	};

	vc->vm = vm;
	vc->wake = VMM_CAP_VCPU(0) + VMM_VCPU_WAKE;
	if (vm->info->n_vcpus != 1)
		return "a PC of several processors";
	if (!vcpu_sel4_init(&vc->cpu, &caps) ||
	    ((vm->info->vm.timers & (uint32_t)SYSDESC_TIMER_LAPIC) &&
	     !vcpu_sel4_write(&vc->cpu, ABI_VCPU_CR_ACCESSES, CR8_ACCESSES)))
		return "a kernel or processor without guests";
	return NULL;
}

const char *vm_arch_init_devices(struct vm *vm)
{
	(void)vm;
	return NULL; /* part_pc */
}

const char *vm_arch_irqs_name(const struct vm *vm)
{
	return vm->info->vm.timers & (uint32_t)SYSDESC_TIMER_LAPIC ? "local and I/O APIC" : "8259";
}

bool vm_vcpu_start(struct vm_vcpu *vc)
{
	vc->started = vcpu_sel4_start(&vc->cpu);
	return vc->started;
}

_Static_assert(MODULES_MAX <= PC_MODULES_MAX, "all have their place");

/* The initrd, or of a Multiboot guest the list of its modules. */
static const char *set_modules(const struct vmm_info *info, struct pc_boot *boot)
{
	const struct modules *list = (const void *)(uintptr_t)info->initrd_vaddr;
	const char *error;

	boot->n_modules = info->initrd_bytes != 0;
	boot->module[0] = (struct pc_module){ list, info->initrd_bytes, NULL };
	if (boot->n_modules == 0 || info->vm.boot != SYSDESC_BOOT_MULTIBOOT)
		return NULL;
	error = modules_check(list, info->initrd_bytes);
	if (error != NULL)
		return error;
	boot->n_modules = list->n;
	for (uint32_t i = 0; i < list->n; i++)
		boot->module[i] = (struct pc_module){
			(const uint8_t *)list + list->item[i].offset,
			list->item[i].bytes, list->item[i].cmdline
		};
	return NULL;
}

static const char *load(struct vm *vm, struct pc_boot *boot, struct pc_entry *entry)
{
	const struct sysdesc_vm *d = &vm->info->vm;
	const struct pc_flat flat = { d->load, d->entry, PC_MODE_PROTECTED, { 0 } };

	switch (d->boot) {
	case SYSDESC_BOOT_BZIMAGE: return bzimage_load(boot, PC_MODE_LONG, entry);
	case SYSDESC_BOOT_PVH: return pvh_load(boot, entry);
	case SYSDESC_BOOT_MULTIBOOT: return multiboot_load(boot, entry);
	default: return flat_load(boot, &flat, entry);
	}
}

/* Pools of connections are no memory for everything. */
static bool reserve_pools(const struct vm *vm, struct pc_map *map)
{
	bool ok = true;

	for (unsigned i = 0; i < BOARD_VIRTIO_SLOTS; i++) {
		const struct sysdesc_region *r = &vm->info->vm.region[vm->pool[i]];

		if (vm->pool[i] != 0)
			ok = pc_map_set(map, r->gpa, r->size, PC_MEMORY_RESERVED) && ok;
	}
	return ok;
}

const char *vm_load(struct vm *vm)
{
	static struct pc_boot boot;
	static struct pc_map map;
	const struct vmm_info *info = vm->info;
	struct acpi_config acpi;
	struct pc_entry entry;
	const char *error;

	boot = (struct pc_boot){ .mem = &vm->mem,
				 .map = &map,
				 .kernel = (const void *)(uintptr_t)info->kernel_vaddr,
				 .kernel_bytes = info->kernel_bytes,
				 .cmdline = info->vm.cmdline };
	error = set_modules(info, &boot);
	if (error != NULL)
		return error;
	if (!pc_map_from_ram(&map, &vm->mem, PC_LOW_PC) || !reserve_pools(vm, &map))
		return "memory that no PC has";
	pc_describe(vm, &acpi);
	error = pc_tables_put(&vm->mem, &map, &acpi, &boot.rsdp);
	if (error == NULL)
		error = load(vm, &boot, &entry);
	if (error != NULL)
		return error;
	vm->entry = entry.rip;
	vm->load = entry.load;
	vm->started_at = clock_now();
	vcpu_reset(&vm->vcpu[0].cpu.cpu);
	vcpu_enter(&vm->vcpu[0].cpu.cpu, &entry);
	vm->pc.tsc_offset = 0 - vm->started_at;
	vcpu_set(&vm->vcpu[0].cpu.cpu, VCPU_TSC_OFFSET, vm->pc.tsc_offset - vm_paused_ticks(vm));
	return NULL;
}
