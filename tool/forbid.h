/* The `forbid:` rules of a description: what a system must not make possible. */
#pragma once

#include <stdbool.h>

#include "system.h"
#include "topology.h"

enum forbid_what { FORBID_PATH,
		   FORBID_CONTROL,
		   FORBID_MEMORY,
		   FORBID_SERVER };

/* Judges the topology, of the description or of a running system, by the rules. False,
 * with a message for each that is broken. */
bool forbid_check(struct system *sys, const struct topology *t);
