#include "topology.h"

#include <abi/syscall.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

/* Room for one more; arrays grow at powers of two. */
static void *more(void *array, unsigned n, size_t size)
{
	void *bigger = array;

	if ((n & (n - 1)) == 0)
		bigger = realloc(array, (n ? (size_t)n * 2 : 1) * size);
	if (!bigger) {
		diag_error("out of memory");
		exit(1);
	}
	return bigger;
}

static uint8_t *square(unsigned n)
{
	uint8_t *bytes = calloc(n ? (size_t)n * n : 1, 1);

	if (!bytes) {
		diag_error("out of memory");
		exit(1);
	}
	return bytes;
}

unsigned topology_add(struct topology *t, const char *name, enum topo_kind kind)
{
	t->component = more(t->component, t->n_components, sizeof(*t->component));
	t->component[t->n_components] = (struct topo_component){ .kind = kind };
	snprintf(t->component[t->n_components].name, TOPO_NAME, "%s", name);
	return t->n_components++;
}

unsigned topology_object(struct topology *t, const char *name, unsigned owner)
{
	t->object = more(t->object, t->n_objects, sizeof(*t->object));
	t->object[t->n_objects] = (struct topo_object){ .owner = owner };
	snprintf(t->object[t->n_objects].name, sizeof(t->object->name), "%s", name);
	return t->n_objects++;
}

struct topo_grant *topology_grant(struct topology *t, unsigned holder, unsigned because,
				  unsigned object, const char *type, const char *what,
				  unsigned rights)
{
	t->grant = more(t->grant, t->n_grants, sizeof(*t->grant));
	t->grant[t->n_grants] = (struct topo_grant){
		.holder = holder,
		.because = because,
		.also = because,
		.object = object,
		.type = type,
		.what = what,
		.rights = rights,
	};
	return &t->grant[t->n_grants++];
}

void topology_free(struct topology *t)
{
	free(t->component);
	free(t->object);
	free(t->grant);
	free(t->edge);
	free(t->needs);
	*t = (struct topology){ 0 };
}

int topology_find(const struct topology *t, const char *name)
{
	for (unsigned i = 0; i < t->n_components; i++)
		if (strcmp(t->component[i].name, name) == 0)
			return (int)i;
	return -1;
}

unsigned topology_edge(const struct topology *t, unsigned from, unsigned to)
{
	return t->edge[from * t->n_components + to];
}

bool topology_is_base(const struct topology *t, unsigned component)
{
	static const char *const services[] = { "serial", "time", "log" };
	const struct topo_component *c = &t->component[component];

	for (unsigned i = 0; i < 3; i++)
		if (c->kind == TOPO_SERVICE && strcmp(c->name, services[i]) == 0)
			return true;
	return c->kind == TOPO_KERNEL || c->kind == TOPO_INIT;
}

const char *topology_edge_text(unsigned edge)
{
	return edge & TOPO_CONTROLS ? "controls it"
	       : edge & TOPO_SHARES ? "writes memory that it reads"
	       : edge & TOPO_ASKS   ? "sends it messages"
	       : edge & TOPO_TRAPS  ? "traps into it"
	       : edge               ? "wakes it"
				    : "nothing";
}

/* --- edges ------------------------------------------------------------------ */

static void connect(struct topology *t, unsigned from, unsigned to, unsigned edge)
{
	if (from != to)
		t->edge[from * t->n_components + to] |= (uint8_t)edge;
}

static void depend(struct topology *t, unsigned client, unsigned server, uint8_t how)
{
	uint8_t *needs = &t->needs[server * t->n_components + client];

	if (client != server && *needs < how)
		*needs = how;
}

static bool is(const struct topo_grant *g, const char *type)
{
	return strcmp(g->type, type) == 0;
}

/* Memory that two have: each writes what the other reads. */
static void connect_memory(struct topology *t, const struct topo_grant *g)
{
	const struct topo_object *o = &t->object[g->object];

	for (unsigned i = 0; i < t->n_grants; i++) {
		const struct topo_grant *h = &t->grant[i];

		if (h->object == g->object && (g->rights & ABI_RIGHT_WRITE))
			connect(t, g->holder, h->holder, TOPO_SHARES);
	}
	if (o->serves)
		depend(t, g->holder, o->owner, TOPO_WITHOUT);
	if (o->guest_ram && (g->rights & ABI_RIGHT_WRITE))
		connect(t, g->holder, o->owner, TOPO_CONTROLS);
}

