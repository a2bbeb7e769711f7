/* Register orders of AArch64 messages and register transfers. */
#pragma once

/*
 * TCB_ReadRegisters/WriteRegisters order: X(name). The first 17 are the
 * frame registers.
 */
/* clang-format off */
#define ABI_CONTEXT_REGS(X)                                                    \
	X(PC) X(SP) X(SPSR) X(X0) X(X1) X(X2) X(X3) X(X4) X(X5) X(X6) X(X7)    \
	X(X8) X(X16) X(X17) X(X18) X(X29) X(X30) X(X9) X(X10) X(X11) X(X12)    \
	X(X13) X(X14) X(X15) X(X19) X(X20) X(X21) X(X22) X(X23) X(X24) X(X25)  \
	X(X26) X(X27) X(X28) X(TPIDR_EL0) X(TPIDRRO_EL0)
/* clang-format on */

enum abi_context_reg {
#define X(name) ABI_CTX_##name,
	ABI_CONTEXT_REGS(X)
#undef X
		ABI_CTX_COUNT
};
_Static_assert(ABI_CTX_COUNT == 36, "context order has 36 words");
#define ABI_CTX_FRAME_COUNT 17

/* VCPU_ReadRegs/WriteRegs fields. */
/* clang-format off */
#define ABI_VCPU_REGS(X)                                                       \
	X(SCTLR_EL1) X(CPACR_EL1) X(TTBR0_EL1) X(TTBR1_EL1) X(TCR_EL1)         \
	X(MAIR_EL1) X(AMAIR_EL1) X(CONTEXTIDR_EL1) X(ACTLR_EL1) X(AFSR0_EL1)   \
	X(AFSR1_EL1) X(ESR_EL1) X(FAR_EL1) X(PAR_EL1) X(VBAR_EL1)              \
	X(TPIDR_EL1) X(VMPIDR_EL2) X(SP_EL1) X(ELR_EL1) X(SPSR_EL1)            \
	X(CNTV_CTL) X(CNTV_CVAL) X(CNTVOFF) X(CNTKCTL_EL1)
/* clang-format on */

enum abi_vcpu_reg {
#define X(name) ABI_VCPU_##name,
	ABI_VCPU_REGS(X)
#undef X
		ABI_VCPU_REG_COUNT
};
_Static_assert(ABI_VCPU_REG_COUNT == 24, "24 VCPU fields");

/* VCPU_InjectIRQ's one word. */
#define ABI_INJECT_VIRQ_MASK 0xffffull
#define ABI_INJECT_PRIORITY_SHIFT 16 /* 0-31 */
#define ABI_INJECT_GROUP_SHIFT 24
#define ABI_INJECT_INDEX_SHIFT 32
#define ABI_VIRQ_MAX 1023

#define ABI_PPI_VTIMER 27
