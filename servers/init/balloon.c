#include "balloon.h"

#include "connect.h"
#include "guest_space.h"
#include "map.h"
#include "vm.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <string.h>

/* Of all VMs: 4 GiB. */
#define PAGES 2048u
#define LARGE bit_u64(ABI_LARGE_PAGE_BITS)
/* In so long a VM gives as many pages as it has at most, and before as many at once: making
 * and ending them costs time that is not its own. */
#define ROUND_US 100000000u

static struct page {
	struct alloc_block *block; /* NULL: given back */
	cap_t frame, copy;         /* slots: the guest's, its monitor's */
	uint64_t gpa, vaddr;
} pages[PAGES]; /* sorted, by owner and address */
static unsigned n_pages;
static uint8_t owner[PAGES];

/* In ticks: `paid`, when it may give all of its pages again, in its next life too; `again`,
 * when it hears that it may, 0: it was refused none. */
static struct {
	bool waits; /* for memory */
	uint64_t paid, again;
} balloons[SYSDESC_MAX_VMS];

bool balloon_suits(const struct sysdesc_vm *vm, unsigned index, uint32_t region)
{
	for (uint32_t i = 0; i < vm->n_regions; i++)
		if (vm->region[i].from != SYSDESC_OWN_MEMORY)
			return false;
	return (vm->devices & (uint32_t)SYSDESC_DEV_VIRTIO_BALLOON) != 0 &&
	       !connect_shares(index, region);
}

static bool make(struct process *p, cap_t guest, struct page *page)
{
	page->block = mem_large_page_alone(&p->mem, page->frame);
	if (page->block == NULL)
		return false;
	if (guest_space_map(&p->mem, guest, page->frame, page->gpa, MAP_CODE) == ABI_OK &&
	    cspace_copy(page->copy, page->frame, ABI_RIGHTS_ALL) == ABI_OK &&
	    map_page(&p->mem, p->vspace, page->copy, page->vaddr, MAP_RW, MAP_DATA) == ABI_OK)
		return true;
	(void)mem_end_alone(&p->mem, page->block);
	page->block = NULL;
	return false;
}

/* Where the VM's page of that address is, or would be. */
static unsigned place(unsigned vm, uint64_t gpa)
{
	unsigned first = 0, end = n_pages;

	while (first < end) {
		const unsigned middle = (first + end) / 2;

		if (owner[middle] < vm || (owner[middle] == vm && pages[middle].gpa < gpa))
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

/* What is at `from` and behind it goes to `to`. */
static void move(unsigned to, unsigned from)
{
	memmove(&pages[to], &pages[from], (n_pages - from) * sizeof(pages[0]));
	memmove(&owner[to], &owner[from], (n_pages - from) * sizeof(owner[0]));
	n_pages = n_pages + to - from;
}

cap_t balloon_page(struct process *p, unsigned vm, cap_t guest, uint64_t gpa, uint64_t vaddr,
		   bool *kept)
{
	const unsigned at = place(vm, gpa);
	struct page page = { .gpa = gpa, .vaddr = vaddr };

	*kept = n_pages == PAGES;
	if (*kept)
		return 0;
	page.frame = mem_slot_own(&p->mem);
	page.copy = mem_slot_own(&p->mem);
	if (page.frame == 0 || page.copy == 0 || !make(p, guest, &page))
		return 0;
	move(at + 1, at);
	pages[at] = page;
	owner[at] = (uint8_t)vm;
	return page.frame;
}

static struct page *find(unsigned vm, uint64_t gpa)
{
	const uint64_t start = align_down_u64(gpa, LARGE);
	const unsigned i = place(vm, start);

	return i < n_pages && owner[i] == vm && pages[i].gpa == start ? &pages[i] : NULL;
}

/* A token bucket, of one token for each of its pages. */
static bool pay(unsigned vm)
{
	const uint64_t now = clock_now(), round = clock_us_to_ticks(ROUND_US);
	const unsigned n = place(vm + 1, 0) - place(vm, 0);
	const uint64_t paid = max_u64(balloons[vm].paid, now) + round / n;

	if (paid - now <= round) {
		balloons[vm].paid = paid;
		return true;
	}
	if (balloons[vm].again == 0) {
		balloons[vm].again = now + round;
		(void)vm_arm_timer();
	}
	return false;
}

bool balloon_give(unsigned vm, uint64_t gpa)
{
	struct process *p = vm_process(vm);
	struct page *page = find(vm, gpa);

	if (page == NULL || page->block == NULL || !pay(vm) ||
	    !mem_end_alone(&p->mem, page->block))
		return false;
	page->block = NULL;
	p->mem.ram_bytes -= LARGE;
	balloon_retry();
	return true;
}

bool balloon_fetch(unsigned vm, uint64_t gpa)
{
	struct process *p = vm_process(vm);
	struct page *page = find(vm, gpa);

	if (page == NULL || page->block != NULL)
		return true;
	balloons[vm].waits = !make(p, p->guest, page);
	if (!balloons[vm].waits)
		p->mem.ram_bytes += LARGE;
	return !balloons[vm].waits;
}

static void tell(unsigned vm)
{
	if (vm_lives(vm))
		sel4_signal(vm_process(vm)->poke);
}

void balloon_retry(void)
{
	for (unsigned vm = 0; vm < SYSDESC_MAX_VMS; vm++) {
		if (balloons[vm].waits)
			tell(vm);
		balloons[vm].waits = false;
	}
}

uint64_t balloon_due(void)
{
	uint64_t first = UINT64_MAX;

	for (unsigned vm = 0; vm < SYSDESC_MAX_VMS; vm++)
		if (balloons[vm].again != 0)
			first = min_u64(first, balloons[vm].again);
	return first;
}

void balloon_tell_due(void)
{
	for (unsigned vm = 0; vm < SYSDESC_MAX_VMS; vm++) {
		if (balloons[vm].again == 0 || balloons[vm].again > clock_now())
			continue;
		balloons[vm].again = 0;
		tell(vm);
	}
}

void balloon_end(unsigned vm)
{
	move(place(vm, 0), place(vm + 1, 0));
	balloons[vm].waits = false;
	balloons[vm].again = 0;
}
