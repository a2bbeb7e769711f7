/* AArch64's part of init. */
#pragma once

#include <elf.h>

#define MAP_DATA (ABI_VM_CACHEABLE | ABI_VM_PARITY | ABI_VM_EXECUTE_NEVER)
#define MAP_CODE (ABI_VM_CACHEABLE | ABI_VM_PARITY)
#define MAP_DEVICE ABI_VM_EXECUTE_NEVER

#define INIT_ELF_MACHINE EM_AARCH64
#define INIT_ELF_NAME "AArch64"
/* What init holds beside what it does everywhere. */
#define INIT_ARCH_HOLDS            \
	{                          \
		"SMC", "power off" \
	}
