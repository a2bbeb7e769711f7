/* Random system calls, faults and interrupts: see kernel_sim.h. */
#include "kernel_sim.h"
#include "mock_arch/mock_arch.h"
#include "random.h"
#include "unit.h"

#define ROUNDS 300
#define STEPS 3000

struct source {
	struct kernel_sim_source source; /* first */
	struct random random;
};

static unsigned below(struct kernel_sim_source *s, unsigned n)
{
	return random_below(&((struct source *)s)->random, n);
}

static void run(uint64_t seed, unsigned preempt_every)
{
	struct source s = { { below }, { seed } };

	for (unsigned r = 0; r < ROUNDS; r++) {
		kernel_sim_boot(&s.source);
		mock_preempt_every = preempt_every;
		for (unsigned i = 0; i < STEPS && kernel_sim_step(); i++)
			;
		kernel_sim_end();
	}
}

static void test_random(void **state)
{
	(void)state;
	run(1, 0);
}

static void test_preempted(void **state)
{
	(void)state;
	run(2, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_preempted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
