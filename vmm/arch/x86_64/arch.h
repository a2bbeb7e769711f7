/* x86-64 exits, one file for each kind. All under the VM's lock. */
#pragma once

#include "vm.h"

/* port_exit.c: IN and OUT; string forms are decoded (emulate.c). */
void port_exit(struct vm_vcpu *vc, const struct vcpu_exit *e);
/* What was ignored of an access, m->reason. */
void port_misuse(struct vm_vcpu *vc, uint16_t number, struct mmio *m);
/* cpuid_exit.c */
void cpuid_exit(struct vm_vcpu *vc);
/* msr_exit.c: RDMSR, WRMSR. */
void msr_exit(struct vm_vcpu *vc, const struct vcpu_exit *e);
/* page_exit.c: nested page faults. */
void page_exit(struct vm_vcpu *vc, const struct vcpu_exit *e);
void fetch_exit(struct vm_vcpu *vc, const struct vcpu_exit *e);
/* halt_exit.c: HLT. */
void halt_exit(struct vm_vcpu *vc, const struct vcpu_exit *e);
/* control_exit.c: CR and DR, XSETBV, RDPMC, WBINVD, MONITOR, hypercalls, SVM's own. */
void control_exit(struct vm_vcpu *vc, const struct vcpu_exit *e);
void instruction_exit(struct vm_vcpu *vc, const struct vcpu_exit *e);
void hypercall_exit(struct vm_vcpu *vc);
void debug_exit(struct vm_vcpu *vc, const struct vcpu_exit *e);
void undefined_exit(struct vm_vcpu *vc, const struct vcpu_exit *e);
void state_exit(struct vm_vcpu *vc, const struct vcpu_exit *e);

/* RFLAGS.TF is set, as far as the exit says it, and not by a debugger: an instruction that is
 * carried out ends in #DB. */
static inline bool is_stepped(const struct vm_vcpu *vc)
{
	const struct vcpu *v = &vc->cpu.cpu;

	return (v->valid & vcpu_bit(VCPU_RFLAGS)) && (v->reg[VCPU_RFLAGS] & VCPU_RFLAGS_TF) &&
	       !vc->debug.planted && !vc->debug.leaked;
}

/* interrupt.c: behind each exit. */
void interrupt_deliver(struct vm_vcpu *vc, const struct vcpu_exit *e);
/* The kernel has one that the guest has not taken yet. */
bool interrupt_is_pending(struct vm_vcpu *vc);

/* kick.c: for VMs that have the device. */
extern const struct vm_part part_pc_kick;
/* The guest gets none until they are released; that, too, if nothing was held. */
void interrupt_hold(struct vm_vcpu *vc);
void interrupt_release(struct vm_vcpu *vc);

/* emulate.c: carries out the instruction that exited. NULL, or why it cannot be. */
const char *emulate(struct vm_vcpu *vc, const struct vcpu_exit *e);
/* Its bytes, at most `n`: how many there are. */
unsigned emulate_fetch(struct vm_vcpu *vc, uint8_t *bytes, unsigned n);
/* Width of the code, 16, 32 or 64; where the guest's kernel sees a linear address. */
unsigned emulate_mode(struct vm_vcpu *vc);
bool emulate_translate(struct vm_vcpu *vc, uint64_t linear, uint64_t *gpa);

/* There are no direct interrupts. */
static inline void direct_add(struct vm *vm, uint32_t irq, cap_t ntfn)
{
	(void)vm, (void)irq, (void)ntfn;
}
static inline bool direct_has(const struct vm *vm, unsigned irq)
{
	(void)vm, (void)irq;
	return false;
}

/* Registers of `mask` at once, for those who ask for them one by one. */
static inline void arch_fetch(struct vm_vcpu *vc, uint64_t mask)
{
	struct vcpu *v = &vc->cpu.cpu;

	(void)(v->ops->fetch(v, mask));
}
