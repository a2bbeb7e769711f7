/* The parts of the loader. Errors are texts: the kernel says them. */
#pragma once

#include <arch/handover.h>

/* From start.S, in the window's first 4 GiB. */
const struct handover *loader_main(uint32_t magic, paddr_t info);
/* Checks the tables; the RSDP, which the boot loader gave or not, into `copy`. */
const char *acpi_read(struct machine_interrupts *out, const uint8_t *given,
		      uint8_t copy[RSDP_BYTES]);
/* The ELF image of the root task, loaded behind one another. */
bool elf_size(const void *image, word_t bytes, vptr_t *start, vptr_t *end, vptr_t *entry);
void elf_load(const void *image, void *to, vptr_t start);
/* kernel.ld: physical addresses. */
extern char __kernel_phys_end[];
