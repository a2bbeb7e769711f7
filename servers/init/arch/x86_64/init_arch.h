/* x86-64's part of init. */
#pragma once

#include <elf.h>

/* The kernel has no pages that are not executable. */
#define MAP_DATA ABI_VM_DEFAULT
#define MAP_CODE ABI_VM_DEFAULT
#define MAP_DEVICE ABI_VM_CACHE_DISABLED

#define INIT_ELF_MACHINE EM_X86_64
#define INIT_ELF_NAME "x86-64"
/* What init holds beside what it does everywhere. */
#define INIT_ARCH_HOLDS                                    \
	{                                                  \
		"IOPortControl", "I/O ports not given out" \
	}
