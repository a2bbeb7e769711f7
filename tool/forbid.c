#include "forbid.h"

#include <stdio.h>
#include <string.h>

#include "buffer.h"
#include "diag.h"
#include "suggest.h"

#define ANY "any"
#define CONNECTIONS "connections"

/* A rule at work on one pair. */
struct rule {
	const struct topology *t;
	const char *file;
	unsigned line;
	const struct conf_forbid *conf;
	unsigned from, to;
};

/* Components one after the other. */
struct way {
	unsigned n;
	unsigned via[2 * TOPO_COMPONENTS];
};

static const char *name_of(const struct rule *r, unsigned i) { return r->t->component[i].name; }

/* A VM is its guest and its monitor. */
static bool is_of(const struct topology *t, unsigned i, unsigned vm)
{
	return i == vm || (t->component[vm].kind == TOPO_GUEST && t->component[vm].monitor == i);
}

static bool broken(const struct rule *r, const char *how, const char *cure)
{
	diag_error_at(r->file, r->line, "forbidden, but %s; %s", how, cure);
	return false;
}

/* Of a step by DMA. */
static void dma_cure(const struct rule *r, unsigned driver, char *text, size_t size)
{
	const char *name = name_of(r, driver);

	if (r->t->component[driver].kind == TOPO_GUEST)
		snprintf(text, size, "take the device with `trusted_dma` from %s", name);
	else
		snprintf(text, size,
			 "`%s` drives the machine's `%s`, whose DMA nothing bounds: take that from "
			 "`machine`, or ask for less",
			 name, strcmp(name, "net") == 0 ? "nic" : "disk");
}

static bool by_dma(const struct rule *r, const struct way *p, char *text, size_t size)
{
	for (unsigned i = 0; i + 1 < p->n; i++) {
		if (p->via[i + 1] != TOPO_THE_KERNEL || !r->t->component[p->via[i]].dma)
			continue;
		dma_cure(r, p->via[i], text, size);
		return true;
	}
	return false;
}

/* Which component of the path the description could do without. */
static void path_cure(const struct rule *r, const struct way *p, char *text, size_t size)
{
	if (by_dma(r, p, text, size))
		return;
	for (unsigned i = 1; i + 1 < p->n; i++) {
		unsigned c = p->via[i];

		if (is_of(r->t, c, r->from) || is_of(r->t, c, r->to))
			continue;
		if (topology_is_base(r->t, c))
			snprintf(text, size, "every VM uses `%s`: allow that with `through: "
					     "connections`",
				 name_of(r, c));
		else
			snprintf(text, size, "take away a connection that `%s` is an end of",
				 name_of(r, c));
		return;
	}
	if (topology_is_base(r->t, r->from) || topology_is_base(r->t, r->to))
		snprintf(text, size, "every system has that; take the rule away, or ask for `what: "
				     "control`");
	else
		snprintf(text, size, "take away what connects the two");
}

static bool report_path(const struct rule *r, const struct way *p)
{
	struct buffer how = { 0 };
	char cure[256];

	path_cure(r, p, cure, sizeof(cure));
	buffer_text(&how, "there is the path ");
	for (unsigned i = 0; i < p->n; i++)
		buffer_text(&how, "%s%s", i ? " -> " : "", name_of(r, p->via[i]));
	buffer_append(&how, "", 1);
	(void)broken(r, (const char *)how.data, cure);
	buffer_free(&how);
	return false;
}

static bool is_on(const struct way *p, unsigned component)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->via[i] == component)
			return true;
	return false;
}

static bool find_part(const struct rule *r, unsigned from, unsigned to, const bool *closed,
		      struct way *p)
{
	p->n = topology_way(r->t, from, to, TOPO_CONNECTIONS, closed, p->via);
	return p->n != 0;
}

/* Whether both parts need a component, which then leads from one to the other itself. A
 * component that every such way has is on the shortest ones. */
static bool parts_meet(const struct rule *r, unsigned via, bool *before, bool *behind,
		       const struct way *p, const struct way *q)
{
	struct way other;

	for (unsigned i = 1; i + 1 < p->n; i++) {
		const unsigned x = p->via[i];
		bool avoided;

		if (!is_on(q, x))
			continue;
		before[x] = behind[x] = true;
		avoided = find_part(r, r->from, via, before, &other) ||
			  find_part(r, via, r->to, behind, &other);
		before[x] = behind[x] = false;
		if (!avoided)
			return true;
	}
	return false;
}

