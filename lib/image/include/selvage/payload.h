/*
 * The payload area of a system image: process images, guest images and the
 * compiled description, each named and hashed. The loader leaves it where
 * the firmware put it, in RAM that it marks reserved, so that it comes to
 * init as device untypeds. Its place is told to init in the devicetree:
 * /chosen has `selvage,payload = <address(u64) size(u64)>`.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PAYLOAD_MAGIC 0x444c5953u /* "SYLD" */
#define PAYLOAD_VERSION 1u
#define PAYLOAD_NAME 48
#define PAYLOAD_MAX 512
#define PAYLOAD_ALIGN 4096u           /* of the area and of every item */
#define PAYLOAD_LARGE_ALIGN 0x200000u /* of items of 2 MiB and more */

enum payload_kind {
	PAYLOAD_DESCRIPTION = 1, /* struct sysdesc; exactly one */
	PAYLOAD_PROCESS = 2,     /* ELF of a native process, named "vmm", ... */
	PAYLOAD_GUEST = 3,       /* an image for a VM */
};

struct payload_item {
	char name[PAYLOAD_NAME]; /* NUL-terminated */
	uint32_t kind;
	uint32_t crc32;  /* of the item's bytes */
	uint64_t offset; /* from the area's start; PAYLOAD_ALIGN */
	uint64_t size;   /* bytes */
};

struct payload_header {
	uint32_t magic;
	uint32_t version;
	uint32_t n_items;
	uint32_t crc32; /* of the n_items records */
	uint64_t size;  /* of the whole area, bytes */
	struct payload_item item[];
};

/*
 * Whether the area of `size` bytes at `area` has a sound header and index
 * (items inside the area, aligned, not overlapping the index or each other,
 * names terminated). NULL if so, else a static text. Item contents are not
 * read; payload_item_intact() does that.
 */
const char *payload_check(const void *area, size_t size);
int payload_item_intact(const struct payload_header *h, uint32_t index);
/* Index of the item, or -1. */
int payload_find(const struct payload_header *h, uint32_t kind, const char *name);
