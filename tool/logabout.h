/* Which lines of the log are about one VM, service or init (`selvage logs NAME`). */
#pragma once

#include <stdbool.h>

struct logabout {
	const char *name;
	bool in_record; /* init's, of its crash: indented lines follow */
};

/* Lines in their order, without their end. */
bool logabout_line(struct logabout *about, const char *line);
