/* Init's part of balloons: large pages that go and come, and how many a VM can have it make. */
#include "balloon.h"

#include "connect.h"
#include "guest_space.h"
#include "map.h"
#include "unit.h"
#include "vm.h"

#include <selvage/base.h>
#include <selvage/rt_arch.h>
#include <string.h>

#define RAM 0x40000000ull
#define LARGE bit_u64(ABI_LARGE_PAGE_BITS)
#define HZ 1000000u
#define ROUND (100u * HZ)
#define TWO_PER_CENT_OF_ROUND_US 2000000u
#define OPERATION_US 500u

_Thread_local struct abi_ipcbuf *sel4_ipcbuf;

static struct process process[2];
static struct alloc_block block;
static struct {
	uint64_t now;
	unsigned made, ended, free; /* large pages */
	unsigned armed;
	unsigned told[ARRAY_SIZE(process)];
} init;

uint64_t clock_arch_now(void) { return init.now; }
uint64_t clock_arch_about(void) { return init.now; }
uint64_t clock_arch_hz(void) { return HZ; }

uint64_t sel4_arch_trap_bare(int64_t number, uint64_t cap, uint64_t info)
{
	(void)number;
	assert_in_range(cap, 1, ARRAY_SIZE(process));
	init.told[cap - 1]++;
	return info;
}

void sel4_arch_trap(int64_t number, struct sel4_trap *t)
{
	(void)number;
	(void)t;
	fail();
}

struct process *vm_process(unsigned index) { return &process[index]; }

bool vm_lives(unsigned index)
{
	(void)index;
	return true;
}

bool vm_arm_timer(void)
{
	init.armed++;
	return true;
}

bool connect_shares(unsigned vm, uint32_t region)
{
	(void)vm;
	(void)region;
	return false;
}

struct alloc_block *mem_large_page_alone(struct mem_arena *m, cap_t slot)
{
	(void)m;
	(void)slot;
	if (init.free == 0)
		return NULL;
	init.free--;
	init.made++;
	return &block;
}

bool mem_end_alone(struct mem_arena *m, struct alloc_block *b)
{
	(void)m;
	assert_ptr_equal(b, &block);
	init.free++;
	init.ended++;
	return true;
}

cap_t mem_slot_own(struct mem_arena *m)
{
	(void)m;
	return 1;
}

int cspace_copy(cap_t dest, cap_t src, uint64_t rights)
{
	(void)dest;
	(void)src;
	(void)rights;
	return ABI_OK;
}

int map_page(struct mem_arena *arena, cap_t vspace, cap_t frame, uint64_t vaddr, unsigned rights,
	     unsigned attributes)
{
	(void)arena;
	(void)vspace;
	(void)frame;
	(void)vaddr;
	(void)rights;
	(void)attributes;
	return ABI_OK;
}

int guest_space_map(struct mem_arena *arena, cap_t guest, cap_t frame, uint64_t gpa,
		    unsigned attributes)
{
	(void)arena;
	(void)guest;
	(void)frame;
	(void)gpa;
	(void)attributes;
	return ABI_OK;
}

static uint64_t page(unsigned n) { return RAM + n * LARGE; }

static void add(unsigned vm, unsigned first, unsigned n)
{
	bool kept;

	for (unsigned i = first; i < first + n; i++)
		assert_int_not_equal(balloon_page(&process[vm], vm, 1, page(i), 0, &kept), 0);
}

/* VMs have `pages` each, of two regions, the lower one last. */
static void start(unsigned pages)
{
	const uint64_t long_ago = init.now + 2 * ROUND;

	memset(&init, 0, sizeof(init));
	init.now = long_ago;
	init.free = 2 * pages;
	for (unsigned vm = 0; vm < ARRAY_SIZE(process); vm++) {
		balloon_end(vm);
		process[vm].poke = vm + 1;
	}
	for (unsigned vm = ARRAY_SIZE(process); vm-- > 0;) {
		add(vm, pages / 2, pages - pages / 2);
		add(vm, 0, pages / 2);
	}
	init.made = 0;
}

