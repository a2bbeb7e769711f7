/*
 * AArch64 vCPU: register numbers, decoding of ESR_EL2, exception injection
 * and the back end that runs on the kernel's VCPU object.
 */
#pragma once

#include <abi/ext.h>
#include <abi/regs.h>
#include <stdbool.h>
#include <stdint.h>

struct vcpu;
struct vcpu_exit;

/* Register numbers of struct vcpu: X0-X30, then these. */
enum vcpu_reg {
	VCPU_X0 = 0,
	VCPU_X30 = 30,
	/* 31 is the zero register: nobody's. */
	VCPU_PC = 32,
	VCPU_SP_EL0,
	VCPU_PSTATE,
	VCPU_TPIDR_EL0,
	VCPU_TPIDRRO_EL0,
	VCPU_FIELD0, /* + enum abi_vcpu_reg */
	/* Of a narrow vCPU: ABI_EXTV_IFSR32 and the two behind it. */
	VCPU_IFSR32 = VCPU_FIELD0 + ABI_VCPU_REG_COUNT,
	VCPU_SPSR_ABT,
	VCPU_SPSR_UND,
	VCPU_REGS,
};
#define VCPU_NO_REG 31
#define VCPU_CONTEXT_MASK ((1ull << VCPU_FIELD0) - 1)

static inline unsigned vcpu_field(enum abi_vcpu_reg field)
{
	return VCPU_FIELD0 + (unsigned)field;
}

/* PSTATE of a vCPU at its entry: EL1h, D, A, I, F masked. */
#define VCPU_PSTATE_RESET 0x3c5u

/* VCPU_EXIT_SYSREG's code: op0 1:0, op1, CRn, CRm, op2. AArch32's have op0 0
 * for CP15, 1 for CP15 of 64 bits (CRn and op2 are 0), and 2 for CP14, whose
 * numbers are those of AArch64's debug registers. */
#define VCPU_SYSREG(op0, op1, crn, crm, op2) \
	((uint16_t)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2)))

/*
 * Decodes ESR_EL2 (Arm ARM D17.2.37) into *e: reason, code, size, register,
 * direction. Addresses and value stay with the caller. Any value is accepted.
 */
void vcpu_decode_esr(uint64_t esr, struct vcpu_exit *e);
/* Whether an instruction whose condition field, or else IT state, is as ESR_EL2
 * and pstate say, is carried out. True for what is not AArch32's. */
bool vcpu_condition_holds(uint64_t esr, uint64_t pstate);
/* Text for an exception class, for reports. */
const char *vcpu_esr_class(uint64_t esr);
/* Text for the fault status of an abort, for reports. */
const char *vcpu_esr_fault(uint64_t esr);
/* What a load of e->size bytes that gets `value`, zero-extended, leaves in the
 * register: most loads just that. */
#define VCPU_ESR_SSE (1u << 21)
#define vcpu_extend(e, value) \
	((e)->syndrome & VCPU_ESR_SSE ? vcpu_sign_extend(e, value) : (value))
/* e->size: 1 to 8. */
uint64_t vcpu_sign_extend(const struct vcpu_exit *e, uint64_t value);

/* A general register by its number in an instruction; 31 reads as zero and
 * takes no write. */
uint64_t vcpu_get_x(struct vcpu *v, unsigned number);
void vcpu_set_x(struct vcpu *v, unsigned number, uint64_t value);

/* AArch32's r0-r14 in the mode of `pstate` by X numbers; r15: VCPU_NO_REG. */
unsigned vcpu_r_number(unsigned r, uint64_t pstate);

/*
 * Registers as at a processor's start, at `entry`, x0-x3 zero. A narrow vCPU
 * starts in supervisor mode, in Thumb state if bit 0 of the entry is set.
 */
void vcpu_reset(struct vcpu *v, uint64_t entry);

/* The guest's EL1 takes an exception instead of going on. */
void vcpu_inject_undefined(struct vcpu *v);
/* BRK or BKPT that was meant for the guest; esr: as it came to the monitor. */
void vcpu_inject_break(struct vcpu *v, uint64_t esr);
/* External abort at guest-virtual address `far`; fetch: instruction side. */
void vcpu_inject_abort(struct vcpu *v, uint64_t far, bool fetch);

struct vcpu_caps {
	uint64_t tcb, vcpu, fault_ep, reply;
	/* Notification that is signalled in the same system call in which the
	 * handler first waits for an exit; 0: none. */
	uint64_t ready;
	uint64_t features; /* enum abi_ext_feature bits of this kernel */
};
