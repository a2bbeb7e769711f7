/* What the status line knows of the VMs, from init's answers to `ps`. */
#pragma once

#include <selvage/sysdesc.h>
#include <stdbool.h>

struct vmstates {
	unsigned n;
	bool seen_console;
	bool ended; /* the last line was an answer's end */
	bool whole; /* and all of it came */
	struct {
		char name[SYSDESC_NAME];
		char state[16];
	} vm[SYSDESC_MAX_VMS];
};

/* Takes one line of the answer; lines that tell of no VM are ignored. */
void vmstates_line(struct vmstates *states, const char *line);
/* The state of the VM, or "". */
const char *vmstates_of(const struct vmstates *states, const char *name);
