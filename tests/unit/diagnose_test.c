/* vmm: causes of faults, and the keys that mend them. */
#include "diagnose.h"

#include "unit.h"

#include <string.h>

/* A VM of board virt with 16 MiB, whose code looks like its width. */
static struct fault_facts facts(bool narrow, enum fault_kind kind, uint64_t gpa)
{
	return (struct fault_facts){
		.kind = kind,
		.narrow = narrow,
		.gpa = gpa,
		.pc = kind == FAULT_FETCH ? gpa : 0x40001000,
		.sp = 0x40800000,
		.sp_in_memory = true,
		.entry = 0x40000000,
		.words = 40,
		.words_narrow = narrow ? 35 : 0,
		.words_wide = narrow ? 2 : 33,
		.ram = 0x40000000,
		.ram_bytes = 0x1000000,
		.gic_version = 3,
	};
}

static void expect(const struct fault_facts *f, const char *code, const char *key,
		   const char *value)
{
	struct diagnosis d;

	diagnose(f, &d);
	assert_string_equal(d.code, code);
	assert_true(strlen(d.text) > 5 && strlen(d.text) < 150 && strchr(d.text, '"') == NULL);
	if (key == NULL)
		assert_null(d.key);
	else
		assert_string_equal(d.key, key);
	if (value != NULL)
		assert_string_equal(d.value, value);
}

static void vectors(void **state)
{
	struct fault_facts f = facts(true, FAULT_FETCH, 8);

	(void)state;
	expect(&f, "low-vectors", "low_vectors", "default");
	f.pc = f.gpa = 0x1c;
	expect(&f, "low-vectors", "low_vectors", "default");
	f.pc = f.gpa = 0x20; /* behind them */
	expect(&f, "wild-jump", NULL, NULL);
	f = facts(true, FAULT_FETCH, 0xffff0008);
	f.vectors = 0xffff0000;
	f.high_vectors = true;
	expect(&f, "no-vectors", "memory", NULL);
	f = facts(false, FAULT_FETCH, 0x200);
	expect(&f, "no-vectors", NULL, NULL);
	f.vectors_in_memory = true;
	expect(&f, "wild-jump", NULL, NULL);
}

static void triple_faults(void **state)
{
	struct fault_facts f = { .kind = FAULT_OTHER, .shutdown = true, .board_pc = true };
	struct diagnosis with, without;

	(void)state;
	expect(&f, "triple-fault", NULL, NULL);
	diagnose(&f, &without);
	f.vectors_in_memory = true;
	expect(&f, "triple-fault", NULL, NULL);
	diagnose(&f, &with);
	assert_string_not_equal(with.text, without.text);
	f.shutdown = false;
	expect(&f, "unsupported", NULL, NULL);
}

static void entries_and_stacks(void **state)
{
	struct fault_facts f = facts(true, FAULT_FETCH, 0x50000000);

	(void)state;
	f.entry = f.pc;
	expect(&f, "wild-jump", NULL, NULL); /* it was there before */
	f.first = true;
	expect(&f, "entry-outside-memory", "entry", NULL);
	f.device = "pl011";
	expect(&f, "execute-device", "entry", NULL);
	f = facts(false, FAULT_STORE, 0x70000000 - 16);
	expect(&f, "missing-device", "devices", NULL);
	f.sp = 0x70000000;
	f.sp_in_memory = false;
	expect(&f, "stack-outside-memory", "memory", NULL);
	f.sp = 0x70000000 + 0x2000;
	expect(&f, "missing-device", "devices", NULL);
	f = facts(false, FAULT_STORE, 0x41000000);
	expect(&f, "above-memory", "memory", "more");
}

static void widths(void **state)
{
	struct fault_facts f = facts(true, FAULT_STORE, 0);

	(void)state;
	expect(&f, "null-pointer", NULL, NULL);
	f.words_narrow = 2, f.words_wide = 30;
	expect(&f, "wrong-width", "width", "64");
	f.words_narrow = 15; /* both: no verdict */
	expect(&f, "null-pointer", NULL, NULL);
	f = facts(false, FAULT_FETCH, 0x200);
	f.words_narrow = 30, f.words_wide = 9;
	expect(&f, "wrong-width", "width", "32");
	f.words = 3;
	expect(&f, "no-vectors", NULL, NULL);
}

static void places(void **state)
{
	static const struct {
		uint64_t gpa;
		bool a9;
		unsigned gic;
		const char *code, *key, *value;
	} cases[] = {
		{ 0x08030000, false, 3, "hypervisor-range", NULL, NULL },
		{ 0x0804ffff, false, 2, "hypervisor-range", NULL, NULL },
		{ 0x08010000, false, 3, "missing-device", "gic", "2" },
		{ 0x080a0000, false, 2, "missing-device", "gic", "3" },
		{ 0x09000018, false, 3, "missing-device", "devices", "pl011" },
		{ 0x09010000, false, 3, "missing-device", "devices", "rtc" },
		{ 0x0a000000, false, 3, "missing-device", NULL, NULL },
		{ 0x10009000, false, 3, "wrong-board", "board", "vexpress-a9" },
		{ 0x1e000100, false, 3, "wrong-board", "board", "vexpress-a9" },
		{ 0x3f000000, false, 3, "missing-device", "virtio", "pci" },
		{ 0x09000000, true, 2, "wrong-board", "board", "virt" },
		{ 0x4e000000, true, 2, "missing-device", NULL, NULL },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault_facts f = facts(cases[i].a9, FAULT_LOAD, cases[i].gpa);

		f.ram = cases[i].a9 ? 0x60000000 : 0x40000000;
		f.board_a9 = cases[i].a9;
		f.gic_version = cases[i].gic;
		expect(&f, cases[i].code, cases[i].key, cases[i].value);
	}
}

static void others(void **state)
{
	struct fault_facts f = facts(false, FAULT_LOAD, 0x40001000);

	(void)state;
	f.in_memory = true;
	expect(&f, "system", NULL, NULL);
	f = facts(false, FAULT_LOAD, 0x60000000);
	f.table_walk = true;
	expect(&f, "tables-outside-memory", "memory", NULL);
	f = facts(false, FAULT_STORE, 0x09000000);
	f.device = "pl011";
	f.undecodable = true;
	expect(&f, "undecodable", NULL, NULL);
	f = facts(false, FAULT_OTHER, 0);
	expect(&f, "unsupported", NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(triple_faults),
		cmocka_unit_test(entries_and_stacks),
		cmocka_unit_test(widths),
		cmocka_unit_test(places),
		cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
