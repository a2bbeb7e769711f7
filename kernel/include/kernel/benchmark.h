/* What only a kernel for benchmarks has (kernel/debug/benchmark). */
#pragma once

#include <kernel/types.h>

struct tcb;

/* Benchmark system calls; false: it is none. Outside the accounting of time. */
bool benchmark_syscall(struct tcb *t, int64_t nr);
void arch_flush_caches(void);
