/* The answers of a topology as text. */
#include <abi/syscall.h>
#include <stdio.h>
#include <string.h>

#include "buffer.h"
#include "topology.h"
#include "units.h"

static const char *name_of(const struct topology *t, unsigned i) { return t->component[i].name; }

static const char *kind_text(const struct topology *t, unsigned i)
{
	static const char *const kinds[] = {
		[TOPO_KERNEL] = "kernel",
		[TOPO_INIT] = "root task: made everything",
		[TOPO_SERVICE] = "native server",
		[TOPO_MONITOR] = "monitor",
		[TOPO_GUEST] = "guest",
	};

	return t->component[i].dma ? "drives a device whose DMA nothing bounds"
				   : kinds[t->component[i].kind];
}

/* The names of those of whom `value` is said, in one line. */
static unsigned list(const struct topology *t, const char *head, const uint8_t *said, uint8_t value,
		     unsigned but)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->n_components; i++)
		if (said[i] == value && i != but)
			printf("%s%s", n++ ? ", " : head, name_of(t, i));
	if (n)
		putchar('\n');
	return n;
}

static void print_components(const struct topology *t, const uint8_t *domain)
{
	printf("\nComponents, with the number of their security domain\n");
	for (unsigned i = 0; i < t->n_components; i++)
		printf("  %-36s %3u  %s\n", name_of(t, i), domain[i], kind_text(t, i));
}

/* Who else has the object. */
static void print_partners(const struct topology *t, const struct topo_grant *g)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->n_grants; i++)
		if (t->grant[i].object == g->object && t->grant[i].holder != g->holder)
			printf("%s%s", n++ ? ", " : ", with ", name_of(t, t->grant[i].holder));
}

static void print_held(const struct topology *t, const struct topo_grant *g)
{
	bool is_memory = strcmp(g->type, "Memory") == 0;
	bool is_device = strcmp(g->type, "Device") == 0 || strcmp(g->type, "IRQHandler") == 0 ||
			 strcmp(g->type, "IOPort") == 0;
	unsigned owner = t->object[g->object].owner;

	if (is_memory) {
		printf("    memory    %s%s%s", g->what, g->bytes ? ", " : "",
		       g->bytes ? units_size_text(g->bytes) : "");
		print_partners(t, g);
		putchar('\n');
	} else if (is_device) {
		printf("    device    %s, %s %#llx\n", g->what,
		       *g->type == 'D' ? "at" : "number", (unsigned long long)g->at);
	} else if (owner != g->holder && strcmp(g->type, "Endpoint") == 0) {
		printf("    asks      %s (%s)\n", name_of(t, owner), g->what);
	} else if (owner != g->holder && strcmp(g->type, "Notification") == 0) {
		printf("    wakes     %s (%s)\n", name_of(t, owner), g->what);
	} else if (owner != g->holder) {
		printf("    controls  %s (%s)\n", name_of(t, owner), g->what);
	}
}

static void print_reach_of(const struct topology *t, unsigned x)
{
	uint8_t into[TOPO_COMPONENTS];
	char head[64];

	printf("  %s\n", name_of(t, x));
	for (unsigned i = 0; i < t->n_grants; i++)
		if (t->grant[i].holder == x)
			print_held(t, &t->grant[i]);
	topology_reach(t, x, into);
	list(t, "    controls at once: ", into, 0, x);
	for (unsigned far = 1; far < TOPO_FAR; far++) {
		snprintf(head, sizeof(head), "    by errors of %u in a row: ", far);
		if (far == 1)
			snprintf(head, sizeof(head), "    by one error of theirs: ");
		if (!list(t, head, into, (uint8_t)far, x))
			break;
	}
}

static void print_fall_of(const struct topology *t, unsigned x)
{
	uint8_t into[TOPO_COMPONENTS], reach[TOPO_COMPONENTS];

	printf("  %s\n", name_of(t, x));
	topology_fall(t, x, into);
	if (!list(t, "    stops with it:     ", into, TOPO_FALLS, x))
		printf("    stops with it:     nothing\n");
	list(t, "    goes on without:   ", into, TOPO_WITHOUT, x);
	topology_reach(t, x, reach);
	list(t, "    exposed wholly:    ", reach, 0, x);
	for (unsigned i = 0, n = 0; i < t->n_components; i++) {
		bool shares = topology_edge(t, x, i) & TOPO_SHARES && reach[i] != 0;

		if (shares)
			printf("%s%s", n++ ? ", " : "    exposed in part:   ", name_of(t, i));
		if (i + 1 == t->n_components && n)
			putchar('\n');
	}
}

