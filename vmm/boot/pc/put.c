#include "put.h"

#include "elf.h"

#include <selvage/base.h>
#include <string.h>

void pc_put_begin(struct pc_put *p, const struct pc_boot *boot)
{
	*p = (struct pc_put){ .boot = boot, .places = { .map = boot->map } };
}

static uint32_t put(struct pc_put *p, uint64_t at, const void *from, uint64_t size)
{
	if (at != PC_NOWHERE && gmem_write(p->boot->mem, at, from, size))
		return (uint32_t)at;
	p->failed = true;
	return 0;
}

uint32_t pc_put_bytes(struct pc_put *p, const void *from, uint64_t size, uint64_t align)
{
	return put(p,
		   pc_place(&p->places, size, align, PC_PUT_FROM, PC_4GIB, PC_PLACE_LOWEST),
		   from, size);
}

uint32_t pc_put_string(struct pc_put *p, const char *text)
{
	if (text == NULL)
		text = "";
	return pc_put_bytes(p, text, strlen(text) + 1, 16);
}

uint32_t pc_put_high(struct pc_put *p, const void *from, uint64_t size, uint64_t to)
{
	return put(p,
		   pc_place(&p->places, size, PC_PAGE_BYTES, PC_PUT_FROM,
			    min_u64(to, PC_4GIB - PC_PAGE_BYTES), PC_PLACE_HIGHEST),
		   from, size);
}

const char *pc_put_elf(struct pc_put *p, const struct pc_elf *elf)
{
	const struct pc_boot *b = p->boot;

	for (unsigned i = 0; i < elf->n; i++) {
		const struct pc_elf_segment *s = &elf->segment[i];

		if (!pc_take(&p->places, s->paddr, s->memory_bytes) ||
		    !gmem_write(b->mem, s->paddr, b->kernel + s->offset, s->bytes))
			return "no memory where a segment of the kernel must be";
	}
	return NULL;
}

static uint64_t put_page_tables(struct pc_put *p)
{
	uint64_t at = pc_place(&p->places, PC_PAGE_TABLES * PC_PAGE_BYTES, PC_PAGE_BYTES,
			       PC_PUT_FROM, PC_4GIB, PC_PLACE_LOWEST);

	for (unsigned i = 0; i < PC_PAGE_TABLES && !p->failed; i++) {
		uint8_t table[PC_PAGE_BYTES];

		pc_page_table_fill(at, i, table);
		put(p, at == PC_NOWHERE ? at : at + i * PC_PAGE_BYTES, table, sizeof(table));
	}
	return at;
}

void pc_put_entry(struct pc_put *p, enum pc_mode mode, uint64_t rip, struct pc_entry *entry)
{
	uint8_t gdt[PC_GDT_BYTES];
	uint32_t at;

	pc_gdt_fill(mode, gdt);
	at = pc_put_bytes(p, gdt, sizeof(gdt), 16);
	if (mode == PC_MODE_LONG)
		pc_entry_long(entry, at, put_page_tables(p), rip);
	else
		pc_entry_protected(entry, at, (uint32_t)rip);
}

const char *pc_put_end(const struct pc_put *p)
{
	return p->failed ? "no room in the memory below 4 GiB for what the guest is given "
			   "(initrd or modules, command line, tables)"
			 : NULL;
}
