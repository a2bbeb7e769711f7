/* Who can reach what: the model of a description, its answers, and `forbid` rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit.h"
#include "buffer.h"
#include "diag.h"
#include "forbid.h"
#include "system.h"
#include "topology.h"

#define VMS                                                 \
	"name: s\nvms:\n"                                   \
	"  - {name: a, memory: 64M, kernel: k}\n"           \
	"  - {name: b, memory: 64M, kernel: k, vcpus: 2}\n" \
	"  - {name: c, memory: 64M, kernel: k, debug: control}\n"

static struct system sys;
static struct topology t;

static void model(const char *text)
{
	assert_true(system_parse(&sys, "t.yaml", text, strlen(text)));
	topology_of(&t, sys.desc);
}

static void forget(void)
{
	topology_free(&t);
	system_free(&sys);
}

static unsigned id(const char *name)
{
	int i = topology_find(&t, name);

	assert_true(i >= 0);
	return (unsigned)i;
}

static unsigned edge(const char *from, const char *to)
{
	return topology_edge(&t, id(from), id(to));
}

/* Memory that two have, as a connection makes it. */
static void share(const char *a, const char *b, bool ram)
{
	unsigned obj = topology_object(&t, "pool", id(a));

	t.object[obj].guest_ram = ram;
	topology_grant(&t, id(a), id(a), obj, "Memory", "pool", 3);
	topology_grant(&t, id(b), id(a), obj, "Memory", "pool", 3);
	topology_connect(&t);
}

static void edges_are_those_of_init(void **state)
{
	(void)state;
	model(VMS);
	assert_int_equal(edge("a", "vmm:a"), TOPO_SHARES | TOPO_TRAPS);
	assert_int_equal(edge("vmm:a", "a"), TOPO_CONTROLS | TOPO_SHARES);
	assert_int_equal(edge("vmm:a", "init"), TOPO_ASKS | TOPO_SHARES);
	assert_int_equal(edge("vmm:a", "time"), TOPO_ASKS);
	assert_int_equal(edge("time", "vmm:a"), TOPO_ASKS | TOPO_SIGNALS);
	assert_int_equal(edge("vmm:a", "log"), TOPO_SHARES | TOPO_SIGNALS);
	assert_int_equal(edge("a", "kernel"), TOPO_TRAPS);
	assert_int_equal(edge("kernel", "a"), TOPO_CONTROLS);
	assert_int_equal(edge("init", "vmm:b"), TOPO_CONTROLS | TOPO_ASKS);
	assert_int_equal(edge("init", "kernel") & TOPO_CONTROLS, 0);
	assert_int_equal(edge("a", "b"), 0);
	assert_int_equal(edge("vmm:a", "vmm:b"), 0);
	assert_int_equal(edge("a", "log"), 0);
	assert_int_equal(edge("a", "init"), 0);
	assert_int_equal(edge("vmm:a", "b"), 0);
	forget();
}

static void reach_counts_errors(void **state)
{
	uint8_t into[256];

	(void)state;
	model(VMS);
	topology_reach(&t, id("a"), into);
	assert_int_equal(into[id("a")], 0);
	assert_int_equal(into[id("vmm:a")], 1);
	assert_int_equal(into[id("kernel")], 1);
	assert_int_equal(into[id("log")], 2);
	assert_int_equal(into[id("init")], 2);
	assert_int_equal(into[id("b")], 2); /* init controls it */
	topology_reach(&t, id("vmm:a"), into);
	assert_int_equal(into[id("a")], 0);
	assert_int_equal(into[id("b")], 1);
	topology_reach(&t, id("kernel"), into);
	for (unsigned i = 0; i < t.n_components; i++)
		assert_int_equal(into[i], 0);
	share("a", "b", false);
	topology_reach(&t, id("a"), into);
	assert_int_equal(into[id("b")], 1);
	share("b", "a", true);
	topology_reach(&t, id("a"), into);
	assert_int_equal(into[id("b")], 0);
	assert_int_equal(into[id("vmm:b")], 1);
	forget();
}

