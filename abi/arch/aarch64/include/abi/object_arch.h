/* AArch64's part of abi/object.h. */
#pragma once

#include <abi/config.h>

/* clang-format off */
#define ABI_ARCH_OBJECTS            \
	ABI_OBJ_HUGE_PAGE = 7,      \
	ABI_OBJ_VSPACE = 8,         \
	ABI_OBJ_SMALL_PAGE = 9,     \
	ABI_OBJ_LARGE_PAGE = 10,    \
	ABI_OBJ_PAGE_TABLE = 11,    \
	ABI_OBJ_VCPU = 12,          \
	ABI_OBJ_COUNT = 13,

#define ABI_ARCH_DEBUG_CAPS         \
	ABI_DEBUG_CAP_FRAME = 1,        \
	ABI_DEBUG_CAP_PAGE_TABLE = 3,   \
	ABI_DEBUG_CAP_VSPACE = 9,       \
	ABI_DEBUG_CAP_ASID_CONTROL = 11,\
	ABI_DEBUG_CAP_ASID_POOL = 13,   \
	ABI_DEBUG_CAP_VCPU = 15,        \
	ABI_DEBUG_CAP_SMC = 25,         \
	ABI_DEBUG_CAP_SGI_SIGNAL = 27,
/* clang-format on */

#define ABI_VCPU_BITS 12
#define ABI_ASID_POOLS 128

/* Page attributes of ARM_Page_Map. */
#define ABI_VM_CACHEABLE 1u
#define ABI_VM_PARITY 2u
#define ABI_VM_EXECUTE_NEVER 4u
#define ABI_VM_DEFAULT 3u
