/* What the loader (kernel/loader/arch/x86_64) hands over, in its own memory. */
#pragma once

#include <kernel/boot_root.h>
#include <kernel/types.h>

#define HANDOVER_MEMORY 128
#define RSDP_BYTES 36
#define MACHINE_IOAPICS 8

/* As Multiboot 1 has it, and the boot information: `size` is of what follows. */
struct __attribute__((packed)) multiboot_memory {
	uint32_t size;
	uint64_t base, length;
	uint32_t type;
};

/* What the ACPI tables say of interrupts. */
struct machine_interrupts {
	paddr_t lapic, hpet; /* 0: none */
	unsigned ioapics;
	paddr_t ioapic[MACHINE_IOAPICS]; /* in the tables' order */
};

struct handover {
	const char *error; /* NULL: the rest is there */
	struct boot_args args;
	struct regions ram, modules; /* modules: without the root task's */
	struct machine_interrupts interrupts;
	uint8_t rsdp[RSDP_BYTES];
	uint32_t memory_count;
	struct multiboot_memory memory[HANDOVER_MEMORY];
};
