/* servers/block: partition tables, sound ones and others. */
#include "partition.h"

#include <selvage/base.h>
#include <selvage/crc32.h>
#include <string.h>

#include "unit.h"

#define SECTORS 4096u

static uint8_t image[SECTORS * PARTITION_SECTOR];
static unsigned reads;
static uint64_t bad_sector;

static bool read_sector(void *opaque, uint64_t sector, uint32_t n, void *to)
{
	(void)opaque;
	reads++;
	assert_true(sector + n <= SECTORS && n == 1);
	memcpy(to, image + sector * PARTITION_SECTOR, PARTITION_SECTOR);
	return sector != bad_sector;
}

static const struct partition_disk disk = { NULL, SECTORS, read_sector };
static struct partition found;

static void clear(void)
{
	memset(image, 0, sizeof(image));
	bad_sector = SECTORS;
	reads = 0;
}

static void sign(uint64_t sector)
{
	image[sector * PARTITION_SECTOR + 510] = 0x55;
	image[sector * PARTITION_SECTOR + 511] = 0xaa;
}

static void mbr(uint64_t sector, unsigned n, uint8_t type, uint32_t first, uint32_t sectors)
{
	uint8_t *e = image + sector * PARTITION_SECTOR + 446 + 16 * n;

	e[4] = type;
	store_le32(e + 8, first);
	store_le32(e + 12, sectors);
	sign(sector);
}

static void is(unsigned number, uint64_t first, uint64_t sectors)
{
	assert_null(partition_find(&disk, number, &found));
	assert_int_equal(found.first, first);
	assert_int_equal(found.sectors, sectors);
}

static void is_not(unsigned number, const char *why)
{
	const char *wrong = partition_find(&disk, number, &found);

	assert_non_null(wrong);
	assert_non_null(strstr(wrong, why));
}

static void primary(void **state)
{
	(void)state;
	clear();
	is_not(1, "no partition table");
	mbr(0, 0, 0x83, 64, 100);
	mbr(0, 1, 0x83, 164, SECTORS - 164);
	mbr(0, 2, 0x83, 164, SECTORS - 163);
	mbr(0, 3, 0x83, 0, 10);
	is(1, 64, 100);
	is(2, 164, SECTORS - 164);
	is_not(3, "not within");
	is_not(4, "not within");
	is_not(0, "no such");
	is_not(5, "no such");
	is_not(PARTITION_MAX + 1, "no such");
	mbr(0, 0, 0x83, 0xffffffff, 0xffffffff);
	is_not(1, "not within");
	mbr(0, 0, 0, 64, 100);
	is_not(1, "no such");
	bad_sector = 0;
	is_not(1, "cannot be read");
}

static void logical(void **state)
{
	(void)state;
	clear();
	mbr(0, 1, 0x05, 1000, 1000);
	mbr(1000, 0, 0x83, 10, 90);
	mbr(1000, 1, 0x05, 200, 100);
	mbr(1200, 0, 0x83, 5, 50);
	is_not(2, "extended");
	is(5, 1010, 90);
	is(6, 1205, 50);
	is_not(7, "no such");
	/* In a circle, and off the disk. */
	mbr(1200, 1, 0x05, 0, 100);
	reads = 0;
	is(PARTITION_MAX - 1, 1010, 90);
	assert_true(reads <= PARTITION_MAX);
	mbr(1200, 1, 0x05, 0xffffffff, 100);
	is_not(7, "leaves the disk");
	mbr(0, 1, 0x05, 0xffffffff, 1000);
	is_not(5, "leaves the disk");
}

/* Header at `at`, 128 entries at `table`. */
static void gpt(uint64_t at, uint64_t table)
{
	uint8_t *h = image + at * PARTITION_SECTOR, *e = image + table * PARTITION_SECTOR;

	memset(e, 0, 128 * 128);
	for (unsigned i = 0; i < 3; i++) {
		e[i * 128] = 1;
		store_le64(e + i * 128 + 32, 100 + 100 * i);
		store_le64(e + i * 128 + 40, i < 2 ? 199 + 100 * i : SECTORS);
	}
	memcpy(h, "EFI PART", 8);
	store_le32(h + 12, 92);
	store_le32(h + 16, 0);
	store_le64(h + 24, at);
	store_le64(h + 72, table);
	store_le32(h + 80, 128);
	store_le32(h + 84, 128);
	store_le32(h + 88, crc32_bytes(e, 128 * 128));
	store_le32(h + 16, crc32_bytes(h, 92));
}

static void change(uint64_t at, unsigned offset, uint32_t value)
{
	uint8_t *h = image + at * PARTITION_SECTOR;

	store_le32(h + offset, value);
	store_le32(h + 16, 0);
	store_le32(h + 16, crc32_bytes(h, 92));
}

static void guid_table(void **state)
{
	static const struct {
		unsigned offset;
		uint32_t value;
	} wrong[] = {
		{ 12, 0 },
		{ 12, 513 },
		{ 24, 2 },
		{ 72, SECTORS - 1 },
		{ 76, 0xffffffff },
		{ 80, 0 },
		{ 80, 0xffffffff },
		{ 84, 0 },
		{ 84, 127 },
		{ 84, 1024 },
		{ 88, 0 },
	};

	(void)state;
	clear();
	mbr(0, 0, 0xee, 1, SECTORS - 1);
	is_not(1, "damaged");
	gpt(1, 2);
	is(1, 100, 100);
	is(2, 200, 100);
	is_not(3, "not within");
	is_not(4, "no such");
	is_not(128, "no such");
	/* Each damage of the first leaves the second. */
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		gpt(1, 2);
		change(1, wrong[i].offset, wrong[i].value);
		memset(image + (uint64_t)(SECTORS - 1) * PARTITION_SECTOR, 0, PARTITION_SECTOR);
		is_not(1, "damaged");
		gpt(SECTORS - 1, SECTORS - 33);
		is(1, 100, 100);
	}
	gpt(1, 2);
	image[2 * PARTITION_SECTOR + 32] ^= 1; /* the table's checksum */
	is(1, 100, 100);
	bad_sector = SECTORS - 1;
	is_not(1, "damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(primary),
		cmocka_unit_test(logical),
		cmocka_unit_test(guid_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