static void each_page_goes_and_comes(void **state)
{
	(void)state;
	start(9);
	for (unsigned n = 0; n < 9; n++) {
		assert_true(balloon_give(1, page(n)));
		assert_false(balloon_give(1, page(n)));
		assert_int_equal(init.free, n + 1);
	}
	assert_false(balloon_give(1, page(9)));
	assert_false(balloon_give(1, 0));
	assert_false(balloon_give(1, UINT64_MAX));
	for (unsigned n = 0; n < 9; n++)
		assert_true(balloon_fetch(1, page(n) + 4096));
	assert_true(balloon_fetch(1, page(9)));
	assert_int_equal(init.made, 9);
	balloon_end(1);
	assert_false(balloon_give(1, page(0)));
	assert_true(balloon_give(0, page(8)));
}

static void who_waits_hears_of_memory(void **state)
{
	(void)state;
	start(2);
	assert_true(balloon_give(0, page(0)));
	init.free = 0;
	assert_false(balloon_fetch(0, page(0)));
	assert_int_equal(init.told[0], 0);
	assert_true(balloon_give(1, page(1)));
	assert_int_equal(init.told[0], 1);
	assert_true(balloon_fetch(0, page(0)));
	balloon_retry();
	assert_int_equal(init.told[0], 1);
}

/* One that takes as much of init as it gets, with good requests and wrong ones. */
static void a_vm_costs_init_a_bounded_share(void **state)
{
	unsigned operations = 0;

	(void)state;
	for (unsigned pages = 1; pages <= 1024; pages *= 4) {
		start(pages);
		for (unsigned n = 0; n < pages; n++) /* all at once */
			assert_true(balloon_give(0, page(n)) && balloon_fetch(0, page(n)));
		init.made = init.ended = 0;
		for (unsigned step = 0; step < 4 * 1000; step++, init.now += ROUND / 1000)
			for (unsigned i = 0; i < 3; i++) {
				(void)balloon_give(0, page(step % pages));
				(void)balloon_fetch(0, page(step % pages));
				(void)balloon_give(0, page(pages));
			}
		assert_in_range(init.ended, 4 * pages - pages / 2 - 1, 4 * pages);
		assert_int_equal(init.made, init.ended);
		operations = init.made + init.ended;
		/* The other one has its own. */
		assert_true(balloon_give(1, page(0)));
	}
	/* Both have half of what a balloon can have. */
	assert_true(2 * operations / 4 * OPERATION_US <= TWO_PER_CENT_OF_ROUND_US * 103 / 100);
}

static void a_new_life_costs_no_more(void **state)
{
	(void)state;
	start(4);
	for (unsigned n = 0; n < 4; n++)
		assert_true(balloon_give(0, page(n)) && balloon_fetch(0, page(n)));
	balloon_end(0);
	init.free += 4;
	add(0, 0, 4);
	assert_false(balloon_give(0, page(0)));
	init.now += ROUND / 4;
	assert_true(balloon_give(0, page(0)));
}

static void who_was_refused_hears_when_it_may_again(void **state)
{
	(void)state;
	start(4);
	assert_true(balloon_due() == UINT64_MAX);
	for (unsigned n = 0; n < 4; n++)
		assert_true(balloon_give(0, page(n)) && balloon_fetch(0, page(n)));
	assert_true(balloon_due() == UINT64_MAX);
	for (unsigned n = 0; n < 4; n++)
		assert_false(balloon_give(0, page(n)));
	assert_int_equal(init.armed, 1);
	assert_true(balloon_due() == init.now + ROUND);
	init.now += ROUND - 1;
	balloon_tell_due();
	assert_int_equal(init.told[0], 0);
	init.now++;
	balloon_tell_due();
	balloon_tell_due();
	assert_int_equal(init.told[0], 1);
	assert_true(balloon_due() == UINT64_MAX);
	for (unsigned n = 0; n < 4; n++)
		assert_true(balloon_give(0, page(n)));
	assert_int_equal(init.told[1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_page_goes_and_comes),
		cmocka_unit_test(who_waits_hears_of_memory),
		cmocka_unit_test(a_vm_costs_init_a_bounded_share),
		cmocka_unit_test(a_new_life_costs_no_more),
		cmocka_unit_test(who_was_refused_hears_when_it_may_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
