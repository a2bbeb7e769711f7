/* The kernel's own map: RAM and its devices, one-to-one. */
#include <arch/boot.h>

#include <arch/link.h>
#include <arch/sysreg.h>
#include <kernel/panic.h>
#include <selvage/base.h>

#define ENTRIES 512
#define TABLES 64
#define PAGE 4096ull
#define DESC_TABLE 3ull
#define DESC_BLOCK 1ull
#define DESC_AP_RES1 (1ull << 6)
#define DESC_READ_ONLY (1ull << 7)
#define DESC_INNER_SHAREABLE (3ull << 8)
#define DESC_AF (1ull << 10)
#define DESC_XN (1ull << 54)
#define DESC_ADDR 0x0000fffffffff000ull
#define MAIR_VALUE 0x04ffull /* 0: write-back; 1: device nGnRE */
#define ATTR_DEVICE (1ull << 2)
/* RES1 bits, M, C, SA, I, WXN. */
#define SCTLR_EL2_VALUE 0x30cd183dull
#define TCR_T0SZ 20

static uint64_t tables[TABLES][ENTRIES] __attribute__((aligned(4096)));
static unsigned tables_used = 1; /* tables[0] is the root */
static struct regions ram_regions;

static uint64_t *next_table(uint64_t *entry)
{
	if ((*entry & DESC_TABLE) == DESC_TABLE)
		return paddr_to_ptr(*entry & DESC_ADDR);
	if (*entry)
		panic("kernel map: overlapping ranges");
	if (tables_used == TABLES)
		panic("kernel map: memory is in too many pieces");
	uint64_t *t = tables[tables_used++];
	*entry = ptr_to_paddr(t) | DESC_TABLE;
	return t;
}

/* Maps the largest piece at `a`; returns its size. */
static word_t map_piece(paddr_t a, paddr_t end, uint64_t bits)
{
	uint64_t *t = tables[0];

	for (unsigned level = 0;; level++) {
		unsigned shift = 39 - 9 * level;
		uint64_t *e = &t[(a >> shift) & (ENTRIES - 1)];
		word_t size = 1ull << shift;
		if (level > 0 && !(a & (size - 1)) && end - a >= size && !*e) {
			*e = a | bits | (level == 3 ? DESC_TABLE : DESC_BLOCK);
			return size;
		}
		if (level == 3)
			return size; /* mapped already */
		t = next_table(e);
	}
}

static void map_range(paddr_t start, paddr_t end, uint64_t bits)
{
	bits |= DESC_AP_RES1 | DESC_INNER_SHAREABLE | DESC_AF;
	start &= ~0xfffull;
	end = (end + 0xfff) & ~0xfffull;
	while (start < end)
		start += map_piece(start, end, bits);
}

void mmu_map_device(paddr_t start, word_t bytes)
{
	map_range(start, start + bytes, DESC_XN | ATTR_DEVICE);
	dsb_ishst();
	isb();
}

void mmu_init(const struct regions *ram)
{
	paddr_t text = ptr_to_paddr(__kernel_start), text_end = ptr_to_paddr(__text_end);
	paddr_t rodata_end = ptr_to_paddr(__rodata_end), end = ptr_to_paddr(__kernel_end);
	paddr_t guard = ptr_to_paddr(kernel_stack_guard);
	word_t ps = SYSREG_READ(id_aa64mmfr0_el1) & 15;

	map_range(text, text_end, DESC_READ_ONLY);
	map_range(text_end, rodata_end, DESC_READ_ONLY | DESC_XN);
	map_range(rodata_end, guard, DESC_XN);
	map_range(guard + PAGE, end, DESC_XN);
	ram_regions = *ram;
	for (unsigned i = 0; i < ram->count; i++) {
		struct region r = ram->r[i];
		if (r.start < end && r.end > text) {
			map_range(r.start, text, DESC_XN);
			r.start = end;
		}
		map_range(r.start, r.end, DESC_XN);
	}
	dsb_ish();
	/* RES1 bits, PS, inner shareable, write-back walks. */
	mmu_switch(ptr_to_paddr(tables[0]),
		   1ull << 31 | 1ull << 23 | (ps > 5 ? 5 : ps) << 16 | 3ull << 12 |
			   1ull << 10 | 1ull << 8 | TCR_T0SZ,
		   MAIR_VALUE, SCTLR_EL2_VALUE);
}

bool mmu_is_ram(paddr_t start, word_t bytes)
{
	for (unsigned i = 0; i < ram_regions.count; i++)
		if (range_within_u64(start, bytes, ram_regions.r[i].start,
				     ram_regions.r[i].end - ram_regions.r[i].start))
			return true;
	return false;
}
