#include "audit.h"

#include <cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

#define LINE_MAX_BYTES 2048
#define ROWS_MAX 65536u
#define NO_OBJECT (-1.0)

struct row {
	char holder[TOPO_NAME], because[TOPO_NAME], type[32], what[64];
	double object, slot, at, bytes;
	unsigned rights;
	bool matched;
};

struct audit {
	struct topology *model;
	struct row *row;
	unsigned n_rows;
	double *object; /* of the dump, for each of the model; NO_OBJECT: not seen */
	audit_tell tell;
	void *context;
	unsigned differences;
};

static void differ(struct audit *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void differ(struct audit *a, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	a->differences++;
	a->tell(a->context, text);
}

/* --- reading ---------------------------------------------------------------- */

static void take_text(const cJSON *line, const char *key, char *text, size_t size)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(line, key);

	snprintf(text, size, "%s", cJSON_IsString(item) ? item->valuestring : "");
}

static double take_number(const cJSON *line, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(line, key);

	return cJSON_IsNumber(item) ? item->valuedouble : NO_OBJECT;
}

static void take_row(struct audit *a, const cJSON *line)
{
	struct row r = { 0 };
	double rights = take_number(line, "rights");

	take_text(line, "holder", r.holder, sizeof(r.holder));
	take_text(line, "for", r.because, sizeof(r.because));
	take_text(line, "type", r.type, sizeof(r.type));
	take_text(line, "what", r.what, sizeof(r.what));
	r.object = take_number(line, "object");
	r.slot = take_number(line, "slot");
	r.at = take_number(line, "at");
	r.bytes = take_number(line, "bytes");
	r.rights = rights >= 0 && rights <= 15 ? (unsigned)rights : 0;
	if (strcmp(r.type, "unknown") == 0 || strcmp(r.type, "none") == 0) {
		differ(a, "%s, slot %.0f: %s", r.holder, r.slot, r.what);
		return;
	}
	if (strcmp(r.holder, "init") == 0 && r.object < 0)
		return; /* what init keeps to itself */
	if ((a->n_rows & (a->n_rows - 1)) == 0)
		a->row = realloc(a->row, (a->n_rows ? a->n_rows * 2 : 1) * sizeof(r));
	if (!a->row) {
		diag_error("out of memory");
		exit(1);
	}
	a->row[a->n_rows++] = r;
}

static void read_dump(struct audit *a, const char *dump, size_t size)
{
	const char *end = dump + size;

	while (dump < end && a->n_rows < ROWS_MAX) {
		const char *stop = memchr(dump, '\n', (size_t)(end - dump));
		size_t length = (size_t)((stop ? stop : end) - dump);
		cJSON *line = length < LINE_MAX_BYTES ? cJSON_ParseWithLength(dump, length) : NULL;

		if (cJSON_IsObject(line) && cJSON_GetObjectItemCaseSensitive(line, "holder"))
			take_row(a, line);
		else if (length && !(cJSON_IsObject(line) &&
				     cJSON_GetObjectItemCaseSensitive(line, "ok")))
			differ(a, "a line of the dump is no capability");
		cJSON_Delete(line);
		dump += length + 1;
	}
}

/* --- comparing -------------------------------------------------------------- */

static bool same_purpose(const struct audit *a, const struct topo_grant *g, const struct row *r)
{
	const struct topo_component *c = a->model->component;

	return !r->matched && strcmp(c[g->holder].name, r->holder) == 0 &&
	       (strcmp(c[g->because].name, r->because) == 0 ||
		strcmp(c[g->also].name, r->because) == 0) &&
	       strcmp(g->type, r->type) == 0 &&
	       strcmp(g->what, r->what) == 0 && (!g->at || (double)g->at == r->at);
}

/* Whether the dump's object can be the model's: it is, or neither is another's. */
static bool same_object(const struct audit *a, unsigned object, double id)
{
	if (a->object[object] >= 0)
		return a->object[object] == id;
	for (unsigned i = 0; i < a->model->n_objects; i++)
		if (a->object[i] == id)
			return false;
	return true;
}

static void check_details(struct audit *a, const struct topo_grant *g, const struct row *r)
{
	if (g->rights != r->rights)
		differ(a, "%s has `%s` (%s) with rights %u, not %u", r->holder, r->what, r->type,
		       r->rights, g->rights);
	if (g->bytes && (double)g->bytes != r->bytes)
		differ(a, "%s has `%s` of %.0f bytes, not %llu", r->holder, r->what, r->bytes,
		       (unsigned long long)g->bytes);
}

