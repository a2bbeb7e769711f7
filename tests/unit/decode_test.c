/* vmm/decode: what the run against an emulator (tests/decode) cannot show. */
#include "decode.h"

#include "unit.h"

#include <selvage/vcpu_arch.h>
#include <string.h>

/* Arm ARM D1.20.1, table of AArch32 registers in AArch64 ones. */
static void banks(void **state)
{
	static const uint8_t expected[][4] = {
		/* mode, r8, sp, lr */
		{ 0x10, 8, 13, 14 },
		{ 0x11, 24, 29, 30 },
		{ 0x12, 8, 17, 16 },
		{ 0x13, 8, 19, 18 },
		{ 0x17, 8, 21, 20 },
		{ 0x1b, 8, 23, 22 },
		{ 0x1f, 8, 13, 14 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_int_equal(vcpu_r_number(7, expected[i][0]), 7);
		assert_int_equal(vcpu_r_number(8, expected[i][0]), expected[i][1]);
		assert_int_equal(vcpu_r_number(13, expected[i][0]), expected[i][2]);
		assert_int_equal(vcpu_r_number(14, expected[i][0]), expected[i][3]);
	}
}

#define SVC_MODE 0x1d3u

/* Devices: address -> the address itself; from `bad` on they fail. */
static uint64_t bad;
static uint64_t seen[32];
static unsigned n_seen;

static bool bus(void *opaque, const struct decode_access *a, bool write, uint64_t *value)
{
	(void)opaque;
	if (a->address >= bad)
		return false;
	if (write)
		seen[n_seen++] = *value;
	else
		*value = a->address & 0xffffffff;
	return true;
}

static bool run(struct decode_state *s, uint32_t insn)
{
	const struct decode_access *failed;
	struct decode d;

	n_seen = 0;
	decode(&d, s, insn, &decode_narrow);
	assert_null(d.refused);
	return decode_run(&d, s, bus, NULL, &failed);
}

static void nothing_is_left_of_half_a_load(void **state)
{
	struct decode_state s = { .pstate = SVC_MODE, .pc = 0x8000 }, before;

	(void)state;
	for (unsigned i = 0; i < 32; i++)
		s.x[i] = 0x1000;
	before = s;
	bad = 0x1008;
	assert_false(run(&s, 0xe8b0003eu)); /* ldmia r0!, {r1-r5} */
	assert_memory_equal(&s, &before, sizeof(s));
	bad = ~0ull;
	assert_true(run(&s, 0xe8b0003eu));
	assert_int_equal(s.x[0], 0x1014);
	assert_int_equal(s.x[5], 0x1010);
	assert_int_equal(s.pc, 0x8004);
}

static void user_registers(void **state)
{
	struct decode_state s = { .pstate = SVC_MODE, .pc = 0x8000 };

	(void)state;
	bad = ~0ull;
	s.x[0] = 0x2000;
	s.x[18] = 1, s.x[19] = 2;          /* of Supervisor mode */
	assert_true(run(&s, 0xe8d06000u)); /* ldmia r0, {sp, lr}^ */
	assert_int_equal(s.x[13], 0x2000);
	assert_int_equal(s.x[14], 0x2004);
	assert_int_equal(s.x[18], 1);
	assert_int_equal(s.x[19], 2);
}

static void words_of_a_big_endian_guest(void **state)
{
	struct decode_state s = { .pstate = SVC_MODE | DECODE_PSTATE_E, .pc = 0x8000 };

	(void)state;
	bad = ~0ull;
	s.x[0] = 0x2000;
	s.x[1] = 0x11223344;
	assert_true(run(&s, 0xe1c010b0u)); /* strh r1, [r0] */
	assert_int_equal(seen[0], 0x4433);
	assert_true(run(&s, 0xe4801004u)); /* str r1, [r0], #4 */
	assert_int_equal(seen[0], 0x44332211);
	assert_int_equal(s.x[0], 0x2004);
	s = (struct decode_state){ .big_endian = true };
	s.x[0] = 0x2000;
	assert_true(run(&s, 0xa9400801u)); /* ldp x1, x2, [x0] */
	assert_int_equal(s.x[1], 0x0020000000000000ull);
}

static void what_is_refused_says_why(void **state)
{
	static const struct {
		uint32_t pstate, insn;
		const char *name, *why;
	} cases[] = {
		{ SVC_MODE, 0xe1910f9f, "ldrex", "exclusive" },
		{ SVC_MODE, 0xe1010090, "swp", "undefined" },
		{ SVC_MODE, 0xed910a00, "vldr/vldm", "floating-point" },
		{ SVC_MODE, 0xe8d18000, "ldm (exception return)", "no program" },
		{ SVC_MODE, 0xe4911004, "ldr", "leaves open" }, /* ldr r1, [r1], #4 */
		{ SVC_MODE, 0xe1a00000, NULL, "no load or store" },
		{ SVC_MODE | DECODE_PSTATE_THUMB, 0x0f00e851, "ldrex", "exclusive" },
		{ 0x3c5, 0xc85f7c20, "ldxr/stxr", "exclusive" },
		{ 0x3c5, 0xf8200020, "atomic", "atomic" },
		{ 0x3c5, 0x3dc00020, "ldr/str (SIMD)", "SIMD" },
		{ 0x3c5, 0xd503201f, NULL, "no load or store" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decode_state s = { .pstate = cases[i].pstate };
		struct decode d;

		decode(&d, &s, cases[i].insn, &decode_narrow);
		assert_non_null(d.refused);
		assert_non_null(strstr(d.refused, cases[i].why));
		if (cases[i].name == NULL)
			assert_null(d.name);
		else
			assert_string_equal(d.name, cases[i].name);
		assert_int_equal(d.n, 0);
	}
}

static void names(void **state)
{
	static const struct {
		uint32_t pstate, insn;
		const char *name;
	} cases[] = {
		{ SVC_MODE, 0xef000000, "svc" },
		{ SVC_MODE, 0xe7f000f0, "udf" },
		{ SVC_MODE, 0xe12fff1e, "bx" },
		{ SVC_MODE, 0xea000000, "b" },
		{ SVC_MODE, 0xee110f10, "mrc" },
		{ SVC_MODE, 0xe5901000, "ldr" },
		{ SVC_MODE, 0xe1a00000, "unknown" },
		{ SVC_MODE | DECODE_PSTATE_THUMB, 0x0000df01, "svc" },
		{ SVC_MODE | DECODE_PSTATE_THUMB, 0xbf00b510, "push" },
		{ 0x3c5, 0xd4000001, "svc" },
		{ 0x3c5, 0xd69f03e0, "eret" },
		{ 0x3c5, 0xa9bf7bfd, "stp" },
		{ 0x3c5, 0x00000000, "udf" },
		{ 0x3c5, 0xd5033fdf, "msr" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
			decode_mnemonic(cases[i].pstate, cases[i].insn, &decode_narrow),
			cases[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(banks),
		cmocka_unit_test(nothing_is_left_of_half_a_load),
		cmocka_unit_test(user_registers),
		cmocka_unit_test(words_of_a_big_endian_guest),
		cmocka_unit_test(what_is_refused_says_why),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
