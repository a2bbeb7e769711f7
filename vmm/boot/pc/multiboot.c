/* Multiboot 0.6.96 (header 3.1, machine state 3.2, information 3.3). */
#include "multiboot.h"

#include "elf.h"
#include "put.h"

#include <selvage/base.h>

#define SEARCH_BYTES 8192u
#define HEADER_MAGIC 0x1badb002u
#define BOOT_MAGIC 0x2badb002u
#define HEADER_BYTES 12u
#define ADDRESSES_BYTES 32u /* the header with the addresses */

#define WANTS_PAGES 1u
#define WANTS_MEMORY 2u
#define WANTS_VIDEO 4u
#define WANTS_ANY 0xffffu /* what a loader must understand */
#define HAS_ADDRESSES 0x10000u

#define INFO_BYTES 88u
#define INFO_MEMORY 1u
#define INFO_CMDLINE 4u
#define INFO_MODULES 8u
#define INFO_MAP 0x40u
#define INFO_LOADER 0x200u
#define MODULE_BYTES 16u
#define MAP_BYTES 24u

#define UPPER_MEMORY 0x100000u
#define LOWER_MAX 0xa0000u

static const char *check_addresses(const uint8_t *h, uint64_t bytes, struct multiboot *out)
{
	uint32_t header = load_le32(h + 12), load = load_le32(h + 16);
	uint32_t load_end = load_le32(h + 20), bss_end = load_le32(h + 24);

	if (load > header || header - load > out->header_at)
		return "a Multiboot header whose addresses do not agree with its place in the file";
	out->offset = out->header_at - (header - load);
	if (load_end != 0 && load_end < load)
		return "a Multiboot header whose load_end_addr is before its load_addr";
	out->bytes = load_end == 0 ? bytes - out->offset : load_end - load;
	if (out->bytes > bytes - out->offset)
		return "a Multiboot image that is cut short: load_end_addr is behind its end";
	if (bss_end != 0 && bss_end < load + out->bytes)
		return "a Multiboot header whose bss_end_addr is before the end of its data";
	out->load = load;
	out->memory_bytes = bss_end == 0 ? out->bytes : bss_end - load;
	out->entry = load_le32(h + 28);
	return NULL;
}

static const char *check_header(const uint8_t *image, uint64_t bytes, struct multiboot *out)
{
	const uint8_t *h = image + out->header_at;

	out->flags = load_le32(h + 4);
	if (out->flags & WANTS_VIDEO)
		return "a Multiboot image that demands a video mode, which there is none";
	if (out->flags & WANTS_ANY & ~(WANTS_PAGES | WANTS_MEMORY))
		return "a Multiboot image that demands what is not known (flags 3 to 15)";
	out->has_addresses = (out->flags & HAS_ADDRESSES) != 0;
	if (!out->has_addresses)
		return NULL;
	if (bytes - out->header_at < ADDRESSES_BYTES)
		return "a Multiboot image that is cut short in its header";
	return check_addresses(h, bytes, out);
}

const char *multiboot_parse(const uint8_t *image, uint64_t bytes, struct multiboot *out)
{
	uint64_t end = min_u64(bytes, SEARCH_BYTES);
	bool bad_sum = false;

	*out = (struct multiboot){ 0 };
	for (uint64_t at = 0; at + HEADER_BYTES <= end; at += 4) {
		const uint8_t *h = image + at;

		if (load_le32(h) != HEADER_MAGIC)
			continue;
		if (load_le32(h) + load_le32(h + 4) + load_le32(h + 8) == 0) {
			out->header_at = (uint32_t)at;
			return check_header(image, bytes, out);
		}
		bad_sum = true;
	}
	return bad_sum ? "a Multiboot header with a wrong checksum"
		       : "no Multiboot header in the first 8192 bytes at a multiple of 4";
}

static const char *put_raw(struct pc_put *p, const struct multiboot *m)
{
	const struct pc_boot *b = p->boot;

	if (!pc_take(&p->places, m->load, max_u64(m->memory_bytes, 1)) ||
	    !gmem_write(b->mem, m->load, b->kernel + m->offset, m->bytes))
		return "no memory where the Multiboot image must be";
	return NULL;
}

