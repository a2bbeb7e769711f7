/* Virtqueues (virtio 1.2, 2.7 and 2.8), beginning with drivers that lie. */
#include <dev/virtio/virtq.h>
#include <selvage/base.h>
#include <setjmp.h>
#include <string.h>

#include "unit.h"
#include "virtio_driver.h"

#define SIZE 8u

static struct vd d;
static struct virtq q;
static struct virtq_chain c;

static void fresh(bool packed, bool event_idx)
{
	vd_init(&d);
	q = (struct virtq){ .mem = &d.mem,
			    .at = { VD_DESC, VD_DRIVER, VD_DEVICE, SIZE },
			    .packed = packed,
			    .event_idx = event_idx,
			    .indirect = true };
	assert_null(virtq_enable(&q));
}

static unsigned used_idx(void)
{
	return vd_get16(&d, VD_DEVICE + 2);
}

/* Flags that make a packed descriptor available in the n-th round. */
static unsigned round_flags(unsigned round)
{
	return round % 2 == 0 ? VD_AVAIL : VD_USED;
}

/* --- What works ------------------------------------------------------------------ */

static void split_chain(void **state)
{
	uint8_t bytes[24];
	struct virtq_cursor cur;

	(void)state;
	fresh(false, false);
	assert_false(virtq_pop(&q, &c));
	vd_split(&d, VD_DESC, 3, VD_DATA, 10, VD_NEXT, 5);
	vd_split(&d, VD_DESC, 5, VD_DATA + 0x100, 0, VD_NEXT, 1);
	vd_split(&d, VD_DESC, 1, VD_DATA + 0x200, 6, VD_NEXT, 0);
	vd_split(&d, VD_DESC, 0, VD_DATA + 0x300, 24, VD_WRITE, 7);
	memset(d.ram + VD_DATA, 'a', 10);
	memset(d.ram + VD_DATA + 0x200, 'b', 6);
	vd_offer(&d, SIZE, 0, 3);
	vd_count_reads(&d);
	assert_true(virtq_pop(&q, &c));
	assert_int_equal(vd_most_reads(&d), 1);
	assert_int_equal(c.n_out, 3);
	assert_int_equal(c.n_in, 1);
	assert_int_equal(c.out_bytes, 16);
	assert_int_equal(c.in_bytes, 24);
	cur = virtq_out(&c);
	assert_true(virtq_read(&q, &cur, bytes, 12));
	assert_memory_equal(bytes, "aaaaaaaaaabb", 12);
	assert_int_equal(cur.left, 4);
	virtq_skip(&cur, 4);
	assert_int_equal(cur.left, 0);
	cur = virtq_in(&c);
	assert_true(virtq_write(&q, &cur, "answer", 6));
	assert_memory_equal(d.ram + VD_DATA + 0x300, "answer", 7);
	virtq_push(&q, &c, 6);
	assert_int_equal(used_idx(), 1);
	assert_int_equal(vd_get32(&d, VD_DEVICE + 4), 3);
	assert_int_equal(vd_get32(&d, VD_DEVICE + 8), 6);
	assert_true(virtq_interrupts(&q));
	assert_false(virtq_interrupts(&q)); /* nothing since */
	assert_false(virtq_pop(&q, &c));
	assert_null(q.error);
}

/* Beyond the 16 bits of the indices. */
static void split_runs_for_long(void **state)
{
	(void)state;
	fresh(false, true);
	for (unsigned n = 0; n < 70000; n++) {
		vd_split(&d, VD_DESC, n % SIZE, VD_DATA, n + 1, VD_WRITE, 0);
		vd_offer(&d, SIZE, n, n % SIZE);
		assert_true(virtq_pop(&q, &c));
		assert_int_equal(c.in_bytes, n + 1);
		virtq_push(&q, &c, n);
		assert_int_equal(used_idx(), (n + 1) & 0xffff);
		assert_int_equal(vd_get32(&d, VD_DEVICE + 8 + 8 * (n % SIZE)), n);
		/* The driver wants to hear of every third. */
		vd_put16(&d, VD_DRIVER + 4 + 2 * SIZE, (uint16_t)(n / 3 * 3));
		assert_int_equal(virtq_interrupts(&q), n % 3 == 0);
		assert_false(virtq_pop(&q, &c));
		/* Told where to kick. */
		assert_int_equal(vd_get16(&d, VD_DEVICE + 4 + 8 * SIZE), (n + 1) & 0xffff);
	}
}

