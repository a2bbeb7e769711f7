/* The answers of a topology as JSON. */
#include <cJSON.h>
#include <string.h>

#include "topology.h"

static const char *name_of(const struct topology *t, unsigned i) { return t->component[i].name; }

static cJSON *names(const struct topology *t, const uint8_t *said, uint8_t value, unsigned but)
{
	cJSON *list = cJSON_CreateArray();

	for (unsigned i = 0; i < t->n_components; i++)
		if (said[i] == value && i != but)
			cJSON_AddItemToArray(list, cJSON_CreateString(name_of(t, i)));
	return list;
}

static cJSON *holds(const struct topology *t, unsigned x)
{
	cJSON *list = cJSON_CreateArray();

	for (unsigned i = 0; i < t->n_grants; i++) {
		const struct topo_grant *g = &t->grant[i];
		cJSON *row;

		if (g->holder != x)
			continue;
		row = cJSON_CreateObject();
		cJSON_AddStringToObject(row, "type", g->type);
		cJSON_AddStringToObject(row, "what", g->what);
		cJSON_AddStringToObject(row, "object", t->object[g->object].name);
		cJSON_AddStringToObject(row, "owner", name_of(t, t->object[g->object].owner));
		if (g->bytes)
			cJSON_AddNumberToObject(row, "bytes", (double)g->bytes);
		if (g->at)
			cJSON_AddNumberToObject(row, "at", (double)g->at);
		cJSON_AddItemToArray(list, row);
	}
	return list;
}

/* By how many errors of others: ["controls at once"], [one error], ... */
static cJSON *reach(const struct topology *t, unsigned x)
{
	cJSON *list = cJSON_CreateArray();
	uint8_t into[TOPO_COMPONENTS];
	unsigned last = 0;

	topology_reach(t, x, into);
	for (unsigned i = 0; i < t->n_components; i++)
		if (into[i] != TOPO_FAR && into[i] > last)
			last = into[i];
	for (unsigned far = 0; far <= last; far++)
		cJSON_AddItemToArray(list, names(t, into, (uint8_t)far, x));
	return list;
}

static cJSON *component(const struct topology *t, unsigned i, unsigned domain)
{
	static const char *const kinds[] = { "kernel", "init", "server", "monitor", "guest" };
	cJSON *row = cJSON_CreateObject();
	uint8_t fall[TOPO_COMPONENTS];

	topology_fall(t, i, fall);
	cJSON_AddStringToObject(row, "name", name_of(t, i));
	cJSON_AddStringToObject(row, "kind", kinds[t->component[i].kind]);
	cJSON_AddBoolToObject(row, "unbounded_dma", t->component[i].dma);
	cJSON_AddNumberToObject(row, "domain", domain);
	cJSON_AddItemToObject(row, "holds", holds(t, i));
	cJSON_AddItemToObject(row, "reaches_by_errors", reach(t, i));
	cJSON_AddItemToObject(row, "stops_with_it", names(t, fall, TOPO_FALLS, i));
	cJSON_AddItemToObject(row, "goes_on_without_it", names(t, fall, TOPO_WITHOUT, i));
	return row;
}

static cJSON *edges(const struct topology *t)
{
	static const char *const words[] = { "controls", "memory", "messages", "exits", "signals" };
	cJSON *list = cJSON_CreateArray();

	for (unsigned i = 0; i < t->n_components * t->n_components; i++) {
		unsigned from = i / t->n_components, to = i % t->n_components;
		cJSON *row, *by;

		if (!topology_edge(t, from, to))
			continue;
		row = cJSON_CreateObject();
		cJSON_AddStringToObject(row, "from", name_of(t, from));
		cJSON_AddStringToObject(row, "to", name_of(t, to));
		by = cJSON_AddArrayToObject(row, "by");
		for (unsigned w = 0; w < 5; w++)
			if (topology_edge(t, from, to) & (1u << w))
				cJSON_AddItemToArray(by, cJSON_CreateString(words[w]));
		cJSON_AddItemToArray(list, row);
	}
	return list;
}

static cJSON *paths(const struct topology *t, unsigned from, unsigned to, bool *more)
{
	struct topo_path path[TOPO_PATHS_MAX];
	unsigned n = topology_paths(t, from, to, path, more);
	cJSON *list = cJSON_CreateArray();

	for (unsigned i = 0; i < n; i++) {
		cJSON *steps = cJSON_CreateArray();

		for (unsigned j = 0; j < path[i].n; j++)
			cJSON_AddItemToArray(steps,
					     cJSON_CreateString(name_of(t, path[i].via[j])));
		cJSON_AddItemToArray(list, steps);
	}
	return list;
}

char *topology_json(const struct topology *t, int from, int to)
{
	cJSON *root = cJSON_CreateObject(), *list;
	uint8_t domain[TOPO_COMPONENTS];
	unsigned domains = topology_domains(t, domain);
	bool more = false;
	char *text;

	cJSON_AddStringToObject(root, "system", t->name);
	cJSON_AddNumberToObject(root, "security_domains", domains);
	list = cJSON_AddArrayToObject(root, "components");
	for (unsigned i = 0; i < t->n_components; i++)
		cJSON_AddItemToArray(list, component(t, i, domain[i]));
	cJSON_AddItemToObject(root, "edges", edges(t));
	if (from >= 0 && to >= 0) {
		cJSON_AddItemToObject(root, "paths", paths(t, (unsigned)from, (unsigned)to, &more));
		cJSON_AddBoolToObject(root, "more_paths", more);
	}
	text = cJSON_Print(root);
	cJSON_Delete(root);
	return text;
}
