/*
 * A driver of one virtio disk (MMIO, in the slot that a VM's first connection has) whose
 * server comes and goes: writes numbered blocks without end, flushes them and says which
 * the disk has acknowledged. When the device needs a reset it is reset, set up again as
 * soon as somebody serves it, and read: what was acknowledged is there. Without interrupts.
 */
#include "micro.h"

#define DEVICE 0x0a001000ull
#define POOL 0x40400000ull /* behind 4M of memory */
#define SIZE 32u
#define BYTES 4096u
#define WORDS (BYTES / 8)
#define SECTORS (BYTES / 512u)
#define SLOTS 64u /* of the disk: block n lies in slot n modulo SLOTS */
#define DEPTH 8u
#define POLL_US 2000u
#define SAY_US 100000u
#define MAGIC 0x646c6f682d69766dull

#define NEXT 1u
#define WRITE 2u
#define READ_BLOCK 0u
#define WRITE_BLOCK 1u
#define FLUSH 4u
#define NEEDS_RESET 0x40u
#define F_FLUSH (1ull << 9)
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
	uint8_t pad[2048 - 16 * SIZE - 2 * (2 + SIZE + 1)];
	uint16_t used[2 + 4 * SIZE + 1];
	uint8_t pad2[2048 - 2 * (2 + 4 * SIZE + 1)];
	struct {
		uint32_t type, zero;
		uint64_t sector;
	} header[DEPTH];
	uint8_t status[DEPTH];
	uint8_t pad3[4096 - 17 * DEPTH];
	uint64_t data[DEPTH][WORDS];
} *const pool = (volatile struct pool *)POOL;

static uint16_t made;

static uint32_t rd(unsigned offset) { return micro_read32(DEVICE + offset); }
static void wr(unsigned offset, uint64_t value) { micro_write32(DEVICE + offset, (uint32_t)value); }
static void barrier(void) { __asm__ volatile("dmb ish" ::
						     : "memory"); }

/* The timer's interrupt is not taken, and ends the WFI all the same. */
static void nap(uint64_t us)
{
	uint64_t hz;

	__asm__ volatile("mrs %0, cntfrq_el0"
			 : "=r"(hz));
	__asm__ volatile("msr cntv_cval_el0, %0\n\t"
			 "msr cntv_ctl_el0, %1\n\t"
			 "isb\n\t"
			 "wfi"
			 :
			 : "r"((micro_us() + us) * (hz / 1000000)), "r"(1ull)
			 : "memory");
}

/* --- The device ------------------------------------------------------------------------ */

static uint64_t offered(void)
{
	uint64_t low;

	wr(0x014, 0);
	low = rd(0x010);
	wr(0x014, 1);
	return low | (uint64_t)rd(0x010) << 32;
}

static void set_queue(void)
{
	const uint64_t area[3] = { (uint64_t)pool->desc, (uint64_t)pool->avail,
				   (uint64_t)pool->used };

	wr(0x030, 0);
	wr(0x038, SIZE);
	for (unsigned i = 0; i < 3; i++) {
		wr(0x080 + 16 * i, area[i]);
		wr(0x084 + 16 * i, area[i] >> 32);
	}
	wr(0x044, 1);
}

/* Nobody serves it: it has no features. */
static int start(void)
{
	uint64_t features;

	wr(0x070, 0);
	wr(0x070, 3);
	features = offered() & (F_FLUSH | VERSION_1 | ACCESS_PLATFORM);
	if (!(features & VERSION_1) || !(features & F_FLUSH))
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		wr(0x024, i);
		wr(0x020, features >> 32 * i);
	}
	wr(0x070, 11);
	made = 0;
	pool->avail[0] = pool->avail[1] = 0;
	pool->used[0] = pool->used[1] = 0;
	set_queue();
	wr(0x070, 15);
	return rd(0x070) == 15;
}

