/* The three states in which protocols enter a guest (Intel SDM volume 3: 3.4.5
 * descriptors, 4.5 paging, 10.1.1 state after reset). */
#include "entry.h"

#include <selvage/base.h>
#include <string.h>

#define CR0_PE 1ull
#define CR0_ET 0x10ull
#define CR0_PG (1ull << 31)
#define CR4_PAE 0x20ull
#define EFER_LME 0x100ull
#define EFER_LMA 0x400ull
#define RFLAGS_ALWAYS 2ull

#define TYPE_DATA 0x93u /* present, read and write, accessed */
#define TYPE_CODE 0x9bu
#define TYPE_LDT 0x82u
#define TYPE_TASK 0x8bu /* 32 or 64 bits, busy */
#define ATTRIBUTE_LONG 0x200u
#define ATTRIBUTE_32 0x400u
#define ATTRIBUTE_PAGES 0x800u /* the limit counts them */
#define TASK_LIMIT 0x67u

#define PAGE_PRESENT_WRITE 3ull
#define PAGE_LARGE 0x80ull

static void set_data(struct pc_entry *e, const struct pc_segment *s)
{
	static const enum pc_sreg data[] = { PC_ES, PC_SS, PC_DS, PC_FS, PC_GS };

	for (unsigned i = 0; i < ARRAY_SIZE(data); i++)
		e->segment[data[i]] = *s;
}

static void set_system(struct pc_entry *e, uint32_t task_limit)
{
	e->segment[PC_LDTR] = (struct pc_segment){ .attributes = TYPE_LDT };
	e->segment[PC_TR] = (struct pc_segment){ .limit = task_limit, .attributes = TYPE_TASK };
	e->rflags = RFLAGS_ALWAYS;
}

void pc_entry_real(struct pc_entry *e, uint16_t selector, uint16_t ip)
{
	*e = (struct pc_entry){ .mode = PC_MODE_REAL, .rip = ip, .cr0 = CR0_ET };
	e->segment[PC_CS] = (struct pc_segment){ .base = (uint64_t)selector << 4,
						 .limit = 0xffff,
						 .attributes = TYPE_CODE,
						 .selector = selector };
	set_data(e, &(struct pc_segment){ .limit = 0xffff, .attributes = TYPE_DATA });
	set_system(e, 0xffff);
	e->idtr.limit = 0x3ff;
}

static void set_flat(struct pc_entry *e, uint64_t gdt, uint16_t code_size)
{
	e->segment[PC_CS] = (struct pc_segment){ .limit = UINT32_MAX,
						 .attributes = TYPE_CODE | ATTRIBUTE_PAGES |
							       code_size,
						 .selector = PC_SELECTOR_CODE };
	set_data(e, &(struct pc_segment){
			    .limit = UINT32_MAX,
			    .attributes = TYPE_DATA | ATTRIBUTE_PAGES | ATTRIBUTE_32,
			    .selector = PC_SELECTOR_DATA });
	set_system(e, TASK_LIMIT);
	e->segment[PC_TR].selector = PC_SELECTOR_TASK;
	e->gdtr = (struct pc_table){ gdt, PC_GDT_BYTES - 1 };
}

void pc_entry_protected(struct pc_entry *e, uint64_t gdt, uint32_t eip)
{
	*e = (struct pc_entry){ .mode = PC_MODE_PROTECTED, .rip = eip, .cr0 = CR0_PE | CR0_ET };
	set_flat(e, gdt, ATTRIBUTE_32);
}

void pc_entry_long(struct pc_entry *e, uint64_t gdt, uint64_t cr3, uint64_t rip)
{
	*e = (struct pc_entry){ .mode = PC_MODE_LONG,
				.rip = rip,
				.cr0 = CR0_PG | CR0_PE | CR0_ET,
				.cr3 = cr3,
				.cr4 = CR4_PAE,
				.efer = EFER_LME | EFER_LMA };
	set_flat(e, gdt, ATTRIBUTE_LONG);
}

/* Base 0, and the limit that the attributes count in bytes or in pages. */
static uint64_t descriptor(uint32_t limit, uint16_t attributes)
{
	return (limit & 0xffff) | (uint64_t)(attributes & 0xff) << 40 |
	       (uint64_t)(attributes >> 8) << 52 |
	       (uint64_t)(limit >> 16 & 0xf) << 48;
}

void pc_gdt_fill(enum pc_mode mode, uint8_t gdt[PC_GDT_BYTES])
{
	uint16_t size = mode == PC_MODE_LONG ? ATTRIBUTE_LONG : ATTRIBUTE_32;

	memset(gdt, 0, PC_GDT_BYTES);
	store_le64(gdt + PC_SELECTOR_CODE,
		   descriptor(0xfffff, TYPE_CODE | ATTRIBUTE_PAGES | size));
	store_le64(gdt + PC_SELECTOR_DATA,
		   descriptor(0xfffff, TYPE_DATA | ATTRIBUTE_PAGES | ATTRIBUTE_32));
	store_le64(gdt + PC_SELECTOR_TASK, descriptor(TASK_LIMIT, TYPE_TASK));
}

void pc_page_table_fill(uint64_t at, unsigned i, uint8_t table[PC_PAGE_BYTES])
{
	unsigned entries = i == 0 ? 1 : i == 1 ? 4
					       : 512;

	memset(table, 0, PC_PAGE_BYTES);
	for (unsigned k = 0; k < entries; k++) {
		uint64_t next = at + (uint64_t)PC_PAGE_BYTES * (i == 0 ? 1 : 2 + k);
		uint64_t page = (uint64_t)((i - 2) * 512 + k) << 21 | PAGE_LARGE;

		store_le64(table + 8 * k, (i < 2 ? next : page) | PAGE_PRESENT_WRITE);
	}
}
