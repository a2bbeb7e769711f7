/*
 * Linux's own protocol (Linux, Documentation/x86/boot.rst and zero-page.rst).
 * Names of fields and their offsets in the image are those of that document.
 */
#include "bzimage.h"
#include "put.h"

#include <selvage/base.h>
#include <string.h>

#define SECTOR 512u

/* In the image and, from SETUP_SECTS on, at the same offset in the zero page. */
#define SETUP_SECTS 0x1f1u
#define SYSSIZE 0x1f4u
#define BOOT_FLAG 0x1feu
#define JUMP 0x200u
#define HEADER 0x202u
#define VERSION 0x206u
#define TYPE_OF_LOADER 0x210u
#define LOADFLAGS 0x211u
#define CODE32_START 0x214u
#define RAMDISK_IMAGE 0x218u
#define RAMDISK_SIZE 0x21cu
#define CMD_LINE_PTR 0x228u
#define INITRD_ADDR_MAX 0x22cu
#define KERNEL_ALIGNMENT 0x230u
#define RELOCATABLE_KERNEL 0x234u
#define XLOADFLAGS 0x236u
#define CMDLINE_SIZE 0x238u
#define PREF_ADDRESS 0x258u
#define INIT_SIZE 0x260u
#define HEADER_END 0x264u /* of protocol 2.10 */

/* In the zero page alone. */
#define ACPI_RSDP_ADDR 0x070u
#define E820_ENTRIES 0x1e8u
#define HEADER_ROOM 0x290u
#define E820_TABLE 0x2d0u
#define E820_ENTRY_BYTES 20u
#define ZERO_PAGE_BYTES 0x1000u

#define VERSION_MIN 0x020au
#define LOADED_HIGH 1u
#define XLF_KERNEL_64 1u
#define XLF_VERSION 0x020cu
#define LOADER_UNKNOWN 0xffu
#define ENTRY_64 0x200u
/* Linux has no larger one; a bound for what becomes an address. */
#define ALIGNMENT_MAX 0x40000000u

_Static_assert(E820_TABLE + PC_MAP_MAX * E820_ENTRY_BYTES <= ZERO_PAGE_BYTES, "zero page");

static const char *check_header(const uint8_t *image, uint64_t bytes, struct bzimage *out)
{
	if (bytes < HEADER_END)
		return "a bzImage that is cut short: its setup header is not all there";
	if (load_le16(image + BOOT_FLAG) != 0xaa55 || memcmp(image + HEADER, "HdrS", 4) != 0)
		return "not a bzImage: no HdrS at 0x202";
	if (load_le16(image + VERSION) < VERSION_MIN)
		return "a Linux older than 2.6.31 (boot protocol before 2.10)";
	if (!(image[LOADFLAGS] & LOADED_HIGH))
		return "a zImage for memory below 640 KiB; build a bzImage";
	out->header_end = HEADER + image[JUMP + 1];
	if (out->header_end < HEADER_END || out->header_end > HEADER_ROOM ||
	    out->header_end > bytes)
		return "a bzImage with a damaged setup header: its length is wrong";
	return NULL;
}

static const char *check_placement(const uint8_t *image, struct bzimage *out)
{
	uint32_t align = load_le32(image + KERNEL_ALIGNMENT);

	out->relocatable = image[RELOCATABLE_KERNEL] != 0;
	out->align = align;
	out->pref_address = load_le64(image + PREF_ADDRESS);
	out->init_size = load_le32(image + INIT_SIZE);
	out->initrd_max = load_le32(image + INITRD_ADDR_MAX);
	out->cmdline_max = load_le32(image + CMDLINE_SIZE);
	out->has_64 = load_le16(image + VERSION) >= XLF_VERSION &&
		      (load_le16(image + XLOADFLAGS) & XLF_KERNEL_64) != 0;
	if (!is_pow2_u64(align) || align > ALIGNMENT_MAX)
		return "a bzImage with a damaged setup header: its alignment is no power of two";
	if (out->init_size < out->code_bytes)
		return "a bzImage with a damaged setup header: it runs in less memory than it "
		       "has bytes";
	return NULL;
}

