/* Symbols of the linker script and of assembly. */
#pragma once

#include <arch/types.h>

struct boot_args;

/* --- kernel.ld: addresses --- */
extern char __kernel_start[], __text_end[], __rodata_end[], __kernel_end[];

/* --- start.S --- */
extern char kernel_stack_guard[]; /* a page, not mapped */
extern char kernel_stack_top[];
void mmu_switch(word_t ttbr, word_t tcr, word_t mair, word_t sctlr);

/* --- entry.S --- */
extern char vectors[], vectors_traced[];
void fpu_save(struct arch_fpu *f);
void fpu_load(const struct arch_fpu *f);

/* From start.S (boot.c): returns the first thread to run. */
struct tcb *arch_boot(const struct boot_args *args);
