/* Invocation labels: MCS, hypervisor, one core; an architecture adds its own. */
#pragma once

#include <abi/invocation_arch.h>

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
	ABI_ARCH_INVOCATIONS(X)

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