const char *bzimage_parse(const uint8_t *image, uint64_t bytes, struct bzimage *out)
{
	const char *error = check_header(image, bytes, out);
	uint64_t sectors;

	if (error != NULL)
		return error;
	sectors = image[SETUP_SECTS] == 0 ? 4 : image[SETUP_SECTS];
	out->code_offset = (sectors + 1) * SECTOR;
	out->code_bytes = (uint64_t)load_le32(image + SYSSIZE) * 16;
	if (out->code_bytes <= ENTRY_64)
		return "a bzImage with a damaged setup header: no code";
	/* The last 16 bytes that SYSSIZE counts need not be whole; a signature
	 * may stand behind. */
	if (bytes < out->code_offset || bytes - out->code_offset + 15 < out->code_bytes)
		return "a bzImage that is cut short: the setup header tells of more bytes";
	out->code_bytes = min_u64(out->code_bytes, bytes - out->code_offset);
	return check_placement(image, out);
}

/* Where it likes to be, or else, if it can, anywhere that has room. */
static uint64_t place_kernel(struct pc_put *p, const struct bzimage *k)
{
	if (k->pref_address < PC_4GIB && k->init_size <= PC_4GIB - k->pref_address &&
	    pc_take(&p->places, k->pref_address, k->init_size))
		return k->pref_address;
	if (!k->relocatable)
		return PC_NOWHERE;
	return pc_place(&p->places, k->init_size, k->align, PC_PUT_FROM, PC_4GIB,
			PC_PLACE_LOWEST);
}

static void fill_map(const struct pc_map *map, uint8_t *zero_page)
{
	zero_page[E820_ENTRIES] = (uint8_t)map->n;
	for (unsigned i = 0; i < map->n; i++) {
		uint8_t *to = zero_page + E820_TABLE + i * E820_ENTRY_BYTES;

		store_le64(to, map->range[i].start);
		store_le64(to + 8, map->range[i].size);
		store_le32(to + 16, map->range[i].type);
	}
}

static uint32_t put_zero_page(struct pc_put *p, const struct bzimage *k, uint64_t load)
{
	const struct pc_boot *b = p->boot;
	uint8_t page[ZERO_PAGE_BYTES] = { 0 };

	memcpy(page + SETUP_SECTS, b->kernel + SETUP_SECTS, k->header_end - SETUP_SECTS);
	page[TYPE_OF_LOADER] = LOADER_UNKNOWN;
	store_le32(page + CODE32_START, (uint32_t)load);
	store_le64(page + ACPI_RSDP_ADDR, b->rsdp);
	fill_map(b->map, page);
	if (b->n_modules != 0) {
		store_le32(page + RAMDISK_IMAGE,
			   pc_put_high(p, b->module[0].bytes, b->module[0].size,
				       (uint64_t)k->initrd_max + 1));
		store_le32(page + RAMDISK_SIZE, (uint32_t)b->module[0].size);
	}
	store_le32(page + CMD_LINE_PTR, pc_put_string(p, b->cmdline));
	return pc_put_bytes(p, page, sizeof(page), ZERO_PAGE_BYTES);
}

static const char *check_wishes(const struct pc_boot *b, const struct bzimage *k,
				enum pc_mode mode)
{
	if (mode == PC_MODE_LONG && !k->has_64)
		return "a bzImage without a 64-bit entry";
	if (mode == PC_MODE_REAL)
		return "a bzImage needs a BIOS to be entered in real mode";
	if (b->n_modules > 1)
		return "Linux takes one initrd";
	if (b->cmdline != NULL && strlen(b->cmdline) > k->cmdline_max)
		return "the command line is longer than this kernel takes";
	return NULL;
}

const char *bzimage_load(const struct pc_boot *boot, enum pc_mode mode, struct pc_entry *entry)
{
	struct bzimage k;
	struct pc_put p;
	uint64_t load, zero_page;
	const char *error = bzimage_parse(boot->kernel, boot->kernel_bytes, &k);

	if (error == NULL)
		error = check_wishes(boot, &k, mode);
	if (error != NULL)
		return error;
	pc_put_begin(&p, boot);
	load = place_kernel(&p, &k);
	if (load == PC_NOWHERE ||
	    !gmem_write(boot->mem, load, boot->kernel + k.code_offset, k.code_bytes))
		return k.relocatable ? "no room in the memory for the kernel"
				     : "no memory where the kernel must be; it cannot be moved";
	zero_page = put_zero_page(&p, &k, load);
	pc_put_entry(&p, mode, mode == PC_MODE_LONG ? load + ENTRY_64 : load, entry);
	entry->gpr[PC_RSI] = zero_page;
	entry->load = load;
	return pc_put_end(&p);
}
