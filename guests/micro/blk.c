/*
 * A driver of one virtio disk (vdev.h) that asks for 4 KiB at a time, 1 or 32 requests
 * under way, as a good driver does it: rings and buffers in the pool, event index, one
 * kick for a burst, and an interrupt that it acknowledges. For `make bench`: a mark before
 * and behind what counts, `blk ROW REQUESTS` in the order of the marks. What it writes it
 * reads back.
 */
#include "micro.h"
#include "vdev.h"

/* The pool, or memory like any other (tests/bench/load.py). */
#define POOL 0x40400000ull
#define SIZE 128u
#define BYTES 4096u
#define SECTORS (BYTES / 512u)
#define REQUESTS 512u
#define MOST 32u

#define NEXT 1u
#define WRITE 2u
#define EVENT_IDX (1ull << 29)
#define VERSION_1 (1ull << 32)
#define ACCESS_PLATFORM (1ull << 33)

struct desc {
	uint64_t at;
	uint32_t bytes;
	uint16_t flags, next;
};

/* All that the device reaches. */
static volatile struct pool {
	struct desc desc[SIZE];
	uint16_t avail[2 + SIZE + 1];
	uint8_t pad[4096 - 16 * SIZE - 2 * (2 + SIZE + 1)];
	uint16_t used[2 + 4 * SIZE + 1];
	uint8_t pad2[4096 - 2 * (2 + 4 * SIZE + 1)];
	struct {
		uint32_t type, zero;
		uint64_t sector;
	} header[MOST];
	uint8_t status[MOST];
	uint8_t pad3[4096 - 17 * MOST];
	uint64_t data[MOST][BYTES / 8];
} *const pool = (volatile struct pool *)POOL;

static uint16_t made;
static unsigned wrong;

static void barrier(void) { __asm__ volatile("dmb ish" ::
						     : "memory"); }
static void mark(void) { __asm__ volatile("hint #93" ::
						  : "memory"); }

/* --- The device --------------------------------------------------------------------------- */

static void wait_for_interrupt(void)
{
	while (!vdev_take_interrupt())
		__asm__ volatile("wfi" ::
					 : "memory");
}

static int start(void)
{
	const uint64_t got = vdev_start(EVENT_IDX | VERSION_1 | ACCESS_PLATFORM);

	vdev_set_up_interrupts();
	vdev_queue(0, SIZE, pool->desc, pool->avail, pool->used);
	return vdev_go() && (got & EVENT_IDX);
}

/* Request i: header, data, status. */
static void prepare(unsigned i, int write, uint32_t block)
{
	volatile struct desc *d = &pool->desc[3 * i];

	pool->header[i].type = write ? 1 : 0;
	pool->header[i].zero = 0;
	pool->header[i].sector = (uint64_t)block * SECTORS;
	pool->status[i] = 0xff;
	d[0].at = (uint64_t)&pool->header[i];
	d[0].bytes = 16;
	d[0].flags = NEXT;
	d[0].next = (uint16_t)(3 * i + 1);
	d[1].at = (uint64_t)pool->data[i];
	d[1].bytes = BYTES;
	d[1].flags = write ? NEXT : NEXT | WRITE;
	d[1].next = (uint16_t)(3 * i + 2);
	d[2].at = (uint64_t)&pool->status[i];
	d[2].bytes = 1;
	d[2].flags = WRITE;
	pool->avail[2 + made++ % SIZE] = (uint16_t)(3 * i);
}

/* Whether `event` is among those from `old` up to before `now`. */
static int passed(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

static void publish(void)
{
	const uint16_t old = pool->avail[1];

	barrier();
	pool->avail[1] = made;
	barrier();
	if (passed(pool->used[2 + 4 * SIZE], made, old))
		vdev_kick(0);
}

static void burst(unsigned depth, int write, uint32_t block)
{
	for (unsigned i = 0; i < depth; i++)
		prepare(i, write, block + i);
	/* An interrupt for the last of them. */
	pool->avail[2 + SIZE] = (uint16_t)(made - 1);
	publish();
	while (pool->used[1] != made)
		wait_for_interrupt();
	for (unsigned i = 0; i < depth; i++)
		wrong += pool->status[i] != 0;
}

/* --- Rows ----------------------------------------------------------------------------------- */

static void row(const char *name, unsigned depth, int write)
{
	for (unsigned i = 0; i < 4; i++) /* warm */
		burst(depth, write, i * depth);
	mark();
	for (uint32_t block = 0; block < REQUESTS; block += depth)
		burst(depth, write, block);
	mark();
	micro_print("blk ");
	micro_print(name);
	micro_print(" ");
	micro_print_number(REQUESTS);
	micro_print("\n");
}

/* Each word of the disk's tells where it is. */
static void fill(void)
{
	for (uint32_t block = 0; block < REQUESTS; block += MOST) {
		for (unsigned i = 0; i < MOST; i++)
			for (unsigned k = 0; k < BYTES / 8; k++)
				pool->data[i][k] = (uint64_t)(block + i) << 32 | k;
		burst(MOST, 1, block);
	}
}

static void verify(void)
{
	for (uint32_t block = 0; block < REQUESTS; block += MOST) {
		burst(MOST, 0, block);
		for (unsigned i = 0; i < MOST; i++)
			for (unsigned k = 0; k < BYTES / 8; k++)
				wrong += pool->data[i][k] != ((uint64_t)(block + i) << 32 | k);
	}
}

void micro_main(void)
{
	__asm__ volatile("msr daifset, #15");
	if (!vdev_find(2) || !start()) {
		micro_print("blk: no disk\n");
		micro_power_off();
	}
	fill();
	row("blk_read_4k_qd1", 1, 0);
	row("blk_read_4k_qd32", MOST, 0);
	verify();
	row("blk_write_4k_qd1", 1, 1);
	row("blk_write_4k_qd32", MOST, 1);
	micro_print("blk: wrong ");
	micro_print_number(wrong);
	micro_print("\nbench done\n");
	micro_power_off();
}