static void connect_grant(struct topology *t, const struct topo_grant *g)
{
	unsigned owner = t->object[g->object].owner;

	if (is(g, "Memory")) {
		connect_memory(t, g);
	} else if (is(g, "Endpoint") && (g->rights & ABI_RIGHT_WRITE)) {
		connect(t, g->holder, owner, TOPO_ASKS);
		connect(t, owner, g->holder, TOPO_ASKS);
		depend(t, g->holder, owner, TOPO_WITHOUT);
	} else if (is(g, "Notification") && (g->rights & ABI_RIGHT_WRITE)) {
		connect(t, g->holder, owner, TOPO_SIGNALS);
	} else if (is(g, "TCB") || is(g, "VCPU") || is(g, "VSpace") || is(g, "SchedContext") ||
		   is(g, "CNode")) {
		connect(t, g->holder, owner, TOPO_CONTROLS);
	} else if (is(g, "Untyped") || is(g, "IRQControl") || is(g, "SchedControl")) {
		connect(t, g->holder, TOPO_THE_KERNEL, TOPO_CONTROLS);
	}
}

/* What follows from the kinds: all run on the kernel, init made all, a guest lives
 * by its monitor. */
static void connect_kinds(struct topology *t)
{
	for (unsigned i = 0; i < t->n_components; i++) {
		connect(t, TOPO_THE_KERNEL, i, TOPO_CONTROLS);
		connect(t, i, TOPO_THE_KERNEL, TOPO_TRAPS);
		depend(t, i, TOPO_THE_KERNEL, TOPO_FALLS);
		if (i != TOPO_THE_KERNEL)
			connect(t, TOPO_THE_INIT, i, TOPO_CONTROLS);
		if (t->component[i].kind != TOPO_KERNEL)
			depend(t, i, TOPO_THE_INIT, TOPO_WITHOUT);
		if (t->component[i].dma)
			connect(t, i, TOPO_THE_KERNEL, TOPO_CONTROLS);
	}
	/* Init must not be able to change the kernel: it is not of its memory. */
	t->edge[TOPO_THE_INIT * t->n_components + TOPO_THE_KERNEL] &= (uint8_t)~TOPO_CONTROLS;
}

static void connect_guests(struct topology *t)
{
	for (unsigned i = 0; i < t->n_components; i++) {
		unsigned monitor = t->component[i].monitor;

		if (t->component[i].kind != TOPO_GUEST)
			continue;
		connect(t, i, monitor, TOPO_TRAPS);
		connect(t, monitor, i, TOPO_CONTROLS);
		depend(t, i, monitor, TOPO_FALLS);
	}
}

void topology_connect(struct topology *t)
{
	free(t->edge);
	free(t->needs);
	t->edge = square(t->n_components);
	t->needs = square(t->n_components);
	for (unsigned i = 0; i < t->n_grants; i++)
		connect_grant(t, &t->grant[i]);
	connect_guests(t);
	connect_kinds(t);
}

/* --- what follows from the edges -------------------------------------------- */

/* One more is broken into; control costs nothing. */
static bool spread(const struct topology *t, uint8_t *into, unsigned i)
{
	bool changed = false;

	for (unsigned j = 0; j < t->n_components; j++) {
		unsigned edge = topology_edge(t, i, j) & TOPO_ATTACKS;
		unsigned cost = into[i] + (edge & TOPO_CONTROLS ? 0u : 1u);

		if (edge && cost < into[j]) {
			into[j] = (uint8_t)cost;
			changed = true;
		}
	}
	return changed;
}

void topology_reach(const struct topology *t, unsigned from, uint8_t *into)
{
	bool changed = true;

	memset(into, (int)TOPO_FAR, t->n_components);
	into[from] = 0;
	while (changed) {
		changed = false;
		for (unsigned i = 0; i < t->n_components; i++)
			if (into[i] != TOPO_FAR && (i != TOPO_THE_KERNEL || into[i] == 0))
				changed = spread(t, into, i) || changed;
	}
}

void topology_fall(const struct topology *t, unsigned x, uint8_t *into)
{
	bool changed = true;

	memset(into, TOPO_STAYS, t->n_components);
	into[x] = TOPO_FALLS;
	while (changed) {
		changed = false;
		for (unsigned i = 0; i < t->n_components; i++) {
			for (unsigned j = 0; j < t->n_components; j++) {
				uint8_t how = t->needs[i * t->n_components + j];

				if (into[i] != TOPO_FALLS || how <= into[j])
					continue;
				into[j] = how;
				changed = true;
			}
		}
	}
}

unsigned topology_domains(const struct topology *t, uint8_t *into)
{
	unsigned n = t->n_components, count = 0;

	for (unsigned i = 0; i < n; i++)
		into[i] = (uint8_t)(i == TOPO_THE_INIT ? (unsigned)TOPO_THE_KERNEL : i);
	/* Joined until nothing changes: each takes the lowest number of its group. */
	for (bool changed = true; changed;) {
		changed = false;
		for (unsigned i = 0; i < n * n; i++) {
			unsigned a = i / n, b = i % n;
			uint8_t low = into[a] < into[b] ? into[a] : into[b];

			if (a <= TOPO_THE_INIT || !(topology_edge(t, a, b) & TOPO_CONTROLS) ||
			    into[a] == into[b])
				continue;
			into[a] = into[b] = low;
			changed = true;
		}
	}
	for (unsigned i = 0; i < n; i++)
		into[i] = into[i] == i ? (uint8_t)count++ : into[into[i]];
	return count;
}

