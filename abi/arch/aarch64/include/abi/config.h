/*
 * The kernel configurations: one table from which kernel and userland take
 * every number that depends on the machine's physical address size.
 *
 * SELVAGE_PA_BITS is set by the build: 44 (cortex-a57, a72, max; 4-level
 * stage 2) or 40 (cortex-a53, a76; 3 levels, root of 2 concatenated tables).
 */
#pragma once

#ifndef SELVAGE_PA_BITS
#error "SELVAGE_PA_BITS is not set: build with CONFIG=pa44 or CONFIG=pa40"
#endif

#if SELVAGE_PA_BITS == 44
#define ABI_CONFIG_NAME "pa44"
#define ABI_VSPACE_BITS 12      /* log2 bytes of the top-level table */
#define ABI_VSPACE_INDEX_BITS 5 /* used entries of the top level: 2^5 */
#define ABI_VSPACE_LEVELS 4
#elif SELVAGE_PA_BITS == 40
#define ABI_CONFIG_NAME "pa40"
#define ABI_VSPACE_BITS 13
#define ABI_VSPACE_INDEX_BITS 10
#define ABI_VSPACE_LEVELS 3
#else
#error "SELVAGE_PA_BITS must be 44 or 40"
#endif

#define ABI_PT_INDEX_BITS 9
#define ABI_PAGE_BITS 12
#define ABI_LARGE_PAGE_BITS 21
#define ABI_HUGE_PAGE_BITS 30
/* Highest user virtual (and guest-physical) address. */
#define ABI_USER_TOP ((1ull << SELVAGE_PA_BITS) - 1)
#define ABI_ROOT_CNODE_BITS 13
