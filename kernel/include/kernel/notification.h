/* Notifications: a word of signals, a queue of waiters, a bound thread. */
#pragma once

#include <abi/object.h>
#include <abi/syscall.h>
#include <kernel/cap.h>

struct tcb;
struct sched_context;
struct vcpu;

enum ntfn_state { NTFN_IDLE = 0,
		  NTFN_WAITING,
		  NTFN_ACTIVE };

struct notification {
	struct tcb *head, *tail;
	struct tcb *bound_tcb;
	struct sched_context *sc;
	word_t badge;
	word_t state;        /* enum ntfn_state */
	struct vcpu *direct; /* whose interrupt a signal is, or NULL */
	word_t direct_source;
};
_Static_assert(sizeof(struct notification) <= 1u << ABI_NOTIFICATION_BITS, "ABI");

static inline struct cap cap_notification(struct notification *n)
{
	return cap_make(CAP_NOTIFICATION, ptr_to_paddr(n), ABI_RIGHT_READ | ABI_RIGHT_WRITE, 0);
}

void ntfn_signal(struct notification *n, word_t badge);
/* The same, if it is nobody's interrupt. */
void ntfn_post(struct notification *n, word_t badge);
void ntfn_receive(struct notification *n, struct tcb *t, bool blocking);
/* The bound thread takes the pending signal instead of a message. */
void ntfn_complete(struct notification *n, struct tcb *t);
void ntfn_remove(struct notification *n, struct tcb *t);
void ntfn_reorder(struct notification *n, struct tcb *t);
/* Restarts the first thread that waits; false: there is none. */
bool ntfn_cancel_one(struct notification *n);
/* The last capability goes: wakes nobody's wait, unbinds everything. */
void ntfn_destroy(struct notification *n);
void ntfn_bind_tcb(struct notification *n, struct tcb *t);
void ntfn_unbind_tcb(struct notification *n);
/* A thread that runs on the notification's scheduling context gives it back. */
void ntfn_return_sc(struct notification *n, struct tcb *t);
