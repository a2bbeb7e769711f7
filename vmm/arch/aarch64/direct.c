/*
 * Direct interrupts and doorbells where the kernel has them (abi/ext.h): SGIs,
 * the virtual timer and what notifications stand for reach the guest without an
 * exit. The vGIC model says what the guest has configured; pending and active
 * state is in the kernel.
 */
#include "arch.h"

#include <selvage/log.h>

#define DIRECT_LRS 2u /* the timer's, and one for the rest */
#define MIN_LRS 4u    /* with fewer the model needs them all */
#define SGIS 0xffffull
#define TIMER (1ull << ABI_PPI_VTIMER)
#define GICD_SGIR 0xf00u
#define LR_VINTID 0x3ffu

static struct vcpu_sel4 *cpu_of(void *opaque, unsigned vcpu)
{
	return &((struct vm *)opaque)->vcpu[vcpu].cpu;
}

static uint64_t pending(void *opaque, unsigned vcpu)
{
	uint64_t bits = 0;

	(void)vcpu_sel4_read(cpu_of(opaque, vcpu), ABI_EXTV_DIRECT_ISPEND, &bits);
	return bits;
}

static uint64_t lr(struct vm *vm, unsigned vcpu, unsigned i)
{
	uint64_t value = 0;

	(void)vcpu_sel4_read(&vm->vcpu[vcpu].cpu, ABI_EXTV_LR0 + vm->gic.config.n_lrs + i, &value);
	return value;
}

static uint64_t active(void *opaque, unsigned vcpu)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < DIRECT_LRS; i++) {
		uint64_t value = lr(opaque, vcpu, i);

		if (value & VGIC_LR_STATE_ACTIVE)
			bits |= 1ull << (value & LR_VINTID) % 64u;
	}
	return bits;
}

static void deactivate(struct vm *vm, unsigned vcpu, uint64_t irqs)
{
	for (unsigned i = 0; i < DIRECT_LRS; i++) {
		uint64_t value = lr(vm, vcpu, i);

		if ((value & VGIC_LR_STATE_ACTIVE) && (irqs >> (value & LR_VINTID) % 64u & 1u))
			(void)vcpu_sel4_write(&vm->vcpu[vcpu].cpu,
					      ABI_EXTV_LR0 + vm->gic.config.n_lrs + i,
					      value & ~VGIC_LR_STATE);
	}
}

static void change(void *opaque, unsigned vcpu, enum vgic_direct_change what, uint64_t irqs)
{
	const struct vm_vcpu *vc = &((struct vm *)opaque)->vcpu[vcpu];

	if (what == VGIC_DIRECT_DEACTIVATE)
		deactivate(opaque, vcpu, irqs);
	else
		(void)vcpu_sel4_write(cpu_of(opaque, vcpu),
				      what == VGIC_DIRECT_PEND ? ABI_EXTV_DIRECT_ISPEND
							       : ABI_EXTV_DIRECT_ICPEND,
				      irqs);
	/* The kernel wakes whom its own sources reach, not whom we do. */
	if (what == VGIC_DIRECT_PEND && vc->waiting)
		sel4_signal(vc->wake);
}

/* A notification is the interrupt of one vCPU at a time; what is pending moves
 * along. */
static void route(struct vm *vm, struct vm_source *s, unsigned vcpu)
{
	unsigned from = s->vcpu;
	bool moves;

	if (from == vcpu)
		return;
	(void)sel4_ext_vcpu_bind_irq(vm->vcpu[from].cpu.caps.vcpu, s->irq, 0);
	moves = pending(vm, from) >> s->irq & 1u;
	change(vm, from, VGIC_DIRECT_UNPEND, 1ull << s->irq);
	if (sel4_ext_vcpu_bind_irq(vm->vcpu[vcpu].cpu.caps.vcpu, s->irq, s->ntfn) != ABI_OK)
		log_error("vCPU %u: interrupt %u cannot be bound", vcpu, s->irq);
	if (moves)
		change(vm, vcpu, VGIC_DIRECT_PEND, 1ull << s->irq);
	s->vcpu = vcpu;
}

static void conf(void *opaque, unsigned vcpu, unsigned irq, unsigned how)
{
	struct vm *vm = opaque;
	uint64_t value = (uint64_t)(how & VGIC_DIRECT_PRIORITY) << VGIC_LR_PRIORITY_SHIFT;

	value |= how & VGIC_DIRECT_GROUP1 ? VGIC_LR_GROUP1 : 0;
	value |= how & VGIC_DIRECT_ENABLED ? VGIC_LR_STATE_PENDING : 0;
	if (!vcpu_sel4_write(cpu_of(vm, vcpu), ABI_EXTV_DIRECT_CONF0 + irq, value))
		log_error("vCPU %u: direct interrupt %u refused", vcpu, irq);
	if (!(how & VGIC_DIRECT_ENABLED))
		return;
	if (irq == ABI_PPI_VTIMER) { /* the kernel watches the timer again */
		vgic_set_level(&vm->gic, vcpu, irq, false);
		(void)sel4_vcpu_ack_vppi(cpu_of(vm, vcpu)->caps.vcpu, irq);
	}
	for (unsigned i = 0; i < vm->n_sources; i++)
		if (irq == vm->source[i].irq)
			route(vm, &vm->source[i], vcpu);
}

/* All vCPUs of a VM are one group: vCPU 0, and those that joined it. */
static bool set_up(struct vm *vm, unsigned i, uint64_t sgir)
{
	struct vm_vcpu *vc = &vm->vcpu[i];

	/* SGIs find a vCPU by its affinity, started or not. */
	return vcpu_sel4_write(&vc->cpu, ABI_VCPU_VMPIDR_EL2, VM_MPIDR(i)) &&
	       sel4_ext_vcpu_set_direct(vc->cpu.caps.vcpu, DIRECT_LRS, sgir, vc->wake,
					i == 0 ? 0 : vm->vcpu[0].cpu.caps.vcpu) == ABI_OK;
}

void direct_init(struct vm *vm, struct vgic_config *config, struct vgic_env *env)
{
	bool sgis = config->version == 3 || config->n_vcpus == 1;
	uint64_t sgir = config->version == 2 && sgis ? vm->board->gicd_v2.base + GICD_SGIR : 0;

	if (!(vm->features & ABI_EXTF_DIRECT_IRQ) || !config->lr_readback ||
	    config->n_lrs < MIN_LRS)
		return;
	for (unsigned i = 0; i < config->n_vcpus; i++)
		if (!set_up(vm, i, sgir)) {
			log_error("vCPU %u: direct interrupts refused", i);
			return;
		}
	config->n_lrs -= DIRECT_LRS;
	config->direct = TIMER | (sgis ? SGIS : 0);
	for (unsigned i = 0; i < vm->n_sources; i++)
		if (sel4_ext_vcpu_bind_irq(vm->vcpu[0].cpu.caps.vcpu, vm->source[i].irq,
					   vm->source[i].ntfn) == ABI_OK)
			config->direct |= 1ull << vm->source[i].irq;
	env->direct_conf = conf;
	env->direct_pending = pending;
	env->direct_active = active;
	env->direct_change = change;
}

bool direct_has(const struct vm *vm, unsigned irq)
{
	return irq < VGIC_DIRECT_IRQS && (vm->gic.config.direct >> irq & 1u);
}
