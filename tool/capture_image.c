#include "capture_image.h"

#include <elf.h>
#include <gelf.h>
#include <selvage/crc32.h>
#include <sha256.h>
#include <stdio.h>
#include <string.h>

#include "files.h"

#define UIMAGE_MAGIC 0x27051956u
#define UIMAGE_HEADER 64u

static uint32_t big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static void set_addresses(struct capture_image *image, uint64_t load, uint64_t entry)
{
	if (!image->has_load)
		image->load = load;
	if (!image->has_entry)
		image->entry = entry;
	image->has_load = image->has_entry = true;
}

/* The lowest physical address of what is loaded. */
static void elf_addresses(struct capture_image *image, Elf *elf)
{
	uint64_t lowest = UINT64_MAX;
	size_t n = 0;
	GElf_Ehdr header;
	GElf_Phdr segment;

	if (!elf || !gelf_getehdr(elf, &header) || elf_getphdrnum(elf, &n) != 0)
		return;
	for (size_t i = 0; i < n && gelf_getphdr(elf, (int)i, &segment); i++) {
		if (segment.p_type == PT_LOAD && segment.p_filesz > 0 && segment.p_paddr < lowest)
			lowest = segment.p_paddr;
	}
	if (lowest != UINT64_MAX)
		set_addresses(image, lowest, header.e_entry);
}

void capture_image_addresses(struct capture_image *image, const uint8_t *data, size_t n)
{
	if (n >= SELFMAG && memcmp(data, ELFMAG, SELFMAG) == 0) {
		Elf *elf;

		elf_version(EV_CURRENT);
		/* libelf only reads; its interface lacks the const. */
		elf = elf_memory((char *)(uintptr_t)data, n);
		elf_addresses(image, elf);
		elf_end(elf);
	} else if (n >= UIMAGE_HEADER && big_endian(data) == UIMAGE_MAGIC) {
		set_addresses(image, big_endian(data + 16), big_endian(data + 20));
	}
}

bool capture_image_read(struct capture_image *image, const char *path)
{
	struct file file = { 0 };

	snprintf(image->file, sizeof(image->file), "%s", path);
	if (!file_map(&file, path))
		return false;
	SHA256Data(file.data, file.size, image->sha256);
	image->crc32 = crc32_bytes(file.data, file.size);
	image->has_crc32 = true;
	image->bytes = file.size;
	capture_image_addresses(image, file.data, file.size);
	file_unmap(&file);
	return true;
}
