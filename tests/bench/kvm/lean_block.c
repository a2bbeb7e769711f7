#define _GNU_SOURCE
#include "lean.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR_BYTES 512u
#define NEXT 1u

struct desc {
	uint64_t at;
	uint32_t bytes;
	uint16_t flags, next;
};

struct head {
	uint32_t type, reserved;
	uint64_t sector;
};

static int disk;

uint64_t lean_block_open(const char *path)
{
	struct stat about;

	disk = open(path, O_RDWR | O_CLOEXEC);
	must(disk >= 0 && fstat(disk, &about) == 0, path);
	return (uint64_t)about.st_size / SECTOR_BYTES;
}

/* Head, data, status: three descriptors, as the guest's driver makes them. */
static uint32_t serve(const struct desc *descs, unsigned size, unsigned head)
{
	const struct desc *first = &descs[head % size], *data = &descs[first->next % size];
	const struct desc *last = &descs[data->next % size];
	const struct head *h = lean_at(first->at, sizeof(*h));
	void *memory = lean_at(data->at, data->bytes);
	off_t at = (off_t)(h->sector * SECTOR_BYTES);
	ssize_t n = h->type == 0 ? pread(disk, memory, data->bytes, at)
				 : pwrite(disk, memory, data->bytes, at);

	must(first->flags & NEXT && data->flags & NEXT, "a request of three parts");
	*(uint8_t *)lean_at(last->at, 1) = n == (ssize_t)data->bytes ? 0 : 1;
	return h->type == 0 ? data->bytes + 1 : 1;
}

static void *work(void *argument)
{
	const struct lean_queue *q = argument;
	const struct desc *descs = lean_at(q->areas[0], sizeof(*descs) * q->size);
	const uint16_t *avail = lean_at(q->areas[1], 6 + 2ull * q->size);
	uint16_t *used = lean_at(q->areas[2], 6 + 8ull * q->size);
	uint16_t done = 0, told = 0;
	uint64_t count = 1;

	for (;;) {
		while (__atomic_load_n(&avail[1], __ATOMIC_ACQUIRE) != done) {
			unsigned head = avail[2 + done % q->size];
			uint32_t *entry = (uint32_t *)(void *)&used[2 + 4 * (done % q->size)];

			entry[1] = serve(descs, q->size, head);
			entry[0] = head;
			__atomic_store_n(&used[1], ++done, __ATOMIC_RELEASE);
		}
		/* The next kick wanted, and whether the guest wants to know. */
		__atomic_store_n(&used[2 + 4 * q->size], done, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(&avail[1], __ATOMIC_ACQUIRE) != done)
			continue;
		if ((uint16_t)(done - avail[2 + q->size] - 1) < (uint16_t)(done - told))
			must(write(q->call, &(uint64_t){ 1 }, 8) == 8, "an interrupt");
		told = done;
		must(read(q->kick, &count, sizeof(count)) == sizeof(count), "a kick");
	}
	return NULL;
}

void lean_block_start(const struct lean_queue *queues, unsigned n)
{
	pthread_t thread;

	(void)n;
	must(pthread_create(&thread, NULL, work, (void *)(uintptr_t)queues) == 0, "a thread");
}