static void what_falls(void **state)
{
	uint8_t into[256];

	(void)state;
	model(VMS);
	topology_fall(&t, id("vmm:a"), into);
	assert_int_equal(into[id("a")], TOPO_FALLS);
	assert_int_equal(into[id("vmm:b")], TOPO_STAYS);
	assert_int_equal(into[id("log")], TOPO_STAYS);
	topology_fall(&t, id("log"), into);
	assert_int_equal(into[id("vmm:a")], TOPO_WITHOUT);
	assert_int_equal(into[id("a")], TOPO_STAYS);
	assert_int_equal(into[id("init")], TOPO_WITHOUT);
	topology_fall(&t, id("a"), into);
	assert_int_equal(into[id("vmm:a")], TOPO_STAYS);
	topology_fall(&t, id("kernel"), into);
	for (unsigned i = 0; i < t.n_components; i++)
		assert_int_equal(into[i], TOPO_FALLS);
	forget();
}

static void domains_are_counted(void **state)
{
	uint8_t domain[256];

	(void)state;
	model(VMS);
	assert_int_equal(topology_domains(&t, domain), 1 + 3 + 4);
	assert_int_equal(domain[id("kernel")], domain[id("init")]);
	assert_int_equal(domain[id("a")], domain[id("vmm:a")]);
	assert_int_not_equal(domain[id("a")], domain[id("b")]);
	share("a", "b", false);
	assert_int_equal(topology_domains(&t, domain), 8);
	share("c", "a", true); /* c's RAM, which a writes */
	assert_int_equal(topology_domains(&t, domain), 7);
	assert_int_equal(domain[id("vmm:c")], domain[id("vmm:a")]);
	t.component[id("b")].dma = true;
	topology_connect(&t);
	assert_int_equal(topology_domains(&t, domain), 6);
	assert_int_equal(domain[id("b")], domain[id("kernel")]);
	forget();
}

static void paths_have_no_detours(void **state)
{
	struct topo_path path[TOPO_PATHS_MAX];
	bool more;

	(void)state;
	model(VMS);
	assert_int_equal(topology_paths(&t, id("a"), id("b"), path, &more), 5);
	assert_false(more);
	assert_int_equal(path[0].n, 3);
	assert_int_equal(path[0].via[1], id("kernel"));
	assert_int_equal(path[1].n, 4);
	assert_int_equal(path[1].via[2], id("init"));
	share("a", "b", false);
	assert_int_equal(topology_paths(&t, id("a"), id("b"), path, &more), 1 + 5);
	assert_int_equal(path[0].n, 2);
	forget();
}

static void connections_are_edges(void **state)
{
	static const char text[] = VMS "machine: {nic: virtio}\nconnections:\n"
				       "  - {driver: a, device: net, served_by: b}\n"
				       "  - {driver: b, device: net, served_by: net}\n"
				       "  - {driver: c, device: console, served_by: a, "
				       "sharing: all}\n";
	uint8_t into[256];

	(void)state;
	model(text);
	assert_int_equal(edge("a", "b") & TOPO_ATTACKS, TOPO_SHARES);
	assert_int_equal(edge("b", "a") & TOPO_ATTACKS, TOPO_SHARES);
	assert_int_equal(edge("b", "net") & TOPO_ATTACKS, TOPO_SHARES);
	assert_int_equal(edge("a", "net") & TOPO_ATTACKS, 0);
	assert_int_equal(edge("b", "c") & TOPO_ATTACKS, 0);
	assert_true(edge("a", "c") & TOPO_CONTROLS);
	assert_false(edge("c", "a") & TOPO_CONTROLS);
	assert_true(edge("net", "kernel") & TOPO_CONTROLS);
	topology_fall(&t, id("net"), into);
	assert_int_equal(into[id("vmm:b")], TOPO_WITHOUT);
	assert_int_equal(into[id("vmm:c")], TOPO_STAYS);
	topology_fall(&t, id("vmm:b"), into); /* its guest serves a */
	assert_int_equal(into[id("vmm:a")], TOPO_WITHOUT);
	forget();
}

