#include "mmu.h"

#include <loader_header.h>
#include <plat/uart.h>

#define ENTRIES 512
#define TABLES 24
#define BLOCK 0x200000ull

#define DESC_BLOCK 1ull
#define DESC_TABLE 3ull
#define DESC_ATTR(n) ((uint64_t)(n) << 2)
#define DESC_AP_RES1 (1ull << 6)
#define DESC_INNER_SHAREABLE (3ull << 8)
#define DESC_AF (1ull << 10)
#define DESC_XN (1ull << 54)
#define DESC_ADDR 0x0000fffffffff000ull

static uint64_t tables[TABLES][ENTRIES] __attribute__((aligned(4096)));
static unsigned tables_used;

static uint64_t *next_table(uint64_t *entry)
{
	if (*entry)
		return (uint64_t *)(uintptr_t)(*entry & DESC_ADDR);
	if (tables_used == TABLES)
		return 0;
	uint64_t *t = tables[tables_used++];
	*entry = (uint64_t)(uintptr_t)t | DESC_TABLE;
	return t;
}

static int map_block(uint64_t at, uint64_t addr, enum mmu_attr attr)
{
	uint64_t *l1 = next_table(&tables[0][(at >> 39) & 511]);
	uint64_t *l2 = l1 ? next_table(&l1[(at >> 30) & 511]) : 0;

	if (!l2)
		return -1;
	l2[(at >> 21) & 511] = addr | DESC_BLOCK | DESC_ATTR(attr) | DESC_AP_RES1 |
			       DESC_INNER_SHAREABLE | DESC_AF |
			       (attr == MMU_DEVICE ? DESC_XN : 0);
	return 0;
}

static int map_range(uint64_t offset, uint64_t start, uint64_t bytes, enum mmu_attr attr)
{
	for (uint64_t a = start & ~(BLOCK - 1); a < start + bytes; a += BLOCK)
		if (map_block(a + offset, a, attr))
			return -1;
	/* New entries were invalid before: no TLB entry to remove. */
	__asm__ volatile("dsb ishst\n\tisb" ::
				 : "memory");
	return 0;
}

int mmu_map(uint64_t start, uint64_t bytes, enum mmu_attr attr)
{
	return map_range(0, start, bytes, attr);
}

int mmu_map_at(uint64_t virtual, uint64_t start, uint64_t bytes)
{
	if ((virtual - start) & (BLOCK - 1))
		return -1;
	return map_range(virtual - start, start, bytes, MMU_NORMAL);
}

uint64_t mmu_build(uint64_t dtb)
{
	uint64_t loader_bytes = (uint64_t)(uintptr_t)__loader_end - LOADER_BASE;

	tables_used = 1;
	mmu_map(LOADER_BASE, loader_bytes, MMU_NORMAL);
	mmu_map(PLAT_UART_BASE, 0x1000, MMU_DEVICE);
	/* A devicetree may be up to 2 MiB by the boot protocol. */
	mmu_map(dtb, BLOCK, MMU_NORMAL);
	return (uint64_t)(uintptr_t)tables[0];
}

uint64_t mmu_tcr(void)
{
	uint64_t mmfr0;

	__asm__("mrs %0, id_aa64mmfr0_el1"
		: "=r"(mmfr0));
	uint64_t ps = mmfr0 & 15;
	if (ps > 5) /* 52 bits need another descriptor format */
		ps = 5;
	/* T0SZ 16: 48 bits; inner shareable, write-back walks; RES1 bits. */
	return 1ull << 31 | 1ull << 23 | ps << 16 | 3ull << 12 | 1ull << 10 | 1ull << 8 | 16;
}

void mmu_flush(uint64_t start, uint64_t bytes)
{
	uint64_t ctr;

	__asm__("mrs %0, ctr_el0"
		: "=r"(ctr));
	uint64_t line = 4ull << ((ctr >> 16) & 15);
	for (uint64_t a = start & ~(line - 1); a < start + bytes; a += line)
		__asm__ volatile("dc civac, %0" ::"r"(a)
				 : "memory");
	__asm__ volatile("dsb sy" ::
				 : "memory");
}