static void split_suppression(void **state)
{
	(void)state;
	fresh(false, false);
	vd_split(&d, VD_DESC, 0, VD_DATA, 1, VD_WRITE, 0);
	vd_offer(&d, SIZE, 0, 0);
	assert_true(virtq_pop(&q, &c));
	virtq_push(&q, &c, 0);
	vd_put16(&d, VD_DRIVER, 1); /* VIRTQ_AVAIL_F_NO_INTERRUPT */
	assert_false(virtq_interrupts(&q));
}

/* 2.7.5.3.2: chained ones, then a table. */
static void split_indirect(void **state)
{
	(void)state;
	fresh(false, false);
	vd_split(&d, VD_DESC, 2, VD_DATA, 4, VD_NEXT, 6);
	vd_split(&d, VD_DESC, 6, VD_TABLE, 3 * 16, VD_INDIRECT | VD_WRITE, 0);
	vd_split(&d, VD_TABLE, 0, VD_DATA + 8, 5, VD_NEXT, 2);
	vd_split(&d, VD_TABLE, 2, VD_DATA + 16, 6, VD_NEXT | VD_WRITE, 1);
	vd_split(&d, VD_TABLE, 1, VD_DATA + 32, 7, VD_WRITE, 0);
	vd_offer(&d, SIZE, 0, 2);
	vd_count_reads(&d);
	assert_true(virtq_pop(&q, &c));
	assert_int_equal(vd_most_reads(&d), 1);
	assert_int_equal(c.id, 2);
	assert_int_equal(c.out_bytes, 9);
	assert_int_equal(c.in_bytes, 13);
	assert_int_equal(c.segment[2].at, VD_DATA + 16);
}

/* A table that uses all of a chain's room, and one that goes beyond. */
static void longest_chain(void **state)
{
	(void)state;
	fresh(false, false);
	for (unsigned i = 0; i < VIRTQ_MAX_SIZE; i++)
		vd_split(&d, VD_TABLE, i, VD_DATA, 1, i + 1 < VIRTQ_MAX_SIZE ? VD_NEXT : 0, i + 1);
	vd_split(&d, VD_DESC, 0, VD_TABLE, VIRTQ_MAX_SIZE * 16, VD_INDIRECT, 0);
	vd_offer(&d, SIZE, 0, 0);
	assert_true(virtq_pop(&q, &c));
	assert_int_equal(c.n_out, VIRTQ_MAX_SIZE);
	vd_split(&d, VD_DESC, 1, VD_DATA, 1, VD_NEXT, 0);
	vd_offer(&d, SIZE, 1, 1);
	assert_false(virtq_pop(&q, &c));
	assert_string_equal(q.error, "a chain is too long");
}

static void packed_runs(void **state)
{
	unsigned place = 0, round = 0;

	(void)state;
	fresh(true, false);
	for (unsigned n = 0; n < 1000; n++) {
		unsigned slots = 1 + n % 3, used = place, was = round;

		assert_false(virtq_pop(&q, &c));
		for (unsigned i = 0; i < slots; i++) {
			unsigned more = i + 1 < slots ? VD_NEXT : 0;

			vd_packed(&d, VD_DESC, place, VD_DATA + i, 10 + i,
				  round_flags(round) | more | (i == 0 ? 0 : VD_WRITE), n % 100);
			round += (place + 1) / SIZE;
			place = (place + 1) % SIZE;
		}
		vd_count_reads(&d);
		assert_true(virtq_pop(&q, &c));
		assert_int_equal(vd_most_reads(&d), 1);
		assert_int_equal(c.id, n % 100);
		assert_int_equal(c.n_out, 1);
		assert_int_equal(c.n_in, slots - 1);
		virtq_push(&q, &c, n);
		assert_int_equal(vd_get32(&d, VD_DESC + 16 * used + 8), n);
		assert_int_equal(vd_get16(&d, VD_DESC + 16 * used + 12), n % 100);
		assert_int_equal(vd_get16(&d, VD_DESC + 16 * used + 14) & (VD_AVAIL | VD_USED),
				 was % 2 == 0 ? VD_AVAIL | VD_USED : 0);
		assert_true(virtq_interrupts(&q));
		/* RING_EVENT_FLAGS_DISABLE */
		vd_put16(&d, VD_DRIVER + 2, n % 2 == 0 ? 1 : 0);
		virtq_pop(&q, &c);
		assert_false(virtq_interrupts(&q));
		vd_put16(&d, VD_DRIVER + 2, 0);
	}
	assert_null(q.error);
}