/* --- paths ------------------------------------------------------------------ */

static bool may_step(const struct topology *t, unsigned from, unsigned next, unsigned to,
		     enum topo_ways ways)
{
	const unsigned edge = topology_edge(t, from, next);

	switch (ways) {
	case TOPO_CONTROL: return (edge & TOPO_CONTROLS) != 0;
	case TOPO_CONNECTIONS:
		if (next != to && topology_is_base(t, next) &&
		    (next != TOPO_THE_KERNEL || !(edge & TOPO_CONTROLS)))
			return false;
		return (edge & TOPO_ATTACKS) != 0;
	default: return (edge & TOPO_ATTACKS) != 0;
	}
}

/* The way back from the last that was reached, turned round. */
static unsigned unwind(const unsigned *before, unsigned from, unsigned to, unsigned *via)
{
	unsigned n = 1;

	for (unsigned i = to; i != from; i = before[i])
		n++;
	for (unsigned i = to, at = n; at > 0; i = before[i])
		via[--at] = i;
	return n;
}

unsigned topology_way(const struct topology *t, unsigned from, unsigned to, enum topo_ways ways,
		      const bool *closed, unsigned *via)
{
	unsigned before[TOPO_COMPONENTS], queue[TOPO_COMPONENTS], n = 0;
	bool seen[TOPO_COMPONENTS] = { false };

	seen[from] = true;
	before[from] = from;
	queue[n++] = from;
	for (unsigned at = 0; at < n && !seen[to]; at++) {
		for (unsigned next = 0; next < t->n_components; next++) {
			if (seen[next] || !may_step(t, queue[at], next, to, ways) ||
			    (closed && closed[next] && next != to))
				continue;
			seen[next] = true;
			before[next] = queue[at];
			queue[n++] = next;
		}
	}
	return from != to && seen[to] ? unwind(before, from, to, via) : 0;
}

struct search {
	const struct topology *t;
	unsigned to, length;
	struct topo_path at;
	struct topo_path *found;
	unsigned n;
	bool full, longer; /* there are more: than there is room for, than the steps allow */
};

/* Whether an earlier one than the last could have gone there itself; if the first can
 * reach the end at once, how else it can is still of interest. */
static bool detour(const struct search *s, unsigned next)
{
	for (unsigned i = 0; i < s->at.n; i++) {
		if (s->at.via[i] == next)
			return true;
		if (i + 1 < s->at.n && (i > 0 || next != s->to) &&
		    (topology_edge(s->t, s->at.via[i], next) & TOPO_ATTACKS))
			return true;
	}
	return false;
}

static void found(struct search *s)
{
	s->full = s->full || s->n == TOPO_PATHS_MAX;
	if (s->n < TOPO_PATHS_MAX)
		s->found[s->n++] = s->at;
}

/* The path has all the steps that it may: whether it could go on to the end. */
static bool goes_on(const struct search *s)
{
	bool closed[TOPO_COMPONENTS];
	unsigned via[TOPO_COMPONENTS];

	for (unsigned i = 0; i < s->t->n_components; i++)
		closed[i] = detour(s, i);
	return !closed[s->to] &&
	       topology_way(s->t, s->at.via[s->at.n - 1], s->to, TOPO_ANY_WAY, closed, via) != 0;
}

/* Depth: `length`. */
static void look(struct search *s)
{
	unsigned last = s->at.via[s->at.n - 1];

	for (unsigned next = 0; next < s->t->n_components && !s->full; next++) {
		if (!(topology_edge(s->t, last, next) & TOPO_ATTACKS) || detour(s, next))
			continue;
		s->at.via[s->at.n++] = next;
		if (next == s->to && s->at.n == s->length + 1)
			found(s);
		else if (next != s->to && s->at.n <= s->length)
			look(s);
		else if (next != s->to && s->length == TOPO_PATH_MAX && !s->longer)
			s->longer = goes_on(s);
		s->at.n--;
	}
}

unsigned topology_paths(const struct topology *t, unsigned from, unsigned to,
			struct topo_path *path, bool *more_paths)
{
	struct search s = { .t = t, .to = to, .found = path };

	for (s.length = 1; s.length <= TOPO_PATH_MAX && !s.full; s.length++) {
		s.at.n = 1;
		s.at.via[0] = from;
		look(&s);
	}
	*more_paths = s.full || s.longer;
	return s.n;
}
