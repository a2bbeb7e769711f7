/* The driver's side of virtqueues and MMIO, on the devices of dev/virtio, and on a device
 * that lies. */
#include <dev/virtio/blk.h>
#include <dev/virtio/ramdisk.h>
#include <dev/virtio/rng.h>
#include <selvage/base.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "virtio_driver.h"

#define SIZE 8u

static struct vd d;
static struct vqueue q;
static struct virtq dev;
static struct virtq_chain chain;

/* --- A queue and the device's side of it --------------------------------------------- */

static void start(unsigned size, bool event_idx)
{
	vd_init(&d);
	vqueue_init(&q, size, d.ram + VD_DESC, VD_DESC, event_idx);
	dev = (struct virtq){ .mem = &d.mem, .event_idx = event_idx };
	dev.at = (struct virtq_layout){ q.desc_at, q.avail_at, q.used_at, size };
	assert_null(virtq_enable(&dev));
}

static bool add(unsigned n_out, unsigned n_in, uint32_t token)
{
	struct vqueue_segment s[16];

	for (unsigned i = 0; i < n_out + n_in; i++)
		s[i] = (struct vqueue_segment){ VD_DATA + 0x100 * i, 10 };
	return vqueue_add(&q, s, n_out, n_in, token);
}

static void there_and_back(void **state)
{
	uint32_t token, written;

	(void)state;
	for (unsigned event_idx = 0; event_idx < 2; event_idx++) {
		start(SIZE, event_idx);
		assert_false(vqueue_publish(&q)); /* nothing new */
		assert_false(vqueue_take(&q, &token, &written));
		assert_true(add(1, 2, 77));
		assert_false(virtq_pop(&dev, &chain)); /* not published */
		assert_true(vqueue_publish(&q));
		assert_true(virtq_pop(&dev, &chain));
		assert_int_equal(chain.n_out, 1);
		assert_int_equal(chain.n_in, 2);
		assert_int_equal(chain.in_bytes, 20);
		assert_int_equal(chain.segment[2].at, VD_DATA + 0x200);
		assert_int_equal(vqueue_outstanding(&q), 1);
		virtq_push(&dev, &chain, 13);
		assert_true(vqueue_take(&q, &token, &written));
		assert_int_equal(token, 77);
		assert_int_equal(written, 13);
		assert_int_equal(vqueue_outstanding(&q), 0);
		assert_false(vqueue_take(&q, &token, &written));
		assert_null(q.error);
	}
}

static void has_bounds(void **state)
{
	uint32_t token, written;

	(void)state;
	start(4, false);
	assert_false(add(0, 0, 1));
	assert_false(add(3, 2, 1));
	assert_true(add(2, 1, 1));
	assert_true(add(1, 0, 2));
	assert_false(add(1, 0, 3));
	(void)vqueue_publish(&q);
	assert_true(virtq_pop(&dev, &chain));
	virtq_push(&dev, &chain, 0);
	assert_true(vqueue_take(&q, &token, &written));
	assert_int_equal(token, 1);
	assert_false(add(2, 2, 4));
	assert_true(add(3, 0, 4));
	assert_true(vqueue_bytes(256) < 0x3000);
}

/* Notifications in both directions are there when they must be: whoever goes to sleep
 * after vqueue_listen or a pop that found nothing is told of the next buffer. */
static void nobody_sleeps_through(void **state)
{
	unsigned kicks = 0, interrupts = 0, done = 0, added = 0;
	bool device_awake = true, driver_awake = true;
	uint32_t token, written, expect = 0;

	(void)state;
	for (unsigned event_idx = 0; event_idx < 2; event_idx++) {
		start(SIZE, event_idx);
		srand(7);
		done = added = expect = 0;
		kicks = interrupts = 0;
		device_awake = driver_awake = true;
		while (done < 200000) {
			assert_true(device_awake || driver_awake);
			if (driver_awake && rand() % 2) {
				unsigned n = (unsigned)rand() % 4;

				for (; n > 0 && add(1, (unsigned)rand() % 2, added); n--)
					added++;
				if (vqueue_publish(&q)) {
					kicks++;
					device_awake = true;
				}
				while (vqueue_take(&q, &token, &written)) {
					assert_int_equal(token, expect++);
					done++;
				}
				if (q.n_free < 2)
					driver_awake = vqueue_listen(&q);
				else
					vqueue_mute(&q);
			} else if (device_awake) {
				if (!virtq_pop(&dev, &chain))
					device_awake = false;
				else
					virtq_push(&dev, &chain, chain.in_bytes);
				if (rand() % 4 == 0 || !device_awake)
					if (virtq_interrupts(&dev)) {
						interrupts++;
						driver_awake = true;
					}
			}
			assert_null(q.error);
			assert_null(dev.error);
		}
		assert_true(kicks > 0 && interrupts > 0);
		assert_true(interrupts < done);
	}
}

