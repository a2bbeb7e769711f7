/* What only a debug build has (kernel/debug/). */
#pragma once

#include <kernel/types.h>

struct tcb;

/* Debug system calls; false: it is none. They are outside the accounting of
 * time and never block. */
bool debug_syscall(struct tcb *t, int64_t nr);
