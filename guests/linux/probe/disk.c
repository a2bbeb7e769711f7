/* Requests of 4 KiB to a disk, past the page cache, a number of them under way. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BYTES 4096u
#define MOST 128u

struct run {
	int fd;
	bool writes, random, verify;
	uint64_t depth, requests, blocks;
	uint64_t done, bad, sum, state;
	aio_context_t context;
	uint64_t block[MOST]; /* of the request that a buffer is for */
	uint64_t (*buffer)[BYTES / 8];
};

/* As written: each word tells block and place. */
static uint64_t word(uint64_t block, unsigned k)
{
	return (block << 16 | k) * 0x9e3779b97f4a7c15u;
}

static uint64_t next_block(struct run *r)
{
	uint64_t n = r->done;

	if (r->random) {
		r->state ^= r->state >> 12;
		r->state ^= r->state << 25;
		r->state ^= r->state >> 27;
		n = r->state * 0x2545f4914f6cdd1dull;
	}
	return n % r->blocks;
}

static void prepare(struct run *r, struct iocb *io, unsigned i)
{
	uint64_t block = next_block(r);

	r->done++;
	r->block[i] = block;
	for (unsigned k = 0; r->writes && k < BYTES / 8; k++)
		r->buffer[i][k] = word(block, k);
	*io = (struct iocb){
		.aio_data = i,
		.aio_lio_opcode = r->writes ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)r->fd,
		.aio_buf = (uint64_t)(uintptr_t)r->buffer[i],
		.aio_nbytes = BYTES,
		.aio_offset = (int64_t)(block * BYTES),
	};
}

static void judge(struct run *r, const struct io_event *e)
{
	const unsigned i = (unsigned)e->data;

	r->bad += e->res != BYTES;
	r->sum += r->buffer[i][0] ^ r->buffer[i][BYTES / 8 - 1];
	for (unsigned k = 0; r->verify && k < BYTES / 8; k++)
		if (r->buffer[i][k] != word(r->block[i], k)) {
			r->bad++;
			break;
		}
}

/* A burst of `n`, and all of them back. */
static bool burst(struct run *r, unsigned n)
{
	struct iocb io[MOST], *list[MOST];
	struct io_event events[MOST];

	for (unsigned i = 0; i < n; i++) {
		prepare(r, &io[i], i);
		list[i] = &io[i];
	}
	if (syscall(SYS_io_submit, r->context, (long)n, list) != (long)n ||
	    syscall(SYS_io_getevents, r->context, (long)n, (long)n, events, NULL) != (long)n)
		return false;
	for (unsigned i = 0; i < n; i++)
		judge(r, &events[i]);
	return true;
}

static bool work(struct run *r)
{
	bool good = true;

	mark();
	while (good && r->done < r->requests) {
		uint64_t left = r->requests - r->done;

		good = burst(r, (unsigned)(left < r->depth ? left : r->depth));
	}
	mark();
	return good;
}

/* disk PATH read|write DEPTH REQUESTS [random|-] [verify]: `verify` reads what
 * `write` wrote. The marks are for the instruction counter. */
int probe_disk(int argc, char **argv)
{
	struct run r = {
		.writes = argc > 2 && strcmp(argv[2], "write") == 0,
		.random = argc > 5 && strcmp(argv[5], "random") == 0,
		.verify = argc > 6 && strcmp(argv[6], "verify") == 0,
		.depth = number_arg(argc, argv, 3, 1),
		.requests = number_arg(argc, argv, 4, 256),
		.state = 0x5e1fa9e0c0ffee,
	};
	bool good;

	r.fd = open(argc > 1 ? argv[1] : "/dev/vda", (r.writes ? O_RDWR : O_RDONLY) | O_DIRECT);
	if (r.fd >= 0)
		r.blocks = (uint64_t)lseek(r.fd, 0, SEEK_END) / BYTES;
	if (r.fd < 0 || r.blocks == 0 || r.depth == 0 || r.depth > MOST ||
	    posix_memalign((void **)&r.buffer, BYTES, MOST * BYTES) != 0 ||
	    syscall(SYS_io_setup, MOST, &r.context) != 0) {
		printf("disk: cannot begin: %s\n", strerror(errno));
		return 1;
	}
	memset(r.buffer, 0, MOST * BYTES);
	good = work(&r);
	if (r.writes && fsync(r.fd) != 0)
		good = false;
	printf("disk: %s depth %llu requests %llu bytes %llu checksum %016llx bad %llu%s\n",
	       r.writes ? "write" : "read", (unsigned long long)r.depth,
	       (unsigned long long)r.done, (unsigned long long)(r.done * BYTES),
	       (unsigned long long)r.sum, (unsigned long long)r.bad, good ? "" : " failed");
	return !good || r.bad != 0;
}
