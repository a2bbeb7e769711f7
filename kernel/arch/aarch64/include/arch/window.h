/* Where the kernel sees physical memory: one-to-one. */
#pragma once

#define ARCH_WINDOW 0ull
#define ARCH_PHYSICAL_BITS SELVAGE_PA_BITS
