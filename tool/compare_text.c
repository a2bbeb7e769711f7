/* A comparison as text for people and as JSON (docs/schema/comparison.schema.json). */
#include <cJSON.h>
#include <string.h>

#include "compare.h"

#define WORD_WIDTH 46

static const struct capture *widest(const struct comparison *c)
{
	const struct capture *a = c->side[0].capture, *b = c->side[1].capture;

	return a->n_vectors >= b->n_vectors ? a : b;
}

static void print_side(const struct comparison *c, unsigned i, FILE *out)
{
	const struct compare_side *side = &c->side[i];
	const struct capture *k = side->capture;
	char name[100], image[40] = "not known";

	compare_side_name(side, name, sizeof(name));
	if (*k->image.sha256)
		snprintf(image, sizeof(image), "%.16s...", k->image.sha256);
	else if (k->image.has_crc32)
		snprintf(image, sizeof(image), "with CRC-32 %08x", (unsigned)k->image.crc32);
	fprintf(out, "%s: %s\n", i == 0 ? "first " : "second", side->file);
	fprintf(out, "  taken %s from %s, guest %s\n", k->started, k->address, k->state);
	fprintf(out, "  %s; board %s, cpu %s, %s; image %s at ", name,
		*k->board ? k->board : "not known", *k->cpu ? k->cpu : "not known",
		capture_width_names[k->width], image);
	if (k->image.has_load)
		fprintf(out, "0x%llx\n", (unsigned long long)k->image.load);
	else
		fprintf(out, "an unknown address\n");
	fprintf(out, "  vectors at 0x%llx (%s): %s\n", (unsigned long long)k->base, k->base_rule,
		compare_table_names[side->table]);
}

static void vector_cell(char *to, size_t room, const struct capture *k, size_t i)
{
	const struct capture_vector *v = &k->vector[i];

	to[0] = '\0';
	if (i >= k->n_vectors)
		return;
	if (v->state == VECTOR_NO_CODE || v->state == VECTOR_PLAUSIBLE)
		snprintf(to, room, "%s: %s", vector_state_names[v->state], v->text);
	else
		snprintf(to, room, "%s", vector_state_names[v->state]);
}

static void print_vectors(const struct comparison *c, FILE *out)
{
	const struct capture *all = widest(c);

	fprintf(out, "\n%-24s  %-*s  second\n", "vector", WORD_WIDTH, "first");
	for (size_t i = 0; i < all->n_vectors; i++) {
		char cell[2][2 * CAPTURE_TEXT];

		if (!compare_shows(c, i))
			continue;
		vector_cell(cell[0], sizeof(cell[0]), c->side[0].capture, i);
		vector_cell(cell[1], sizeof(cell[1]), c->side[1].capture, i);
		fprintf(out, "%-24s  %-*s  %s\n", all->vector[i].name, WORD_WIDTH, cell[0],
			cell[1]);
	}
}

void compare_print_text(const struct comparison *c, FILE *out)
{
	print_side(c, 0, out);
	print_side(c, 1, out);
	print_vectors(c, out);
	fprintf(out, "\nverdict: %s\n%s\n", compare_verdict_name(c->verdict), c->text[0]);
	if (*c->text[1])
		fprintf(out, "%s\n", c->text[1]);
	for (size_t i = 0; i < c->n_reasons; i++)
		fprintf(out, "  - %s\n", c->reason[i]);
	fprintf(out, "confidence: %s\n", compare_confidence_names[c->confidence]);
	for (size_t i = 0; i < c->n_doubts; i++)
		fprintf(out, "  - %s\n", c->doubt[i]);
	if (c->n_differences)
		fprintf(out, "control registers:\n");
	for (size_t i = 0; i < c->n_differences; i++)
		fprintf(out, "  - %s\n", c->difference[i]);
	fprintf(out, "evidence:\n");
	for (unsigned i = 0; i < 2; i++)
		fprintf(out, "  %s  %s\n", c->side[i].sha256, c->side[i].file);
}

static void add_side(cJSON *list, const struct compare_side *side)
{
	cJSON *o = cJSON_CreateObject(), *vectors;
	const struct capture *k = side->capture;

	cJSON_AddItemToArray(list, o);
	cJSON_AddStringToObject(o, "file", side->file);
	cJSON_AddStringToObject(o, "sha256", side->sha256);
	cJSON_AddStringToObject(o, "taken", k->started);
	cJSON_AddStringToObject(o, "source", k->source);
	cJSON_AddStringToObject(o, "accelerator", k->accel_ran);
	cJSON_AddStringToObject(o, "cpu", k->cpu);
	cJSON_AddStringToObject(o, "table", compare_table_names[side->table]);
	vectors = cJSON_AddArrayToObject(o, "vectors");
	for (size_t i = 0; i < k->n_vectors; i++) {
		cJSON *v = cJSON_CreateObject();

		cJSON_AddStringToObject(v, "name", k->vector[i].name);
		cJSON_AddStringToObject(v, "state", vector_state_names[k->vector[i].state]);
		cJSON_AddStringToObject(v, "reason", k->vector[i].reason);
		cJSON_AddItemToArray(vectors, v);
	}
}

static void add_texts(cJSON *root, const char *key, const char text[][COMPARE_REASON], size_t n)
{
	cJSON *list = cJSON_AddArrayToObject(root, key);

	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(text[i]));
}

void compare_print_json(const struct comparison *c, FILE *out)
{
	cJSON *root = cJSON_CreateObject(), *evidence;
	char *text;

	cJSON_AddStringToObject(root, "format", "selvage-comparison");
	cJSON_AddNumberToObject(root, "version", 1);
	cJSON_AddStringToObject(root, "verdict", compare_verdict_name(c->verdict));
	cJSON_AddStringToObject(root, "confidence", compare_confidence_names[c->confidence]);
	cJSON_AddStringToObject(root, "text", c->text[0]);
	cJSON_AddStringToObject(root, "limits", c->text[1]);
	add_texts(root, "refusals", c->reason, c->n_reasons);
	add_texts(root, "doubts", c->doubt, c->n_doubts);
	add_texts(root, "differences", c->difference, c->n_differences);
	evidence = cJSON_AddArrayToObject(root, "evidence");
	add_side(evidence, &c->side[0]);
	add_side(evidence, &c->side[1]);
	text = cJSON_Print(root);
	fprintf(out, "%s\n", text);
	cJSON_free(text);
	cJSON_Delete(root);
}
