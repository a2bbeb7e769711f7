#include "partition.h"

#include <selvage/base.h>
#include <selvage/crc32.h>
#include <string.h>

/* MBR. */
#define ENTRIES 446u
#define ENTRY_BYTES 16u
#define PRIMARY 4u
#define TYPE 4u /* offsets in an entry */
#define START 8u
#define LENGTH 12u
#define SIGNATURE 510u
#define TYPE_GPT 0xeeu
/* GPT: the header's fields (table 5-5), an entry's (table 5-6). */
#define HEADER_BYTES 12u
#define HEADER_CRC 16u
#define MY_LBA 24u
#define ENTRY_LBA 72u
#define N_ENTRIES 80u
#define SIZE_OF_ENTRY 84u
#define ENTRIES_CRC 88u
#define HEADER_MIN 92u
#define ENTRY_FIRST 32u
#define ENTRY_LAST 40u
#define GUID_BYTES 16u
#define ENTRY_MIN 128u
#define ENTRIES_MAX 1024u /* the more a table has, the more is read for its checksum */

static const char unreadable[] = "the disk cannot be read";
static const char none[] = "the disk has no such partition";

static bool read_one(const struct partition_disk *disk, uint64_t sector, uint8_t *to)
{
	return sector < disk->sectors && disk->read(disk->opaque, sector, 1, to);
}

static const char *take(const struct partition_disk *disk, uint64_t first, uint64_t sectors,
			struct partition *found)
{
	if (sectors == 0)
		return none;
	if (first == 0 || !range_within_u64(first, sectors, 0, disk->sectors))
		return "the partition is not within the disk";
	*found = (struct partition){ first, sectors };
	return NULL;
}

/* --- GPT ------------------------------------------------------------------------------ */

struct gpt {
	uint64_t entries; /* sector */
	uint32_t n, size;
	uint32_t crc;
};

/* The header at that sector. */
static bool take_header(const struct partition_disk *disk, uint64_t sector, struct gpt *g)
{
	uint8_t b[PARTITION_SECTOR];
	uint32_t bytes, crc;

	if (!read_one(disk, sector, b) || memcmp(b, "EFI PART", 8) != 0)
		return false;
	bytes = load_le32(b + HEADER_BYTES);
	if (bytes < HEADER_MIN || bytes > sizeof(b) || load_le64(b + MY_LBA) != sector)
		return false;
	crc = load_le32(b + HEADER_CRC);
	store_le32(b + HEADER_CRC, 0);
	if (crc32_bytes(b, bytes) != crc)
		return false;
	*g = (struct gpt){ load_le64(b + ENTRY_LBA), load_le32(b + N_ENTRIES),
			   load_le32(b + SIZE_OF_ENTRY), load_le32(b + ENTRIES_CRC) };
	/* Those of which a sector has several, as all tables are. */
	return g->size >= ENTRY_MIN && g->size <= PARTITION_SECTOR && is_pow2_u64(g->size) &&
	       g->n >= 1 && g->n <= ENTRIES_MAX &&
	       range_within_u64(g->entries, div_up_u64((uint64_t)g->n * g->size, PARTITION_SECTOR),
				0, disk->sectors);
}

/* All of the table, for its checksum; the entry, if the table has it, on the way. */
static bool scan_entries(const struct partition_disk *disk, const struct gpt *g, uint32_t wanted,
			 uint8_t entry[ENTRY_MIN])
{
	const uint32_t per_sector = PARTITION_SECTOR / g->size;
	uint8_t b[PARTITION_SECTOR];
	uint32_t crc = 0;

	memset(entry, 0, ENTRY_MIN);
	for (uint32_t i = 0; i < g->n; i += per_sector) {
		uint32_t n = min_u32(per_sector, g->n - i);

		if (!read_one(disk, g->entries + i / per_sector, b))
			return false;
		crc = crc32_update(crc, b, (size_t)n * g->size);
		if (wanted - i < n)
			memcpy(entry, b + (size_t)(wanted - i) * g->size, ENTRY_MIN);
	}
	return crc == g->crc;
}

static const char *find_gpt(const struct partition_disk *disk, unsigned number,
			    struct partition *found)
{
	static const uint8_t unused[GUID_BYTES];
	uint8_t entry[ENTRY_MIN];
	uint64_t first, last;
	struct gpt g;
	bool good = take_header(disk, 1, &g) && scan_entries(disk, &g, number - 1, entry);

	/* The other one is in the last sector. */
	if (!good && !(take_header(disk, disk->sectors - 1, &g) &&
		       scan_entries(disk, &g, number - 1, entry)))
		return "its GPT is damaged, and the copy at its end too";
	if (memcmp(entry, unused, sizeof(unused)) == 0)
		return none;
	first = load_le64(entry + ENTRY_FIRST);
	last = load_le64(entry + ENTRY_LAST);
	if (last < first)
		return "the partition ends before it begins";
	return last == UINT64_MAX ? "the partition is not within the disk"
				  : take(disk, first, last - first + 1, found);
}

/* --- MBR ------------------------------------------------------------------------------ */

static bool is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

static bool is_signed(const uint8_t *b)
{
	return b[SIGNATURE] == 0x55 && b[SIGNATURE + 1] == 0xaa;
}

/* A chain of tables, each with one partition and the place of the next table, relative
 * to the first. */
static const char *find_logical(const struct partition_disk *disk, uint64_t extended,
				unsigned number, struct partition *found)
{
	uint64_t at = extended;
	uint8_t b[PARTITION_SECTOR];

	for (unsigned i = PRIMARY + 1; i <= number; i++) {
		const uint8_t *entry = b + ENTRIES, *next = entry + ENTRY_BYTES;

		if (!read_one(disk, at, b))
			return at < disk->sectors ? unreadable
						  : "an extended partition that leaves the disk";
		if (!is_signed(b))
			return none;
		if (i == number)
			return entry[TYPE] == 0 ? none
						: take(disk, at + load_le32(entry + START),
						       load_le32(entry + LENGTH), found);
		if (!is_extended(next[TYPE]))
			return none;
		at = extended + load_le32(next + START);
	}
	return none;
}

static const char *find_mbr(const struct partition_disk *disk, const uint8_t *b, unsigned number,
			    struct partition *found)
{
	const uint8_t *entry = b + ENTRIES + (size_t)ENTRY_BYTES * ((number - 1) % PRIMARY);

	if (number <= PRIMARY) {
		if (is_extended(entry[TYPE]))
			return "it is an extended partition; take one that is in it";
		return entry[TYPE] == 0 ? none
					: take(disk, load_le32(entry + START),
					       load_le32(entry + LENGTH), found);
	}
	for (unsigned i = 0; i < PRIMARY; i++) {
		const uint8_t *e = b + ENTRIES + (size_t)ENTRY_BYTES * i;

		if (is_extended(e[TYPE]))
			return find_logical(disk, load_le32(e + START), number, found);
	}
	return none;
}

const char *partition_find(const struct partition_disk *disk, unsigned number,
			   struct partition *found)
{
	uint8_t b[PARTITION_SECTOR];

	if (number == 0 || number > PARTITION_MAX)
		return none;
	if (disk->sectors < 3)
		return "the disk is too short for partitions";
	if (!read_one(disk, 0, b))
		return unreadable;
	if (!is_signed(b))
		return "the disk has no partition table";
	for (unsigned i = 0; i < PRIMARY; i++)
		if (b[ENTRIES + ENTRY_BYTES * i + TYPE] == TYPE_GPT)
			return find_gpt(disk, number, found);
	return find_mbr(disk, b, number, found);
}