/* v0, served by v1, and so on to the last, and what else the description says. */
static bool parse_chain(unsigned vms, const char *rest)
{
	struct buffer b = { 0 };
	bool ok;

	buffer_text(&b, "name: s\nvms:\n");
	for (unsigned i = 0; i < vms; i++)
		buffer_text(&b, "  - {name: v%u, memory: 4M, kernel: k}\n", i);
	buffer_text(&b, "connections:\n");
	for (unsigned i = 0; i + 1 < vms; i++)
		buffer_text(&b, "  - {driver: v%u, device: console, served_by: v%u, pool: 256K}\n",
			    i, i + 1);
	buffer_text(&b, "%s", rest);
	ok = system_parse(&sys, "t.yaml", b.data, b.size);
	buffer_free(&b);
	return ok;
}

/* How many paths without detours begin with these n. */
static unsigned count_paths(unsigned *via, unsigned n, unsigned to)
{
	unsigned sum = 0;

	for (unsigned next = 0; next < t.n_components; next++) {
		bool detour = !(topology_edge(&t, via[n - 1], next) & TOPO_ATTACKS);

		for (unsigned i = 0; i < n; i++)
			detour = detour || via[i] == next ||
				 (i + 1 < n && (i > 0 || next != to) &&
				  (topology_edge(&t, via[i], next) & TOPO_ATTACKS));
		if (detour)
			continue;
		via[n] = next;
		sum += next != to ? count_paths(via, n + 1, to) : 1;
	}
	return sum;
}

static void long_paths_are_found(void **state)
{
	static const unsigned lengths[] = { 2, 9, 10, 64 };
	struct topo_path path[TOPO_PATHS_MAX];
	unsigned via[TOPO_COMPONENTS];
	char rule[64];
	bool more;

	(void)state;
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		snprintf(rule, sizeof(rule), "forbid: [{from: v0, to: v%u}]\n", lengths[i] - 1);
		diag_silence(true);
		assert_false(parse_chain(lengths[i], rule));
		diag_silence(false);
	}
	for (unsigned vms = 2; vms <= 10; vms++) {
		unsigned listed, sum;
		char last[8];

		assert_true(parse_chain(vms, ""));
		topology_of(&t, sys.desc);
		snprintf(last, sizeof(last), "v%u", vms - 1);
		assert_int_equal(topology_way(&t, id("v0"), id(last), TOPO_CONNECTIONS, NULL, via),
				 vms);
		for (unsigned i = 0; i < vms; i++)
			assert_int_equal(t.component[via[i]].name[1], '0' + i);
		via[0] = id("v0");
		sum = count_paths(via, 1, id(last));
		listed = topology_paths(&t, id("v0"), id(last), path, &more);
		assert_true(listed <= sum);
		assert_int_equal(more, listed < sum);
		forget();
	}
}

static const char *machine = "";

/* Whether the rule holds, with and without what is shared. */
static bool holds(const char *rule, void (*change)(void))
{
	char text[1024];
	bool ok;

	snprintf(text, sizeof(text), VMS "%sforbid:\n  - {%s}\n", machine, rule);
	diag_silence(true);
	ok = system_parse(&sys, "t.yaml", text, strlen(text));
	if (ok && change) {
		topology_of(&t, sys.desc);
		change();
		ok = forbid_check(&sys, &t);
		topology_free(&t);
	}
	diag_silence(false);
	if (sys.conf)
		system_free(&sys);
	return ok;
}

static void share_pool(void) { share("a", "b", false); }
static void share_all(void) { share("b", "a", true); }

