/*
 * The CPU interface in software (dev/gicc.h): the hardware's virtual one only
 * carries its two lines, each as an interrupt pending in a list register that
 * the guest has no way to acknowledge. For the model the interface's list
 * registers are the hardware's; the guest uses them in its exits only, so no
 * vCPU has to be held.
 */
#include "arch.h"

#include <dev/gicc.h>

#define LINE_IRQ 0u /* list registers */
#define LINE_FIQ 1u
#define LINE_INTID 991u
/* Both groups on, FIQs for group 0, all priorities. */
#define VMCR_OPEN 0xff00000bull

static struct gicc gicc[SYSDESC_MAX_VCPUS];

static uint64_t read_lr(void *opaque, unsigned vcpu, unsigned index)
{
	(void)opaque;
	return gicc[vcpu].lr[index];
}

static void write_lr(void *opaque, unsigned vcpu, unsigned index, uint64_t value)
{
	(void)opaque;
	gicc_write_lr(&gicc[vcpu], index, value);
}

static void set_lines(void *opaque, unsigned lines)
{
	struct vm_vcpu *vc = opaque;
	const uint64_t up = VGIC_LR_STATE_PENDING | LINE_INTID;

	vgic_write_hardware(vc->vm, vc->index, LINE_IRQ,
			    lines & GICC_IRQ ? up | VGIC_LR_GROUP1 : 0);
	vgic_write_hardware(vc->vm, vc->index, LINE_FIQ, lines & GICC_FIQ ? up - 1 : 0);
}

static enum mmio_outcome access_gicc(void *device, unsigned vcpu, struct mmio *m)
{
	struct vm *vm = device;
	struct gicc *c = &gicc[vcpu];
	enum mmio_outcome outcome = gicc_access(c, m);

	for (int i = gicc_ended(c); i >= 0; i = gicc_ended(c))
		vgic_maintenance(&vm->gic, vcpu, i);
	return outcome;
}

static bool take_over(struct vm *vm, struct vgic_config *config, struct vgic_env *env)
{
	for (unsigned i = 0; i < config->n_vcpus; i++) {
		struct vm_vcpu *vc = &vm->vcpu[i];

		gicc_init(&gicc[i], &(struct gicc_env){ vc, set_lines });
		if (!vcpu_sel4_write(&vc->cpu, ABI_EXTV_VMCR, VMCR_OPEN))
			return false;
	}
	config->n_lrs = GICC_LRS;
	config->lr_readback = true;
	config->sgis_on = true;
	env->read_lr = read_lr;
	env->write_lr = write_lr;
	env->hold = NULL;
	return vm_add(vm, "gicc", vm->board->gicc, access_gicc, vm);
}

static void install(struct vm *vm)
{
	vm->hooks.cpu_interface = take_over;
}

const struct vm_part part_gicc = {
	.bit = VMM_PART_GICC,
	.install = install,
};
