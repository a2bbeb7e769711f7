/* Small images of the kinds that a PC guest boots, for tests. */
#pragma once

#include <selvage/base.h>
#include <stdint.h>
#include <string.h>

#define TEST_BZIMAGE_BYTES (5 * 512 + 0x400)
#define TEST_ELF_BYTES 0x400
#define TEST_MULTIBOOT_BYTES 0x400

/* Protocol 2.15, four sectors of setup, 0x400 bytes of code: 0x10 up to 0x2a0. */
static inline void test_bzimage(uint8_t *d)
{
	memset(d, 0, TEST_BZIMAGE_BYTES);
	d[0x1f1] = 4;
	store_le32(d + 0x1f4, 0x400 / 16);
	store_le16(d + 0x1fe, 0xaa55);
	store_le16(d + 0x200, 0x66eb);
	memcpy(d + 0x202, "HdrS", 4);
	store_le16(d + 0x206, 0x20f);
	d[0x211] = 1;
	store_le32(d + 0x22c, 0x7fffffff);
	store_le32(d + 0x230, 0x100000);
	d[0x234] = 1;
	store_le16(d + 0x236, 1);
	store_le32(d + 0x238, 100);
	store_le64(d + 0x258, 0x200000);
	store_le32(d + 0x260, 0x8000);
	memset(d + 5 * 512, 0x5a, 0x400);
}

/* ELF64: code at 1 MiB (virtual 0xffffffff80100000), data with BSS behind it,
 * and a note that names the entry 0x100040. */
static inline void test_elf(uint8_t *d)
{
	uint8_t *p = d + 64;

	memset(d, 0, TEST_ELF_BYTES);
	memcpy(d, "\177ELF\2\1\1", 7);
	store_le16(d + 16, 2);
	store_le16(d + 18, 62);
	store_le64(d + 24, 0xffffffff80100010);
	store_le64(d + 32, 64);
	store_le16(d + 54, 56);
	store_le16(d + 56, 3);
	store_le32(p, 1);
	store_le64(p + 8, 0x200);
	store_le64(p + 16, 0xffffffff80100000);
	store_le64(p + 24, 0x100000);
	store_le64(p + 32, 0x100);
	store_le64(p + 40, 0x100);
	p += 56;
	store_le32(p, 1);
	store_le64(p + 8, 0x300);
	store_le64(p + 16, 0xffffffff80101000);
	store_le64(p + 24, 0x101000);
	store_le64(p + 32, 0x100);
	store_le64(p + 40, 0x1000);
	p += 56;
	store_le32(p, 4);
	store_le64(p + 8, 0x180);
	store_le64(p + 32, 0x38);
	/* A note of somebody else, then the one. */
	p = d + 0x180;
	store_le32(p, 4);
	store_le32(p + 4, 4);
	store_le32(p + 8, 18);
	memcpy(p + 12, "GNU", 4);
	p += 20;
	store_le32(p, 4);
	store_le32(p + 4, 8);
	store_le32(p + 8, 18);
	memcpy(p + 12, "Xen", 4);
	store_le64(p + 16, 0x100040);
	memset(d + 0x200, 0x11, 0x100);
	memset(d + 0x300, 0x22, 0x100);
}

/* A header with addresses at 0x40: loaded from 0x20 on to 0x300000. */
static inline void test_multiboot(uint8_t *d)
{
	uint8_t *h = d + 0x40;

	memset(d, 0x33, TEST_MULTIBOOT_BYTES);
	store_le32(h, 0x1badb002);
	store_le32(h + 4, 0x10003);
	store_le32(h + 8, 0u - 0x1badb002u - 0x10003u);
	store_le32(h + 12, 0x300020);
	store_le32(h + 16, 0x300000);
	store_le32(h + 20, 0x300200);
	store_le32(h + 24, 0x301000);
	store_le32(h + 28, 0x300044);
}
