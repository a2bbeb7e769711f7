/* The one configuration of x86-64: pc. */
#pragma once

#define ABI_CONFIG_NAME "pc"
#define ABI_VSPACE_BITS 12 /* log2 bytes of the top-level table (PML4) */
#define ABI_VSPACE_INDEX_BITS 9
#define ABI_VSPACE_LEVELS 4

#define ABI_PT_INDEX_BITS 9
#define ABI_PAGE_BITS 12
#define ABI_LARGE_PAGE_BITS 21
#define ABI_HUGE_PAGE_BITS 30
/* Highest user virtual address: the page behind it stays unmapped, so that no
 * instruction ends where the addresses that are not canonical begin. */
#define ABI_USER_TOP 0x7fffffffefffull
#define ABI_ROOT_CNODE_BITS 12
