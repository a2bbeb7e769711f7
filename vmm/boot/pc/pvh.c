/* PVH: the ELF note's entry, and struct hvm_start_info (Xen,
 * xen/include/public/arch-x86/hvm/start_info.h, version 1). */
#include "elf.h"
#include "put.h"

#include <selvage/base.h>
#include <string.h>

#define PHYS32_ENTRY 18u

#define START_MAGIC 0x336ec578u
#define START_BYTES 56u
#define MODULE_BYTES 32u
#define MEMMAP_BYTES 24u

static uint32_t put_modules(struct pc_put *p)
{
	const struct pc_boot *b = p->boot;
	uint8_t list[PC_MODULES_MAX * MODULE_BYTES] = { 0 };

	for (unsigned i = 0; i < b->n_modules; i++) {
		const struct pc_module *m = &b->module[i];
		uint8_t *to = list + (size_t)i * MODULE_BYTES;

		store_le64(to, pc_put_high(p, m->bytes, m->size, PC_4GIB));
		store_le64(to + 8, m->size);
		store_le64(to + 16, pc_put_string(p, m->cmdline));
	}
	return b->n_modules == 0 ? 0
				 : pc_put_bytes(p, list, b->n_modules * MODULE_BYTES, 16);
}

static uint32_t put_map(struct pc_put *p)
{
	const struct pc_map *map = p->boot->map;
	uint8_t table[PC_MAP_MAX * MEMMAP_BYTES] = { 0 };

	for (unsigned i = 0; i < map->n; i++) {
		uint8_t *to = table + (size_t)i * MEMMAP_BYTES;

		store_le64(to, map->range[i].start);
		store_le64(to + 8, map->range[i].size);
		store_le32(to + 16, map->range[i].type);
	}
	return pc_put_bytes(p, table, map->n * MEMMAP_BYTES, 16);
}

static uint32_t put_start_info(struct pc_put *p)
{
	uint8_t info[START_BYTES] = { 0 };

	store_le32(info, START_MAGIC);
	store_le32(info + 4, 1);
	store_le32(info + 12, p->boot->n_modules);
	store_le64(info + 16, put_modules(p));
	store_le64(info + 24, pc_put_string(p, p->boot->cmdline));
	store_le64(info + 32, p->boot->rsdp);
	store_le64(info + 40, put_map(p));
	store_le32(info + 48, p->boot->map->n);
	return pc_put_bytes(p, info, sizeof(info), 16);
}

const char *pvh_load(const struct pc_boot *boot, struct pc_entry *entry)
{
	struct pc_elf elf;
	struct pc_put p;
	uint64_t start, info;
	const char *error = pc_elf_parse(boot->kernel, boot->kernel_bytes, &elf);

	if (error != NULL)
		return error;
	if (!pc_elf_note(boot->kernel, boot->kernel_bytes, &elf, "Xen", PHYS32_ENTRY, &start))
		return "an ELF file without the note of an entry by PVH "
		       "(XEN_ELFNOTE_PHYS32_ENTRY)";
	if (start >= PC_4GIB)
		return "an entry by PVH that is not below 4 GiB";
	pc_put_begin(&p, boot);
	error = pc_put_elf(&p, &elf);
	if (error != NULL)
		return error;
	info = put_start_info(&p);
	pc_put_entry(&p, PC_MODE_PROTECTED, start, entry);
	/* All other bits that can be written are 0. */
	entry->gpr[PC_RBX] = info;
	entry->load = elf.load;
	return pc_put_end(&p);
}
