/*
 * Faults: what happened to a thread, kept in its TCB until the handler
 * replied. The kind is the message label (abi/fault.h, abi/ext.h).
 *
 *   kind              words
 *   CAP               address, in receive phase, lookup failure (type, 3 words)
 *   TIMEOUT           badge of the scheduling context
 *   UNKNOWN_SYSCALL   system-call number
 *   others            the architecture's own
 */
#pragma once

#include <abi/fault.h>
#include <kernel/types.h>

#define FAULT_WORDS 6

struct fault {
	unsigned kind; /* ABI_FAULT_NULL: none */
	word_t word[FAULT_WORDS];
};

/* A failed lookup (abi/error.h), as reported in faults and errors. */
struct lookup_failure {
	word_t type;
	word_t word[3];
};
