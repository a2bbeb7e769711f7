/* servers/block: connections on the machine's disk. A driver's requests (mdisk, once more)
 * go to a device whose disk is slow, and from there by the driver to a device in memory. */
#include "slow.h"

#include <dev/virtio/ramdisk.h>
#include <selvage/base.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "virtio_driver.h"

#define AT 0x40000000ull
#define SECTORS 512u
#define FIRST 64u
#define PART 256u

/* One end of a wire: a device, and what it reaches. */
static struct end {
	struct virtio_blk blk;
	struct virtio_mmio mmio;
	_Alignas(64) uint8_t memory[MDISK_MEMORY_BYTES];
} front, back;
static struct mdisk guest, machine;
static struct slow slow;
static struct ramdisk ram;
static uint8_t image[SECTORS * MDISK_SECTOR], model[PART * MDISK_SECTOR];
static _Alignas(64) uint8_t room[SECTORS * MDISK_SECTOR + 4096];
static unsigned flushes;
static bool flush_works, disk_works;

static bool m_read(void *opaque, uint64_t at, void *to, size_t bytes)
{
	const struct end *e = opaque;

	if (!range_within_u64(at, bytes, AT, sizeof(e->memory)))
		return false;
	memcpy(to, e->memory + (at - AT), bytes);
	return true;
}

static bool m_write(void *opaque, uint64_t at, const void *from, size_t bytes)
{
	struct end *e = opaque;

	if (!range_within_u64(at, bytes, AT, sizeof(e->memory)))
		return false;
	memcpy(e->memory + (at - AT), from, bytes);
	return true;
}

static bool m_load(void *opaque, uint64_t at, uint16_t *value)
{
	return m_read(opaque, at, value, 2);
}

static bool m_store(void *opaque, uint64_t at, uint16_t value)
{
	return m_write(opaque, at, &value, 2);
}

static void broken(void *opaque, const char *why)
{
	(void)opaque, (void)why;
}

static void set_irq(void *opaque, bool level)
{
	(void)opaque, (void)level;
}

static bool flush(void *opaque)
{
	(void)opaque;
	flushes++;
	return flush_works;
}

static const uint8_t *(*look)(void *opaque, uint64_t offset, uint32_t *bytes);

static const uint8_t *look_unless_bad(void *opaque, uint64_t offset, uint32_t *bytes)
{
	return disk_works ? look(opaque, offset, bytes) : NULL;
}

static void make(struct end *e, const struct virtio_blk_disk *disk, struct mdisk *driver)
{
	static const struct virtio_mmio_env irq = { NULL, set_irq };
	const struct virtio_env env = { e, { e, m_read, m_write, m_load, m_store, { 0 } }, broken };
	struct vmmio_regs regs = vd_regs(&e->mmio);

	virtio_blk_init(&e->blk, &env, disk);
	virtio_mmio_init(&e->mmio, &e->blk.v, &irq);
	assert_null(mdisk_start(driver, &regs, e->memory, AT));
}

static void start(bool read_only)
{
	struct virtio_blk_disk disk;

	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i / 512 + i);
	memcpy(model, image + FIRST * MDISK_SECTOR, sizeof(model));
	memset(room, 0, sizeof(room));
	assert_true(ramdisk_room(sizeof(image)) <= sizeof(room));
	flushes = 0;
	flush_works = disk_works = true;
	ramdisk_init(&ram, image, sizeof(image), room);
	disk = ramdisk_disk(&ram);
	look = disk.look;
	disk.look = look_unless_bad;
	disk.flush = flush;
	make(&back, &disk, &machine);
	slow_init(&machine, 8);
	slow = (struct slow){ .first = FIRST, .sectors = PART, .read_only = read_only };
	slow.blk = &front.blk;
	disk = slow_disk(&slow);
	make(&front, &disk, &guest);
	assert_int_equal(guest.sectors, PART);
	assert_int_equal(guest.read_only, read_only);
}

/* What the server's loop does. */
static void serve(void)
{
	bool room_again = slow_turn();

	if (slow.settle)
		virtio_settle(&front.blk.v, 0);
	slow.settle = false;
	if (room_again && slow.starved)
		virtio_blk_turn(&front.blk);
	(void)mdisk_flush(&machine);
}

static bool wait_for(unsigned op)
{
	unsigned which;
	bool ok = false;

	(void)mdisk_flush(&guest);
	for (unsigned i = 0; i < 100; i++) {
		if (mdisk_take(&guest, &which, &ok)) {
			assert_int_equal(which, op);
			return ok;
		}
		serve();
	}
	fail_msg("it does not come back");
	return false;
}

static bool do_one(enum mdisk_kind kind, uint64_t sector, uint32_t bytes)
{
	assert_true(mdisk_submit(&guest, 3, kind, sector, bytes));
	return wait_for(3);
}

static void reads_and_writes(void **state)
{
	(void)state;
	start(false);
	srand(1);
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t sector = (uint64_t)rand() % PART;
		uint32_t n = 1 + (uint32_t)rand() % min_u32(PART - (uint32_t)sector, 64);
		uint8_t *at = model + sector * MDISK_SECTOR, *b = mdisk_buffer(&guest, 3);

		if (rand() % 2) {
			for (uint32_t k = 0; k < n * MDISK_SECTOR; k++)
				at[k] = b[k] = (uint8_t)rand();
			assert_true(do_one(MDISK_WRITE, sector, n * MDISK_SECTOR));
		} else {
			assert_true(do_one(MDISK_READ, sector, n * MDISK_SECTOR));
			assert_memory_equal(b, at, n * MDISK_SECTOR);
		}
	}
	assert_int_equal(flushes, 0);
	assert_true(do_one(MDISK_FLUSH, 0, 0));
	assert_int_equal(flushes, 1);
	flush_works = false;
	assert_false(do_one(MDISK_FLUSH, 0, 0));
	/* Nobody else's sectors. */
	for (unsigned i = 0; i < FIRST * MDISK_SECTOR; i++)
		assert_int_equal(room[i], 0);
}

