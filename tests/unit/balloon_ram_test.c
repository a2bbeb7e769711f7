/* What fills large pages of a guest's RAM goes to init, and comes again before it is used. */
#include "balloon_ram.h"
#include "unit.h"

#include <selvage/base.h>
#include <selvage/client.h>
#include <string.h>

#define RAM 0x40000000ull
#define POOL 0x80000000ull
#define SMALL (VMM_LARGE_PAGE / SYSDESC_PAGE)

static struct vmm_info info;
static struct vm vm;
static struct {
	bool gone[8];
	bool refuses, none; /* gives nothing back; has no memory */
	unsigned asked;
} init;

/* What init does. */
bool init_memory(enum init_request what, uint64_t gpa)
{
	const uint64_t n = (gpa - RAM) / VMM_LARGE_PAGE;

	assert_true(is_aligned_u64(gpa, VMM_LARGE_PAGE));
	assert_in_range(n, 0, ARRAY_SIZE(init.gone) - 1);
	init.asked++;
	if (what == INIT_REQ_MEMORY_GIVE ? init.refuses : init.none)
		return false;
	init.gone[n] = what == INIT_REQ_MEMORY_GIVE;
	return true;
}

static void start(void)
{
	memset(&init, 0, sizeof(init));
	info.vm.n_regions = 2;
	info.vm.region[0] = (struct sysdesc_region){ .gpa = RAM, .size = 16 << 20 };
	info.vm.region[1] = (struct sysdesc_region){ .gpa = POOL, .size = 4096 };
	info.vm.region[0].from = info.vm.region[1].from = SYSDESC_OWN_MEMORY;
	vm.info = &info;
	balloon_ram_init(&vm);
	assert_true(balloon_ram_all());
	init.asked = 0;
}

static void give(gpa_t large, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		balloon_ram_give(large + i * SYSDESC_PAGE);
}

static void whole_large_pages_go(void **state)
{
	const gpa_t second = RAM + VMM_LARGE_PAGE;

	(void)state;
	start();
	give(second, SMALL - 1);
	assert_false(init.gone[1]);
	assert_false(vm.mem.gone(RAM, 16 << 20));
	balloon_ram_give(second + VMM_LARGE_PAGE - SYSDESC_PAGE);
	assert_true(init.gone[1]);
	/* What the monitor may touch is beside it. */
	assert_true(vm.mem.gone(second, 1));
	assert_true(vm.mem.gone(second - 1, 2));
	assert_false(vm.mem.gone(second - 1, 1));
	assert_true(vm.mem.gone(second + VMM_LARGE_PAGE - 1, 2));
	assert_false(vm.mem.gone(second + VMM_LARGE_PAGE, VMM_LARGE_PAGE));
	assert_true(vm.mem.gone(RAM, 16 << 20));
	assert_false(vm.mem.gone(second, 0));
	assert_false(vm.mem.gone(POOL, 4096));
	/* A page of it that is given once more changes nothing. */
	balloon_ram_give(second);
	assert_int_equal(init.asked, 1);
}

static void they_come_before_one_page_is_used(void **state)
{
	(void)state;
	start();
	give(RAM, SMALL);
	init.none = true;
	assert_false(balloon_ram_fetch(RAM + SYSDESC_PAGE));
	assert_true(vm.mem.gone(RAM, 1));
	init.none = false;
	assert_true(balloon_ram_fetch(RAM + SYSDESC_PAGE));
	assert_false(init.gone[0]);
	assert_false(vm.mem.gone(RAM, VMM_LARGE_PAGE));
	init.asked = 0;
	assert_true(balloon_ram_fetch(RAM)); /* is there */
	assert_int_equal(init.asked, 0);
	/* It goes again when the page that came back is given again. */
	balloon_ram_back(RAM + SYSDESC_PAGE);
	assert_false(init.gone[0]);
	balloon_ram_give(RAM + SYSDESC_PAGE);
	assert_true(init.gone[0]);
}

