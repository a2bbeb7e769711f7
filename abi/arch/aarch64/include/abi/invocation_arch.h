/* AArch64's part of abi/invocation.h. */
#pragma once

#define ABI_ARCH_INVOCATIONS(X)                               \
	X(ARM_VSPACE_CLEAN_DATA, 39, VSPACE, 2, 0)            \
	X(ARM_VSPACE_INVALIDATE_DATA, 40, VSPACE, 2, 0)       \
	X(ARM_VSPACE_CLEAN_INVALIDATE_DATA, 41, VSPACE, 2, 0) \
	X(ARM_VSPACE_UNIFY_INSTRUCTION, 42, VSPACE, 2, 0)     \
	X(ARM_SMC_CALL, 43, SMC, 8, 0)                        \
	X(ARM_PAGE_TABLE_MAP, 44, PAGE_TABLE, 2, 1)           \
	X(ARM_PAGE_TABLE_UNMAP, 45, PAGE_TABLE, 0, 0)         \
	X(ARM_PAGE_MAP, 46, FRAME, 3, 1)                      \
	X(ARM_PAGE_UNMAP, 47, FRAME, 0, 0)                    \
	X(ARM_PAGE_CLEAN_DATA, 48, FRAME, 2, 0)               \
	X(ARM_PAGE_INVALIDATE_DATA, 49, FRAME, 2, 0)          \
	X(ARM_PAGE_CLEAN_INVALIDATE_DATA, 50, FRAME, 2, 0)    \
	X(ARM_PAGE_UNIFY_INSTRUCTION, 51, FRAME, 2, 0)        \
	X(ARM_PAGE_GET_ADDRESS, 52, FRAME, 0, 0)              \
	X(ARM_ASID_CONTROL_MAKE_POOL, 53, ASID_CONTROL, 2, 2) \
	X(ARM_ASID_POOL_ASSIGN, 54, ASID_POOL, 0, 1)          \
	X(ARM_VCPU_SET_TCB, 55, VCPU, 0, 1)                   \
	X(ARM_VCPU_INJECT_IRQ, 56, VCPU, 1, 0)                \
	X(ARM_VCPU_READ_REGS, 57, VCPU, 1, 0)                 \
	X(ARM_VCPU_WRITE_REGS, 58, VCPU, 2, 0)                \
	X(ARM_VCPU_ACK_VPPI, 59, VCPU, 1, 0)                  \
	X(IRQ_CONTROL_GET_TRIGGER, 60, IRQ_CONTROL, 4, 1)     \
	X(IRQ_CONTROL_ISSUE_SGI_SIGNAL, 61, IRQ_CONTROL, 4, 1)
