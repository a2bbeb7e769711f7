/* servers/block: a disk with anything on it. Its first bytes say which partition is wanted,
 * where a second piece of the input lies, and whether checksums are made to fit. */
#include "partition.h"

#include <selvage/base.h>
#include <selvage/crc32.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECTORS 256u

static uint8_t image[SECTORS * PARTITION_SECTOR];
static unsigned reads;

static bool read_sector(void *opaque, uint64_t sector, uint32_t n, void *to)
{
	(void)opaque;
	if (sector >= SECTORS || n != 1 || ++reads > 1000)
		abort();
	memcpy(to, image + sector * PARTITION_SECTOR, PARTITION_SECTOR);
	return true;
}

/* Else hardly anything passes. */
static void fit(uint8_t *h)
{
	uint64_t table = load_le64(h + 72);
	uint64_t bytes = (uint64_t)load_le32(h + 80) * load_le32(h + 84);

	if (table < SECTORS && bytes <= sizeof(image) - table * PARTITION_SECTOR)
		store_le32(h + 88, crc32_bytes(image + table * PARTITION_SECTOR, (size_t)bytes));
	store_le32(h + 16, 0);
	if (load_le32(h + 12) <= PARTITION_SECTOR)
		store_le32(h + 16, crc32_bytes(h, load_le32(h + 12)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct partition_disk disk = { NULL, SECTORS, read_sector };
	struct partition found = { 0, 0 };
	size_t first, at;

	if (size < 4)
		return 0;
	memset(image, 0, sizeof(image));
	first = min_u64(size - 4, 4 * PARTITION_SECTOR);
	memcpy(image, data + 4, first);
	at = (size_t)data[1] * PARTITION_SECTOR;
	memcpy(image + at, data + 4 + first, min_u64(size - 4 - first, sizeof(image) - at));
	if (data[2] & 1)
		fit(image + PARTITION_SECTOR);
	if (data[2] & 2)
		fit(image + (SECTORS - 1) * PARTITION_SECTOR);
	reads = 0;
	if (partition_find(&disk, data[0], &found) == NULL &&
	    (found.first == 0 || found.sectors == 0 ||
	     !range_within_u64(found.first, found.sectors, 0, SECTORS)))
		abort();
	return 0;
}
