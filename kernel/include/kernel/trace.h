/* Events of the kernel for userland (abi/trace.h). Costs nothing while off:
 * the architecture enters the kernel another way while it is on. */
#pragma once

#include <abi/trace.h>
#include <kernel/tcb.h>

bool trace_is_on(void);
void trace_event(const struct tcb *t, enum abi_trace_kind kind, word_t detail);
struct invocation;
int trace_set(struct invocation *inv);