static void packed_indirect(void **state)
{
	(void)state;
	fresh(true, false);
	vd_packed(&d, VD_TABLE, 0, VD_DATA, 5, 0, 77);
	/* Others than WRITE are reserved. */
	vd_packed(&d, VD_TABLE, 1, VD_DATA, 6, VD_WRITE | VD_NEXT | VD_INDIRECT, 78);
	vd_packed(&d, VD_DESC, 0, VD_TABLE, 32, VD_INDIRECT | VD_AVAIL, 9);
	vd_count_reads(&d);
	assert_true(virtq_pop(&q, &c));
	assert_int_equal(vd_most_reads(&d), 1);
	assert_int_equal(c.id, 9);
	assert_int_equal(c.slots, 1);
	assert_int_equal(c.out_bytes, 5);
	assert_int_equal(c.in_bytes, 6);
}

/* 2.8.10: the driver names a place and a round; so do we. */
static void packed_events(void **state)
{
	unsigned told = 0;

	(void)state;
	fresh(true, true);
	for (unsigned n = 0; n < 64; n++) {
		unsigned round = n / SIZE, next = n + 1;

		vd_packed(&d, VD_DESC, n % SIZE, VD_DATA, 1, round_flags(round), 1);
		assert_true(virtq_pop(&q, &c));
		assert_false(virtq_pop(&q, &c));
		assert_int_equal(vd_get16(&d, VD_DEVICE + 2), 2);
		assert_int_equal(vd_get16(&d, VD_DEVICE),
				 next % SIZE | (next / SIZE % 2 == 0 ? 0x8000 : 0));
		virtq_push(&q, &c, 0);
		/* Of the fifth, tenth ... */
		vd_put16(&d, VD_DRIVER,
			 (uint16_t)((n / 5 * 5 + 4) % SIZE |
				    ((n / 5 * 5 + 4) / SIZE % 2 == 0 ? 0x8000 : 0)));
		vd_put16(&d, VD_DRIVER + 2, 2);
		if (n % 2 == 0)
			told += virtq_interrupts(&q);
	}
	assert_int_equal(told, 64 / 10);
}

/* --- What does not ---------------------------------------------------------------- */

static void expect_error(const char *error)
{
	uint64_t before;

	assert_false(virtq_pop(&q, &c));
	assert_non_null(q.error);
	assert_string_equal(q.error, error);
	/* And from then on nothing happens. */
	before = d.accesses;
	assert_false(virtq_pop(&q, &c));
	virtq_push(&q, &c, 1);
	assert_false(virtq_interrupts(&q));
	assert_int_equal(d.accesses, before);
}