static void many_under_way(void **state)
{
	bool ok;
	unsigned op, back_again = 0;

	(void)state;
	start(false);
	for (op = 0; op < SLOW_OPS; op++)
		assert_true(mdisk_submit(&guest, op, MDISK_READ, op, MDISK_SECTOR));
	(void)mdisk_flush(&guest);
	assert_int_equal(slow.under_way, 8); /* no more, and the rest is starved */
	assert_true(slow.starved);
	for (unsigned i = 0; i < 100; i++) {
		while (mdisk_take(&guest, &op, &ok)) {
			assert_true(ok);
			assert_memory_equal(mdisk_buffer(&guest, op), model + op * MDISK_SECTOR,
					    MDISK_SECTOR);
			back_again++;
		}
		serve();
	}
	assert_int_equal(back_again, SLOW_OPS);
	assert_int_equal(slow.under_way, 0);
}

/* What was under way when the driver reset the device never comes back, and nothing new
 * is begun before it is over. */
static void reset_in_flight(void **state)
{
	struct vmmio_regs regs = vd_regs(&front.mmio);

	(void)state;
	start(false);
	memset(mdisk_buffer(&guest, 0), 0x5a, MDISK_SECTOR);
	assert_true(mdisk_submit(&guest, 0, MDISK_WRITE, 0, MDISK_SECTOR));
	assert_true(mdisk_submit(&guest, 1, MDISK_READ, 1, MDISK_SECTOR));
	(void)mdisk_flush(&guest);
	assert_int_equal(slow.under_way, 2);
	assert_null(mdisk_start(&guest, &regs, front.memory, AT));
	assert_int_equal(slow.orphans, 2);
	assert_true(mdisk_submit(&guest, 3, MDISK_READ, 0, MDISK_SECTOR));
	(void)mdisk_flush(&guest);
	assert_int_equal(slow.under_way, 2);
	assert_true(wait_for(3));
	assert_int_equal(((uint8_t *)mdisk_buffer(&guest, 3))[5], 0x5a);
	assert_int_equal(slow.orphans, 0);
	assert_int_equal(slow.under_way, 0);
}

static void failures(void **state)
{
	uint64_t before = slow_failures();

	(void)state;
	start(true);
	assert_false(do_one(MDISK_WRITE, 0, MDISK_SECTOR));
	disk_works = false;
	assert_false(do_one(MDISK_READ, 0, MDISK_SECTOR));
	assert_int_equal(slow_failures(), before + 1);
	disk_works = true;
	assert_true(do_one(MDISK_READ, 0, MDISK_SECTOR));
	/* A device that breaks takes all with it, and comes back. */
	assert_true(mdisk_submit(&guest, 3, MDISK_READ, 0, MDISK_SECTOR));
	(void)mdisk_flush(&guest);
	machine.error = "broken";
	slow_fail_all();
	assert_true(slow_pending()); /* their drivers are to hear of it */
	assert_true(slow_turn());
	assert_false(slow_pending());
	assert_false(wait_for(3));
	assert_false(do_one(MDISK_READ, 0, MDISK_SECTOR));
	assert_int_equal(slow.under_way, 0);
}

/* The device is started again, and its rings are empty; it never saw what it was given. */
static void start_again(void)
{
	struct vmmio_regs regs = vd_regs(&back.mmio);

	mdisk_give_up(&machine, "it does not answer");
	assert_null(mdisk_start(&machine, &regs, back.memory, AT));
}

/* A device that does not answer: what it has is overdue, and done by the one that is there
 * after a reset; but not tried for ever. */
static void tried_again(void **state)
{
	const uint64_t before = slow_failures();

	(void)state;
	start(false);
	assert_false(slow_waits());
	memset(mdisk_buffer(&guest, 3), 0x77, 2 * MDISK_SECTOR);
	assert_true(mdisk_submit(&guest, 3, MDISK_WRITE, 9, 2 * MDISK_SECTOR));
	(void)mdisk_flush(&guest);
	assert_true(slow_waits());
	for (unsigned i = 0; i < SLOW_PATIENCE; i++)
		assert_false(slow_tick());
	assert_true(slow_tick());
	start_again();
	slow_again();
	assert_false(slow_tick()); /* its time begins anew */
	assert_true(wait_for(3));
	assert_false(slow_waits());
	assert_true(do_one(MDISK_READ, 9, 2 * MDISK_SECTOR));
	assert_int_equal(((uint8_t *)mdisk_buffer(&guest, 3))[MDISK_SECTOR + 7], 0x77);
	assert_true(mdisk_submit(&guest, 3, MDISK_FLUSH, 0, 0));
	(void)mdisk_flush(&guest);
	for (unsigned i = 1; i < SLOW_TRIES; i++) {
		start_again();
		slow_again();
		assert_true(slow_waits());
	}
	assert_int_equal(slow_failures(), before);
	start_again();
	slow_again();
	assert_false(wait_for(3));
	assert_int_equal(slow_failures(), before + 1);
	assert_int_equal(slow.under_way, 0);
	/* Of one connection. */
	assert_true(mdisk_submit(&guest, 3, MDISK_READ, 0, MDISK_SECTOR));
	(void)mdisk_flush(&guest);
	slow_fail(&slow);
	assert_false(wait_for(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes),
		cmocka_unit_test(many_under_way),
		cmocka_unit_test(reset_in_flight),
		cmocka_unit_test(failures),
		cmocka_unit_test(tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
