/* Whether a disk holds what it acknowledged, over whatever becomes of the VM and of who
 * serves the disk. */
#include "probe.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAGIC 0x646c6f682d796573ull
#define BLOCK 4096u
#define WORDS (BLOCK / 8)
#define DEPTH 8u
#define MAX_SLOTS 1024u

static uint64_t blocks[DEPTH + 1][WORDS] __attribute__((aligned(BLOCK)));
static uint64_t slots;
static int disk;

static uint64_t word_of(uint64_t number, unsigned i)
{
	uint64_t x = number * 0x9e3779b97f4a7c15ull + i;

	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9ull;
}

/* Block `number` lies in slot `number` modulo slots. */
static void fill(uint64_t *block, uint64_t number)
{
	block[0] = MAGIC;
	block[1] = number;
	for (unsigned i = 2; i < WORDS; i++)
		block[i] = word_of(number, i);
}

static int is_whole(const uint64_t *block)
{
	for (unsigned i = 2; i < WORDS; i++)
		if (block[i] != word_of(block[1], i))
			return 0;
	return 1;
}

static int read_slot(uint64_t slot)
{
	return pread(disk, blocks[DEPTH], BLOCK, (off_t)(slot * BLOCK)) == BLOCK;
}

/* The last number up to which all blocks are there, if each slot has the latest that
 * was written to it: numbers begin with `slots`. */
static uint64_t look(uint64_t *bad)
{
	const uint64_t *b = blocks[DEPTH];
	uint64_t least = UINT64_MAX;

	for (uint64_t i = 0; i < slots; i++) {
		uint64_t number = i;

		if (!read_slot(i) || (b[0] == MAGIC && (!is_whole(b) || b[1] % slots != i)))
			++*bad;
		else if (b[0] == MAGIC)
			number = b[1];
		if (number < least)
			least = number;
	}
	return least + slots - 1;
}

/* Numbers first to first + DEPTH - 1, all at once; each is to be done once. */
static int write_some(aio_context_t queue, uint64_t first)
{
	static struct iocb request[DEPTH];
	struct iocb *list[DEPTH];
	struct io_event done[DEPTH];
	unsigned seen = 0;

	for (unsigned i = 0; i < DEPTH; i++) {
		fill(blocks[i], first + i);
		request[i] = (struct iocb){
			.aio_data = i,
			.aio_lio_opcode = IOCB_CMD_PWRITE,
			.aio_fildes = (uint32_t)disk,
			.aio_buf = (uintptr_t)blocks[i],
			.aio_nbytes = BLOCK,
			.aio_offset = (int64_t)((first + i) % slots * BLOCK),
		};
		list[i] = &request[i];
	}
	if (syscall(SYS_io_submit, queue, DEPTH, list) != DEPTH ||
	    syscall(SYS_io_getevents, queue, DEPTH, DEPTH, done, NULL) != DEPTH)
		return 0;
	for (unsigned i = 0; i < DEPTH; i++) {
		if (done[i].res != BLOCK)
			return 0;
		seen |= 1u << done[i].data;
	}
	return seen == (1u << DEPTH) - 1;
}

static int fails(const char *why, uint64_t number)
{
	printf("hold: FAILED: %s, block %llu\n", why, (unsigned long long)number);
	return 1;
}

/* hold DISK SLOTS: says what the disk holds, then writes without end and says what the
 * disk has acknowledged. */
int probe_hold(int argc, char **argv)
{
	aio_context_t queue = 0;
	uint64_t number, bad = 0, said = 0;

	slots = number_arg(argc, argv, 2, 64);
	disk = argc < 2 ? -1 : open(argv[1], O_RDWR | O_DIRECT);
	if (disk < 0 || slots < DEPTH || slots > MAX_SLOTS ||
	    syscall(SYS_io_setup, DEPTH, &queue) != 0)
		return fails("cannot begin", 0);
	number = look(&bad);
	printf("hold: holds %llu, bad %llu\n", (unsigned long long)number,
	       (unsigned long long)bad);
	for (;; number += DEPTH) {
		if (!write_some(queue, number + 1))
			return fails("not written, or not once", number + 1);
		if (!read_slot((number + 1) % slots) ||
		    memcmp(blocks[DEPTH], blocks[0], BLOCK) != 0)
			return fails("read back as another one", number + 1);
		if (clock_ns() - said < 100000000u)
			continue;
		said = clock_ns();
		printf("hold: acknowledged %llu\n", (unsigned long long)(number + DEPTH));
	}
}
