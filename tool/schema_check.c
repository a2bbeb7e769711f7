#include "schema_check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "suggest.h"

/* Where the check stands. `mapping` and `key` say whose value is checked. */
struct place {
	struct yamldoc *doc;
	const struct schema_words *words;
	const cyaml_schema_field_t *mapping;
	const char *key;
};

static bool check_value(const struct place *at,
			const cyaml_schema_value_t *schema, yaml_node_t *node);

static const char *mapping_name(const struct place *at,
				const cyaml_schema_field_t *mapping)
{
	for (const struct mapping_name *n = at->words->names; n->mapping; n++) {
		if (n->mapping == mapping)
			return n->name;
	}
	return "this mapping";
}

static const char *key_hint(const struct place *at,
			    const cyaml_schema_field_t *mapping,
			    const char *key)
{
	for (const struct key_help *h = at->words->helps; h->mapping; h++) {
		if (h->mapping == mapping && strcmp(h->key, key) == 0)
			return h->hint;
	}
	return "see the reference of system descriptions";
}

/* Names joined with ", ", from an array of structures that start with one. */
static void join(char *out, size_t size, const void *names, size_t n,
		 size_t stride)
{
	size_t fill = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && fill < size; i++) {
		const char *name;

		memcpy(&name, (const char *)names + i * stride, sizeof(name));
		fill += (size_t)snprintf(out + fill, size - fill, "%s%s",
					 i ? ", " : "", name);
	}
}

static size_t count_fields(const cyaml_schema_field_t *fields)
{
	size_t n = 0;

	while (fields[n].key)
		n++;
	return n;
}

static const cyaml_schema_field_t *
find_field(const cyaml_schema_field_t *fields, const char *key)
{
	for (; fields->key; fields++) {
		if (strcmp(fields->key, key) == 0)
			return fields;
	}
	return NULL;
}

static bool wrong_type(const struct place *at, const yaml_node_t *node,
		       const char *wanted)
{
	const char *text = yamldoc_text(node);
	unsigned line = yamldoc_line(at->doc, node);
	const char *hint = at->key ? key_hint(at, at->mapping, at->key)
				   : "start with `name:` and `vms:`";
	const char *what = at->key ? at->key : "the file";

	if (text)
		diag_error_at(at->doc->file, line,
			      "`%s` is `%s`, not %s; %s", what, text, wanted,
			      hint);
	else
		diag_error_at(at->doc->file, line, "`%s` is a %s, not %s; %s",
			      what,
			      node->type == YAML_MAPPING_NODE ? "mapping"
							      : "list",
			      wanted, hint);
	return false;
}

static bool unknown_key(const struct place *at,
			const cyaml_schema_field_t *fields,
			const yaml_node_t *node)
{
	char all[512];
	const char *key = yamldoc_text(node);
	const char *near = suggest_near(key, fields, count_fields(fields),
					sizeof(*fields));
	unsigned line = yamldoc_line(at->doc, node);

	if (near) {
		diag_error_at(at->doc->file, line,
			      "unknown key `%s` in %s; did you mean `%s`?",
			      key, mapping_name(at, fields), near);
		return false;
	}
	join(all, sizeof(all), fields, count_fields(fields), sizeof(*fields));
	diag_error_at(at->doc->file, line,
		      "unknown key `%s` in %s; the keys are %s", key,
		      mapping_name(at, fields), all);
	return false;
}

static bool key_seen_before(struct yamldoc *doc, const yaml_node_t *map,
			    const yaml_node_pair_t *pair, const char *key)
{
	for (const yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < pair; p++) {
		const char *other = yamldoc_text(
			yaml_document_get_node(&doc->document, p->key));

		if (other && strcmp(other, key) == 0)
			return true;
	}
	return false;
}

/* All else would take such a text for what is before its NUL. */
static bool cut_short(const struct place *at, const yaml_node_t *node)
{
	const char *text = yamldoc_text(node);

	if (!text || strlen(text) == node->data.scalar.length)
		return false;
	diag_error_at(at->doc->file, yamldoc_line(at->doc, node),
		      "the text `%s` goes on behind a NUL (`\\0`); remove that", text);
	return true;
}

static bool check_pair(const struct place *at,
		       const cyaml_schema_field_t *fields,
		       const yaml_node_t *map, const yaml_node_pair_t *pair)
{
	yaml_document_t *document = &at->doc->document;
	yaml_node_t *key_node = yaml_document_get_node(document, pair->key);
	const char *key = yamldoc_text(key_node);
	const cyaml_schema_field_t *field;
	struct place inside = *at;

	if (!key) {
		diag_error_at(at->doc->file, yamldoc_line(at->doc, key_node),
			      "a key in %s is no word; write `key: value`",
			      mapping_name(at, fields));
		return false;
	}
	if (cut_short(at, key_node))
		return false;
	field = find_field(fields, key);
	if (!field)
		return unknown_key(at, fields, key_node);
	if (key_seen_before(at->doc, map, pair, key)) {
		diag_error_at(at->doc->file, yamldoc_line(at->doc, key_node),
			      "key `%s` is given twice in %s; keep one", key,
			      mapping_name(at, fields));
		return false;
	}
	inside.mapping = fields;
	inside.key = key;
	return check_value(&inside, &field->value,
			   yaml_document_get_node(document, pair->value));
}