/* A path that has `via` between its ends: none of the ends in the middle. */
static bool find_through(const struct rule *r, unsigned via, struct way *p)
{
	bool before[TOPO_COMPONENTS], behind[TOPO_COMPONENTS];
	struct way q, other;

	for (unsigned i = 0; i < r->t->n_components; i++) {
		before[i] = is_of(r->t, i, r->to);
		behind[i] = is_of(r->t, i, r->from);
	}
	if (!find_part(r, r->from, via, before, p) || !find_part(r, via, r->to, behind, &q) ||
	    parts_meet(r, via, before, behind, p, &q))
		return false;
	/* If it can be, one that has no component twice. */
	for (unsigned i = 0; i < p->n; i++)
		behind[p->via[i]] = true;
	if (find_part(r, via, r->to, behind, &other))
		q = other;
	for (unsigned i = 1; i < q.n; i++)
		p->via[p->n++] = q.via[i];
	return true;
}

static bool check_path(const struct rule *r)
{
	const char *through = r->conf->through ? r->conf->through : CONNECTIONS;
	const bool any = strcmp(through, ANY) == 0;
	struct way p;
	unsigned via;

	if (any || strcmp(through, CONNECTIONS) == 0) {
		p.n = topology_way(r->t, r->from, r->to, any ? TOPO_ANY_WAY : TOPO_CONNECTIONS,
				   NULL, p.via);
		return p.n == 0 || report_path(r, &p);
	}
	via = (unsigned)topology_find(r->t, through);
	return via == r->from || via == r->to || !find_through(r, via, &p) || report_path(r, &p);
}

/* The steps by which `from` has `to` without an error of anybody's. */
static bool find_control(const struct rule *r, struct way *p)
{
	const struct topology *t = r->t;

	for (unsigned i = 0; i < t->n_components * t->n_components; i++) {
		const unsigned from = i / t->n_components, to = i % t->n_components;

		if (!is_of(t, from, r->from) || !is_of(t, to, r->to))
			continue;
		p->n = topology_way(t, from, to, TOPO_CONTROL, NULL, p->via);
		if (p->n != 0)
			return true;
	}
	return false;
}

/* What makes a component control another in every system. */
static bool by_nature(const struct rule *r, const struct way *p)
{
	const struct topo_component *c = r->t->component;

	return c[p->via[0]].kind == TOPO_KERNEL || c[p->via[0]].kind == TOPO_INIT ||
	       (p->n == 2 && c[p->via[0]].kind == TOPO_MONITOR &&
		is_of(r->t, p->via[0], p->via[1]));
}

static bool broken_by_control(const struct rule *r, const struct way *p, const char *what)
{
	char how[160], cure[160];

	snprintf(how, sizeof(how), "%s controls %s%s", name_of(r, r->from), name_of(r, r->to),
		 what);
	if (by_nature(r, p))
		snprintf(cure, sizeof(cure), "%s does in every system; take the rule away",
			 r->t->component[p->via[0]].kind == TOPO_MONITOR ? "a VM's monitor" : "it");
	else if (!by_dma(r, p, cure, sizeof(cure)))
		snprintf(cure, sizeof(cure), "use `sharing: pool` for the connection of %s to %s",
			 name_of(r, p->via[1]), name_of(r, p->via[0]));
	return broken(r, how, cure);
}

static bool check_control(const struct rule *r)
{
	struct way p;

	return !find_control(r, &p) || broken_by_control(r, &p, "");
}

static bool check_memory(const struct rule *r)
{
	const struct topology *t = r->t;
	struct way p;
	char how[320];
	bool base;

	for (unsigned i = 0; i < t->n_grants; i++) {
		const struct topo_grant *g = &t->grant[i];

		if (strcmp(g->type, "Memory") != 0 || !is_of(t, g->holder, r->from))
			continue;
		for (unsigned j = 0; j < t->n_grants; j++) {
			const struct topo_grant *h = &t->grant[j];

			if (h->object != g->object || !is_of(t, h->holder, r->to))
				continue;
			snprintf(how, sizeof(how), "%s and %s both have memory (%s)",
				 name_of(r, g->holder), name_of(r, h->holder),
				 t->object[g->object].name);
			base = topology_is_base(t, g->holder) || topology_is_base(t, h->holder);
			return broken(r, how,
				      base ? "every system has that; take the rule away"
					   : "take away the connection between them");
		}
	}
	return !find_control(r, &p) ||
	       broken_by_control(r, &p, ", and has all of its memory");
}

