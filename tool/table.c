#include "table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

#define CELL_MAX 64

void table_add(struct table *table, const char *line)
{
	cJSON *object = cJSON_Parse(line);
	cJSON **rows;

	if (!cJSON_IsObject(object)) {
		cJSON_Delete(object);
		return;
	}
	rows = realloc(table->rows, (table->n + 1) * sizeof(*rows));
	if (!rows) {
		diag_error("out of memory");
		exit(1);
	}
	table->rows = rows;
	rows[table->n++] = object;
}

static bool same_keys(const cJSON *a, const cJSON *b)
{
	const cJSON *x = a->child;
	const cJSON *y = b->child;

	while (x && y && strcmp(x->string, y->string) == 0) {
		x = x->next;
		y = y->next;
	}
	return !x && !y;
}

/* Keys that end in _bytes are shown in KiB. */
static bool in_bytes(const char *key)
{
	size_t n = strlen(key);

	return n > 6 && strcmp(key + n - 6, "_bytes") == 0;
}

static void heading(char out[CELL_MAX], const char *key)
{
	size_t n = strlen(key);

	if (in_bytes(key))
		snprintf(out, CELL_MAX, "%.*s KiB", (int)n - 6, key);
	else
		snprintf(out, CELL_MAX, "%s", key);
	for (char *p = out; *p; p++) {
		if (*p == '_')
			*p = ' ';
	}
}

static void cell(char out[CELL_MAX], const cJSON *value)
{
	if (cJSON_IsString(value))
		snprintf(out, CELL_MAX, "%s", value->valuestring);
	else if (cJSON_IsNumber(value) && in_bytes(value->string))
		snprintf(out, CELL_MAX, "%.0f", value->valuedouble / 1024);
	else if (cJSON_IsNumber(value))
		snprintf(out, CELL_MAX, "%.0f", value->valuedouble);
	else if (cJSON_IsBool(value))
		snprintf(out, CELL_MAX, "%s",
			 cJSON_IsTrue(value) ? "yes" : "no");
	else
		snprintf(out, CELL_MAX, "-");
	/* It came from the target: no control characters for the terminal. */
	for (char *p = out; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
}

/* The width of the index-th column of the rows that have the keys of rows
 * `first`. */
static int column_width(const struct table *table, size_t first, int index)
{
	char text[CELL_MAX];
	size_t width;

	heading(text, cJSON_GetArrayItem(table->rows[first], index)->string);
	width = strlen(text);
	for (size_t i = first; i < table->n; i++) {
		if (!same_keys(table->rows[first], table->rows[i]))
			continue;
		cell(text, cJSON_GetArrayItem(table->rows[i], index));
		if (strlen(text) > width)
			width = strlen(text);
	}
	return (int)width;
}

static void print_row(const struct table *table, size_t first, size_t row,
		      bool titles)
{
	char text[CELL_MAX];
	int n = cJSON_GetArraySize(table->rows[row]);

	for (int i = 0; i < n; i++) {
		const cJSON *value = cJSON_GetArrayItem(table->rows[row], i);
		int width = column_width(table, first, i);

		if (titles)
			heading(text, value->string);
		else
			cell(text, value);
		if (cJSON_IsNumber(value))
			printf("%*s", width, text);
		else if (i + 1 < n)
			printf("%-*s", width, text);
		else
			printf("%s", text);
		fputs(i + 1 < n ? "  " : "\n", stdout);
	}
}

static bool printed_before(const struct table *table, size_t row)
{
	for (size_t i = 0; i < row; i++) {
		if (same_keys(table->rows[i], table->rows[row]))
			return true;
	}
	return false;
}

void table_print(const struct table *table)
{
	for (size_t first = 0; first < table->n; first++) {
		if (!table->rows[first]->child || printed_before(table, first))
			continue;
		if (first > 0)
			putchar('\n');
		print_row(table, first, first, true);
		for (size_t i = first; i < table->n; i++) {
			if (same_keys(table->rows[first], table->rows[i]))
				print_row(table, first, i, false);
		}
	}
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		cJSON_Delete(table->rows[i]);
	free(table->rows);
	*table = (struct table){ 0 };
}
