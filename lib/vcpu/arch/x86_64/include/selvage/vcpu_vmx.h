/*
 * A VCPU object under VT-x, whose exits and fields the kernel gives as the processor
 * has them, as abi/vcpu.h says it of registers, exits and controls: what SVM's VCPU
 * does by itself.
 */
#pragma once

#include <abi/vcpu.h>
#include <stdbool.h>
#include <stdint.h>

struct vmx_vcpu {
	uint64_t cap;
	bool on;          /* it is VT-x: nothing below is for SVM */
	uint32_t primary; /* controls, as they are now */
	uint64_t flags;   /* RFLAGS at the exit */
	uint32_t shadow;  /* interruptibility, at the exit or as written since */
	bool open;        /* at the exit, or when it was asked: an interrupt would be taken */
	bool cr8;         /* its accesses are the monitor's */
	uint64_t irq;     /* IRQ, while it is not in the event field */
	uint64_t sent;    /* what of it went there, and perhaps was not taken yet */
};

/* Finds out which it is; under VT-x the controls are as a monitor wants them. False: the
 * kernel refused. The exit message is on or off already. */
bool vmx_vcpu_init(struct vmx_vcpu *x, uint64_t cap);
/* ABI_VCPU_SET, of all registers. ABI_OK or the kernel's error. */
int vmx_read_set(struct vmx_vcpu *x, uint64_t set, uint64_t *value);
int vmx_write_set(struct vmx_vcpu *x, uint64_t set, const uint64_t *value);
/* ABI_VCPU_EXCEPTIONS, ABI_VCPU_CR_ACCESSES (CR0, CR3, CR4, CR8), ABI_VCPU_DR_ACCESSES (all or
 * none). */
int vmx_write_control(struct vmx_vcpu *x, unsigned field, uint32_t value);
/*
 * Label and words of an exit, the rest in the IPC buffer, into those that abi/vcpu.h
 * states. False: nothing of the monitor's; the guest is to go on (ABI_EXIT_AGAIN).
 */
bool vmx_exit(struct vmx_vcpu *x, uint64_t *label, uint64_t mr[4]);
