/* Where the kernel sees physical memory: the last 512 GiB of the addresses, in
 * every address space, of which users have the lower half. */
#pragma once

#define ARCH_WINDOW 0xffffff8000000000ull
#define ARCH_WINDOW_BYTES (1ull << 39)
#define ARCH_PHYSICAL_BITS 44 /* what a capability holds of an address */
#define ARCH_WINDOW_INDEX 511 /* of its entry in a PML4 */
