/*
 * How the first processor of a PC guest starts: what a boot protocol hands to
 * whoever sets the registers of the vCPU. What is not in here is as after reset.
 */
#pragma once

#include <stdint.h>

/* In the order of their encoding in instructions. */
enum pc_gpr {
	PC_RAX,
	PC_RCX,
	PC_RDX,
	PC_RBX,
	PC_RSP,
	PC_RBP,
	PC_RSI,
	PC_RDI,
	PC_R8,
	PC_GPRS = 16,
};

enum pc_sreg {
	PC_ES,
	PC_CS,
	PC_SS,
	PC_DS,
	PC_FS,
	PC_GS,
	PC_LDTR,
	PC_TR,
	PC_SREGS,
};

/* Attributes as a descriptor has them, without the limit's bits between: type in
 * bits 0 to 3, S 4, DPL 5 and 6, P 7, AVL 8, L 9, D/B 10, G 11. */
struct pc_segment {
	uint64_t base;
	uint32_t limit; /* in bytes */
	uint16_t attributes;
	uint16_t selector;
};

struct pc_table {
	uint64_t base;
	uint32_t limit;
};

enum pc_mode {
	PC_MODE_REAL,
	PC_MODE_PROTECTED, /* flat, 32 bits, no paging */
	PC_MODE_LONG,      /* the first 4 GiB mapped one to one */
};

struct pc_entry {
	enum pc_mode mode;
	uint64_t load; /* where the image begins, of an ELF file its lowest segment */
	uint64_t rip, rflags;
	uint64_t gpr[PC_GPRS];
	struct pc_segment segment[PC_SREGS];
	struct pc_table gdtr, idtr;
	uint64_t cr0, cr3, cr4, efer;
};

/* The descriptors of the GDT that is in guest memory: Linux's selectors. */
#define PC_SELECTOR_CODE 0x10u
#define PC_SELECTOR_DATA 0x18u
#define PC_SELECTOR_TASK 0x20u
#define PC_GDT_BYTES 0x30u
/* PML4, PDPT and four page directories of 2 MiB pages. */
#define PC_PAGE_TABLES 6u
#define PC_PAGE_BYTES 0x1000u

/* Real mode at 16 * selector + ip; nothing of it is in guest memory. */
void pc_entry_real(struct pc_entry *e, uint16_t selector, uint16_t ip);
/* Flat 32-bit protected mode, the GDT at `gdt`: pc_gdt_fill writes it. */
void pc_entry_protected(struct pc_entry *e, uint64_t gdt, uint32_t eip);
/* 64-bit mode with tables at `cr3`: pc_page_table_fill writes them. */
void pc_entry_long(struct pc_entry *e, uint64_t gdt, uint64_t cr3, uint64_t rip);

void pc_gdt_fill(enum pc_mode mode, uint8_t gdt[PC_GDT_BYTES]);
/* Number `i` of the tables, which will stand one behind the other from `at` on. */
void pc_page_table_fill(uint64_t at, unsigned i, uint8_t table[PC_PAGE_BYTES]);