static void split_lies(void **state)
{
	static const struct {
		uint64_t at;
		uint32_t bytes;
		unsigned flags, next;
		const char *error;
	} lies[] = {
		{ VD_DATA, 1, VD_NEXT, 0, "a chain goes in a circle" },
		{ VD_DATA, 1, VD_NEXT, SIZE, "a descriptor's number is out of range" },
		{ VD_DATA, 1, VD_NEXT, 0xffff, "a descriptor's number is out of range" },
		{ VD_DATA, 1, VD_NEXT | VD_WRITE, 1,
		  "a chain has bytes to read behind those to write" },
		{ VD_DATA, 0xffffffff, VD_NEXT, 1, "a chain has more than 4 GiB" },
		{ VD_TABLE, 16, VD_INDIRECT | VD_NEXT, 1,
		  "an indirect table in the middle of a chain" },
		{ VD_TABLE, 0, VD_INDIRECT, 0, "an indirect table of a wrong size" },
		{ VD_TABLE, 17, VD_INDIRECT, 0, "an indirect table of a wrong size" },
		{ VD_TABLE, 0xfffffff0, VD_INDIRECT, 0, "an indirect table of a wrong size" },
		{ -16ull, 32, VD_INDIRECT, 0, "an indirect table of a wrong size" },
		{ VD_BYTES, 16, VD_INDIRECT, 0, "a descriptor is not in memory" },
		{ VD_BYTES - 8, 16, VD_INDIRECT, 0, "a descriptor is not in memory" },
		{ VD_DESC, 16, VD_INDIRECT, 0, "an indirect table in an indirect table" },
		{ VD_TABLE, 32, VD_INDIRECT, 0, "a descriptor's number is out of range" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		fresh(false, false);
		vd_split(&d, VD_DESC, 0, lies[i].at, lies[i].bytes, lies[i].flags, lies[i].next);
		vd_split(&d, VD_DESC, 1, VD_DATA, 1, 0, 0);
		vd_split(&d, VD_TABLE, 0, VD_DATA, 1, VD_NEXT, 2);
		vd_offer(&d, SIZE, 0, 0);
		expect_error(lies[i].error);
	}
	fresh(false, false);
	vd_offer(&d, SIZE, 0, SIZE);
	expect_error("a descriptor's number is out of range");
	fresh(false, false);
	vd_put16(&d, VD_DRIVER + 2, SIZE + 1);
	expect_error("the available index jumps");
	fresh(false, false);
	q.indirect = false;
	vd_split(&d, VD_DESC, 0, VD_TABLE, 16, VD_INDIRECT, 0);
	vd_offer(&d, SIZE, 0, 0);
	expect_error("an indirect table, which was not negotiated");
}

static void packed_lies(void **state)
{
	static const struct {
		uint64_t at;
		uint32_t bytes;
		unsigned flags;
		const char *error;
	} lies[] = {
		{ VD_DATA, 1, VD_NEXT, "a chain goes in a circle" },
		{ VD_TABLE, 16, VD_INDIRECT | VD_NEXT,
		  "an indirect table in the middle of a chain" },
		{ VD_TABLE, 8, VD_INDIRECT, "an indirect table of a wrong size" },
		{ VD_BYTES, 16, VD_INDIRECT, "a descriptor is not in memory" },
		{ VD_DATA, 0xffffffff, VD_NEXT, "a chain has more than 4 GiB" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		fresh(true, false);
		for (unsigned slot = 0; slot < SIZE; slot++)
			vd_packed(&d, VD_DESC, slot, lies[i].at, lies[i].bytes,
				  lies[i].flags | VD_AVAIL, 0);
		expect_error(lies[i].error);
	}
	fresh(true, false);
	q.indirect = false;
	vd_packed(&d, VD_DESC, 0, VD_TABLE, 16, VD_INDIRECT | VD_AVAIL, 0);
	expect_error("an indirect table, which was not negotiated");
}

/* A ring that says something else as soon as it has been read: what was read
 * first counts. */
static void rewrite(struct vd *dev, uint64_t at, size_t bytes)
{
	if (at < VD_DEVICE || at >= VD_TABLE)
		memset(dev->ram + at, 0xff, bytes);
}

static void rewritten_while_read(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		fresh(packed != 0, false);
		if (packed) {
			vd_packed(&d, VD_DESC, 0, VD_DATA, 5, VD_NEXT | VD_AVAIL, 3);
			vd_packed(&d, VD_DESC, 1, VD_DATA, 6, VD_WRITE, 3);
		} else {
			vd_split(&d, VD_DESC, 3, VD_DATA, 5, VD_NEXT, 1);
			vd_split(&d, VD_DESC, 1, VD_DATA, 6, VD_WRITE, 0);
			vd_offer(&d, SIZE, 0, 3);
		}
		d.after_read = rewrite;
		assert_true(virtq_pop(&q, &c));
		assert_int_equal(c.id, 3);
		assert_int_equal(c.out_bytes, 5);
		assert_int_equal(c.in_bytes, 6);
	}
}

static void buffers_elsewhere(void **state)
{
	static const uint64_t wild[] = { VD_BYTES, VD_BYTES - 3, -1ull, -4ull, 1ull << 63 };
	uint8_t bytes[4];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(wild); i++) {
		for (unsigned in = 0; in < 2; in++) {
			struct virtq_cursor cur;

			fresh(false, false);
			vd_split(&d, VD_DESC, 0, wild[i], 4, in ? VD_WRITE : 0, 0);
			vd_offer(&d, SIZE, 0, 0);
			assert_true(virtq_pop(&q, &c));
			cur = in ? virtq_in(&c) : virtq_out(&c);
			assert_false(in ? virtq_write(&q, &cur, "1234", 4)
					: virtq_read(&q, &cur, bytes, 4));
			assert_string_equal(q.error, "a buffer is not in memory");
		}
	}
}

