/*
 * The trace ring (extension SCHED_CONTROL_SET_TRACE): what the kernel writes
 * into a frame while it traces. Events are in the order of time; the newest is
 * event[(written - 1) % slots]. A reader copies events and then looks at
 * `written` again: those older than written - slots were overwritten.
 */
#pragma once

#include <stdint.h>

#define ABI_TRACE_VERSION 1

enum abi_trace_kind {
	ABI_TRACE_SYSCALL = 1, /* detail: the number, sign-extended */
	ABI_TRACE_FAULT,       /* of a native thread; detail: ESR_EL2; of x86: the vector */
	ABI_TRACE_EXIT,        /* of a guest; detail: ESR_EL2; SVM's or VT-x's own number */
	ABI_TRACE_INTERRUPT,   /* detail: 0 */
	ABI_TRACE_RETURN,      /* the thread goes on; detail: 0 */
	ABI_TRACE_IDLE,        /* nobody runs; detail: 0 */
};

struct abi_trace_event {
	uint64_t time;   /* CNTPCT_EL0, TSC */
	uint64_t thread; /* TCB_SET_TRACE_ID of the thread that ran or will run */
	uint64_t pc;     /* where it stopped, or goes on */
	uint32_t kind;
	int32_t detail;
};
_Static_assert(sizeof(struct abi_trace_event) == 32, "ABI");

struct abi_trace_ring {
	uint32_t version;
	uint32_t slots;   /* events that fit */
	uint64_t written; /* events ever; stored after the event itself */
	uint64_t pad[2];
	struct abi_trace_event event[];
};
