/*
 * From what is known of a fault to its likely cause and the key of the system
 * description that mends it. Pure: what reads registers and memory is in
 * report.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum fault_kind { FAULT_FETCH,
		  FAULT_LOAD,
		  FAULT_STORE,
		  FAULT_OTHER };

struct fault_facts {
	enum fault_kind kind;
	bool narrow;      /* the vCPU's registers are 32 bits wide */
	bool table_walk;  /* of the guest's own page tables */
	bool first;       /* the first exit of this VM */
	bool in_memory;   /* gpa is the VM's memory */
	bool shutdown;    /* the processor gave up: no handler could be entered */
	bool undecodable; /* a device's register, and no way to carry it out */
	uint64_t gpa, pc, sp;
	bool sp_in_memory;
	uint64_t vectors;  /* where they are: VBAR, or SCTLR.V's address */
	bool high_vectors; /* SCTLR.V */
	bool vectors_in_memory;
	uint64_t entry; /* where the VM was entered */
	/* Of the words at its entry those that are not zero, and that look like
	 * ARM and like AArch64. */
	unsigned words, words_narrow, words_wide;
	uint64_t ram, ram_bytes; /* the first region */
	unsigned gic_version;
	bool board_a9, board_pc; /* board vexpress-a9, pc; else virt */
	/* Of the VM: names of what stands at gpa, or NULL. */
	const char *device;
};

struct diagnosis {
	const char *code;  /* as in docs/schema/fault.schema.json */
	const char *text;  /* a clause for a person */
	const char *key;   /* of the VM's entry; NULL: none */
	const char *value; /* what to set, or NULL */
};

void diagnose(const struct fault_facts *f, struct diagnosis *d);