static void impossible_queues(void **state)
{
	static const struct {
		struct virtq_layout at;
		bool packed, good;
	} tries[] = {
		{ { VD_DESC, VD_DRIVER, VD_DEVICE, 0 }, false, false },
		{ { VD_DESC, VD_DRIVER, VD_DEVICE, 7 }, false, false },
		{ { VD_DESC, VD_DRIVER, VD_DEVICE, 7 }, true, true },
		{ { VD_DESC, VD_DRIVER, VD_DEVICE, 512 }, false, false },
		{ { VD_DESC, VD_DRIVER, VD_DEVICE, 0x80000000 }, true, false },
		{ { VD_DESC + 8, VD_DRIVER, VD_DEVICE, 8 }, false, false },
		{ { VD_DESC, VD_DRIVER + 2, VD_DEVICE, 8 }, false, true },
		{ { VD_DESC, VD_DRIVER + 1, VD_DEVICE, 8 }, false, false },
		{ { VD_DESC, VD_DRIVER + 2, VD_DEVICE, 8 }, true, false },
		{ { VD_DESC, VD_DRIVER, VD_DEVICE + 2, 8 }, false, false },
		{ { VD_BYTES, VD_DRIVER, VD_DEVICE, 8 }, false, false },
		{ { VD_BYTES - 64, VD_DRIVER, VD_DEVICE, 8 }, false, false },
		{ { -16ull, VD_DRIVER, VD_DEVICE, 8 }, true, false },
		{ { VD_DESC, -4ull, VD_DEVICE, 8 }, false, false },
		{ { VD_DESC, VD_DRIVER, VD_BYTES - 4, 8 }, false, false },
		{ { VD_DESC, VD_DRIVER, VD_BYTES - 4, 8 }, true, true },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(tries); i++) {
		vd_init(&d);
		q = (struct virtq){ .mem = &d.mem,
				    .at = tries[i].at,
				    .packed = tries[i].packed };
		assert_int_equal(virtq_enable(&q) == NULL, tries[i].good);
		assert_int_equal(q.ready, tries[i].good);
	}
}

/* A pool that goes away under a queue that worked. */
static void memory_vanishes(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		fresh(packed != 0, true);
		q.at.desc = q.at.driver = q.at.device = VD_BYTES;
		expect_error("a ring is not in memory");
	}
}

/* Several buffers given back together: what makes the first one used comes last. */
static struct {
	uint64_t last;
	bool (*write)(void *opaque, uint64_t at, const void *from, size_t bytes);
	bool (*store)(void *opaque, uint64_t at, uint16_t value);
} spy;

static bool spy_write(void *opaque, uint64_t at, const void *from, size_t bytes)
{
	spy.last = at;
	return spy.write(opaque, at, from, bytes);
}

