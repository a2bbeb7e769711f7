/*
 * The interrupt controller on this kernel: list registers through the VCPU
 * object, distributor and redistributors on the bus, maintenance interrupts.
 */
#include "arch.h"

#include <selvage/log.h>

/* What plain seL4 does not tell: QEMU's GICs and most hardware have 4. */
#define ASSUMED_LRS 4u
#define LR_VINTID 0xffffu

static uint64_t read_lr(void *opaque, unsigned vcpu, unsigned index)
{
	struct vm *vm = opaque;
	uint64_t value = 0;

	(void)vcpu_sel4_read(&vm->vcpu[vcpu].cpu, ABI_EXTV_LR0 + index, &value);
	return value;
}

void vgic_write_hardware(void *opaque, unsigned vcpu, unsigned index, uint64_t value)
{
	struct vm *vm = opaque;

	vm->stats->interrupts += value != 0;
	if (value & VGIC_LR_STATE_PENDING)
		vm_trace(vm, VMM_TRACED_INTERRUPT, (uint32_t)(value & LR_VINTID) << 8 | vcpu);
	if (!vcpu_sel4_write(&vm->vcpu[vcpu].cpu, ABI_EXTV_LR0 + index, value))
		log_error("vCPU %u: list register %u refused", vcpu, index);
}

static void inject(void *opaque, unsigned vcpu, unsigned index, unsigned irq,
		   unsigned priority, unsigned group)
{
	struct vm *vm = opaque;

	if (sel4_vcpu_inject_irq(vm->vcpu[vcpu].cpu.caps.vcpu, (uint16_t)irq,
				 (uint8_t)priority, (uint8_t)group,
				 (uint8_t)index) != ABI_OK)
		log_error("vCPU %u: interrupt %u refused", vcpu, irq);
}

/*
 * The guest is done with the timer interrupt: the line is taken to be low and
 * the kernel watches the timer again. If it is still due, the next exit says
 * so.
 */
static void eoi(void *opaque, unsigned vcpu, unsigned irq)
{
	struct vm *vm = opaque;

	if (vm->hooks.eoi != NULL && irq >= BOARD_SPI(0))
		vm->hooks.eoi(vm, vcpu, irq);
	if (irq != vm->board->timer_irq[BOARD_TIMER_VIRTUAL])
		return;
	vgic_set_level(&vm->gic, vcpu, irq, false);
	(void)sel4_vcpu_ack_vppi(vm->vcpu[vcpu].cpu.caps.vcpu, irq);
}

/*
 * Keeps a vCPU from executing while its list registers are rewritten. There
 * is one core: it is enough that the handler which does so outranks the vCPUs
 * of its VM for a moment. The event thread always does, and a vCPU whose exit
 * is being handled does not execute. (Left: the handler's budget may end in
 * that very moment, if the VM has less budget than period.)
 */
static void hold(void *opaque, unsigned vcpu, bool held)
{
	struct vm *vm = opaque;
	const struct vm_vcpu *self = vm->handler;
	uint64_t priority = held ? VMM_HOLD_PRIORITY : vm->info->vm.priority;

	if (self == NULL || self->index == vcpu)
		return;
	vm->holds += held ? 1u : -1u;
	if (vm->holds != (held ? 1u : 0u))
		return;
	if (sel4_tcb_set_priority(VMM_CAP_VCPU(self->index) + VMM_VCPU_HANDLER,
				  PROC_CAP_TCB, priority) != ABI_OK)
		log_error("vCPU %u: the handler's priority cannot be changed",
			  self->index);
}

static enum mmio_outcome dist_access(void *device, unsigned vcpu,
				     struct mmio *m)
{
	return vgic_dist_access(&((struct vm *)device)->gic, vcpu, m);
}

static enum mmio_outcome redist_access(void *device, unsigned vcpu,
				       struct mmio *m)
{
	(void)vcpu;
	return vgic_redist_access(&((struct vm *)device)->gic, m);
}

static bool add_regions(struct vm *vm)
{
	const struct board *b = vm->board;
	bool v3 = vm->info->gic_version == 3;
	struct board_range gicr = b->gicr;

	gicr.size *= vm->info->n_vcpus;
	return vm_add(vm, "gicd", v3 ? b->gicd_v3 : b->gicd_v2, dist_access, vm) &&
	       (!v3 || vm_add(vm, "gicr", gicr, redist_access, vm));
}

static unsigned hardware_lrs(struct vm *vm)
{
	uint64_t n;

	if ((vm->features & ABI_EXTF_VCPU_STATE) &&
	    vcpu_sel4_read(&vm->vcpu[0].cpu, ABI_EXTV_NUM_LRS, &n) && n >= 1 &&
	    n <= VGIC_MAX_LRS)
		return (unsigned)n;
	return ASSUMED_LRS;
}

const char *vm_gic_init(struct vm *vm)
{
	struct vgic_env env = {
		.opaque = vm,
		.read_lr = read_lr,
		.write_lr = vgic_write_hardware,
		.inject = inject,
		.hold = hold,
		.eoi = eoi,
		.lpis_on = vm->hooks.lpis_on,
	};
	struct vgic_config config = {
		.version = vm->info->gic_version,
		.n_vcpus = vm->info->n_vcpus,
		.n_irqs = vm->n_irqs,
		.n_lpis = vm->n_lpis,
		.n_lrs = hardware_lrs(vm),
		.lr_readback = vm->features & ABI_EXTF_VCPU_STATE,
	};

	if (vm->hooks.cpu_interface == NULL)
		direct_init(vm, &config, &env);
	else if (!config.lr_readback || !vm->hooks.cpu_interface(vm, &config, &env))
		return "a GICv2 in software, for which this kernel lacks access to list registers";
	if (!vgic_init(&vm->gic, &config, &env) || !add_regions(vm))
		return "an interrupt controller that is neither GICv2 nor GICv3";
	return NULL;
}

void vm_set_irq(struct vm *vm, uint32_t irq, bool level)
{
	vgic_set_level(&vm->gic, 0, irq, level);
}