/* False: the system does not have it. */
static bool match(struct audit *a, struct topo_grant *g)
{
	struct row *other = NULL;

	for (unsigned i = 0; i < a->n_rows; i++) {
		struct row *r = &a->row[i];

		if (!same_purpose(a, g, r))
			continue;
		other = other ? other : r;
		if (!same_object(a, g->object, r->object))
			continue;
		r->matched = true;
		a->object[g->object] = r->object;
		check_details(a, g, r);
		g->rights = r->rights;
		return true;
	}
	if (other) {
		other->matched = true;
		differ(a, "%s has a `%s` (%s) that is another than the description's: it is not "
			  "shared with whom it should be, or with somebody else",
		       other->holder, other->what, other->type);
		return true;
	}
	differ(a, "%s does not have `%s` (%s, for %s)", a->model->component[g->holder].name,
	       g->what, g->type, a->model->component[g->because].name);
	return false;
}

static bool is_there(const struct audit *a, const char *name)
{
	for (unsigned i = 0; i < a->n_rows; i++)
		if (strcmp(a->row[i].because, name) == 0)
			return true;
	return false;
}

static bool runs(const struct audit *a, unsigned component)
{
	const struct topo_component *c = &a->model->component[component];

	return c->kind != TOPO_MONITOR || is_there(a, c->name);
}

/* The grants that the system has stay. */
static void match_all(struct audit *a, unsigned *absent)
{
	struct topology *t = a->model;
	unsigned kept = 0;

	*absent = 0;
	for (unsigned i = 0; i < t->n_components; i++)
		*absent += t->component[i].kind == TOPO_MONITOR &&
			   !is_there(a, t->component[i].name);
	for (unsigned i = 0; i < t->n_grants; i++) {
		struct topo_grant g = t->grant[i];

		if (runs(a, g.because) && runs(a, g.also) && match(a, &g))
			t->grant[kept++] = g;
	}
	t->n_grants = kept;
}

static unsigned component_of(struct topology *t, const char *name)
{
	int i = topology_find(t, name);

	return i >= 0 ? (unsigned)i : topology_add(t, name, TOPO_SERVICE);
}

/* What is too much goes into the model as well: rules are judged by what is there. */
static void add_surplus(struct audit *a, const struct row *r)
{
	struct topology *t = a->model;
	unsigned object = 0;

	if (t->n_components > 200)
		return;
	while (object < t->n_objects && a->object[object] != r->object)
		object++;
	if (object == t->n_objects) {
		(void)topology_object(t, r->what, component_of(t, r->because));
		a->object = realloc(a->object, t->n_objects * sizeof(*a->object));
		if (!a->object) {
			diag_error("out of memory");
			exit(1);
		}
		a->object[object] = r->object;
	}
	(void)topology_grant(t, component_of(t, r->holder), component_of(t, r->because), object,
			     "surplus", "surplus", r->rights);
	for (unsigned i = 0; i < t->n_grants; i++)
		if (t->grant[i].object == object) {
			t->grant[t->n_grants - 1].type = t->grant[i].type;
			break;
		}
}

static void report_surplus(struct audit *a, const struct row *r)
{
	char with[256] = "";
	size_t n = 0;

	for (unsigned i = 0; i < a->n_rows && n < sizeof(with); i++)
		if (a->row[i].object == r->object && &a->row[i] != r)
			n += (size_t)snprintf(with + n, sizeof(with) - n, "%s%s",
					      n ? ", " : "; others have it: ", a->row[i].holder);
	differ(a, "%s has `%s` (%s, rights %u), which the description does not give%s", r->holder,
	       r->what, r->type, r->rights, with);
}

unsigned audit_compare(struct topology *model, const char *dump, size_t size, audit_tell tell,
		       void *context, unsigned *absent)
{
	struct audit a = { .model = model, .tell = tell, .context = context };

	a.object = calloc(model->n_objects + 1, sizeof(*a.object));
	for (unsigned i = 0; a.object && i < model->n_objects; i++)
		a.object[i] = NO_OBJECT;
	read_dump(&a, dump, size);
	if (a.object)
		match_all(&a, absent);
	for (unsigned i = 0; a.object && i < a.n_rows; i++) {
		if (a.row[i].matched)
			continue;
		report_surplus(&a, &a.row[i]);
		add_surplus(&a, &a.row[i]);
	}
	topology_connect(model);
	free(a.row);
	free(a.object);
	return a.differences;
}
