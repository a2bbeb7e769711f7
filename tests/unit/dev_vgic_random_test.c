/* Random operations on the vGIC, in every configuration, against the model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vgic_sim.h"

#define BYTES 3000u
#define ROUNDS 250u

static uint8_t random_byte(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint8_t)(*state >> 24);
}

static void run(unsigned version, bool lr_readback)
{
	static uint8_t bytes[BYTES];

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct vgic_sim_options options = {
			.version = version,
			.n_vcpus = 1 + round % 5,
			.n_irqs = round % 7 == 0 ? 288 : 64,
			.n_lrs = 1 + round % 6,
			.lr_readback = lr_readback,
		};
		uint64_t state = round * 0x9e3779b97f4a7c15ull + version;

		for (unsigned i = 0; i < BYTES; i++)
			bytes[i] = random_byte(&state);
		vgic_sim_run(&options, bytes, BYTES - round * 4);
	}
}

static void test_v2(void **state)
{
	(void)state;
	run(2, true);
}

static void test_v3(void **state)
{
	(void)state;
	run(3, true);
}

static void test_v2_inject_only(void **state)
{
	(void)state;
	run(2, false);
}

static void test_v3_inject_only(void **state)
{
	(void)state;
	run(3, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_v3),
		cmocka_unit_test(test_v2_inject_only),
		cmocka_unit_test(test_v3_inject_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
