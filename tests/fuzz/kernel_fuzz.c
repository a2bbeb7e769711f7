/* The kernel's core: every choice of tests/unit/kernel_sim.h is the fuzzer's,
 * and behind its bytes that of a generator that they seed. */
#include "../unit/kernel_sim.h"
#include "../unit/mock_arch/mock_arch.h"
#include "../unit/random.h"

#include <kernel/debug.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_STEPS 2000
#define RANDOM_STEPS 100

struct bytes {
	struct kernel_sim_source source; /* first */
	const uint8_t *data;
	size_t left;
	struct random random;
};

static unsigned next_byte(struct bytes *b)
{
	uint8_t v;

	if (b->left == 0)
		return random_below(&b->random, 256);
	b->left--;
	v = *b->data++;
	b->random.state = (b->random.state ^ v) * 0x100000001b3ull | 1;
	return v;
}

static unsigned below(struct kernel_sim_source *s, unsigned n)
{
	struct bytes *b = (struct bytes *)s;
	unsigned v = next_byte(b);

	if (n > 256)
		v = v << 8 | next_byte(b);
	return v % n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { { below }, data, size, { 1 } };
	unsigned extra = RANDOM_STEPS;

	invariants_every = 8;
	kernel_sim_boot(&b.source);
	mock_preempt_every = next_byte(&b) % 8;
	for (unsigned i = 0; i < MAX_STEPS && (b.left || extra--) && kernel_sim_step(); i++)
		;
	kernel_sim_end();
	return 0;
}
