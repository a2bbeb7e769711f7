/* vmm/arch/x86_64: the walk of a guest's page tables, in its three formats. */
#include "walk.h"

#include "unit.h"

#include <selvage/base.h>
#include <string.h>

#define PG (1ull << 31)
#define WP (1ull << 16)
#define PSE (1ull << 4)
#define PAE (1ull << 5)
#define LMA (1ull << 10)
#define P 1u
#define W 2u
#define U 4u
#define PS 0x80u

static uint8_t ram[0x10000];
static struct gmem mem;

static void begin(void)
{
	memset(ram, 0, sizeof(ram));
	mem = (struct gmem){ 0 };
	assert_true(gmem_add(&mem, 0, sizeof(ram), ram));
}

static void put64(uint64_t at, uint64_t value) { store_le64(ram + at, value); }
static void put32(uint64_t at, uint32_t value) { store_le32(ram + at, value); }

/* What the address is, or UINT64_MAX and *code. */
static uint64_t walk(const struct walk_x86 *w, uint64_t linear, bool write, uint32_t *code)
{
	uint64_t gpa;

	return walk_x86(&mem, w, linear, write, &gpa, code) ? gpa : UINT64_MAX;
}

static void no_paging(void **state)
{
	const struct walk_x86 w = { .cr0 = 1, .cr3 = 0x1000 };
	uint32_t code;

	(void)state;
	begin();
	assert_int_equal(walk(&w, 0xfee00123, true, &code), 0xfee00123);
}

static void four_levels(void **state)
{
	struct walk_x86 w = { .cr0 = PG | WP, .cr3 = 0x1018, .cr4 = PAE, .efer = LMA };
	uint32_t code;

	(void)state;
	begin();
	put64(0x1000 + 8 * 511, 0x2000 | P | W | U);
	put64(0x2000 + 8 * 510, 0x3000 | P | W | U);
	put64(0x2000 + 8 * 509, 0x40000000 | P | W | PS);
	put64(0x3000 + 8 * 1, 0x4000 | P | W);
	put64(0x3000 + 8 * 2, 0xfec00000 | P | PS);
	put64(0x4000 + 8 * 3, 0xfee00000 | P | U | 1ull << 63);
	put64(0x3000 + 8 * 4, 0x20000 | P); /* a table that is not in memory */
	assert_int_equal(walk(&w, 0xffffffff80203456, false, &code), 0xfee00456);
	assert_int_equal(walk(&w, 0xffffffff80203456, true, &code), UINT64_MAX);
	assert_int_equal(code, 3);
	assert_int_equal(walk(&w, 0xffffffff80512345, false, &code), 0xfed12345);
	assert_int_equal(walk(&w, 0xffffffff7fffffff, true, &code), 0x7fffffff);
	assert_int_equal(walk(&w, 0xffffffff80600000, true, &code), UINT64_MAX);
	assert_int_equal(code, 2);
	assert_int_equal(walk(&w, 0xffffffff80800000, false, &code), UINT64_MAX);
	assert_int_equal(code, 0);
	/* Level 3 needs the right of every level; level 0 writes without WP. */
	w.user = true;
	assert_int_equal(walk(&w, 0xffffffff80203456, false, &code), UINT64_MAX);
	assert_int_equal(code, 5);
	w.user = false;
	w.cr0 = PG;
	assert_int_equal(walk(&w, 0xffffffff80203456, true, &code), 0xfee00456);
}

static void pae(void **state)
{
	const struct walk_x86 w = { .cr0 = PG | WP, .cr3 = 0x1020, .cr4 = PAE };
	uint32_t code;

	(void)state;
	begin();
	put64(0x1020 + 8 * 3, 0x2000 | P); /* without rights: it has none */
	put64(0x2000 + 8 * 5, 0xfec00000 | P | W | PS);
	assert_int_equal(walk(&w, 0xc0a12345, true, &code), 0xfec12345);
	assert_int_equal(walk(&w, 0x00a12345, true, &code), UINT64_MAX);
	assert_int_equal(code, 2);
}

static void two_levels(void **state)
{
	struct walk_x86 w = { .cr0 = PG | WP, .cr3 = 0x1000, .cr4 = PSE };
	uint32_t code;

	(void)state;
	begin();
	put32(0x1000 + 4 * 1, 0x00400000 | 1 << 13 | P | W | PS);
	put32(0x1000 + 4 * 2, 0x3000 | P | W);
	put32(0x3000 + 4 * 5, 0xfee00000 | P | W);
	assert_int_equal(walk(&w, 0x00412345, true, &code), 0x100412345);
	assert_int_equal(walk(&w, 0x00805678, true, &code), 0xfee00678);
	w.cr4 = 0; /* without PSE it is a table, at 4 MiB: not in memory */
	assert_int_equal(walk(&w, 0x00412345, true, &code), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_paging),
		cmocka_unit_test(four_levels),
		cmocka_unit_test(pae),
		cmocka_unit_test(two_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
