/* Boot of the architecture's parts; called once, in this order, by boot.c. */
#pragma once

#include <arch/handover.h>
#include <kernel/types.h>

/* Builds the kernel's window (RAM, read-only text) and switches to it. */
void mmu_init(const struct regions *ram);
void mmu_map_device(paddr_t start, word_t bytes);
/* The window's entry of every PML4. */
word_t mmu_window_entry(void);
/* Descriptor tables, system calls, protections, FPU. */
void cpu_init_tables(void);
void apic_init(const struct machine_interrupts *at);
/* Counts the TSC and the LAPIC's timer against the HPET, or without one the PIT. */
void timer_init(paddr_t hpet);
unsigned timer_mhz(void);
/* From start.S (boot.c): returns the first thread to run. */
struct tcb *arch_boot(const struct handover *h);
