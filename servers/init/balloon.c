#include "balloon.h"

#include "connect.h"
#include "guest_space.h"
#include "map.h"
#include "vm.h"

#include <selvage/base.h>

/* Of all VMs: 4 GiB. */
#define PAGES 2048u
#define LARGE bit_u64(ABI_LARGE_PAGE_BITS)

static struct page {
	struct alloc_block *block; /* NULL: given back */
	cap_t frame, copy;         /* slots: the guest's, its monitor's */
	uint64_t gpa, vaddr;
} pages[PAGES];
static unsigned n_pages;
static uint8_t owner[PAGES];
static bool waits[SYSDESC_MAX_VMS];

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

cap_t balloon_page(struct process *p, unsigned vm, cap_t guest, uint64_t gpa, uint64_t vaddr,
		   bool *kept)
{
	struct page *page = &pages[n_pages];

	*kept = n_pages == PAGES;
	if (*kept)
		return 0;
	*page = (struct page){
		.frame = mem_slot_own(&p->mem),
		.copy = mem_slot_own(&p->mem),
		.gpa = gpa,
		.vaddr = vaddr,
	};
	if (page->frame == 0 || page->copy == 0 || !make(p, guest, page))
		return 0;
	owner[n_pages++] = (uint8_t)vm;
	return page->frame;
}

static struct page *find(unsigned vm, uint64_t gpa)
{
	for (unsigned i = 0; i < n_pages; i++)
		if (owner[i] == vm && pages[i].gpa == align_down_u64(gpa, LARGE))
			return &pages[i];
	return NULL;
}

bool balloon_give(unsigned vm, uint64_t gpa)
{
	struct process *p = vm_process(vm);
	struct page *page = find(vm, gpa);

	if (page == NULL || page->block == NULL || !mem_end_alone(&p->mem, page->block))
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
	waits[vm] = !make(p, p->guest, page);
	if (!waits[vm])
		p->mem.ram_bytes += LARGE;
	return !waits[vm];
}

void balloon_retry(void)
{
	for (unsigned vm = 0; vm < SYSDESC_MAX_VMS; vm++) {
		if (waits[vm] && vm_lives(vm))
			sel4_signal(vm_process(vm)->poke);
		waits[vm] = false;
	}
}

void balloon_end(unsigned vm)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n_pages; i++) {
		if (owner[i] == vm)
			continue;
		pages[kept] = pages[i];
		owner[kept++] = owner[i];
	}
	n_pages = kept;
	waits[vm] = false;
}