static void chain(void)
{
	share("a", "c", false);
	share("c", "b", false);
}

/* The debug shell stands for a server that the system does not have. */
static void behind_the_end(void)
{
	share("a", "b", false);
	share("b", "debug", false);
}

static void behind_a_third(void)
{
	chain();
	share("c", "debug", false);
}

static void round_a_third(void)
{
	behind_a_third();
	share("debug", "b", false);
}

/* The shortest parts meet in c, others do not. */
static void two_ways(void)
{
	behind_a_third();
	share("a", "vmm:c", false);
	share("vmm:c", "debug", false);
}

static void dma(void)
{
	t.component[id("a")].dma = true;
	topology_connect(&t);
}

static void dma_of_a_friend(void)
{
	dma();
	share("c", "a", false);
}

static void use_net(void) { share("a", "net", false); }

static void rules_are_kept(void **state)
{
	(void)state;
	assert_true(holds("from: a, to: b", NULL));
	assert_false(holds("from: a, to: b", share_pool));
	assert_false(holds("from: a, to: b", chain));
	assert_false(holds("from: any, to: any", share_pool));
	assert_true(holds("from: c, to: any", share_pool));
	assert_true(holds("from: a, to: b, through: any", NULL) == false);
	assert_false(holds("from: a, to: b, through: log", NULL));
	assert_true(holds("from: a, to: b, through: c", share_pool));
	assert_false(holds("from: a, to: b, through: c", chain));
	assert_true(holds("from: a, to: b, through: debug", behind_the_end));
	assert_true(holds("from: b, to: a, through: debug", behind_the_end));
	assert_true(holds("from: a, to: b, through: debug", behind_a_third));
	assert_false(holds("from: a, to: b, through: debug", round_a_third));
	assert_false(holds("from: b, to: a, through: debug", round_a_third));
	assert_false(holds("from: a, to: b, through: debug", two_ways));
	assert_true(holds("from: any, to: b, through: c", share_pool));
	assert_false(holds("from: any, to: b, through: c", chain));
	assert_false(holds("from: a, to: b, through: a", NULL));
	assert_false(holds("from: a, to: b, through: b", NULL));
	assert_true(holds("from: a, to: b, what: control", share_pool));
	assert_false(holds("from: a, to: b, what: control", share_all));
	assert_true(holds("from: b, to: a, what: control", share_all));
	assert_false(holds("from: a, to: b, what: control", dma));
	assert_false(holds("from: a, to: kernel, what: control", dma));
	assert_true(holds("from: a, to: b, what: memory", chain));
	assert_false(holds("from: a, to: b, what: memory", share_pool));
	assert_true(holds("from: a, to: b, what: server", share_pool));
	assert_false(holds("from: a, to: b, what: server", chain));
	assert_false(holds("from: a, to: d", NULL));
	assert_false(holds("from: a, to: a", NULL));
	assert_false(holds("from: a, to: b, what: memory, through: any", NULL));
}

static void dma_reaches_all(void **state)
{
	(void)state;
	assert_false(holds("from: a, to: b", dma));
	assert_false(holds("from: any, to: any", dma));
	assert_false(holds("from: a, to: any", dma));
	assert_false(holds("from: a, to: b, through: any", dma));
	assert_false(holds("from: a, to: b, what: control", dma));
	assert_false(holds("from: a, to: b, what: memory", dma));
	assert_true(holds("from: b, to: a", dma));
	assert_true(holds("from: b, to: c", dma));
	assert_true(holds("from: b, to: a, what: memory", dma));
	assert_true(holds("from: b, to: any, what: control", dma));
	assert_true(holds("from: a, to: b, what: server", dma));
	/* By an error of its neighbour's. */
	assert_false(holds("from: c, to: b", dma_of_a_friend));
	assert_false(holds("from: c, to: b, through: a", dma_of_a_friend));
	assert_true(holds("from: c, to: b, what: control", dma_of_a_friend));
	assert_true(holds("from: b, to: c", dma_of_a_friend));
	/* A native driver; a is connected to it. */
	machine = "machine: {nic: virtio}\n";
	assert_false(holds("from: a, to: b", use_net));
	assert_false(holds("from: net, to: b", use_net));
	assert_false(holds("from: a, to: b, through: net", use_net));
	assert_false(holds("from: net, to: any, what: control", use_net));
	assert_false(holds("from: net, to: b, what: memory", use_net));
	assert_true(holds("from: b, to: a", use_net));
	assert_true(holds("from: a, to: b, what: control", use_net));
	assert_true(holds("from: a, to: b, what: memory", use_net));
	machine = "";
}

