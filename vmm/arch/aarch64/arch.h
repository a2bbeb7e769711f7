/* AArch64 exits and the state behind them. All under the VM's lock. */
#pragma once

#include "vm.h"

/* CNTVOFF of all vCPUs. */
static inline uint64_t vm_offset(const struct vm *vm)
{
	return vm->virtual_offset + vm_paused_ticks(vm);
}

/* hypercall.c: HVC (PSCI, SMCCC) and SMC by policy. */
void hypercall_exit(struct vm_vcpu *vc);
void secure_call_exit(struct vm_vcpu *vc, const struct vcpu_exit *e);

/* sysreg_exit.c */
void sysreg_exit(struct vm_vcpu *vc, const struct vcpu_exit *e);

/* vtime.c: before a vCPU's first start, at its exit (kernels without extensions), at an exit for
 * a fetch (true: it was not the guest's), before it goes on (vm->time_stands). */
void vtime_start(struct vm_vcpu *vc);
void vtime_exit(struct vm_vcpu *vc);
bool vtime_probed(struct vm_vcpu *vc, const struct vcpu_exit *e);
void vtime_resume(struct vm_vcpu *vc);

/* direct.c: asks for direct interrupts and changes the model's configuration and
 * environment accordingly, if the kernel has them. */
void direct_init(struct vm *vm, struct vgic_config *config, struct vgic_env *env);
bool direct_has(const struct vm *vm, unsigned irq);
/* Before that: what stands for an interrupt below 64. */
static inline void direct_add(struct vm *vm, uint32_t irq, cap_t ntfn)
{
	vm->source[vm->n_sources++] = (struct vm_source){ .irq = irq, .ntfn = ntfn };
}

/* vtimer.c */
void vtimer_exit(struct vm_vcpu *vc, unsigned ppi);
/* The guest waits for an interrupt: blocks until one may be there. */
void wfi_block(struct vm_vcpu *vc);
/* The guest's physical timer registers (enum sysreg_action). */
uint64_t ptimer_read(const struct vm_vcpu *vc, enum sysreg_action reg);
void ptimer_write(struct vm_vcpu *vc, enum sysreg_action reg, uint64_t value);

/* vgic_glue.c: the model's environment. NULL, or what lacks. */
const char *vm_gic_init(struct vm *vm);
/* A list register of the hardware's. opaque: the VM. */
void vgic_write_hardware(void *opaque, unsigned vcpu, unsigned index, uint64_t value);