static bool spy_store(void *opaque, uint64_t at, uint16_t value)
{
	spy.last = at;
	return spy.store(opaque, at, value);
}

static void pushes_together(void **state)
{
	struct virtq_used used[3];

	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		fresh(packed != 0, false);
		spy.write = d.mem.write;
		spy.store = d.mem.store;
		for (unsigned n = 0; n < 30; n++) { /* around the ring, over its end */
			for (unsigned i = 0; i < 3; i++) {
				unsigned at = 3 * n + i, place = at % SIZE;

				vd_split(&d, VD_DESC, place, VD_DATA, 4, VD_WRITE, 0);
				if (packed)
					vd_packed(&d, VD_DESC, place, VD_DATA, 4,
						  VD_WRITE | round_flags(at / SIZE), at);
				else
					vd_offer(&d, SIZE, at, place);
			}
			for (unsigned i = 0; i < 3; i++) {
				struct virtq_mark mark = virtq_mark(&q);

				assert_true(virtq_pop(&q, &c));
				used[i] = (struct virtq_used){ c.id, c.slots, i };
				virtq_rewind(&q, mark);
				assert_true(virtq_pop(&q, &c));
				assert_int_equal(c.id, used[i].id);
			}
			d.mem.write = spy_write;
			d.mem.store = spy_store;
			virtq_push_all(&q, used, 3);
			d.mem.write = spy.write;
			d.mem.store = spy.store;
			assert_null(q.error);
			for (unsigned i = 0; i < 3; i++) {
				unsigned place = (3 * n + i) % SIZE;
				uint64_t at = packed ? VD_DESC + 16 * place
						     : VD_DEVICE + 4 + 8 * place;

				assert_int_equal(vd_get32(&d, at + (packed ? 8 : 4)), i);
				assert_int_equal(vd_get16(&d, at + (packed ? 12 : 0)), used[i].id);
			}
			assert_int_equal(spy.last, packed ? VD_DESC + 16 * (3 * n % SIZE) + 14
							  : VD_DEVICE + 2);
			assert_true(packed || used_idx() == 3 * n + 3);
		}
	}
}

/* --- Devices that end, and others in their place ---------------------------------- */

static struct {
	jmp_buf out;
	unsigned left; /* writes, until the device is no more */
	struct virtio_mem mem;
} end;

static void count_write(void)
{
	if (end.left-- == 0)
		longjmp(end.out, 1);
}

static bool last_write(void *opaque, uint64_t at, const void *from, size_t bytes)
{
	count_write();
	return d.mem.write(opaque, at, from, bytes);
}

static bool last_store(void *opaque, uint64_t at, uint16_t value)
{
	count_write();
	return d.mem.store(opaque, at, value);
}

static uint32_t left_place;
static struct virtq_journal journal;

/* Gives two buffers back, apart or together, and ends before the n-th write. */
static void push_and_end(unsigned n, bool together)
{
	struct virtq_used used[2];

	end.mem = d.mem;
	end.mem.write = last_write;
	end.mem.store = last_store;
	end.left = n;
	for (unsigned i = 0; i < 2; i++) {
		assert_true(virtq_pop(&q, &c));
		used[i] = (struct virtq_used){ c.id, c.slots, 0 };
	}
	q.mem = &end.mem;
	if (setjmp(end.out) == 0) {
		if (together)
			virtq_push_all(&q, used, 2);
		for (unsigned i = 0; i < 2 && !together; i++)
			virtq_push_all(&q, &used[i], 1);
	}
}

static void another_device(void)
{
	const struct virtq old = q;

	q = (struct virtq){ .mem = &d.mem,
			    .at = old.at,
			    .packed = old.packed,
			    .place = old.place,
			    .journal = old.journal };
	assert_null(virtq_enable(&q));
	assert_null(virtq_resume(&q));
}

