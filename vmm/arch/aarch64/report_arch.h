/* What the reports of 64-bit and 32-bit vCPUs share. */
#pragma once

#include "../../report.h"
#include "insn.h"

/* ESR_EL2 of an abort: of a walk of the guest's own tables. */
#define REPORT_S1PTW (1u << 7)

/* Where an exception came from that has left the vCPU at its vector. */
struct report_origin {
	const char *exception;
	uint64_t va;
	uint32_t pstate; /* for the mnemonic: width and state */
};

/* A system register, in the type that is printed. */
static inline unsigned long long reg_of(struct vm_vcpu *vc, enum abi_vcpu_reg reg)
{
	return vcpu_get(&vc->cpu.cpu, vcpu_field(reg));
}