static bool check_mapping(const struct place *at,
			  const cyaml_schema_field_t *fields, yaml_node_t *map)
{
	bool ok = true;

	if (map->type != YAML_MAPPING_NODE)
		return wrong_type(at, map, "a mapping of keys to values");
	for (const yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top; p++)
		ok = check_pair(at, fields, map, p) && ok;
	for (const cyaml_schema_field_t *f = fields; f->key; f++) {
		if ((f->value.flags & CYAML_FLAG_OPTIONAL) ||
		    yamldoc_get(at->doc, map, f->key))
			continue;
		diag_error_at(at->doc->file, yamldoc_line(at->doc, map),
			      "%s has no `%s`; %s", mapping_name(at, fields),
			      f->key, key_hint(at, fields, f->key));
		ok = false;
	}
	return ok;
}

static bool check_sequence(const struct place *at,
			   const cyaml_schema_value_t *schema,
			   yaml_node_t *seq)
{
	bool ok = true;
	size_t n;

	if (seq->type != YAML_SEQUENCE_NODE)
		return wrong_type(at, seq, "a list");
	n = (size_t)(seq->data.sequence.items.top -
		     seq->data.sequence.items.start);
	if (n < schema->sequence.min || n > schema->sequence.max) {
		diag_error_at(at->doc->file, yamldoc_line(at->doc, seq),
			      "`%s` has %zu entries; give %u to %u", at->key,
			      n, schema->sequence.min, schema->sequence.max);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		ok = check_value(at, schema->sequence.entry,
				 yamldoc_item(at->doc, seq, i)) &&
		     ok;
	return ok;
}

static bool check_enum(const struct place *at,
		       const cyaml_schema_value_t *schema,
		       const yaml_node_t *node)
{
	const cyaml_strval_t *words = schema->enumeration.strings;
	size_t n = schema->enumeration.count;
	const char *text = yamldoc_text(node);
	char all[256];

	for (size_t i = 0; text && i < n; i++) {
		if (strcmp(words[i].str, text) == 0)
			return true;
	}
	join(all, sizeof(all), words, n, sizeof(*words));
	diag_error_at(at->doc->file, yamldoc_line(at->doc, node),
		      "`%s` cannot be `%s`; it takes %s%s", at->key,
		      text ? text : "a list or mapping",
		      n > 1 ? "one of: " : "only: ", all);
	return false;
}

static bool is_number(const char *text)
{
	if (!*text || strlen(text) > 9)
		return false;
	if (text[0] == '0' && text[1] != '\0')
		return false; /* octal to some, decimal to others */
	while (*text && isdigit((unsigned char)*text))
		text++;
	return *text == '\0';
}

static bool check_scalar(const struct place *at,
			 const cyaml_schema_value_t *schema,
			 const yaml_node_t *node)
{
	const char *text = yamldoc_text(node);

	switch (schema->type) {
	case CYAML_UINT:
		if (!text || !is_number(text))
			return wrong_type(at, node, "a whole number");
		return true;
	case CYAML_BOOL:
		if (!text ||
		    (strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
			return wrong_type(at, node, "true or false");
		return true;
	default:
		if (!text)
			return wrong_type(at, node, "a text");
		if (strlen(text) >= schema->string.min)
			return true;
		diag_error_at(at->doc->file, yamldoc_line(at->doc, node),
			      "`%s` has no value; %s", at->key,
			      key_hint(at, at->mapping, at->key));
		return false;
	}
}

/* Depth: that of the schema, so an alias that contains itself ends here. */
static bool check_value(const struct place *at,
			const cyaml_schema_value_t *schema, yaml_node_t *node)
{
	if (cut_short(at, node))
		return false;
	switch (schema->type) {
	case CYAML_MAPPING:
		return check_mapping(at, schema->mapping.fields, node);
	case CYAML_SEQUENCE:
		return check_sequence(at, schema, node);
	case CYAML_ENUM:
		return check_enum(at, schema, node);
	default:
		return check_scalar(at, schema, node);
	}
}

bool schema_check(struct yamldoc *doc, const cyaml_schema_value_t *schema,
		  const struct schema_words *words)
{
	struct place at = { .doc = doc, .words = words };

	return check_value(&at, schema, yamldoc_root(doc));
}
