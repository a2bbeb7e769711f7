/* The kernel's window: RAM and its devices. Entry 511 of every PML4. */
#include <arch/boot.h>

#include <arch/cpu.h>
#include <arch/link.h>
#include <arch/vspace.h>
#include <kernel/cpu.h>
#include <kernel/panic.h>
#include <selvage/base.h>

#define ENTRIES 512
#define TABLES 64
#define PAGE 4096ull
/* 0: WB, 1: WT, 2: UC-, 3: UC; 4: WC, then as after reset. */
#define PAT_VALUE 0x0007040100070406ull

static pte_t tables[TABLES][ENTRIES] __attribute__((aligned(4096)));
static unsigned tables_used = 1; /* tables[0] is the window's PDPT */

static pte_t *next_table(pte_t *entry)
{
	if (*entry & PTE_LARGE)
		panic("kernel map: overlapping ranges");
	if (*entry)
		return paddr_to_ptr(*entry & PTE_ADDR);
	if (tables_used == TABLES)
		panic("kernel map: memory is in too many pieces");
	pte_t *t = tables[tables_used++];
	*entry = ptr_to_paddr(t) | PTE_PRESENT | PTE_WRITE;
	return t;
}

/* Maps the largest piece at `a`; returns its size. */
static word_t map_piece(paddr_t a, paddr_t end, pte_t bits)
{
	pte_t *t = tables[0];

	for (unsigned level = 1;; level++) {
		unsigned shift = level_bits(level);
		pte_t *e = &t[(a >> shift) & (ENTRIES - 1)];
		word_t size = 1ull << shift;
		if (!(a & (size - 1)) && end - a >= size && !*e) {
			*e = a | bits | (level == PAGE_LEVEL ? 0 : PTE_LARGE);
			return size;
		}
		if (level == PAGE_LEVEL)
			return size; /* mapped already */
		t = next_table(e);
	}
}

static void map_range(paddr_t start, paddr_t end, pte_t bits)
{
	start = align_down_u64(start, PAGE);
	end = min_u64(align_up_u64(end, PAGE), ARCH_WINDOW_BYTES);
	while (start < end)
		start += map_piece(start, end, bits | PTE_PRESENT | PTE_GLOBAL);
}

void mmu_map_device(paddr_t start, word_t bytes)
{
	map_range(start, start + bytes, PTE_WRITE | PTE_NX | PTE_PCD | PTE_PWT);
}

word_t mmu_window_entry(void)
{
	return ptr_to_paddr(tables[0]) | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
}

void mmu_init(const struct regions *ram)
{
	paddr_t text = ptr_to_paddr(__kernel_start), text_end = ptr_to_paddr(__text_end);
	paddr_t rodata_end = ptr_to_paddr(__rodata_end), end = ptr_to_paddr(__kernel_end);
	paddr_t guard = ptr_to_paddr(kernel_stack_guard);

	map_range(text, text_end, 0);
	map_range(text_end, rodata_end, PTE_NX);
	map_range(rodata_end, guard, PTE_WRITE | PTE_NX);
	map_range(guard + PAGE, end, PTE_WRITE | PTE_NX);
	for (unsigned i = 0; i < ram->count; i++) {
		struct region r = ram->r[i];
		if (r.start < end && r.end > text) {
			map_range(r.start, text, PTE_WRITE | PTE_NX);
			r.start = end;
		}
		map_range(r.start, r.end, PTE_WRITE | PTE_NX);
	}
	msr_write(MSR_PAT, PAT_VALUE);
	asid_init();
}
