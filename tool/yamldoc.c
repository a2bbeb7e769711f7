#include "yamldoc.h"

#include <stdlib.h>
#include <string.h>

#include "diag.h"

/* Whether nothing is behind the document: nobody would read it. */
static bool ends_here(const char *file, yaml_parser_t *parser)
{
	yaml_document_t next;
	const yaml_node_t *root = NULL;
	size_t line = 0;
	bool sound = yaml_parser_load(parser, &next) != 0;

	if (sound)
		root = yaml_document_get_root_node(&next);
	if (!sound || root)
		line = root ? root->start_mark.line + 1 : parser->problem_mark.line + 1;
	if (line)
		diag_error_at(file, (unsigned)line,
			      "this is behind the end of the document, which `---` or `...` "
			      "marks, and would not be read; remove that line, or what is "
			      "behind it");
	if (sound)
		yaml_document_delete(&next);
	return line == 0;
}

bool yamldoc_parse(struct yamldoc *doc, const char *file, const void *text,
		   size_t size)
{
	yaml_parser_t parser;
	bool ok;

	doc->file = file;
	if (!yaml_parser_initialize(&parser)) {
		diag_error("out of memory");
		return false;
	}
	yaml_parser_set_input_string(&parser, text, size);
	ok = yaml_parser_load(&parser, &doc->document) != 0;
	if (!ok) {
		diag_error_at(file, (unsigned)parser.problem_mark.line + 1,
			      "not YAML: %s; check indentation, quotes and "
			      "brackets here",
			      parser.problem ? parser.problem : "bad text");
	} else if (!yamldoc_root(doc)) {
		diag_error_at(file, 1, "the file is empty; give at least "
				       "`name:` and `vms:`");
		ok = false;
	} else {
		ok = ends_here(file, &parser);
	}
	if (!ok)
		yaml_document_delete(&doc->document);
	yaml_parser_delete(&parser);
	return ok;
}

void yamldoc_free(struct yamldoc *doc)
{
	yaml_document_delete(&doc->document);
}

yaml_node_t *yamldoc_root(struct yamldoc *doc)
{
	return yaml_document_get_root_node(&doc->document);
}

const char *yamldoc_text(const yaml_node_t *node)
{
	if (!node || node->type != YAML_SCALAR_NODE)
		return NULL;
	return (const char *)node->data.scalar.value;
}

yaml_node_t *yamldoc_get(struct yamldoc *doc, yaml_node_t *map,
			 const char *key)
{
	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top; p++) {
		const char *text = yamldoc_text(
			yaml_document_get_node(&doc->document, p->key));

		if (text && strcmp(text, key) == 0)
			return yaml_document_get_node(&doc->document,
						      p->value);
	}
	return NULL;
}

yaml_node_t *yamldoc_item(struct yamldoc *doc, yaml_node_t *seq, size_t index)
{
	yaml_node_item_t *start;

	if (!seq || seq->type != YAML_SEQUENCE_NODE)
		return NULL;
	start = seq->data.sequence.items.start;
	if (index >= (size_t)(seq->data.sequence.items.top - start))
		return NULL;
	return yaml_document_get_node(&doc->document, start[index]);
}

unsigned yamldoc_line(struct yamldoc *doc, const yaml_node_t *node)
{
	if (!node)
		node = yamldoc_root(doc);
	return (unsigned)node->start_mark.line + 1;
}

/* Adds [{size: <node>}] and returns its number, 0 if memory ran out. */
static int wrap_size(struct yamldoc *doc, int node)
{
	yaml_mark_t mark =
		yaml_document_get_node(&doc->document, node)->start_mark;
	int seq = yaml_document_add_sequence(&doc->document, NULL,
					     YAML_ANY_SEQUENCE_STYLE);
	int map = yaml_document_add_mapping(&doc->document, NULL,
					    YAML_ANY_MAPPING_STYLE);
	int key = yaml_document_add_scalar(&doc->document, NULL,
					   (const yaml_char_t *)"size", -1,
					   YAML_ANY_SCALAR_STYLE);

	if (!seq || !map || !key ||
	    !yaml_document_append_sequence_item(&doc->document, seq, map) ||
	    !yaml_document_append_mapping_pair(&doc->document, map, key, node))
		return 0;
	yaml_document_get_node(&doc->document, seq)->start_mark = mark;
	yaml_document_get_node(&doc->document, map)->start_mark = mark;
	yaml_document_get_node(&doc->document, key)->start_mark = mark;
	return seq;
}