static void print_edges(const struct topology *t)
{
	printf("\nEdges; every component also calls the kernel, which controls all\n");
	for (unsigned i = 1; i < t->n_components; i++) {
		for (unsigned j = 1; j < t->n_components; j++) {
			unsigned edge = topology_edge(t, i, j);

			if (!edge || i == TOPO_THE_INIT)
				continue;
			printf("  %s -> %s: %s%s%s%s%s\n", name_of(t, i), name_of(t, j),
			       edge & TOPO_CONTROLS ? "controls " : "",
			       edge & TOPO_SHARES ? "memory " : "",
			       edge & TOPO_ASKS ? "messages " : "",
			       edge & TOPO_TRAPS ? "exits " : "",
			       edge & TOPO_SIGNALS ? "signals" : "");
		}
	}
}

static bool falls_matter(const struct topology *t, unsigned i)
{
	return t->component[i].kind != TOPO_GUEST || t->component[i].dma;
}

void topology_print(const struct topology *t)
{
	uint8_t domain[TOPO_COMPONENTS];
	unsigned domains = topology_domains(t, domain);
	unsigned guests = 0;

	for (unsigned i = 0; i < t->n_components; i++)
		guests += t->component[i].kind == TOPO_GUEST;
	printf("%s: %u VMs, %u components, %u security domains\n", t->name, guests,
	       t->n_components, domains);
	print_components(t, domain);
	print_edges(t);
	printf("\nReach: what each holds, and what an attacker who has taken it over gets next,\n"
	       "as long as the kernel has no error\n");
	for (unsigned i = 2; i < t->n_components; i++)
		print_reach_of(t, i);
	puts("\nFalls: what becomes of the others when one is gone (stops, goes on without),\n"
	     "and what of theirs one that was taken over may read and change (exposed)");
	for (unsigned i = 0; i < t->n_components; i++)
		if (falls_matter(t, i))
			print_fall_of(t, i);
}

void topology_print_paths(const struct topology *t, unsigned from, unsigned to)
{
	struct topo_path path[TOPO_PATHS_MAX];
	bool more;
	unsigned n = topology_paths(t, from, to, path, &more);

	printf("\n%u%s paths from %s to %s\n", n, more ? " and more" : "", name_of(t, from),
	       name_of(t, to));
	for (unsigned i = 0; i < n; i++) {
		printf("  %s\n", name_of(t, from));
		for (unsigned j = 1; j < path[i].n; j++) {
			unsigned edge = topology_edge(t, path[i].via[j - 1], path[i].via[j]);

			printf("    -> %s: %s%s\n", name_of(t, path[i].via[j]),
			       topology_edge_text(edge & TOPO_ATTACKS),
			       edge & TOPO_CONTROLS ? "" : ", which takes an error of it");
		}
	}
}

/* --- Graphviz --------------------------------------------------------------- */

static void dot_edge(const struct topology *t, struct buffer *b, unsigned i, unsigned j)
{
	unsigned edge = topology_edge(t, i, j) & TOPO_ATTACKS;
	unsigned back = topology_edge(t, j, i) & TOPO_ATTACKS;
	const char *style = edge & TOPO_CONTROLS ? "style=bold"
			    : edge & TOPO_SHARES ? "color=red"
			    : edge & TOPO_ASKS   ? "color=blue"
						 : "style=dashed";

	if (!edge || (back == edge && j < i))
		return;
	buffer_text(b, "\t\"%s\" -> \"%s\" [%s%s];\n", name_of(t, i), name_of(t, j), style,
		    back == edge ? " dir=both" : "");
}

char *topology_dot(const struct topology *t)
{
	uint8_t domain[TOPO_COMPONENTS];
	unsigned domains = topology_domains(t, domain);
	struct buffer b = { 0 };

	buffer_text(&b,
		    "digraph \"%s\" {\n\trankdir=LR; node [shape=box fontname=Helvetica];\n"
		    "\tlabel=\"%s: a frame is a security domain; bold: controls, red: shared "
		    "memory, blue: messages, dashed: exits; kernel and init control all\";\n",
		    t->name, t->name);
	for (unsigned d = 0; d < domains; d++) {
		buffer_text(&b, "\tsubgraph cluster_%u {\n", d);
		for (unsigned i = 0; i < t->n_components; i++) {
			bool guest = t->component[i].kind == TOPO_GUEST;

			if (domain[i] == d)
				buffer_text(&b, "\t\t\"%s\"%s;\n", name_of(t, i),
					    guest ? " [style=rounded]" : "");
		}
		buffer_text(&b, "\t}\n");
	}
	for (unsigned i = TOPO_THE_INIT + 1; i < t->n_components; i++)
		for (unsigned j = TOPO_THE_INIT; j < t->n_components; j++)
			dot_edge(t, &b, i, j);
	buffer_text(&b, "}\n");
	buffer_append(&b, "", 1);
	return (char *)b.data;
}
