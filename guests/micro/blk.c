/*
 * A driver of one virtio disk (MMIO, in the slot that a VM's first connection has)
 * that asks for 4 KiB at a time, 1 or 32 requests under way, as a good driver does
 * it: rings and buffers in the pool, event index, one kick for a burst, and an
 * interrupt that it acknowledges. For `make bench`: a mark before and behind what
 * counts, `blk ROW REQUESTS` in the order of the marks. What it writes it reads back.
 */
#include "micro.h"

#define DEVICE 0x0a001000ull
#define INTID 56u
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

static uint32_t rd(unsigned offset) { return micro_read32(DEVICE + offset); }
static void wr(unsigned offset, uint64_t value) { micro_write32(DEVICE + offset, (uint32_t)value); }
static void barrier(void) { __asm__ volatile("dmb ish" ::
						     : "memory"); }
static void mark(void) { __asm__ volatile("hint #93" ::
						  : "memory"); }

/* --- Interrupts: masked; WFI ends where one is pending ------------------------------------ */

static void set_up_interrupts(void)
{
	micro_write32(MICRO_GICD, 0x12); /* affinity routing, group 1 */
	micro_write32(MICRO_GICR + 0x14, 0);
	while ((micro_read32(MICRO_GICR + 0x14) & 4) != 0) /* children asleep */
		;
	micro_write32(MICRO_GICD + 0x80 + 4 * (INTID / 32), ~0u);
	micro_write32(MICRO_GICD + 0xc00 + 4 * (INTID / 16), 2u << 2 * (INTID % 16)); /* edge */
	*(volatile uint64_t *)(MICRO_GICD + 0x6000 + 8 * INTID) = 0;
	micro_write32(MICRO_GICD + 0x100 + 4 * (INTID / 32), 1u << INTID % 32);
	__asm__ volatile("msr s3_0_c12_c12_5, %0\n\t" /* ICC_SRE_EL1 */
			 "isb\n\t"
			 "msr s3_0_c4_c6_0, %1\n\t"   /* ICC_PMR_EL1 */
			 "msr s3_0_c12_c12_7, %2\n\t" /* ICC_IGRPEN1_EL1 */
			 "isb"
			 :
			 : "r"(7ull), "r"(0xffull), "r"(1ull)
			 : "memory");
}

static void wait_for_interrupt(void)
{
	uint64_t id;

	for (;;) {
		__asm__ volatile("mrs %0, s3_0_c12_c12_0\n\t" /* ICC_IAR1_EL1 */
				 "dsb sy"
				 : "=r"(id)
				 :
				 : "memory");
		if ((id & 0xffffff) == INTID)
			break;
		__asm__ volatile("wfi" ::
					 : "memory");
	}
	wr(0x064, rd(0x060));                     /* InterruptACK, InterruptStatus */
	__asm__ volatile("msr s3_0_c12_c12_1, %0" /* ICC_EOIR1_EL1 */
			 :
			 : "r"(id)
			 : "memory");
}

/* --- The device --------------------------------------------------------------------------- */

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

static int start(void)
{
	uint64_t features;

	wr(0x070, 0);
	wr(0x070, 3);
	features = offered() & (EVENT_IDX | VERSION_1 | ACCESS_PLATFORM);
	for (unsigned i = 0; i < 2; i++) {
		wr(0x024, i);
		wr(0x020, features >> 32 * i);
	}
	wr(0x070, 11);
	set_queue();
	wr(0x070, 15);
	return rd(0x070) == 15 && (features & EVENT_IDX);
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
		wr(0x050, 0);
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
	set_up_interrupts();
	if (!start()) {
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
