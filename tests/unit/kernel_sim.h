/*
 * A system of a few threads on the mocked architecture, which share one CSpace
 * and may destroy each other and everything else, and do what a source of
 * choices says. Whatever that is, the invariants of kernel/debug hold after
 * every entry, a failed invocation changes nothing, and a revoked untyped has
 * nothing left in it; else the kernel panics, and the program aborts.
 */
#pragma once

#include <stdbool.h>

struct kernel_sim_source {
	/* 0 .. n - 1; n is 1 .. 65536 */
	unsigned (*below)(struct kernel_sim_source *source, unsigned n);
};

void kernel_sim_boot(struct kernel_sim_source *source);
/* One entry into the kernel; false: nothing happens any more. */
bool kernel_sim_step(void);
void kernel_sim_end(void);
