/* Unit conversion of the clock against 128-bit arithmetic. */
#include "unit.h"

#include <selvage/clock_scale.h>
#include <stdlib.h>

static uint64_t wide(uint64_t value, uint64_t from, uint64_t to)
{
	unsigned __int128 r = (unsigned __int128)value * to / from;

	return r > UINT64_MAX ? UINT64_MAX : (uint64_t)r;
}

static uint64_t random_u64(void)
{
	uint64_t r = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^
		     (uint64_t)rand();

	return r >> rand() % 64;
}

static void test_random(void **state)
{
	static const uint64_t unit[] = { 1, CLOCK_US_PER_S, CLOCK_NS_PER_S,
					 62500000, 24000000, 19200000, 32768 };

	(void)state;
	srand(7);
	for (int i = 0; i < 200000; i++) {
		uint64_t value = random_u64();
		uint64_t from = unit[(unsigned)rand() % 7];
		uint64_t to = unit[(unsigned)rand() % 7];

		assert_int_equal(clock_scale(value, from, to),
				 wide(value, from, to));
	}
	assert_int_equal(clock_scale(UINT64_MAX, 1, CLOCK_NS_PER_S),
			 UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
