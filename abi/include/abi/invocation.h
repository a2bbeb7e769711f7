/* Invocation labels: AArch64, MCS, hypervisor, one core. */
#pragma once

#define ABI_INVOCATIONS(X)                      \
	X(UNTYPED_RETYPE, 1)                    \
	X(TCB_READ_REGISTERS, 2)                \
	X(TCB_WRITE_REGISTERS, 3)               \
	X(TCB_COPY_REGISTERS, 4)                \
	X(TCB_CONFIGURE, 5)                     \
	X(TCB_SET_PRIORITY, 6)                  \
	X(TCB_SET_MC_PRIORITY, 7)               \
	X(TCB_SET_SCHED_PARAMS, 8)              \
	X(TCB_SET_TIMEOUT_ENDPOINT, 9)          \
	X(TCB_SET_IPC_BUFFER, 10)               \
	X(TCB_SET_SPACE, 11)                    \
	X(TCB_SUSPEND, 12)                      \
	X(TCB_RESUME, 13)                       \
	X(TCB_BIND_NOTIFICATION, 14)            \
	X(TCB_UNBIND_NOTIFICATION, 15)          \
	X(TCB_SET_TLS_BASE, 16)                 \
	X(TCB_SET_FLAGS, 17)                    \
	X(CNODE_REVOKE, 18)                     \
	X(CNODE_DELETE, 19)                     \
	X(CNODE_CANCEL_BADGED_SENDS, 20)        \
	X(CNODE_COPY, 21)                       \
	X(CNODE_MINT, 22)                       \
	X(CNODE_MOVE, 23)                       \
	X(CNODE_MUTATE, 24)                     \
	X(CNODE_ROTATE, 25)                     \
	X(IRQ_CONTROL_GET, 26)                  \
	X(IRQ_HANDLER_ACK, 27)                  \
	X(IRQ_HANDLER_SET_NOTIFICATION, 28)     \
	X(IRQ_HANDLER_CLEAR, 29)                \
	X(DOMAIN_SET_SET, 30)                   \
	X(DOMAIN_SET_SCHEDULE_CONFIGURE, 31)    \
	X(DOMAIN_SET_SCHEDULE_SET_START, 32)    \
	X(SCHED_CONTROL_CONFIGURE_FLAGS, 33)    \
	X(SCHED_CONTEXT_BIND, 34)               \
	X(SCHED_CONTEXT_UNBIND, 35)             \
	X(SCHED_CONTEXT_UNBIND_OBJECT, 36)      \
	X(SCHED_CONTEXT_CONSUMED, 37)           \
	X(SCHED_CONTEXT_YIELD_TO, 38)           \
	X(ARM_VSPACE_CLEAN_DATA, 39)            \
	X(ARM_VSPACE_INVALIDATE_DATA, 40)       \
	X(ARM_VSPACE_CLEAN_INVALIDATE_DATA, 41) \
	X(ARM_VSPACE_UNIFY_INSTRUCTION, 42)     \
	X(ARM_SMC_CALL, 43)                     \
	X(ARM_PAGE_TABLE_MAP, 44)               \
	X(ARM_PAGE_TABLE_UNMAP, 45)             \
	X(ARM_PAGE_MAP, 46)                     \
	X(ARM_PAGE_UNMAP, 47)                   \
	X(ARM_PAGE_CLEAN_DATA, 48)              \
	X(ARM_PAGE_INVALIDATE_DATA, 49)         \
	X(ARM_PAGE_CLEAN_INVALIDATE_DATA, 50)   \
	X(ARM_PAGE_UNIFY_INSTRUCTION, 51)       \
	X(ARM_PAGE_GET_ADDRESS, 52)             \
	X(ARM_ASID_CONTROL_MAKE_POOL, 53)       \
	X(ARM_ASID_POOL_ASSIGN, 54)             \
	X(ARM_VCPU_SET_TCB, 55)                 \
	X(ARM_VCPU_INJECT_IRQ, 56)              \
	X(ARM_VCPU_READ_REGS, 57)               \
	X(ARM_VCPU_WRITE_REGS, 58)              \
	X(ARM_VCPU_ACK_VPPI, 59)                \
	X(IRQ_CONTROL_GET_TRIGGER, 60)          \
	X(IRQ_CONTROL_ISSUE_SGI_SIGNAL, 61)

enum abi_invocation {
	ABI_INV_INVALID = 0,
#define X(name, number) ABI_INV_##name = (number),
	ABI_INVOCATIONS(X)
#undef X
};

/* SchedControl_ConfigureFlags: flag bits. */
#define ABI_SC_FLAG_SPORADIC 1u

/* TCB_SetFlags: flag bits. */
#define ABI_TCB_FLAG_FPU_DISABLED 1u
