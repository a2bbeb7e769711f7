/* Boot of the architecture's parts; called once, in this order, by boot.c. */
#pragma once

#include <arch/multiboot.h>
#include <kernel/boot_root.h>
#include <kernel/types.h>

/* Panics if the CPU lacks what the kernel cannot do without. */
void cpu_check(void);
/* Builds the kernel's window (RAM, read-only text) and switches to it. */
void mmu_init(const struct regions *ram);
void mmu_map_device(paddr_t start, word_t bytes);
/* The window's entry of every PML4. */
word_t mmu_window_entry(void);
/* Descriptor tables, system calls, protections, FPU. */
void cpu_init_tables(void);
/* What the ACPI tables say of interrupts. */
#define MACHINE_IOAPICS 8
struct machine_interrupts {
	paddr_t lapic, hpet; /* 0: none */
	unsigned ioapics;
	paddr_t ioapic[MACHINE_IOAPICS]; /* in the tables' order */
};
/* Checks the tables; the RSDP, which the loader gave or not, into `copy`. */
void acpi_read(struct machine_interrupts *out, const uint8_t *given, uint8_t copy[RSDP_BYTES]);
void apic_init(const struct machine_interrupts *at);
/* Counts the TSC and the LAPIC's timer against the HPET, or without one the PIT. */
void timer_init(paddr_t hpet);
unsigned timer_mhz(void);
/* From start.S (boot.c): returns the first thread to run. */
struct tcb *arch_boot(uint32_t magic, paddr_t info);
/* The ELF image of the root task, loaded behind one another (elf.c). */
bool elf_size(const void *image, word_t bytes, vptr_t *start, vptr_t *end, vptr_t *entry);
void elf_load(const void *image, void *to, vptr_t start);
