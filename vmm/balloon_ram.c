#include "balloon_ram.h"

#include <selvage/base.h>
#include <selvage/client.h>
#include <string.h>

/* Large pages that are counted: 4 GiB from the first one on. */
#define LARGE_PAGES 2048u
#define WHOLE (VMM_LARGE_PAGE / SYSDESC_PAGE)

static struct {
	const struct vmm_info *info;
	uint64_t small[LARGE_PAGES][WHOLE / 64]; /* that were given */
	uint16_t given[LARGE_PAGES];             /* how many of each */
	uint64_t gone[LARGE_PAGES / 64];
	uint64_t kept[LARGE_PAGES / 64]; /* init did not take them, and is not asked again yet */
	gpa_t at[LARGE_PAGES];           /* of those that are gone or kept */
} ram;

/* As the monitor sees memory: in step with the guest's large pages. LARGE_PAGES: none, or one
 * that is not counted. */
static unsigned index_of(gpa_t gpa)
{
	const struct sysdesc_vm *vm = &ram.info->vm;

	for (uint32_t i = 0; i < vm->n_regions; i++) {
		const struct sysdesc_region *r = &vm->region[i];
		const uint64_t offset = gpa - r->gpa;

		if (sysdesc_owns(r) && offset < r->size)
			return (unsigned)min_u64((vmm_region_vaddr(vm, i) + offset -
						  PROC_GUEST_BASE) /
							 VMM_LARGE_PAGE,
						 LARGE_PAGES);
	}
	return LARGE_PAGES;
}

static bool has(const uint64_t set[LARGE_PAGES / 64], unsigned n)
{
	return n < LARGE_PAGES && (set[n / 64] >> n % 64 & 1);
}

static bool is_gone(unsigned n) { return has(ram.gone, n); }

/* In one region, whose large pages have numbers in a row. */
static bool range_gone(gpa_t gpa, uint64_t size)
{
	const unsigned last = size == 0 ? 0 : index_of(gpa + size - 1);

	for (unsigned n = index_of(gpa); size != 0 && n <= last && n < LARGE_PAGES; n++)
		if (is_gone(n))
			return true;
	return false;
}

void balloon_ram_init(struct vm *vm)
{
	ram.info = vm->info;
	vm->mem.gone = range_gone;
}

/* False: a driver that says the same of a page again, which does not count. */
static bool mark(unsigned n, gpa_t page, bool given)
{
	const unsigned i = (unsigned)(page / SYSDESC_PAGE % WHOLE);
	uint64_t *word = &ram.small[n][i / 64];
	const uint64_t before = *word;

	*word = given ? before | bit_u64(i % 64) : before & ~bit_u64(i % 64);
	return *word != before;
}

static void offer(unsigned n)
{
	ram.gone[n / 64] |= bit_u64(n % 64);
	if (init_memory(INIT_REQ_MEMORY_GIVE, ram.at[n]))
		return;
	ram.gone[n / 64] &= ~bit_u64(n % 64);
	ram.kept[n / 64] |= bit_u64(n % 64);
}

void balloon_ram_give(gpa_t page)
{
	const unsigned n = index_of(page);

	if (n == LARGE_PAGES || !mark(n, page, true) || ++ram.given[n] < WHOLE || has(ram.kept, n))
		return;
	ram.at[n] = page & ~(VMM_LARGE_PAGE - 1);
	offer(n);
}

void balloon_ram_offer(void)
{
	for (unsigned n = 0; n < LARGE_PAGES; n++) {
		if (!has(ram.kept, n))
			continue;
		ram.kept[n / 64] &= ~bit_u64(n % 64);
		if (ram.given[n] == WHOLE)
			offer(n);
	}
}

static bool fetch(unsigned n)
{
	if (!is_gone(n))
		return true;
	if (!init_memory(INIT_REQ_MEMORY_FETCH, ram.at[n]))
		return false;
	ram.gone[n / 64] &= ~bit_u64(n % 64);
	return true;
}

bool balloon_ram_fetch(gpa_t page) { return fetch(index_of(page)); }

void balloon_ram_back(gpa_t page)
{
	const unsigned n = index_of(page);

	if (n < LARGE_PAGES && mark(n, page, false))
		ram.given[n]--;
}

bool balloon_ram_all(void)
{
	for (unsigned n = 0; n < LARGE_PAGES; n++) {
		if (!fetch(n))
			return false;
		ram.given[n] = 0;
		memset(ram.small[n], 0, sizeof(ram.small[n]));
	}
	return true;
}