/* Each thing that a device can lie about, and only that, is an error. */
static void used_entry(unsigned n, uint32_t id, uint32_t bytes)
{
	store_le32(d.ram + q.used_at + 4 + 8 * n, id);
	store_le32(d.ram + q.used_at + 8 + 8 * n, bytes);
}

static void lies(void **state)
{
	static const struct {
		uint16_t idx;
		uint32_t id, bytes;
		const char *error;
	} lie[] = {
		{ 3, 0, 0, "the used index jumps" },
		{ 0xffff, 0, 0, "the used index jumps" },
		{ 1, SIZE, 0, "a used buffer that the device was not given" },
		{ 1, 0xffffffff, 0, "a used buffer that the device was not given" },
		{ 1, 1, 0, "a used buffer that the device was not given" }, /* in a chain */
		{ 1, 5, 0, "a used buffer that the device was not given" }, /* free */
		{ 1, 0, 21, "a used buffer that is longer than what was given" },
		{ 1, 0, 0xffffffff, "a used buffer that is longer than what was given" },
		{ 1, 3, 1, "a used buffer that is longer than what was given" },
	};
	uint32_t token, written;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lie); i++) {
		start(SIZE, i & 1);
		assert_true(add(1, 2, 1));
		assert_true(add(1, 0, 2));
		(void)vqueue_publish(&q);
		/* What it writes over descriptors and available ring is not looked at. */
		memset(d.ram + q.desc_at, 0xff, q.used_at - q.desc_at);
		used_entry(0, lie[i].id, lie[i].bytes);
		vd_put16(&d, q.used_at + 2, lie[i].idx);
		assert_false(vqueue_take(&q, &token, &written));
		assert_string_equal(q.error, lie[i].error);
		/* Nothing goes on. */
		used_entry(0, 0, 0);
		vd_put16(&d, q.used_at + 2, 1);
		assert_false(vqueue_take(&q, &token, &written));
		assert_false(add(1, 0, 1));
		assert_false(vqueue_publish(&q));
		assert_false(vqueue_listen(&q));
	}
	/* Twice the same. */
	start(SIZE, false);
	assert_true(add(1, 0, 1));
	assert_true(add(1, 0, 2));
	(void)vqueue_publish(&q);
	used_entry(0, 1, 0);
	used_entry(1, 1, 0);
	vd_put16(&d, q.used_at + 2, 2);
	assert_true(vqueue_take(&q, &token, &written));
	assert_int_equal(token, 2);
	assert_false(vqueue_take(&q, &token, &written));
	assert_string_equal(q.error, "a used buffer that the device was not given");
}

/* --- Over MMIO ------------------------------------------------------------------------- */

static struct virtio_mmio mmio;
static struct virtio_blk blk;
static struct ramdisk ramdisk;
static struct virtio_rng rng;
static uint8_t image[8192];
static bool irq;
static struct {
	uint32_t offset, value; /* what a register says, whatever the device does */
	bool on;
} stuck;

static struct vmmio_regs real, regs;

static uint32_t reg_read(void *opaque, uint32_t offset, unsigned bytes)
{
	if (stuck.on && stuck.offset == offset)
		return stuck.value;
	return real.read(opaque, offset, bytes);
}

static void set_irq(void *opaque, bool level)
{
	(void)opaque;
	irq = level;
}

static void broken(void *opaque, const char *why)
{
	(void)opaque, (void)why;
}

static void give_random(void *opaque, void *to, size_t bytes)
{
	(void)opaque;
	memset(to, 0x5a, bytes);
}

static void plug(struct virtio *v)
{
	const struct virtio_mmio_env env = { NULL, set_irq };

	virtio_mmio_init(&mmio, v, &env);
	regs = real = vd_regs(&mmio);
	regs.read = reg_read;
	irq = false;
	stuck.on = false;
}

static void with_disk(void)
{
	struct virtio_env env = { NULL, { 0 }, broken };
	struct virtio_blk_disk disk;

	vd_init(&d);
	env.mem = d.mem;
	for (unsigned i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i / 512 + 1);
	ramdisk_init(&ramdisk, image, sizeof(image), NULL);
	disk = ramdisk_disk(&ramdisk);
	virtio_blk_init(&blk, &env, &disk);
	plug(&blk.v);
}

