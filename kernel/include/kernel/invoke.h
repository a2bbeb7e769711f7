/*
 * An invocation: a message to an object of the kernel. inv_check looks at its
 * label and lengths; then a method checks capabilities and arguments in the
 * order of the ABI, returns an abi_error (with details by the inv_* helpers
 * below) without having changed anything, or commits and returns ABI_OK.
 */
#pragma once

#include <abi/error.h>
#include <abi/invocation.h>
#include <abi/ipcbuf.h>
#include <kernel/arch.h>
#include <kernel/fault.h>
#include <kernel/slot.h>
#include <kernel/tcb.h>

struct invocation {
	struct tcb *thread; /* the invoker: the current thread */
	struct cap cap;     /* what is invoked, and its slot */
	struct slot *slot;
	word_t label;
	unsigned length; /* words; above 4 only if `buffer` is there */
	bool call;       /* whether the invoker waits for the result */
	bool blocking;
	bool first_phase; /* of ReplyRecv, NBSendRecv, NBSendWait */
	unsigned extra_count;
	struct slot *extra[ABI_MSG_MAX_CAPS]; /* may be empty slots */
	struct abi_ipcbuf *buffer;            /* readable, or NULL */

	/* Results. */
	unsigned reply_length;
	word_t reply[ABI_MSG_REGS]; /* MR0-3, also the details of an error */
	word_t detail4;             /* MR4 of a FAILED_LOOKUP */
};

/* Whether the object has such a method, and the message has all that it needs:
 * ILLEGAL_OPERATION, TRUNCATED_MESSAGE. What it finds need not be checked
 * again. */
int inv_check(const struct invocation *inv);

/* Message word i; the caller has checked inv->length. */
static inline word_t inv_arg(const struct invocation *inv, unsigned i)
{
	return i < ABI_MSG_REGS ? arch_msg_reg(inv->thread, i) : inv->buffer->msg[i];
}
static inline struct cap inv_extra(const struct invocation *inv, unsigned i)
{
	return inv->extra[i]->cap;
}
/* Result word i (0, 1, ... without gaps); only in a commit. */
void inv_result(struct invocation *inv, unsigned i, word_t v);

/* Errors with details: `return inv_range(inv, 0, 255);` */
int inv_invalid_argument(struct invocation *inv, word_t number);
int inv_invalid_cap(struct invocation *inv, word_t number);
int inv_range(struct invocation *inv, word_t min, word_t max);
int inv_failed_lookup(struct invocation *inv, bool source, const struct lookup_failure *f);
int inv_not_enough_memory(struct invocation *inv, word_t bytes_left);

/* The slot that (root, index, depth) names: abi error. `source` says which
 * side of the operation a failure is reported for. */
int inv_lookup_slot(struct invocation *inv, bool source, struct cap root,
		    word_t index, word_t depth, struct slot **out);
/* The same, and the slot must be empty (DELETE_FIRST). */
int inv_lookup_empty(struct invocation *inv, struct cap root, word_t index,
		     word_t depth, struct slot **out);

/* Methods per capability type: abi error or PREEMPTED. */
int untyped_invoke(struct invocation *inv);
int cnode_invoke(struct invocation *inv);
int tcb_invoke(struct invocation *inv);
int sc_invoke(struct invocation *inv);
int sched_control_invoke(struct invocation *inv);
int irq_handler_invoke(struct invocation *inv);
int domain_invoke(struct invocation *inv);
