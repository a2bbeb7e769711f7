/* I/O ports: each can be issued once, and given to whom drives what is there. */
#pragma once

#include "process.h"

/* `n` ports from `first` on; 0: they were issued before, or there is no slot. */
cap_t ports_issue(uint64_t first, uint64_t n);
/* `ports`, which begin with `at`, into a slot of the process; false also if they are 0. */
bool ports_give(struct process *p, unsigned slot, cap_t ports, uint64_t at, const char *what);
