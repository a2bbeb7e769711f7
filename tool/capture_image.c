#include "capture_image.h"

#include <elf.h>
#include <gelf.h>
#include <selvage/base.h>
#include <selvage/crc32.h>
#include <sha256.h>
#include <stdio.h>
#include <string.h>

#include "files.h"

/* Linux, Documentation/x86/boot.rst; Multiboot 0.6.96, 3.1. */
#define BZIMAGE_MAGIC_AT 0x202u
#define BZIMAGE_START_AT 0x214u
#define MULTIBOOT_MAGIC 0x1badb002u
#define MULTIBOOT_BYTES 8192u
#define MULTIBOOT_HEADER 32u
#define MULTIBOOT_ADDRESSES (1u << 16)
#define UIMAGE_MAGIC 0x27051956u
#define UIMAGE_HEADER 64u

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

/* Where a loader puts it that does not choose another place, as QEMU. */
static bool is_bzimage(const uint8_t *data, size_t n)
{
	return n >= BZIMAGE_START_AT + 4 && memcmp(data + BZIMAGE_MAGIC_AT, "HdrS", 4) == 0;
}

/* One with addresses of its own; others are ELF files. */
static const uint8_t *find_multiboot(const uint8_t *data, size_t n)
{
	for (size_t at = 0; at + MULTIBOOT_HEADER <= n && at < MULTIBOOT_BYTES; at += 4) {
		const uint8_t *h = data + at;

		if (load_le32(h) == MULTIBOOT_MAGIC &&
		    load_le32(h) + load_le32(h + 4) + load_le32(h + 8) == 0)
			return load_le32(h + 4) & MULTIBOOT_ADDRESSES ? h : NULL;
	}
	return NULL;
}

void capture_image_addresses(struct capture_image *image, const uint8_t *data, size_t n)
{
	const uint8_t *multiboot = find_multiboot(data, n);

	if (multiboot) {
		set_addresses(image, load_le32(multiboot + 16), load_le32(multiboot + 28));
	} else if (n >= SELFMAG && memcmp(data, ELFMAG, SELFMAG) == 0) {
		Elf *elf;

		elf_version(EV_CURRENT);
		/* libelf only reads; its interface lacks the const. */
		elf = elf_memory((char *)(uintptr_t)data, n);
		elf_addresses(image, elf);
		elf_end(elf);
	} else if (is_bzimage(data, n)) {
		set_addresses(image, load_le32(data + BZIMAGE_START_AT),
			      load_le32(data + BZIMAGE_START_AT));
	} else if (n >= UIMAGE_HEADER && load_be32(data) == UIMAGE_MAGIC) {
		set_addresses(image, load_be32(data + 16), load_be32(data + 20));
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
