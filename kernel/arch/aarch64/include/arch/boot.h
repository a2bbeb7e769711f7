/* Boot of the architecture's parts; called once, in this order, by boot.c. */
#pragma once

#include <kernel/boot_root.h>
#include <kernel/types.h>

/* Builds the kernel's map (RAM, read-only text) and switches to it. */
void mmu_init(const struct regions *ram);
void mmu_map_device(paddr_t start, word_t bytes);
/* EL2's control registers: what traps, what EL0 may do. */
void cpu_init_el2(void);
void cpu_open_el0(bool open); /* extension CLOSE_EL0 */
/* Whether the range is RAM, which the kernel maps (so may be cached). */
bool mmu_is_ram(paddr_t start, word_t bytes);
