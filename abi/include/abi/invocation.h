/* Invocation labels: AArch64, MCS, hypervisor, one core. */
#pragma once

/* Name, label, what it is invoked on, and how many message words and extra
 * capabilities it needs at least. */
#define ABI_INVOCATIONS(X)                                        \
	X(UNTYPED_RETYPE, 1, UNTYPED, 6, 1)                       \
	X(TCB_READ_REGISTERS, 2, TCB, 2, 0)                       \
	X(TCB_WRITE_REGISTERS, 3, TCB, 2, 0)                      \
	X(TCB_COPY_REGISTERS, 4, TCB, 1, 1)                       \
	X(TCB_CONFIGURE, 5, TCB, 3, 3)                            \
	X(TCB_SET_PRIORITY, 6, TCB, 1, 1)                         \
	X(TCB_SET_MC_PRIORITY, 7, TCB, 1, 1)                      \
	X(TCB_SET_SCHED_PARAMS, 8, TCB, 2, 3)                     \
	X(TCB_SET_TIMEOUT_ENDPOINT, 9, TCB, 0, 1)                 \
	X(TCB_SET_IPC_BUFFER, 10, TCB, 1, 1)                      \
	X(TCB_SET_SPACE, 11, TCB, 2, 3)                           \
	X(TCB_SUSPEND, 12, TCB, 0, 0)                             \
	X(TCB_RESUME, 13, TCB, 0, 0)                              \
	X(TCB_BIND_NOTIFICATION, 14, TCB, 0, 1)                   \
	X(TCB_UNBIND_NOTIFICATION, 15, TCB, 0, 0)                 \
	X(TCB_SET_TLS_BASE, 16, TCB, 1, 0)                        \
	X(TCB_SET_FLAGS, 17, TCB, 2, 0)                           \
	X(CNODE_REVOKE, 18, CNODE, 2, 0)                          \
	X(CNODE_DELETE, 19, CNODE, 2, 0)                          \
	X(CNODE_CANCEL_BADGED_SENDS, 20, CNODE, 2, 0)             \
	X(CNODE_COPY, 21, CNODE, 2, 0)                            \
	X(CNODE_MINT, 22, CNODE, 2, 0)                            \
	X(CNODE_MOVE, 23, CNODE, 2, 0)                            \
	X(CNODE_MUTATE, 24, CNODE, 2, 0)                          \
	X(CNODE_ROTATE, 25, CNODE, 2, 0)                          \
	X(IRQ_CONTROL_GET, 26, IRQ_CONTROL, 3, 1)                 \
	X(IRQ_HANDLER_ACK, 27, IRQ_HANDLER, 0, 0)                 \
	X(IRQ_HANDLER_SET_NOTIFICATION, 28, IRQ_HANDLER, 0, 1)    \
	X(IRQ_HANDLER_CLEAR, 29, IRQ_HANDLER, 0, 0)               \
	X(DOMAIN_SET_SET, 30, DOMAIN, 1, 1)                       \
	X(DOMAIN_SET_SCHEDULE_CONFIGURE, 31, DOMAIN, 3, 0)        \
	X(DOMAIN_SET_SCHEDULE_SET_START, 32, DOMAIN, 1, 0)        \
	X(SCHED_CONTROL_CONFIGURE_FLAGS, 33, SCHED_CONTROL, 5, 1) \
	X(SCHED_CONTEXT_BIND, 34, SCHED_CONTEXT, 0, 1)            \
	X(SCHED_CONTEXT_UNBIND, 35, SCHED_CONTEXT, 0, 0)          \
	X(SCHED_CONTEXT_UNBIND_OBJECT, 36, SCHED_CONTEXT, 0, 1)   \
	X(SCHED_CONTEXT_CONSUMED, 37, SCHED_CONTEXT, 0, 0)        \
	X(SCHED_CONTEXT_YIELD_TO, 38, SCHED_CONTEXT, 0, 0)        \
	X(ARM_VSPACE_CLEAN_DATA, 39, VSPACE, 2, 0)                \
	X(ARM_VSPACE_INVALIDATE_DATA, 40, VSPACE, 2, 0)           \
	X(ARM_VSPACE_CLEAN_INVALIDATE_DATA, 41, VSPACE, 2, 0)     \
	X(ARM_VSPACE_UNIFY_INSTRUCTION, 42, VSPACE, 2, 0)         \
	X(ARM_SMC_CALL, 43, SMC, 8, 0)                            \
	X(ARM_PAGE_TABLE_MAP, 44, PAGE_TABLE, 2, 1)               \
	X(ARM_PAGE_TABLE_UNMAP, 45, PAGE_TABLE, 0, 0)             \
	X(ARM_PAGE_MAP, 46, FRAME, 3, 1)                          \
	X(ARM_PAGE_UNMAP, 47, FRAME, 0, 0)                        \
	X(ARM_PAGE_CLEAN_DATA, 48, FRAME, 2, 0)                   \
	X(ARM_PAGE_INVALIDATE_DATA, 49, FRAME, 2, 0)              \
	X(ARM_PAGE_CLEAN_INVALIDATE_DATA, 50, FRAME, 2, 0)        \
	X(ARM_PAGE_UNIFY_INSTRUCTION, 51, FRAME, 2, 0)            \
	X(ARM_PAGE_GET_ADDRESS, 52, FRAME, 0, 0)                  \
	X(ARM_ASID_CONTROL_MAKE_POOL, 53, ASID_CONTROL, 2, 2)     \
	X(ARM_ASID_POOL_ASSIGN, 54, ASID_POOL, 0, 1)              \
	X(ARM_VCPU_SET_TCB, 55, VCPU, 0, 1)                       \
	X(ARM_VCPU_INJECT_IRQ, 56, VCPU, 1, 0)                    \
	X(ARM_VCPU_READ_REGS, 57, VCPU, 1, 0)                     \
	X(ARM_VCPU_WRITE_REGS, 58, VCPU, 2, 0)                    \
	X(ARM_VCPU_ACK_VPPI, 59, VCPU, 1, 0)                      \
	X(IRQ_CONTROL_GET_TRIGGER, 60, IRQ_CONTROL, 4, 1)         \
	X(IRQ_CONTROL_ISSUE_SGI_SIGNAL, 61, IRQ_CONTROL, 4, 1)

enum abi_invocation {
	ABI_INV_INVALID = 0,
#define X(name, number, object, words, caps) ABI_INV_##name = (number),
	ABI_INVOCATIONS(X)
#undef X
};

/* SchedControl_ConfigureFlags: flag bits. */
#define ABI_SC_FLAG_SPORADIC 1u

/* TCB_SetFlags: flag bits. */
#define ABI_TCB_FLAG_FPU_DISABLED 1u
