/*
 * The fast path of IPC: a call, a fault or a reply that hands the scheduling
 * context of the current thread straight to the other side, which then runs.
 *
 * Each function either does all that the general path would do and returns
 * the thread that runs now, or does nothing and returns NULL: then the general
 * path is taken. It applies when the other side waits without a context of its
 * own (a passive server, its caller) and nothing else is to be scheduled.
 */
#pragma once

#include <kernel/fault.h>
#include <kernel/types.h>

struct tcb;

struct tcb *fastpath_call(struct tcb *t);
struct tcb *fastpath_reply_recv(struct tcb *t);
bool fastpath_fault(struct tcb *t, const struct fault *f);
