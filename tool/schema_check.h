/*
 * Checks a YAML tree against a libcyaml schema: unknown, missing and double
 * keys, types, words of a fixed set, lengths of lists. libcyaml does the same
 * while it loads, but stops at the first error, names no line for some, and
 * takes any word for a boolean.
 */
#pragma once

#include <cyaml/cyaml.h>
#include <stdbool.h>

#include "yamldoc.h"

struct key_help {
	const cyaml_schema_field_t *mapping; /* NULL ends the table */
	const char *key;
	const char *hint;
};

struct mapping_name {
	const cyaml_schema_field_t *mapping; /* NULL ends the table */
	const char *name;
};

struct schema_words {
	const struct key_help *helps;
	const struct mapping_name *names;
};

/* False, with a message for everything found, if the tree does not follow
 * the schema. */
bool schema_check(struct yamldoc *doc, const cyaml_schema_value_t *schema,
		  const struct schema_words *words);
