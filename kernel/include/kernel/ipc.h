/* Message transfer between threads, and delivery of faults. */
#pragma once

#include <abi/ipcbuf.h>
#include <kernel/arch.h>
#include <kernel/fault.h>
#include <kernel/tcb.h>

/* The thread's buffer for reading (sending) or writing (receiving), or NULL. */
struct abi_ipcbuf *ipc_buffer(const struct tcb *t, bool write);
/* The same if it allows both and has not gone: no way to get it otherwise. */
static inline struct abi_ipcbuf *ipc_quick_buffer(const struct tcb *t)
{
	return t->slots[TCB_IPC_BUFFER].cap.w0 == t->buffer_cap ? t->buffer : NULL;
}
/* Word i of the message that a thread gets or gives; from 4 on in its buffer. */
static inline void ipc_put(struct tcb *to, struct abi_ipcbuf *buffer, unsigned i, word_t v)
{
	if (i < ABI_MSG_REGS)
		arch_set_msg_reg(to, i, v);
	else
		buffer->msg[i] = v;
}
static inline word_t ipc_get(const struct tcb *from, const struct abi_ipcbuf *buffer, unsigned i)
{
	return i < ABI_MSG_REGS ? arch_msg_reg(from, i) : buffer->msg[i];
}
/* After slots[TCB_IPC_BUFFER] has been set: it is at vaddr (0: none). */
void ipc_set_buffer(struct tcb *t, vptr_t vaddr);
/* Message of `from` (or its fault, if it has one) to `to`. `ep` is the endpoint
 * it goes through, NULL for a reply. */
struct endpoint;
void ipc_transfer_fault(struct tcb *from, struct tcb *to);
void ipc_transfer(struct tcb *from, struct tcb *to, const struct endpoint *ep,
		  word_t badge, bool grant);
/* Reply of `from` to the fault of `to`: true if `to` is to run again. */
bool ipc_fault_reply(struct tcb *from, struct tcb *to);
/* Whether `c` may be a fault handler: null, or an endpoint with Write and
 * Grant or GrantReply. */
bool ipc_handler_ok(struct cap c);
/* Sends the fault to its fault (timeout: timeout) handler; a thread
 * without one becomes inactive. */
void ipc_fault_send(struct tcb *t, const struct fault *f);
/* The budget of t's context is used up and t has a timeout handler. */
void ipc_timeout_fault(struct tcb *t);
/* Looks up the sender's extra capabilities into `slots` (3 entries): their
 * number, or -1 with the failing pointer and reason. */
int ipc_lookup_extra(const struct tcb *t, const struct abi_ipcbuf *buffer, word_t msginfo,
		     struct slot **slots, cptr_t *failed, struct lookup_failure *f);
static inline unsigned msginfo_length(word_t info)
{
	word_t n = info & ABI_MSGINFO_LENGTH_MASK;

	return n < ABI_MSG_MAX_WORDS ? (unsigned)n : ABI_MSG_MAX_WORDS;
}
static inline unsigned msginfo_caps(word_t info)
{
	return (unsigned)(info >> ABI_MSGINFO_CAPS_SHIFT) & 3;
}
static inline word_t msginfo_label(word_t info) { return info >> ABI_MSGINFO_LABEL_SHIFT; }
static inline word_t msginfo_without_caps(word_t info)
{
	return info & ~((1ull << ABI_MSGINFO_LABEL_SHIFT) - 1 - ABI_MSGINFO_LENGTH_MASK);
}
static inline word_t msginfo_make(word_t label, word_t unwrapped, word_t caps, word_t length)
{
	return label << ABI_MSGINFO_LABEL_SHIFT | unwrapped << ABI_MSGINFO_UNWRAPPED_SHIFT |
	       caps << ABI_MSGINFO_CAPS_SHIFT | length;
}
