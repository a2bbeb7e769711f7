/*
 * Whether what a running system gave to whom is what its description foretells: the
 * capability dump of init (`caps`), line by line, against the model (topology.h). Names
 * of purposes are compared, and besides who has the same object as whom.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "topology.h"

/* Each difference, as a sentence. */
typedef void (*audit_tell)(void *context, const char *difference);

/*
 * Takes the dump apart, JSON lines, each ended by a newline. The model's VMs that are
 * not there do not run: *absent counts them. Returns the number of differences, and
 * changes the model into what the system has. The lines are anybody's: a wrong one is a
 * difference.
 */
unsigned audit_compare(struct topology *model, const char *dump, size_t size, audit_tell tell,
		       void *context, unsigned *absent);