static void answers_are_written(void **state)
{
	char *text;

	(void)state;
	model(VMS);
	text = topology_json(&t, (int)id("a"), (int)id("b"));
	assert_non_null(strstr(text, "\"security_domains\":\t8"));
	free(text);
	text = topology_dot(&t);
	assert_non_null(strstr(text, "\"vmm:a\" -> \"a\" [style=bold]"));
	free(text);
	forget();
}

/* --- audit ------------------------------------------------------------------ */

/* What init would say of the model. */
static struct buffer dump_of_model(void)
{
	struct buffer b = { 0 };

	for (unsigned i = 0; i < t.n_grants; i++) {
		const struct topo_grant *g = &t.grant[i];

		buffer_text(&b,
			    "{\"holder\":\"%s\",\"slot\":%u,\"type\":\"%s\",\"what\":\"%s\","
			    "\"for\":\"%s\",\"object\":%u,\"rights\":%u,\"at\":%llu,"
			    "\"bytes\":%llu}\n",
			    t.component[g->holder].name, i, g->type, g->what,
			    t.component[g->because].name, 1000 + g->object, g->rights,
			    (unsigned long long)g->at, (unsigned long long)g->bytes);
	}
	return b;
}

static char told[1024];

static void keep(void *context, const char *difference)
{
	(void)context;
	snprintf(told, sizeof(told), "%s", difference);
}

/* Differences after `change`, which gets the dump, terminated. */
static unsigned audited(void (*change)(struct buffer *dump))
{
	struct buffer dump;
	unsigned n, absent;

	model(VMS);
	dump = dump_of_model();
	if (change)
		change(&dump);
	told[0] = '\0';
	n = audit_compare(&t, (char *)dump.data, dump.size, keep, NULL, &absent);
	assert_int_equal(absent, 0);
	buffer_free(&dump);
	return n;
}

/* The line with all of these, first found. */
static char *line_with(struct buffer *dump, const char *a, const char *b)
{
	char *line;

	buffer_append(dump, "", 1);
	line = (char *)dump->data;
	dump->size--;
	for (; *line; line = strchr(line, '\n') + 1) {
		char *end = strchr(line, '\n'), *x = strstr(line, a), *y = strstr(line, b);

		if (x && y && x < end && y < end)
			return line;
	}
	fail();
	return NULL;
}

static void lose_one(struct buffer *dump)
{
	char *line = line_with(dump, "\"holder\":\"time\"", "timer of a vCPU");
	size_t n = (size_t)(strchr(line, '\n') + 1 - line);

	memmove(line, line + n, dump->size - n - (size_t)(line - (char *)dump->data));
	dump->size -= n;
}

/* c's monitor gets a's RAM. */
static void give_ram(struct buffer *dump)
{
	char *line = line_with(dump, "\"holder\":\"a\"", "guest RAM");
	unsigned object = (unsigned)strtoul(strstr(line, "\"object\":") + 9, NULL, 10);

	buffer_text(dump,
		    "{\"holder\":\"vmm:c\",\"slot\":null,\"type\":\"Memory\","
		    "\"what\":\"own channel\",\"for\":\"vmm:c\",\"object\":%u,\"rights\":3,"
		    "\"at\":0,\"bytes\":16384}\n",
		    object);
}