/* ELF64 is loaded too, as GRUB does; it is entered in 32 bits all the same. */
static const char *put_elf(struct pc_put *p, struct multiboot *m)
{
	struct pc_elf elf;
	const char *error = pc_elf_parse(p->boot->kernel, p->boot->kernel_bytes, &elf);
	uint64_t entry;

	if (error != NULL)
		return error;
	entry = pc_elf_physical(&elf, elf.entry);
	if (entry >= PC_4GIB)
		return "a Multiboot image that is not entered below 4 GiB";
	m->entry = (uint32_t)entry;
	m->load = elf.load;
	return pc_put_elf(p, &elf);
}

static uint32_t put_modules(struct pc_put *p)
{
	const struct pc_boot *b = p->boot;
	uint8_t list[PC_MODULES_MAX * MODULE_BYTES] = { 0 };

	for (unsigned i = 0; i < b->n_modules; i++) {
		const struct pc_module *m = &b->module[i];
		uint8_t *to = list + (size_t)i * MODULE_BYTES;
		uint32_t at = pc_put_high(p, m->bytes, m->size, PC_4GIB);

		store_le32(to, at);
		store_le32(to + 4, at + (uint32_t)m->size);
		store_le32(to + 8, pc_put_string(p, m->cmdline));
	}
	return pc_put_bytes(p, list, b->n_modules * MODULE_BYTES, 16);
}

/* An entry's size does not count itself: the pointer is to what follows it. */
static uint32_t put_map(struct pc_put *p)
{
	const struct pc_map *map = p->boot->map;
	uint8_t table[PC_MAP_MAX * MAP_BYTES] = { 0 };

	for (unsigned i = 0; i < map->n; i++) {
		uint8_t *to = table + (size_t)i * MAP_BYTES;

		store_le32(to, MAP_BYTES - 4);
		store_le64(to + 4, map->range[i].start);
		store_le64(to + 12, map->range[i].size);
		store_le32(to + 20, map->range[i].type);
	}
	return pc_put_bytes(p, table, map->n * MAP_BYTES, 16);
}

/* KiB from 0 and from 1 MiB to the first hole. */
static void fill_memory(const struct pc_map *map, uint8_t *info)
{
	uint64_t lower = pc_map_is_ram(map, PC_PUT_FROM, 1)
				 ? min_u64(pc_map_ram_end(map, PC_PUT_FROM), LOWER_MAX)
				 : 0;
	uint64_t upper = min_u64(pc_map_ram_end(map, UPPER_MEMORY), PC_4GIB);

	store_le32(info + 4, (uint32_t)(lower / 1024));
	store_le32(info + 8, (uint32_t)((upper - UPPER_MEMORY) / 1024));
}

static uint32_t put_info(struct pc_put *p)
{
	const struct pc_boot *b = p->boot;
	uint32_t flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MAP | INFO_LOADER;
	uint8_t info[INFO_BYTES] = { 0 };

	store_le32(info, flags);
	fill_memory(b->map, info);
	store_le32(info + 16, pc_put_string(p, b->cmdline));
	store_le32(info + 20, b->n_modules);
	store_le32(info + 24, put_modules(p));
	store_le32(info + 44, b->map->n * MAP_BYTES);
	store_le32(info + 48, put_map(p));
	store_le32(info + 64, pc_put_string(p, "Selvage"));
	return pc_put_bytes(p, info, sizeof(info), 16);
}

const char *multiboot_load(const struct pc_boot *boot, struct pc_entry *entry)
{
	struct multiboot m;
	struct pc_put p;
	uint64_t info;
	const char *error = multiboot_parse(boot->kernel, boot->kernel_bytes, &m);

	if (error != NULL)
		return error;
	pc_put_begin(&p, boot);
	error = m.has_addresses ? put_raw(&p, &m) : put_elf(&p, &m);
	if (error != NULL)
		return error;
	info = put_info(&p);
	pc_put_entry(&p, PC_MODE_PROTECTED, m.entry, entry);
	entry->gpr[PC_RAX] = BOOT_MAGIC;
	entry->gpr[PC_RBX] = info;
	entry->load = m.load;
	return pc_put_end(&p);
}