static bool deals_with(const struct topology *t, unsigned server, unsigned vm)
{
	for (unsigned i = 0; i < t->n_components; i++)
		if (is_of(t, i, vm) && (topology_edge(t, i, server) & TOPO_ATTACKS))
			return true;
	return false;
}

static bool check_server(const struct rule *r)
{
	const struct topology *t = r->t;
	char how[200];

	for (unsigned i = 0; i < t->n_components; i++) {
		if (topology_is_base(t, i) || is_of(t, i, r->from) || is_of(t, i, r->to) ||
		    !deals_with(t, i, r->from) || !deals_with(t, i, r->to))
			continue;
		snprintf(how, sizeof(how), "%s and %s are both connected to %s",
			 name_of(r, r->from), name_of(r, r->to), name_of(r, i));
		return broken(r, how, "let another one serve one of them");
	}
	return true;
}

static bool check_pair(const struct rule *r)
{
	switch ((enum forbid_what)r->conf->what) {
	case FORBID_CONTROL: return check_control(r);
	case FORBID_MEMORY: return check_memory(r);
	case FORBID_SERVER: return check_server(r);
	default: return check_path(r);
	}
}

static bool matches(const struct topology *t, unsigned i, const char *name)
{
	return strcmp(name, ANY) == 0 ? t->component[i].kind == TOPO_GUEST
				      : strcmp(name, t->component[i].name) == 0;
}

static bool known(const struct rule *r, const char *key, const char *name)
{
	bool through = strcmp(key, "through") == 0;

	if (!name || strcmp(name, ANY) == 0 || topology_find(r->t, name) >= 0 ||
	    (through && strcmp(name, CONNECTIONS) == 0))
		return true;
	diag_error_at(r->file, r->line,
		      "`%s` of a `forbid` rule is `%s`, which is nothing in this system; give "
		      "a VM, a server, %sor any",
		      key, name, through ? "connections " : "");
	return false;
}

static bool check_rule(struct rule *r)
{
	const struct conf_forbid *c = r->conf;
	bool ok = known(r, "from", c->from);

	ok = known(r, "to", c->to) && ok;
	ok = known(r, "through", c->through) && ok;
	if (ok && c->through && c->what != FORBID_PATH) {
		diag_error_at(r->file, r->line,
			      "`through` is for `what: path`; leave it out");
		ok = false;
	}
	if (ok && c->through && strcmp(c->through, ANY) != 0 &&
	    (strcmp(c->through, c->from) == 0 || strcmp(c->through, c->to) == 0)) {
		diag_error_at(r->file, r->line,
			      "`through` of a `forbid` rule is `%s`, which is an end of it; name "
			      "another component, or leave it out",
			      c->through);
		ok = false;
	}
	if (ok && strcmp(c->from, c->to) == 0 && strcmp(c->from, ANY) != 0) {
		diag_error_at(r->file, r->line,
			      "a `forbid` rule goes from `%s` to itself; name another", c->from);
		ok = false;
	}
	for (unsigned i = 0; ok && i < r->t->n_components * r->t->n_components; i++) {
		r->from = i / r->t->n_components;
		r->to = i % r->t->n_components;
		if (r->from != r->to && matches(r->t, r->from, c->from) &&
		    matches(r->t, r->to, c->to))
			ok = check_pair(r);
	}
	return ok;
}

bool forbid_check(struct system *sys, const struct topology *t)
{
	yaml_node_t *list =
		yamldoc_get(&sys->doc, yamldoc_root(&sys->doc), "forbid");
	bool ok = true;

	for (unsigned i = 0; i < sys->conf->forbid_count; i++) {
		struct rule r = {
			.t = t,
			.file = sys->file,
			.line = yamldoc_line(&sys->doc, yamldoc_item(&sys->doc, list, i)),
			.conf = &sys->conf->forbid[i],
		};

		ok = check_rule(&r) && ok;
	}
	return ok;
}