/* Request i, with its own buffer. */
static void prepare(unsigned i, uint32_t type, uint64_t slot)
{
	volatile struct desc *d = &pool->desc[3 * i];
	const unsigned last = type == FLUSH ? 1 : 2;

	pool->header[i].type = type;
	pool->header[i].zero = 0;
	pool->header[i].sector = type == FLUSH ? 0 : slot * SECTORS;
	pool->status[i] = 0xff;
	d[0] = (struct desc){ (uint64_t)&pool->header[i], 16, NEXT, (uint16_t)(3 * i + 1) };
	d[1] = (struct desc){ (uint64_t)pool->data[i], BYTES,
			      (uint16_t)(type == READ_BLOCK ? NEXT | WRITE : NEXT),
			      (uint16_t)(3 * i + 2) };
	d[last] = (struct desc){ (uint64_t)&pool->status[i], 1, WRITE, 0 };
	pool->avail[2 + made++ % SIZE] = (uint16_t)(3 * i);
}

/* Each of them comes back once. 0: the device needs a reset. */
static int finish(unsigned n)
{
	const uint16_t before = (uint16_t)(made - n);
	unsigned seen = 0;

	barrier();
	pool->avail[1] = made;
	barrier();
	wr(0x050, 0);
	while (pool->used[1] != made) {
		if (rd(0x070) & NEEDS_RESET)
			return 0;
		nap(POLL_US);
	}
	barrier();
	for (unsigned i = 0; i < n; i++) {
		const volatile uint16_t *used = &pool->used[2 + 4 * ((before + i) % SIZE)];
		const unsigned request = used[0] / 3u;

		if (used[0] % 3 != 0 || request >= n || (seen & 1u << request) ||
		    pool->status[request] != 0)
			micro_print("hold: FAILED: a request came back wrong, or twice\n");
		seen |= 1u << (request % 32);
	}
	return 1;
}

/* --- Blocks ------------------------------------------------------------------------------ */

static uint64_t word_of(uint64_t number, unsigned i)
{
	return (number * 0x9e3779b97f4a7c15ull + i) * 0xbf58476d1ce4e5b9ull;
}

static void fill(volatile uint64_t *block, uint64_t number)
{
	block[0] = MAGIC;
	block[1] = number;
	for (unsigned i = 2; i < WORDS; i++)
		block[i] = word_of(number, i);
}

static int is_right(const volatile uint64_t *block, uint64_t slot)
{
	if (block[0] != MAGIC)
		return 1; /* never written */
	for (unsigned i = 2; i < WORDS; i++)
		if (block[i] != word_of(block[1], i))
			return 0;
	return block[1] % SLOTS == slot;
}

/* The last number up to which all blocks are there; numbers begin with SLOTS. 0: the device
 * needs a reset. */
static uint64_t look(uint64_t *bad)
{
	uint64_t least = ~0ull;

	*bad = 0;
	for (uint64_t slot = 0; slot < SLOTS; slot += DEPTH) {
		for (unsigned i = 0; i < DEPTH; i++)
			prepare(i, READ_BLOCK, slot + i);
		if (!finish(DEPTH))
			return 0;
		for (unsigned i = 0; i < DEPTH; i++) {
			const volatile uint64_t *block = pool->data[i];
			const uint64_t number = block[0] == MAGIC ? block[1] : slot + i;

			*bad += !is_right(block, slot + i);
			least = number < least ? number : least;
		}
	}
	return least + SLOTS - 1;
}

static int write_some(uint64_t first)
{
	for (unsigned i = 0; i < DEPTH; i++) {
		fill(pool->data[i], first + i);
		prepare(i, WRITE_BLOCK, (first + i) % SLOTS);
	}
	if (!finish(DEPTH))
		return 0;
	prepare(0, FLUSH, 0);
	return finish(1);
}

static void say(const char *what, uint64_t number, const char *end)
{
	micro_print(what);
	micro_print_number(number);
	micro_print(end);
}

/* Until the device needs a reset. */
static void work(uint64_t *acknowledged)
{
	uint64_t bad, said = 0, number = look(&bad);

	if (number == 0)
		return;
	say("hold: holds ", number, "");
	say(", bad ", bad, "\n");
	if (number < *acknowledged)
		micro_print("hold: FAILED: the disk acknowledged more than it holds\n");
	for (; write_some(number + 1); number += DEPTH) {
		*acknowledged = number + DEPTH;
		if (micro_us() - said < SAY_US)
			continue;
		said = micro_us();
		say("hold: acknowledged ", *acknowledged, "\n");
	}
}

void micro_main(void)
{
	uint64_t acknowledged = 0;

	for (;;) {
		while (!start())
			nap(50000);
		work(&acknowledged);
		micro_print("hold: needs a reset\n");
	}
}