/* Adds [<node>]; the same. */
static int wrap_item(struct yamldoc *doc, int node)
{
	yaml_mark_t mark = yaml_document_get_node(&doc->document, node)->start_mark;
	int seq = yaml_document_add_sequence(&doc->document, NULL, YAML_ANY_SEQUENCE_STYLE);

	if (!seq || !yaml_document_append_sequence_item(&doc->document, seq, node))
		return 0;
	yaml_document_get_node(&doc->document, seq)->start_mark = mark;
	return seq;
}

/* Node pointers move when nodes are added: everything goes by number. */
static bool normalise_vm(struct yamldoc *doc, int vm)
{
	yaml_node_t *map = yaml_document_get_node(&doc->document, vm);
	size_t n;

	if (!map || map->type != YAML_MAPPING_NODE)
		return true;
	n = (size_t)(map->data.mapping.pairs.top -
		     map->data.mapping.pairs.start);
	for (size_t i = 0; i < n; i++) {
		yaml_node_pair_t pair;
		const char *key;
		int wrapped;

		map = yaml_document_get_node(&doc->document, vm);
		pair = map->data.mapping.pairs.start[i];
		key = yamldoc_text(
			yaml_document_get_node(&doc->document, pair.key));
		if (!key || !yamldoc_text(yaml_document_get_node(&doc->document, pair.value)))
			continue;
		if (strcmp(key, "memory") == 0)
			wrapped = wrap_size(doc, pair.value);
		else if (strcmp(key, "low_vectors") == 0)
			wrapped = wrap_item(doc, pair.value);
		else
			continue;
		if (!wrapped)
			return false;
		map = yaml_document_get_node(&doc->document, vm);
		map->data.mapping.pairs.start[i].value = wrapped;
	}
	return true;
}

bool yamldoc_normalise(struct yamldoc *doc)
{
	yaml_node_t *vms = yamldoc_get(doc, yamldoc_root(doc), "vms");
	size_t n;
	int id;

	if (!vms || vms->type != YAML_SEQUENCE_NODE)
		return true;
	id = (int)(vms - doc->document.nodes.start) + 1;
	n = (size_t)(vms->data.sequence.items.top -
		     vms->data.sequence.items.start);
	for (size_t i = 0; i < n; i++) {
		vms = yaml_document_get_node(&doc->document, id);
		if (!normalise_vm(doc, vms->data.sequence.items.start[i]))
			return false;
	}
	return true;
}

struct text {
	char *data;
	size_t size;
};

static int append(void *context, unsigned char *buffer, size_t size)
{
	struct text *text = context;
	char *grown = realloc(text->data, text->size + size + 1);

	if (!grown)
		return 0;
	memcpy(grown + text->size, buffer, size);
	text->data = grown;
	text->size += size;
	return 1;
}

char *yamldoc_emit(struct yamldoc *doc, size_t *size)
{
	yaml_emitter_t emitter;
	struct text text = { NULL, 0 };
	bool ok;

	if (!yaml_emitter_initialize(&emitter)) {
		yaml_document_delete(&doc->document);
		return NULL;
	}
	yaml_emitter_set_output(&emitter, append, &text);
	yaml_emitter_set_unicode(&emitter, 1);
	ok = yaml_emitter_open(&emitter) &&
	     yaml_emitter_dump(&emitter, &doc->document) &&
	     yaml_emitter_close(&emitter);
	yaml_emitter_delete(&emitter);
	if (!ok) {
		free(text.data);
		return NULL;
	}
	*size = text.size;
	return text.data;
}