static void a_reset_brings_all(void **state)
{
	(void)state;
	start();
	give(RAM, SMALL);
	give(RAM + 3 * VMM_LARGE_PAGE, SMALL);
	give(RAM + VMM_LARGE_PAGE, 1);
	init.none = true;
	assert_false(balloon_ram_all());
	init.none = false;
	assert_true(balloon_ram_all());
	assert_false(vm.mem.gone(RAM, 16 << 20));
	/* Nothing is counted any more. */
	give(RAM + VMM_LARGE_PAGE, SMALL - 1);
	assert_false(init.gone[1]);
}

/* A large page goes when each page of it was given, not when one was given as often. */
static void a_page_counts_once(void **state)
{
	(void)state;
	start();
	for (unsigned i = 0; i < 2 * SMALL; i++)
		balloon_ram_give(RAM + SYSDESC_PAGE);
	assert_int_equal(init.asked, 0);
	give(RAM, SMALL - 1);
	assert_int_equal(init.asked, 0);
	balloon_ram_give(RAM + (SMALL - 1) * SYSDESC_PAGE);
	assert_true(init.gone[0]);
	/* And one that comes back as often is one page. */
	assert_true(balloon_ram_fetch(RAM));
	for (unsigned i = 0; i < 3; i++)
		balloon_ram_back(RAM);
	assert_false(init.gone[0]);
	balloon_ram_give(RAM);
	assert_true(init.gone[0]);
}

/* Memory that others have too, or that init does not take now: it is asked again when it
 * says so, of what is in the balloon then. */
static void what_init_does_not_take_stays(void **state)
{
	(void)state;
	start();
	init.refuses = true;
	give(RAM, SMALL);
	give(RAM + VMM_LARGE_PAGE, SMALL);
	assert_int_equal(init.asked, 2);
	assert_false(vm.mem.gone(RAM, 1));
	balloon_ram_back(RAM);
	give(RAM, SMALL);
	assert_true(balloon_ram_fetch(RAM));
	balloon_ram_back(RAM);
	assert_int_equal(init.asked, 2);
	balloon_ram_offer();
	assert_int_equal(init.asked, 3);
	init.refuses = false;
	balloon_ram_offer();
	assert_true(init.gone[1]);
	assert_true(vm.mem.gone(RAM + VMM_LARGE_PAGE, 1));
	assert_int_equal(init.asked, 4);
	balloon_ram_offer();
	assert_int_equal(init.asked, 4);
	balloon_ram_give(RAM);
	assert_true(init.gone[0]);
	/* What the driver takes back by a reset is not offered. */
	init.refuses = true;
	give(RAM + 2 * VMM_LARGE_PAGE, SMALL);
	assert_true(balloon_ram_all());
	init.refuses = false;
	init.asked = 0;
	balloon_ram_offer();
	assert_int_equal(init.asked, 0);
}

static void what_is_no_ram_is_not_counted(void **state)
{
	(void)state;
	start();
	give(0, SMALL);
	give(RAM + (16 << 20), SMALL);
	balloon_ram_back(UINT64_MAX - 4095);
	assert_true(balloon_ram_fetch(0));
	assert_false(vm.mem.gone(0, 4096));
	balloon_ram_back(RAM); /* was never given */
	give(RAM, SMALL - 1);
	assert_int_equal(init.asked, 0);
	balloon_ram_give(RAM + VMM_LARGE_PAGE - SYSDESC_PAGE);
	assert_int_equal(init.asked, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_large_pages_go),
		cmocka_unit_test(they_come_before_one_page_is_used),
		cmocka_unit_test(a_page_counts_once),
		cmocka_unit_test(a_reset_brings_all),
		cmocka_unit_test(what_is_no_ram_is_not_counted),
		cmocka_unit_test(what_init_does_not_take_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
