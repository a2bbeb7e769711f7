/* Threads. */
#pragma once

#include <abi/object.h>
#include <arch/types.h>
#include <kernel/fault.h>
#include <kernel/slot.h>

struct abi_ipcbuf;
struct endpoint;
struct notification;
struct reply;
struct sched_context;

/* clang-format off */
enum thread_state {
	THREAD_INACTIVE, THREAD_RUNNING,
	THREAD_RESTART, /* runs the instruction at its restart PC again */
	THREAD_ON_RECEIVE, THREAD_ON_SEND, THREAD_ON_REPLY, THREAD_ON_NOTIFICATION,
};

enum tcb_slot {
	TCB_CSPACE, TCB_VSPACE, TCB_IPC_BUFFER, TCB_FAULT_HANDLER, TCB_TIMEOUT_HANDLER, TCB_SLOTS
};
/* clang-format on */

enum tcb_queue { QUEUE_NONE = 0,
		 QUEUE_READY,
		 QUEUE_RELEASE };

#define TCB_NAME_BYTES 32

struct tcb {
	struct arch_tcb arch;
	struct slot slots[TCB_SLOTS];

	uint8_t state; /* enum thread_state */
	prio_t priority, mcp;
	dom_t domain;
	uint8_t queue; /* enum tcb_queue: what sched_next/prev link */
	/* How a blocked sender sends. */
	bool send_grant, send_grant_reply, send_call;
	word_t send_badge;
	word_t flags; /* ABI_TCB_FLAG_* */
	vptr_t ipc_buffer;
	/* The buffer, if both may be done with it: valid while the frame capability
	 * in slots[] has this word 0. */
	struct abi_ipcbuf *buffer;
	word_t buffer_cap;

	void *blocked_on;    /* endpoint or notification of ON_SEND/RECEIVE/... */
	struct reply *reply; /* attached (receiving) or blocked on (ON_REPLY) */
	struct sched_context *sc;
	struct sched_context *yield_to;
	struct notification *bound_ntfn;
	struct tcb *sched_next, *sched_prev; /* ready or release queue */
	struct tcb *ipc_next, *ipc_prev;     /* endpoint or notification queue */
	struct fault fault;
	word_t trace_id;           /* TCB_SET_TRACE_ID */
	char name[TCB_NAME_BYTES]; /* DebugNameThread */
};
_Static_assert(sizeof(struct tcb) <= 1u << ABI_TCB_BITS, "ABI");

static inline struct cap cap_tcb(struct tcb *t) { return cap_make(CAP_TCB, ptr_to_paddr(t), 0, 0); }
static inline bool tcb_is_runnable(const struct tcb *t)
{
	return t->state == THREAD_RUNNING || t->state == THREAD_RESTART;
}
/* Waits for someone else: not runnable and not inactive. */
static inline bool tcb_is_blocked(const struct tcb *t) { return t->state >= THREAD_ON_RECEIVE; }

void tcb_set_priority(struct tcb *t, prio_t prio);
/* Changes the state; a thread that can no longer run leaves the queues. */
void tcb_set_state(struct tcb *t, enum thread_state s);
/* A blocked thread may go on: queues it, or parks it until it has budget. */
void tcb_wake(struct tcb *t, enum thread_state s);
/* Stops waiting for IPC: leaves the queue, unlinks the reply; inactive. */
void tcb_cancel_ipc(struct tcb *t);
void tcb_suspend(struct tcb *t);
void tcb_resume(struct tcb *t);
/* The last capability goes: suspends and unbinds everything. */
void tcb_finalise(struct tcb *t);
