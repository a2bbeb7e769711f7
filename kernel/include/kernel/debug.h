/* What only a debug build has (kernel/debug/). */
#pragma once

#include <kernel/types.h>

struct tcb;

/* Debug system calls; false: it is none. They are outside the accounting of
 * time and never block. */
bool debug_syscall(struct tcb *t, int64_t nr);

/* Panics if the kernel's state is not as it must be after an entry. */
#if SELVAGE_DEBUG
void invariants_check(void);
#else
static inline void invariants_check(void)
{
}
#endif
/* Tests: another system than before. */
void invariants_reset(void);
extern unsigned invariants_every;