static void offer(bool packed, unsigned n, unsigned id)
{
	if (packed)
		vd_packed(&d, VD_DESC, n % SIZE, VD_DATA, 1, round_flags(n / SIZE), id);
	else
		vd_split(&d, VD_DESC, id, VD_DATA, 1, 0, 0);
	if (!packed)
		vd_offer(&d, SIZE, n, id);
}

static bool is_back(bool packed, unsigned n)
{
	unsigned flags = vd_get16(&d, VD_DESC + 16 * (n % SIZE) + 14) & (VD_AVAIL | VD_USED);

	if (!packed)
		return (uint16_t)(used_idx() - n - 1) < 0x8000;
	return flags == (n / SIZE % 2 == 0 ? VD_AVAIL | VD_USED : 0);
}

static void ends_anywhere(bool packed, bool together)
{
	unsigned ends = 0;

	fresh(packed, false);
	left_place = VIRTQ_PLACE_START;
	q.place = &left_place;
	q.journal = &journal;
	for (unsigned n = 0; n < 20 * SIZE; n += 2) {
		offer(packed, n, 2);
		offer(packed, n + 1, 5);
		push_and_end(n / 2 % 8, together);
		ends += !is_back(packed, n + 1);
		another_device();
		/* What is back does not come again, what is not does. */
		for (unsigned i = 0; i < 2; i++) {
			if (is_back(packed, n + i))
				continue;
			assert_true(virtq_pop(&q, &c));
			assert_int_equal(c.id, i == 0 ? 2 : 5);
			virtq_push(&q, &c, 0);
			assert_true(is_back(packed, n + i));
		}
		assert_false(virtq_pop(&q, &c));
		another_device();
		assert_false(virtq_pop(&q, &c));
	}
	assert_null(q.error);
	assert_in_range(ends, 20, 70);
}

static void resumes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		ends_anywhere(i % 2 == 0, i / 2 == 0);
}

/* The driver has made the buffer available anew before the other device is there. */
static void resumes_a_lap_later(void **state)
{
	(void)state;
	fresh(true, false);
	left_place = VIRTQ_PLACE_START;
	q.place = &left_place;
	q.journal = &journal;
	for (unsigned n = 0; n < SIZE; n++)
		offer(true, n, n);
	assert_true(virtq_pop(&q, &c));
	virtq_push(&q, &c, 0);
	left_place = VIRTQ_PLACE(0, 1) | VIRTQ_PLACE(1, 1) << 16;
	offer(true, SIZE, 0);
	another_device();
	assert_true(virtq_pop(&q, &c));
	assert_int_equal(c.id, 1);
	/* Journals and places that are none. */
	for (unsigned i = 0; i < 4; i++) {
		fresh(true, false);
		q.place = &left_place;
		q.journal = &journal;
		offer(true, 0, 0);
		left_place = VIRTQ_PLACE(0, 1) | VIRTQ_PLACE(1, 1) << 16;
		journal.n = i == 0 ? 0 : i == 1 ? VIRTQ_TOGETHER + 1
						: 1;
		journal.used[0].slots = i == 2 ? 0 : SIZE + 1;
		assert_string_equal(virtq_resume(&q), "a queue was left as none can be");
	}
	for (unsigned i = 0; i < 2; i++) {
		q.ready = false;
		assert_null(virtq_enable(&q));
		left_place = SIZE << 16 * i;
		assert_non_null(virtq_resume(&q));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_chain),
		cmocka_unit_test(split_runs_for_long),
		cmocka_unit_test(split_suppression),
		cmocka_unit_test(split_indirect),
		cmocka_unit_test(longest_chain),
		cmocka_unit_test(packed_runs),
		cmocka_unit_test(packed_indirect),
		cmocka_unit_test(packed_events),
		cmocka_unit_test(split_lies),
		cmocka_unit_test(packed_lies),
		cmocka_unit_test(rewritten_while_read),
		cmocka_unit_test(buffers_elsewhere),
		cmocka_unit_test(impossible_queues),
		cmocka_unit_test(memory_vanishes),
		cmocka_unit_test(pushes_together),
		cmocka_unit_test(resumes),
		cmocka_unit_test(resumes_a_lap_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
