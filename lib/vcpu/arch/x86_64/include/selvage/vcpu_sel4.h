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

/* A vector register: XMM0 to XMM15, or 64 bits of MM0 to MM7. What becomes of x87 by an
 * instruction of MMX does (SDM 1, 9.5). False: the kernel does not show it. */
bool vcpu_sel4_get_xmm(struct vcpu_sel4 *v, unsigned reg, uint64_t value[2]);
bool vcpu_sel4_set_xmm(struct vcpu_sel4 *v, unsigned reg, const uint64_t value[2]);
bool vcpu_sel4_get_mmx(struct vcpu_sel4 *v, unsigned reg, uint64_t *value);
bool vcpu_sel4_set_mmx(struct vcpu_sel4 *v, unsigned reg, uint64_t value);
