/* x86-64's part of abi/object.h. */
#pragma once

#include <abi/config.h>

/* clang-format off */
#define ABI_ARCH_OBJECTS             \
	ABI_OBJ_PDPT = 7,            \
	ABI_OBJ_VSPACE = 8,          \
	ABI_OBJ_HUGE_PAGE = 9,       \
	ABI_OBJ_SMALL_PAGE = 10,     \
	ABI_OBJ_LARGE_PAGE = 11,     \
	ABI_OBJ_PAGE_TABLE = 12,     \
	ABI_OBJ_PAGE_DIRECTORY = 13, \
	ABI_OBJ_IO_PAGE_TABLE = 14,  \
	ABI_OBJ_VCPU = 15,           \
	ABI_OBJ_EPT_PML4 = 16,       \
	ABI_OBJ_EPT_PDPT = 17,       \
	ABI_OBJ_EPT_PD = 18,         \
	ABI_OBJ_EPT_PT = 19,         \
	ABI_OBJ_COUNT = 20,

#define ABI_ARCH_DEBUG_CAPS                  \
	ABI_DEBUG_CAP_FRAME = 1,             \
	ABI_DEBUG_CAP_PAGE_TABLE = 3,        \
	ABI_DEBUG_CAP_PAGE_DIRECTORY = 5,    \
	ABI_DEBUG_CAP_PDPT = 7,              \
	ABI_DEBUG_CAP_VSPACE = 9,            \
	ABI_DEBUG_CAP_ASID_CONTROL = 11,     \
	ABI_DEBUG_CAP_ASID_POOL = 13,        \
	ABI_DEBUG_CAP_IO_SPACE = 15,         \
	ABI_DEBUG_CAP_IO_PAGE_TABLE = 17,    \
	ABI_DEBUG_CAP_IO_PORT = 19,          \
	ABI_DEBUG_CAP_VCPU = 21,             \
	ABI_DEBUG_CAP_EPT_PT = 23,           \
	ABI_DEBUG_CAP_EPT_PD = 25,           \
	ABI_DEBUG_CAP_EPT_PDPT = 27,         \
	ABI_DEBUG_CAP_EPT_PML4 = 29,         \
	ABI_DEBUG_CAP_IO_PORT_CONTROL = 31,  \
	ABI_DEBUG_CAP_SGI_SIGNAL = 255, /* there is none */
/* clang-format on */

#define ABI_VCPU_BITS 14
#define ABI_ASID_POOLS 8

/* Page attributes of X86_Page_Map: bits of the PAT's index. */
#define ABI_VM_WRITE_THROUGH 1u
#define ABI_VM_CACHE_DISABLED 2u
#define ABI_VM_PAT 4u
#define ABI_VM_DEFAULT 0u
