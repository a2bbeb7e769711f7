/* Message transfer between threads, and delivery of faults. */
#pragma once

#include <abi/ipcbuf.h>
#include <kernel/fault.h>
#include <kernel/tcb.h>

/* The thread's buffer for reading (sending) or writing (receiving), or NULL. */
struct abi_ipcbuf *ipc_buffer(const struct tcb *t, bool write);
/* Message of `from` (or its fault, if it has one) to `to`. */
void ipc_transfer(struct tcb *from, struct tcb *to, word_t badge, bool grant);
/* Reply of `from` to the fault of `to`: true if `to` is to run again. */
bool ipc_fault_reply(struct tcb *from, struct tcb *to);
/* Whether `c` may be a fault handler: null, or an endpoint with Write and
 * Grant or GrantReply. */
bool ipc_handler_ok(struct cap c);
/* Sends t->fault, just set, to its fault (timeout: timeout) handler; a thread
 * without one becomes inactive. */
void ipc_fault_send(struct tcb *t, const struct fault *f);