/* b's channel is a's: each purpose is right, who shares with whom is not. */
static void cross(struct buffer *dump)
{
	char *a = strstr(line_with(dump, "\"holder\":\"vmm:a\"", "own channel"), "\"object\":");
	char *b = strstr(line_with(dump, "\"holder\":\"vmm:b\"", "own channel"), "\"object\":");

	memcpy(b + 9, a + 9, 4);
}

static void widen(struct buffer *dump)
{
	char *line = line_with(dump, "\"holder\":\"vmm:a\"", "log: records wait");

	memcpy(strstr(line, "\"rights\":1"), "\"rights\":3", 10);
}

static void slot(struct buffer *dump)
{
	buffer_text(dump, "{\"holder\":\"vmm:a\",\"slot\":77,\"type\":\"unknown\","
			  "\"what\":\"init did not give it\"}\n");
}

static void garble(struct buffer *dump)
{
	buffer_text(dump, "{\"holder\":\"vmm:a\",\"slot\":\n");
}

static void strange_vm(struct buffer *dump)
{
	buffer_text(dump, "{\"holder\":\"vmm:x\",\"slot\":1,\"type\":\"TCB\","
			  "\"what\":\"main thread\",\"for\":\"vmm:x\",\"object\":5,"
			  "\"rights\":15}\n");
}

static void audits_find_every_difference(void **state)
{
	static const struct {
		void (*change)(struct buffer *dump);
		const char *says;
	} cases[] = {
		{ lose_one, "time does not have `timer of a vCPU`" },
		{ give_ram, "vmm:c has `own channel` (Memory, rights 3), which the description" },
		{ cross, "is another than the description's" },
		{ widen, "with rights 3, not 1" },
		{ slot, "vmm:a, slot 77: init did not give it" },
		{ garble, "no capability" },
		{ strange_vm, "vmm:x has `main thread`" },
	};

	(void)state;
	assert_int_equal(audited(NULL), 0);
	forget();
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_not_equal(audited(cases[i].change), 0);
		if (!strstr(told, cases[i].says))
			fail_msg("%s, not %s", told, cases[i].says);
		forget();
	}
}

static void surplus_counts_in_the_graph(void **state)
{
	uint8_t into[256];

	(void)state;
	assert_int_equal(audited(NULL), 0);
	topology_reach(&t, id("vmm:c"), into);
	assert_int_equal(into[id("a")], 1);
	forget();
	assert_int_not_equal(audited(give_ram), 0);
	topology_reach(&t, id("vmm:c"), into);
	assert_int_equal(into[id("a")], 0);
	forget();
}

static void vms_that_are_off_are_absent(void **state)
{
	struct buffer dump;
	unsigned absent;

	(void)state;
	model(VMS);
	dump = dump_of_model();
	forget();
	model(VMS "  - {name: d, memory: 64M, kernel: k, autostart: false}\n");
	assert_int_equal(audit_compare(&t, (char *)dump.data, dump.size, keep, NULL, &absent), 0);
	assert_int_equal(absent, 1);
	buffer_free(&dump);
	forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_are_those_of_init),
		cmocka_unit_test(reach_counts_errors),
		cmocka_unit_test(what_falls),
		cmocka_unit_test(domains_are_counted),
		cmocka_unit_test(paths_have_no_detours),
		cmocka_unit_test(connections_are_edges),
		cmocka_unit_test(long_paths_are_found),
		cmocka_unit_test(rules_are_kept),
		cmocka_unit_test(dma_reaches_all),
		cmocka_unit_test(answers_are_written),
		cmocka_unit_test(audits_find_every_difference),
		cmocka_unit_test(surplus_counts_in_the_graph),
		cmocka_unit_test(vms_that_are_off_are_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
