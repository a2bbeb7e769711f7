/* The boot loader's information, copied before its memory is used otherwise. */
#include "multiboot.h"

#include <selvage/base.h>

#define MAGIC_1 0x2badb002u
#define MAGIC_2 0x36d76289u
#define PAGE 4096ull
#define LOW_END 0x100000ull

/* Of what is more than fits, nothing is known: it is no RAM. */
static void add_memory(struct multiboot *out, uint64_t base, uint64_t length, uint32_t type)
{
	uint32_t size = sizeof(struct multiboot_memory) - sizeof(uint32_t);

	if (out->memory_count < HANDOVER_MEMORY && length < UINT64_MAX - PAGE &&
	    base < UINT64_MAX - PAGE - length)
		out->memory[out->memory_count++] =
			(struct multiboot_memory){ size, base, length, type };
}

static const char *add_module(struct multiboot *out, uint32_t start, uint32_t end)
{
	if (start > end)
		return "a module ends before it begins";
	if (out->module_count == MULTIBOOT_MODULES)
		return "too many modules";
	out->module[out->module_count].start = start;
	out->module[out->module_count++].end = end;
	return NULL;
}

/* --- version 1, section 3.3: addresses of what lies anywhere --- */
enum { HAS_MEMORY = 1,
       HAS_MODULES = 1 << 3,
       HAS_MAP = 1 << 6 };
struct info_1 {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4],
		mmap_length, mmap_addr;
};
struct module_1 {
	uint32_t start, end, string, reserved;
};

static void read_map_1(struct multiboot *out, const uint8_t *map, uint32_t bytes)
{
	uint32_t size;

	for (uint64_t at = 0; at + sizeof(struct multiboot_memory) <= bytes; at += size + 4ull) {
		size = load_le32(map + at);
		if (size < sizeof(struct multiboot_memory) - 4)
			break;
		add_memory(out, load_le64(map + at + 4), load_le64(map + at + 12),
			   load_le32(map + at + 20));
	}
}

static const char *read_1(struct multiboot *out, const struct info_1 *info)
{
	const struct module_1 *m = paddr_to_ptr(info->mods_addr);
	const char *error = NULL;

	if (!(info->flags & HAS_MEMORY))
		return "the loader says nothing of memory";
	if (info->flags & HAS_MAP)
		read_map_1(out, paddr_to_ptr(info->mmap_addr), info->mmap_length);
	else
		add_memory(out, LOW_END, info->mem_upper * 1024ull, MULTIBOOT_RAM);
	for (uint32_t i = 0; info->flags & HAS_MODULES && i < info->mods_count && !error; i++)
		error = add_module(out, m[i].start, m[i].end);
	return error;
}

/* --- version 2, section 3.6: tags in a row, each at a multiple of 8 --- */
enum { TAG_END,
       TAG_MODULE = 3,
       TAG_MEMORY = 4,
       TAG_MAP = 6,
       TAG_RSDP_1 = 14,
       TAG_RSDP_2 = 15 };
#define INFO_MAX (1u << 20)
#define INFO_HEAD 8
#define TAG_HEAD 8u
#define MAP_HEAD 16u
#define MAP_ENTRY 24u
#define RSDP_1_BYTES 20

static void read_map_2(struct multiboot *out, const uint8_t *tag, uint32_t size)
{
	uint32_t step = size >= MAP_HEAD ? load_le32(tag + 8) : 0;

	if (step < MAP_ENTRY || step > size)
		return;
	for (uint32_t at = MAP_HEAD; at + MAP_ENTRY <= size; at += step)
		add_memory(out, load_le64(tag + at), load_le64(tag + at + 8),
			   load_le32(tag + at + 16));
}

/* Of two the later specification's is taken, which has both tables' addresses. */
static void read_rsdp(struct multiboot *out, const uint8_t *rsdp, uint32_t bytes)
{
	if (bytes < RSDP_1_BYTES || (out->has_rsdp && bytes < RSDP_BYTES))
		return;
	out->has_rsdp = true;
	for (uint32_t i = 0; i < RSDP_BYTES; i++)
		out->rsdp[i] = i < bytes ? rsdp[i] : 0;
}

static const char *read_tag(struct multiboot *out, uint32_t type, const uint8_t *tag, uint32_t size)
{
	if (type == TAG_MODULE && size >= TAG_HEAD + 8)
		return add_module(out, load_le32(tag + 8), load_le32(tag + 12));
	if (type == TAG_MAP)
		read_map_2(out, tag, size);
	else if (type == TAG_RSDP_1)
		read_rsdp(out, tag + TAG_HEAD,
			  (uint32_t)min_u64(size - TAG_HEAD, RSDP_1_BYTES));
	else if (type == TAG_RSDP_2)
		read_rsdp(out, tag + TAG_HEAD, size - TAG_HEAD);
	return NULL;
}

const char *multiboot2_parse(struct multiboot *out, const uint8_t *info)
{
	uint32_t bytes = load_le32(info), size, upper = 0;
	const char *error;

	if (bytes < INFO_HEAD || bytes > INFO_MAX)
		return "the loader's information has no such size";
	for (uint32_t at = INFO_HEAD; at + TAG_HEAD <= bytes; at += (size + 7) & ~7u) {
		uint32_t type = load_le32(info + at);
		size = load_le32(info + at + 4);
		if (size < TAG_HEAD || size > bytes - at)
			return "the loader's information is cut short";
		if (type == TAG_END)
			break;
		if (type == TAG_MEMORY && size >= TAG_HEAD + 8)
			upper = load_le32(info + at + 12);
		error = read_tag(out, type, info + at, size);
		if (error)
			return error;
	}
	if (!out->memory_count)
		add_memory(out, LOW_END, upper * 1024ull, MULTIBOOT_RAM);
	return NULL;
}

const char *multiboot_read(struct multiboot *out, uint32_t magic, paddr_t info)
{
	if (magic == MAGIC_1)
		return read_1(out, paddr_to_ptr(info));
	if (magic == MAGIC_2)
		return multiboot2_parse(out, paddr_to_ptr(info));
	return "not started by a Multiboot loader";
}
