/* The back end of <selvage/vcpu.h> on the kernel's TCB and VCPU objects. */
#pragma once

#include <selvage/vcpu.h>
#include <selvage/vcpu_vmx.h>

struct vcpu_sel4 {
	struct vcpu cpu; /* first: ops get a pointer to it */
	struct vcpu_caps caps;
	struct vmx_vcpu vmx; /* for registers that are to be read or written at once */
	bool exited;         /* there is an exit to answer */
	uint8_t insn_bytes;  /* of the exit being handled; 0: not known */
	bool accessed;       /* it is an access: abi/vcpu.h */
	uint8_t carried;     /* registers, from RAX on, that the answer can have */
};

/* Switches the exit message on; false: the kernel has none, or no guests. */
bool vcpu_sel4_init(struct vcpu_sel4 *v, const struct vcpu_caps *caps);
/* Writes all registers and starts the thread; false: the kernel refused. */
bool vcpu_sel4_start(struct vcpu_sel4 *v);

/* ABI_VCPU_EXCEPTIONS, ABI_VCPU_CR_ACCESSES, ABI_VCPU_DR_ACCESSES. */
bool vcpu_sel4_write(struct vcpu_sel4 *v, unsigned field, uint32_t value);