static void drives_a_disk(void **state)
{
	struct vqueue_segment s[] = { { VD_DATA, 16 },
				      { VD_DATA + 0x200, 1024 },
				      { VD_DATA + 0x100, 1 } };
	uint32_t token, written;
	uint8_t capacity[8];
	struct vmmio t;

	(void)state;
	with_disk();
	assert_null(vmmio_begin(&t, &regs, VIRTIO_ID_BLOCK, VIRTIO_F_EVENT_IDX, 0));
	assert_int_equal(t.features, VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1);
	assert_int_equal(vmmio_queue_max(&t, 0), 128);
	assert_int_equal(vmmio_queue_max(&t, 1), 0);
	vqueue_init(&q, SIZE, d.ram + VD_DESC, VD_DESC, true);
	assert_null(vmmio_queue(&t, 0, &q));
	assert_null(vmmio_go(&t));
	assert_true(vmmio_config(&t, 0, capacity, 4, 2));
	assert_int_equal(load_le64(capacity), sizeof(image) / 512);
	assert_true(vmmio_config(&t, 0, capacity, 1, 8));
	assert_int_equal(load_le64(capacity), sizeof(image) / 512);
	store_le64(d.ram + VD_DATA, 0);
	store_le64(d.ram + VD_DATA + 8, 3);
	assert_true(vqueue_add(&q, s, 1, 2, 9));
	assert_false(vqueue_listen(&q));
	assert_true(vqueue_publish(&q));
	vmmio_kick(&t, 0);
	assert_true(irq);
	assert_int_equal(vmmio_interrupt(&t), VMMIO_INTERRUPT_QUEUE);
	assert_false(irq);
	assert_true(vqueue_take(&q, &token, &written));
	assert_int_equal(token, 9);
	assert_int_equal(written, 1025);
	assert_memory_equal(d.ram + VD_DATA + 0x200, image + 3 * 512, 1024);
	assert_false(vmmio_broken(&t));
	/* The device finds fault with us, and starts again. */
	vd_put16(&d, q.avail_at + 2, 100);
	vmmio_kick(&t, 0);
	assert_true(vmmio_broken(&t));
	vmmio_reset(&t);
	assert_null(vmmio_begin(&t, &regs, VIRTIO_ID_BLOCK, 0, 0));
	vqueue_init(&q, SIZE, d.ram + VD_DESC, VD_DESC, false);
	assert_null(vmmio_queue(&t, 0, &q));
	assert_null(vmmio_go(&t));
	assert_true(vqueue_add(&q, s, 1, 2, 10));
	assert_true(vqueue_publish(&q));
	vmmio_kick(&t, 0);
	assert_true(vqueue_take(&q, &token, &written));
	assert_int_equal(token, 10);
}

static const char short_queue[] = "a queue of the device is missing or too short";

static void refuses_devices(void **state)
{
	static const struct {
		uint32_t offset, value;
		const char *error;
	} wrong[] = {
		{ 0x000, 0, "no virtio device of version 2" },
		{ 0x004, 1, "no virtio device of version 2" },
		{ 0x008, 0, "a device of another kind, or none" },
		{ 0x070, 15, "the device does not reset" },
		{ 0x070, 0, "the device does not take the features that it offered" },
		{ 0x010, 0, "the device lacks a feature that is needed" },
	};
	struct virtio_env env = { NULL, { 0 }, broken };
	const struct virtio_rng_env source = { NULL, give_random };
	struct vmmio t;

	(void)state;
	vd_init(&d);
	env.mem = d.mem;
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		virtio_rng_init(&rng, &env, &source);
		plug(&rng.v);
		stuck.on = true;
		stuck.offset = wrong[i].offset;
		stuck.value = wrong[i].value;
		assert_string_equal(vmmio_begin(&t, &regs, VIRTIO_ID_RNG, 0, 0), wrong[i].error);
	}
	virtio_rng_init(&rng, &env, &source);
	plug(&rng.v);
	assert_string_equal(vmmio_begin(&t, &regs, VIRTIO_ID_RNG, 0, VIRTIO_F_RING_PACKED),
			    "the device lacks a feature that is needed");
	assert_null(vmmio_begin(&t, &regs, VIRTIO_ID_RNG, ~0ull, 0));
	assert_int_equal(t.features, virtio_offered(&rng.v));
	vqueue_init(&q, SIZE, d.ram + VD_DESC, VD_DESC, true);
	assert_string_equal(vmmio_queue(&t, 1, &q), short_queue);
	vqueue_init(&q, 128, d.ram + VD_DESC, VD_DESC, true);
	assert_string_equal(vmmio_queue(&t, 0, &q), short_queue);
	vqueue_init(&q, SIZE, d.ram + VD_DESC, VD_DESC, true);
	assert_null(vmmio_begin(&t, &regs, VIRTIO_ID_RNG, 0, 0));
	stuck.on = true;
	stuck.offset = 0x44;
	stuck.value = 1;
	assert_string_equal(vmmio_queue(&t, 0, &q),
			    "a queue of the device is in use after a reset");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(has_bounds),
		cmocka_unit_test(nobody_sleeps_through),
		cmocka_unit_test(lies),
		cmocka_unit_test(drives_a_disk),
		cmocka_unit_test(refuses_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
