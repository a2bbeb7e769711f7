/*
 * A YAML file as a tree whose nodes know their lines. libcyaml loads values
 * but cannot say where one stood; every message takes its line from here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

struct yamldoc {
	const char *file; /* for messages; borrowed */
	yaml_document_t document;
};

/* False, with a message, if the text is not YAML or has not one document. */
bool yamldoc_parse(struct yamldoc *doc, const char *file, const void *text,
		   size_t size);
void yamldoc_free(struct yamldoc *doc);

yaml_node_t *yamldoc_root(struct yamldoc *doc);
/* The value of `key` in a mapping, or NULL; NULL for other nodes. */
yaml_node_t *yamldoc_get(struct yamldoc *doc, yaml_node_t *map,
			 const char *key);
/* The index-th entry of a sequence, or NULL; NULL for other nodes. */
yaml_node_t *yamldoc_item(struct yamldoc *doc, yaml_node_t *seq, size_t index);
/* Line numbers count from 1. NULL gives the document's first line. */
unsigned yamldoc_line(struct yamldoc *doc, const yaml_node_t *node);
/* Text of a scalar, NULL for other nodes. */
const char *yamldoc_text(const yaml_node_t *node);

/*
 * Writes `memory: SIZE` of every VM as `memory: [{size: SIZE}]`, the one form
 * that a libcyaml schema can state. New nodes keep the old one's line.
 */
bool yamldoc_normalise(struct yamldoc *doc);
/* The document as text, for libcyaml; uses the document up. The caller
 * frees it. NULL if memory ran out. */
char *yamldoc_emit(struct yamldoc *doc, size_t *size);
