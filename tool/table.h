/* Prints lines of JSON objects as tables: one for each set of keys. */
#pragma once

#include <cJSON.h>
#include <stddef.h>

struct table {
	cJSON **rows;
	size_t n;
};

/* One object as text; what does not parse is left out. */
void table_add(struct table *table, const char *line);
void table_print(const struct table *table);
void table_free(struct table *table);
