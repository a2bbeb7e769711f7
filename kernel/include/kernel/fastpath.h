/*
 * The fast path of IPC: a call, a fault or a reply that hands the scheduling
 * context of the current thread straight to the other side, which then runs.
 *
 * Each function does all that the general path would do, or does nothing and
 * takes the general path. It applies when the other side waits without a
 * context of its own (a passive server, its caller) and nothing else is to be
 * scheduled. Calls stand last, so that a fast path needs no stack.
 */
#pragma once

#include <kernel/fault.h>
#include <kernel/types.h>

struct tcb;

struct tcb *fastpath_call(struct tcb *t);
struct tcb *fastpath_reply_recv(struct tcb *t);
struct tcb *fastpath_signal(struct tcb *t, int64_t nr);
/* A signal to a better thread that waits with budget of its own: it runs at
 * once, the current one later. False: it is none, nothing has been done. */
struct notification;
bool fastpath_wake(struct notification *n, word_t badge);
/* and fault_current (entry.h) */
/* The general path (entry.c). */
struct tcb *syscall_general(struct tcb *t, int64_t nr);
struct tcb *fault_general(unsigned kind, word_t a, word_t b, word_t c);
