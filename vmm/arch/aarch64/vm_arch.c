/* vCPUs: registers, start, power; what the VM has of the processor's. */
#include "arch.h"

#include "boot/load.h"
#include "devices.h"

#include <selvage/clock.h>
#include <selvage/log.h>

/* Traps that the VMM asks for where the kernel has them. */
#define TRAPS ABI_EXT_TRAP_MASK

void vm_deliver_irqs(struct vm *vm, struct vm_vcpu *self)
{
	uint32_t work;

	if (self != NULL)
		vgic_flush(&vm->gic, self->index);
	work = vgic_work(&vm->gic);
	while (work != 0) {
		struct vm_vcpu *vc = &vm->vcpu[__builtin_ctz(work)];

		work &= work - 1;
		if (vc == self || vc->index >= vm->info->n_vcpus)
			continue;
		vgic_flush(&vm->gic, vc->index);
		if (vc->waiting && !vc->parked)
			sel4_signal(vc->wake);
	}
}

void vm_vcpu_reset(struct vm_vcpu *vc, uint64_t entry, uint64_t context)
{
	struct vcpu *v = &vc->cpu.cpu;

	vcpu_reset(v, entry);
	vcpu_set(v, vcpu_field(ABI_VCPU_VMPIDR_EL2), VM_MPIDR(vc->index));
	vcpu_set(v, vcpu_field(ABI_VCPU_CNTVOFF), vm_offset(vc->vm));
	vcpu_set(v, VCPU_X0, context);
}

bool vm_vcpu_start(struct vm_vcpu *vc)
{
	vtime_start(vc);
	if (!vcpu_sel4_start(&vc->cpu))
		return false;
	vc->started = true;
	if (vc->vm->hooks.debug != NULL)
		vc->vm->hooks.debug->started(vc);
	psci_running(&vc->vm->psci, vc->index);
	return true;
}

static bool power_on(void *opaque, unsigned vcpu, uint64_t entry,
		     uint64_t context)
{
	struct vm *vm = opaque;
	struct vm_vcpu *vc = &vm->vcpu[vcpu];

	if (vm->time_stands)
		return false;
	if (!vc->started) {
		vm_vcpu_reset(vc, entry, context);
		return vm_vcpu_start(vc);
	}
	vc->entry = entry;
	vc->context = context;
	vc->parked = false;
	sel4_signal(vc->wake);
	return true;
}

static bool entry_valid(void *opaque, uint64_t entry)
{
	const struct vm *vm = opaque;

	/* Of 32 bits, bit 0 chooses Thumb. */
	if (vm->info->vm.width == 32 && (entry & 1))
		return gmem_holds(&vm->mem, entry - 1, 2);
	return (entry & 3) == 0 && gmem_holds(&vm->mem, entry, 4);
}

/* False: it cannot be as wide as it should. */
static bool init_vcpu(struct vm *vm, unsigned i)
{
	struct vm_vcpu *vc = &vm->vcpu[i];
	const struct vcpu_caps caps = {
		.tcb = VMM_CAP_VCPU(i) + VMM_VCPU_TCB,
		.vcpu = VMM_CAP_VCPU(i) + VMM_VCPU_OBJ,
		.fault_ep = VMM_CAP_VCPU(i) + VMM_VCPU_FAULT_EP,
		.reply = VMM_CAP_VCPU(i) + VMM_VCPU_REPLY,
		.ready = VMM_CAP_VCPU(i) + VMM_VCPU_WAKE,
		.features = vm->features,
	};

	vc->vm = vm;
	vc->index = i;
	vc->wake = VMM_CAP_VCPU(i) + VMM_VCPU_WAKE;
	vcpu_sel4_init(&vc->cpu, &caps);
	if ((vm->features & ABI_EXTF_VCPU_TRAPS) &&
	    (vm->features & ABI_EXTF_VCPU_STATE) &&
	    sel4_ext_vcpu_set_traps(caps.vcpu, TRAPS) != ABI_OK)
		log_warning("vCPU %u: the guest sees the machine's own ID registers",
			    i);
	if (vm->board->midr != 0 && !vcpu_sel4_write(&vc->cpu, ABI_EXTV_VPIDR, vm->board->midr))
		log_warning("vCPU %u: the guest sees the machine's own MIDR", i);
	return vm->info->vm.width == 64 || vcpu_sel4_narrow(&vc->cpu);
}

static void say_what_lacks(const struct vm *vm)
{
	if (!(vm->features & ABI_EXTF_EXIT_MESSAGE))
		log_info("this kernel has no exit messages: exits take seL4's "
			 "slower way");
	if (!(vm->features & ABI_EXTF_VCPU_STATE))
		log_warning("this kernel does not let list registers be read: "
			    "interrupts are injected one way only");
	if (!(vm->features & ABI_EXTF_DIRECT_IRQ))
		log_info("this kernel has no direct interrupts: timer and SGIs take "
			 "an exit each");
	if (!(vm->features & ABI_EXTF_VCPU_TRAPS))
		log_warning("this kernel does not trap ID registers: the guest "
			    "sees the machine's own");
}

const struct board *vm_arch_begin(struct vm *vm)
{
	vm->n_irqs = VM_IRQS;
	return vm->info->vm.board == board_virt.number ? &board_virt : NULL;
}

const char *vm_arch_init(struct vm *vm)
{
	const struct psci_env env = {
		.opaque = vm,
		.cpu_on = power_on,
		.entry_valid = entry_valid,
	};

	say_what_lacks(vm);
	vm->sysreg = (struct sysreg_config){
		.gic_version = vm->info->gic_version,
		.pa_bits = SELVAGE_PA_BITS,
	};
	for (unsigned i = 0; i < vm->info->n_vcpus; i++) {
		if (!init_vcpu(vm, i))
			return "a 32-bit guest, which this kernel or processor cannot run";
	}
	psci_init(&vm->psci, vm->info->n_vcpus, &env);
	return NULL;
}

const char *vm_arch_init_devices(struct vm *vm)
{
	const char *error = vm_gic_init(vm);

	if (error == NULL && !devices_init(vm))
		return "devices that do not fit on the bus";
	return error;
}

const char *vm_arch_irqs_name(const struct vm *vm)
{
	return vm->info->gic_version == 2 ? "GICv2" : "GICv3";
}

const char *vm_load(struct vm *vm)
{
	struct boot_entry entry;
	const char *error = boot_load(vm, &entry);

	if (error != NULL)
		return error;
	vm->virtual_offset = vm->features != 0 ? clock_now() : 0; /* vtime.c */
	vm->load = entry.load;
	vm->entry = entry.pc;
	vm->started_at = clock_now();
	if (vm->hooks.loaded != NULL)
		vm->hooks.loaded(vm);
	vm_vcpu_reset(&vm->vcpu[0], entry.pc, entry.x[0]);
	for (unsigned i = 1; i < 4; i++)
		vcpu_set(&vm->vcpu[0].cpu.cpu, VCPU_X0 + i, entry.x[i]);
	return NULL;
}
