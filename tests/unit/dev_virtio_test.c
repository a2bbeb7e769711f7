/* Virtio devices through their MMIO transport (virtio 1.2, 2, 4.2, 5.2 to 5.4). */
#include <dev/virtio/balloon.h>
#include <dev/virtio/blk.h>
#include <dev/virtio/console.h>
#include <dev/virtio/mmio.h>
#include <dev/virtio/ramdisk.h>
#include <dev/virtio/rng.h>
#include <selvage/base.h>
#include <string.h>

#include "unit.h"
#include "virtio_driver.h"

enum { MAGIC = 0,
       VERSION = 4,
       DEVICE_ID = 8,
       FEATURES = 0x10,
       FEATURES_SEL = 0x14,
       DRIVER_FEATURES = 0x20,
       DRIVER_FEATURES_SEL = 0x24,
       QUEUE_SEL = 0x30,
       QUEUE_MAX = 0x34,
       QUEUE_NUM = 0x38,
       QUEUE_READY = 0x44,
       NOTIFY = 0x50,
       ISR = 0x60,
       ACK = 0x64,
       STATUS = 0x70,
       QUEUE_DESC = 0x80,
       QUEUE_DRIVER = 0x90,
       QUEUE_DEVICE = 0xa0,
       SHM_LEN = 0xb0,
       GENERATION = 0xfc,
       CONFIG = 0x100 };

#define SIZE 8u
#define OFFERED (VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC)
/* Of queue 1, apart from queue 0's. */
#define SECOND 0x10000u

static struct vd d;
static struct virtio_mmio t;
static struct virtio_rng rng;
static struct virtio_console console;
static struct virtio_blk blk;
static struct ramdisk ramdisk;
static uint8_t image[3 * 4096 + 512], room[5 * 4096];
static unsigned offered[2]; /* buffers, to each queue */

static struct {
	bool irq;
	unsigned breaks;
	const char *why;
	uint8_t random;
	char out[256];
	size_t out_end, out_room;
	const char *in;
} world;

static void set_irq(void *opaque, bool level)
{
	(void)opaque;
	assert_true(level || world.irq);
	world.irq = level;
}

static void broken(void *opaque, const char *why)
{
	(void)opaque;
	world.breaks++;
	world.why = why;
}

static void give_random(void *opaque, void *to, size_t bytes)
{
	(void)opaque;
	for (uint8_t *p = to; bytes > 0; bytes--)
		*p++ = ++world.random;
}

static size_t transmit(void *opaque, const uint8_t *from, size_t bytes)
{
	size_t n = min_size(bytes, world.out_room - world.out_end);

	(void)opaque;
	memcpy(world.out + world.out_end, from, n);
	world.out_end += n;
	return n;
}

static size_t input(void *opaque, uint8_t *to, size_t space)
{
	size_t n = min_size(strlen(world.in), space);

	(void)opaque;
	memcpy(to, world.in, n);
	world.in += n;
	return n;
}

static enum mmio_outcome wr(uint64_t offset, uint32_t value)
{
	struct mmio m = { .offset = offset, .size = 4, .write = true, .value = value };

	return virtio_mmio_access(&t, &m);
}

static uint64_t rd(uint64_t offset, unsigned bytes)
{
	struct mmio m = { .offset = offset, .size = (uint8_t)bytes };

	assert_int_equal(virtio_mmio_access(&t, &m), MMIO_HANDLED);
	return m.value;
}

static void plug(struct virtio *v)
{
	const struct virtio_mmio_env env = { NULL, set_irq };

	virtio_mmio_init(&t, v, &env);
}

static void start(void)
{
	vd_init(&d);
	memset(&world, 0, sizeof(world));
	memset(offered, 0, sizeof(offered));
	world.in = "";
	world.out_room = sizeof(world.out);
}

static struct virtio_env env(void)
{
	return (struct virtio_env){ NULL, d.mem, broken };
}

static void with_rng(void)
{
	const struct virtio_rng_env r = { NULL, give_random };
	struct virtio_env e;

	start();
	e = env();
	virtio_rng_init(&rng, &e, &r);
	plug(&rng.v);
}

static void with_console(void)
{
	const struct virtio_console_env io = { NULL, transmit, input };
	struct virtio_env e;

	start();
	e = env();
	virtio_console_init(&console, &e, &io);
	plug(&console.v);
}

static void with_blk(bool read_only)
{
	struct virtio_blk_disk disk;
	struct virtio_env e;

	start();
	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i / 512);
	memset(room, 0, sizeof(room));
	assert_true(ramdisk_room(sizeof(image)) <= sizeof(room));
	ramdisk_init(&ramdisk, image, sizeof(image), read_only ? NULL : room);
	disk = ramdisk_disk(&ramdisk);
	strcpy(disk.id, "disk one");
	e = env();
	virtio_blk_init(&blk, &e, &disk);
	plug(&blk.v);
}

static void agree(uint64_t features)
{
	wr(STATUS, 0);
	wr(STATUS, 1);
	wr(STATUS, 3);
	wr(DRIVER_FEATURES_SEL, 0);
	wr(DRIVER_FEATURES, (uint32_t)features);
	wr(DRIVER_FEATURES_SEL, 1);
	wr(DRIVER_FEATURES, (uint32_t)(features >> 32));
	wr(STATUS, 11);
}

static void set_queue(unsigned queue, uint64_t desc, uint64_t driver, uint64_t device,
		      unsigned size)
{
	wr(QUEUE_SEL, queue);
	wr(QUEUE_NUM, size);
	wr(QUEUE_DESC, (uint32_t)desc);
	wr(QUEUE_DESC + 4, (uint32_t)(desc >> 32));
	wr(QUEUE_DRIVER, (uint32_t)driver);
	wr(QUEUE_DRIVER + 4, (uint32_t)(driver >> 32));
	wr(QUEUE_DEVICE, (uint32_t)device);
	wr(QUEUE_DEVICE + 4, (uint32_t)(device >> 32));
	wr(QUEUE_READY, 1);
}

static void drive(unsigned queues)
{
	agree(OFFERED);
	assert_int_equal(rd(STATUS, 4), 11);
	for (unsigned i = 0; i < queues; i++) {
		uint64_t base = i * SECOND;

		set_queue(i, base + VD_DESC, base + VD_DRIVER, base + VD_DEVICE, SIZE);
		assert_int_equal(rd(QUEUE_READY, 4), 1);
	}
	assert_int_equal(wr(STATUS, 15), MMIO_HANDLED);
}

/* A buffer that begins at descriptor `head`. */
static void offer(unsigned queue, unsigned head)
{
	uint64_t base = VD_DRIVER + queue * SECOND;
	unsigned n = offered[queue]++;

	vd_put16(&d, base + 4 + 2 * (n % SIZE), (uint16_t)head);
	vd_put16(&d, base + 2, (uint16_t)(n + 1));
}

static unsigned used(unsigned queue)
{
	return vd_get16(&d, VD_DEVICE + queue * SECOND + 2);
}

static uint32_t used_bytes(unsigned queue, unsigned n)
{
	return vd_get32(&d, VD_DEVICE + queue * SECOND + 8 + 8 * (n % SIZE));
}

/* --- Transport ----------------------------------------------------------------------- */

static void registers(void **state)
{
	const struct dev_reg *r = virtio_mmio_registers();
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < DEV_REG_PLACES; i++) {
		if (r[i].name == NULL)
			continue;
		n++;
		assert_int_equal(r[i].offset, 4 * i);
	}
	assert_int_equal(n, 27);
	with_rng();
	assert_int_equal(rd(MAGIC, 4), 0x74726976);
	assert_int_equal(rd(VERSION, 4), 2);
	assert_int_equal(rd(DEVICE_ID, 4), 4);
	assert_int_equal(rd(QUEUE_MAX, 4), 64);
	assert_int_equal(rd(SHM_LEN, 4), 0xffffffff);
	assert_int_equal(rd(GENERATION, 4), 0);
	wr(QUEUE_SEL, 1);
	assert_int_equal(rd(QUEUE_MAX, 4), 0);
	assert_int_equal(rd(FEATURES, 4), 3u << 28);
	wr(FEATURES_SEL, 1);
	assert_int_equal(rd(FEATURES, 4), 1);
	wr(FEATURES_SEL, 2);
	assert_int_equal(rd(FEATURES, 4), 0);
}

static void features_and_status(void **state)
{
	(void)state;
	with_rng();
	/* Not offered; in words that there are not; without VERSION_1. */
	agree(OFFERED | 1ull << 33);
	assert_int_equal(rd(STATUS, 4), 3);
	wr(DRIVER_FEATURES_SEL, 2);
	assert_int_equal(wr(DRIVER_FEATURES, 1), MMIO_IGNORED);
	assert_int_equal(wr(DRIVER_FEATURES, 0), MMIO_HANDLED);
	agree(OFFERED);
	assert_int_equal(rd(STATUS, 4), 11);
	wr(STATUS, 0);
	wr(STATUS, 3);
	wr(DRIVER_FEATURES_SEL, 1);
	wr(DRIVER_FEATURES, 1);
	wr(DRIVER_FEATURES_SEL, 2);
	wr(DRIVER_FEATURES, 1);
	wr(STATUS, 11);
	assert_int_equal(rd(STATUS, 4), 3); /* it wants what is nowhere */
	/* It takes it back, word by word. */
	wr(DRIVER_FEATURES_SEL, 100);
	wr(DRIVER_FEATURES, 4);
	wr(DRIVER_FEATURES_SEL, 3);
	assert_int_equal(wr(DRIVER_FEATURES, 0), MMIO_HANDLED);
	wr(DRIVER_FEATURES_SEL, 2);
	assert_int_equal(wr(DRIVER_FEATURES, 0), MMIO_HANDLED);
	wr(STATUS, 11);
	assert_int_equal(rd(STATUS, 4), 3);
	wr(DRIVER_FEATURES_SEL, 100);
	assert_int_equal(wr(DRIVER_FEATURES, 0), MMIO_HANDLED);
	wr(STATUS, 11);
	assert_int_equal(rd(STATUS, 4), 11);
	assert_int_equal(wr(DRIVER_FEATURES, 4), MMIO_IGNORED);
	wr(STATUS, 15);
	assert_int_equal(rd(STATUS, 4), 15);
	agree(VIRTIO_F_INDIRECT_DESC);
	assert_int_equal(rd(STATUS, 4), 3);
	/* DRIVER_OK without FEATURES_OK, together with a refused one too. */
	assert_int_equal(wr(STATUS, 7), MMIO_IGNORED);
	assert_int_equal(wr(STATUS, 15), MMIO_IGNORED);
	assert_int_equal(rd(STATUS, 4), 3);
	agree(OFFERED);
	assert_int_equal(rd(STATUS, 4), 11);
	assert_int_equal(wr(DRIVER_FEATURES, 0), MMIO_IGNORED);
	assert_int_equal(rng.v.features, OFFERED);
	/* Bits cleared, bits of the device, bits that do not exist. */
	assert_int_equal(wr(STATUS, 3), MMIO_IGNORED);
	assert_int_equal(wr(STATUS, 11 | 0x40), MMIO_IGNORED);
	assert_int_equal(wr(STATUS, 11 | 0x100), MMIO_IGNORED);
	assert_int_equal(rd(STATUS, 4), 11);
	assert_int_equal(wr(STATUS, 11 | 0x80), MMIO_HANDLED);
	wr(STATUS, 0);
	assert_int_equal(rd(STATUS, 4), 0);
	assert_int_equal(world.breaks, 0);
}

/* A driver that takes each bit for a switch of its own. */
static void status_bit_by_bit(void **state)
{
	(void)state;
	with_rng();
	wr(STATUS, 1);
	assert_int_equal(wr(STATUS, 2), MMIO_IGNORED);
	wr(DRIVER_FEATURES_SEL, 1);
	wr(DRIVER_FEATURES, 1);
	wr(STATUS, 8);
	set_queue(0, VD_DESC, VD_DRIVER, VD_DEVICE, SIZE);
	wr(STATUS, 4);
	assert_int_equal(rd(STATUS, 4), 15);
	vd_split(&d, VD_DESC, 0, VD_DATA, 16, VD_WRITE, 0);
	offer(0, 0);
	assert_int_equal(wr(NOTIFY, 0), MMIO_HANDLED);
	assert_int_equal(used(0), 1);
}

static void ignored_requests(void **state)
{
	(void)state;
	with_rng();
	assert_int_equal(wr(NOTIFY, 0), MMIO_IGNORED); /* before anything */
	wr(QUEUE_SEL, 0);
	assert_int_equal(wr(QUEUE_READY, 1), MMIO_IGNORED);
	drive(1);
	assert_int_equal(wr(NOTIFY, 1), MMIO_IGNORED);
	assert_int_equal(wr(NOTIFY, 0xffffffff), MMIO_IGNORED);
	/* A queue that works keeps its place. */
	assert_int_equal(wr(QUEUE_DESC, 0), MMIO_IGNORED);
	assert_int_equal(wr(QUEUE_NUM, 1), MMIO_IGNORED);
	assert_int_equal(wr(QUEUE_READY, 1), MMIO_IGNORED);
	assert_int_equal(rng.v.queue[0].at.desc, VD_DESC);
	wr(QUEUE_SEL, 0xffffffff);
	assert_int_equal(wr(QUEUE_NUM, 1), MMIO_IGNORED);
	assert_int_equal(wr(QUEUE_READY, 0), MMIO_IGNORED);
	assert_int_equal(rd(QUEUE_READY, 4), 0);
	/* Configuration that is not there; registers that are not. */
	assert_int_equal(wr(CONFIG, 1), MMIO_IGNORED);
	assert_int_equal(wr(0x0c0, 1), MMIO_IGNORED);
	assert_int_equal(wr(0x1fc, 1), MMIO_IGNORED);
	assert_int_equal(wr(MAGIC, 1), MMIO_IGNORED);
	assert_int_equal(world.breaks, 0);
	assert_int_equal(rd(STATUS, 4), 15);
}

static void rings_in_wild_places(void **state)
{
	static const struct virtq_layout at[] = {
		{ VD_BYTES, VD_DRIVER, VD_DEVICE, SIZE },
		{ VD_DESC, 1ull << 63, VD_DEVICE, SIZE },
		{ VD_DESC, VD_DRIVER, -4ull, SIZE },
		{ VD_DESC, VD_DRIVER, VD_DEVICE, 0 },
		{ VD_DESC, VD_DRIVER, VD_DEVICE, 128 },
		{ VD_DESC, VD_DRIVER, VD_DEVICE, 0xffffffff },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++) {
		with_rng();
		agree(OFFERED);
		set_queue(0, at[i].desc, at[i].driver, at[i].device, at[i].size);
		assert_int_equal(rd(QUEUE_READY, 4), 0);
		assert_int_equal(rd(STATUS, 4), 11 | 0x40);
		assert_int_equal(world.breaks, 1);
		assert_int_equal(wr(QUEUE_READY, 1), MMIO_IGNORED);
		wr(STATUS, 15 | 0x40);
		assert_int_equal(wr(NOTIFY, 0), MMIO_IGNORED);
		/* A reset, and all is well. */
		drive(1);
		assert_int_equal(rd(STATUS, 4), 15);
	}
}

/* A ring that is wrong: the device says so, once, and works after a reset. */
static void needs_reset(void **state)
{
	(void)state;
	with_rng();
	drive(1);
	vd_split(&d, VD_DESC, 0, VD_DATA, 4, VD_WRITE, 0);
	offer(0, 0);
	offer(0, SIZE);
	offer(0, 0);
	assert_int_equal(wr(NOTIFY, 0), MMIO_HANDLED);
	assert_int_equal(used(0), 1);
	assert_int_equal(rd(STATUS, 4), 15 | 0x40);
	assert_int_equal(rd(ISR, 4) & 2, 2);
	assert_true(world.irq);
	assert_int_equal(world.breaks, 1);
	assert_string_equal(world.why, "a descriptor's number is out of range");
	assert_int_equal(wr(NOTIFY, 0), MMIO_IGNORED);
	assert_int_equal(world.breaks, 1);
	wr(STATUS, 0);
	assert_false(world.irq);
	assert_int_equal(rd(ISR, 4), 0);
	offered[0] = 0;
	d.ram[VD_DEVICE + 2] = 0;
	drive(1);
	offer(0, 0);
	wr(NOTIFY, 0);
	assert_int_equal(used(0), 1);
	assert_int_equal(rng.v.breaks, 1);
}

/* --- Entropy -------------------------------------------------------------------------- */

static void rng_fills(void **state)
{
	(void)state;
	with_rng();
	drive(1);
	vd_split(&d, VD_DESC, 0, VD_DATA, 100, VD_WRITE, 0);
	vd_split(&d, VD_DESC, 1, VD_DATA + 0x1000, 0xfffffff, VD_WRITE, 0);
	vd_split(&d, VD_DESC, 2, VD_DATA + 0x2000, 10, 0, 0);
	offer(0, 0);
	offer(0, 1);
	offer(0, 2); /* only to read: nothing goes there */
	assert_int_equal(wr(NOTIFY, 0), MMIO_HANDLED);
	assert_int_equal(used(0), 3);
	assert_int_equal(used_bytes(0, 0), 100);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(d.ram[VD_DATA + i], i + 1);
	assert_int_equal(d.ram[VD_DATA + 100], 0);
	assert_int_equal(used_bytes(0, 1), 1024);
	assert_int_equal(d.ram[VD_DATA + 0x1000 + 1024], 0);
	assert_int_equal(used_bytes(0, 2), 0);
	assert_int_equal(d.ram[VD_DATA + 0x2000], 0);
	assert_true(world.irq);
	assert_int_equal(rd(ISR, 4), 1);
	wr(ACK, 2);
	assert_true(world.irq);
	wr(ACK, 1);
	assert_false(world.irq);
}

/* --- Console ---------------------------------------------------------------------------- */

static void console_talks(void **state)
{
	(void)state;
	with_console();
	assert_false(virtio_console_live(&console));
	world.in = "typed ahead";
	virtio_console_service(&console); /* nobody there: it stays */
	assert_string_equal(world.in, "typed ahead");
	drive(2);
	assert_true(virtio_console_live(&console));
	memcpy(d.ram + VD_DATA, "hello, ", 7);
	memcpy(d.ram + VD_DATA + 64, "world\n", 6);
	vd_split(&d, SECOND + VD_DESC, 0, VD_DATA, 7, VD_NEXT, 1);
	vd_split(&d, SECOND + VD_DESC, 1, VD_DATA + 64, 6, 0, 0);
	offer(1, 0);
	wr(NOTIFY, 1);
	assert_string_equal(world.out, "hello, world\n");
	assert_int_equal(used(1), 1);
	vd_split(&d, VD_DESC, 0, VD_DATA, 6, VD_WRITE, 0);
	vd_split(&d, VD_DESC, 1, VD_DATA + 64, 64, VD_WRITE, 0);
	offer(0, 0);
	offer(0, 1);
	wr(NOTIFY, 0);
	assert_int_equal(used(0), 2);
	assert_int_equal(used_bytes(0, 0), 6);
	assert_memory_equal(d.ram + VD_DATA, "typed ", 6);
	assert_int_equal(used_bytes(0, 1), 5);
	assert_memory_equal(d.ram + VD_DATA + 64, "ahead", 5);
	world.in = "more";
	virtio_console_service(&console);
	assert_int_equal(used(0), 2); /* no buffer */
	offer(0, 0);
	wr(NOTIFY, 0);
	assert_memory_equal(d.ram + VD_DATA, "mored ", 6);
}

/* Output for which there is no room waits; a reset in the middle forgets it. */
static void console_waits(void **state)
{
	(void)state;
	with_console();
	drive(2);
	memset(d.ram + VD_DATA, 'x', 150);
	vd_split(&d, SECOND + VD_DESC, 0, VD_DATA, 150, 0, 0);
	world.out_room = 100;
	offer(1, 0);
	wr(NOTIFY, 1);
	assert_int_equal(world.out_end, 100);
	assert_int_equal(used(1), 0);
	world.out_room = 120;
	virtio_console_service(&console);
	assert_int_equal(world.out_end, 120);
	assert_int_equal(used(1), 0);
	world.out_room = 200;
	virtio_console_service(&console);
	assert_int_equal(world.out_end, 150);
	assert_int_equal(used(1), 1);
	assert_true(world.irq);
	world.out_room = 160;
	offer(1, 0);
	wr(NOTIFY, 1);
	assert_int_equal(world.out_end, 160);
	wr(STATUS, 0);
	world.out_room = 256;
	virtio_console_service(&console);
	assert_int_equal(world.out_end, 160);
	vd_put16(&d, SECOND + VD_DRIVER + 2, 0);
	drive(2);
	virtio_console_service(&console);
	assert_int_equal(world.out_end, 160);
	assert_int_equal(used(1), 1); /* as it was: nothing of before comes back */
	/* The same by the queue alone. */
	offered[1] = 0;
	world.out_room = 161;
	offer(1, 0);
	wr(NOTIFY, 1);
	wr(QUEUE_SEL, 1);
	wr(QUEUE_READY, 0);
	world.out_room = 256;
	virtio_console_service(&console);
	assert_int_equal(world.out_end, 161);
	assert_int_equal(world.breaks, 0);
}

/* Small areas for each queue, since there are six of them. */
#define PORT_QUEUE(q) (0x10000u + 0x800u * (q))
#define PORT_RX 4u
#define PORT_TX 5u

static struct {
	char out[64];
	size_t n;
	const char *in;
} second;

static size_t second_transmit(void *opaque, const uint8_t *from, size_t bytes)
{
	(void)opaque;
	memcpy(second.out + second.n, from, bytes);
	second.n += bytes;
	return bytes;
}

static size_t second_input(void *opaque, uint8_t *to, size_t space)
{
	size_t n = min_size(strlen(second.in), space);

	(void)opaque;
	memcpy(to, second.in, n);
	second.in += n;
	return n;
}

static void give(unsigned queue, const void *bytes, unsigned n, bool write)
{
	uint32_t base = PORT_QUEUE(queue), data = base + 0x400;
	unsigned idx = vd_get16(&d, base + 0x102);

	if (!write)
		memcpy(d.ram + data, bytes, n);
	vd_split(&d, base, 0, data, n, write ? VD_WRITE : 0, 0);
	vd_put16(&d, base + 0x104 + 2 * (idx % SIZE), 0);
	vd_put16(&d, base + 0x102, (uint16_t)(idx + 1));
	wr(NOTIFY, queue);
}

static unsigned given_back(unsigned queue)
{
	return vd_get16(&d, PORT_QUEUE(queue) + 0x202);
}

static void say(unsigned port, unsigned event, unsigned value)
{
	uint8_t message[8];

	store_le32(message, port);
	store_le16(message + 4, (uint16_t)event);
	store_le16(message + 6, (uint16_t)value);
	give(3, message, sizeof(message), false);
}

/* The next message, or none. */
static bool hear(unsigned port, unsigned event, const char *rest)
{
	unsigned before = given_back(2);
	const uint8_t *message = d.ram + PORT_QUEUE(2) + 0x400;

	give(2, NULL, 64, true);
	if (given_back(2) == before)
		return false;
	return load_le32(message) == port && load_le16(message + 4) == event &&
	       load_le16(message + 6) == 1 && memcmp(message + 8, rest, strlen(rest)) == 0;
}

static void with_ports(uint64_t features)
{
	static const struct virtio_console_env io = { NULL, second_transmit, second_input };

	with_console();
	memset(&second, 0, sizeof(second));
	second.in = "";
	assert_true(virtio_console_add_port(&console, "com.example.second", &io));
	agree(OFFERED | features);
	for (unsigned i = 0; i < 6; i++)
		set_queue(i, PORT_QUEUE(i), PORT_QUEUE(i) + 0x100, PORT_QUEUE(i) + 0x200, SIZE);
	assert_int_equal(wr(STATUS, 15), MMIO_HANDLED);
}

static void console_ports(void **state)
{
	(void)state;
	with_ports(2);
	assert_int_equal(rd(CONFIG + 4, 4), 2);
	say(0, 0, 1);
	assert_true(hear(0, 1, ""));
	assert_true(hear(1, 1, ""));
	say(0, 3, 1);
	say(1, 3, 1);
	assert_true(hear(0, 4, "")); /* the console, and open */
	assert_true(hear(0, 6, ""));
	assert_true(hear(1, 6, ""));
	assert_true(hear(1, 7, "com.example.second"));
	/* Nothing more: the buffer is kept for what comes. */
	assert_false(hear(0, 0, ""));
	give(PORT_TX, "to the second", 13, false);
	assert_string_equal(second.out, "to the second");
	assert_int_equal(world.out_end, 0);
	give(1, "to the first", 12, false);
	assert_string_equal(world.out, "to the first");
	/* Input waits until somebody has opened it there. */
	second.in = "news";
	give(PORT_RX, NULL, 64, true);
	virtio_console_service(&console);
	assert_int_equal(given_back(PORT_RX), 0);
	assert_false(virtio_console_is_open(&console, 1));
	say(1, 6, 1);
	assert_true(virtio_console_is_open(&console, 1));
	assert_false(virtio_console_is_open(&console, 2));
	assert_int_equal(given_back(PORT_RX), 1);
	assert_memory_equal(d.ram + PORT_QUEUE(PORT_RX) + 0x400, "news", 4);
	say(1, 6, 0);
	second.in = "more";
	give(PORT_RX, NULL, 64, true);
	assert_int_equal(given_back(PORT_RX), 1);
	assert_int_equal(world.breaks, 0);
}

/* It says twice that it is ready: each port was announced, and nothing is forgotten. */
static void console_ready_twice(void **state)
{
	(void)state;
	with_ports(2);
	say(0, 0, 1);
	say(0, 0, 1);
	assert_true(hear(0, 1, ""));
	say(1, 3, 1);
	say(0, 0, 1);
	assert_true(hear(1, 1, ""));
	say(0, 0, 1);
	assert_true(hear(1, 6, ""));
	assert_true(hear(1, 7, "com.example.second"));
	assert_false(hear(0, 1, ""));
	/* After the control queue's end it begins anew. There is room for one message; the
	 * other one stays if the port's own queue stops. */
	wr(QUEUE_SEL, 3);
	wr(QUEUE_READY, 0);
	memset(d.ram + PORT_QUEUE(3) + 0x100, 0, 0x200);
	set_queue(3, PORT_QUEUE(3), PORT_QUEUE(3) + 0x100, PORT_QUEUE(3) + 0x200, SIZE);
	say(0, 0, 1);
	assert_int_equal(given_back(2), 5);
	assert_int_equal(console.port[1].news, 1u << 1);
	wr(QUEUE_SEL, PORT_TX);
	wr(QUEUE_READY, 0);
	assert_int_equal(console.port[1].news, 1u << 1);
	assert_int_equal(world.breaks, 0);
}

static void console_control_mistakes(void **state)
{
	(void)state;
	with_ports(2);
	/* Ports and events that there are not, messages cut short, news of nothing. */
	say(2, 3, 1);
	say(0xffffffff, 6, 1);
	say(1, 0xffff, 1);
	say(1, 0, 0);
	give(3, "short", 5, false);
	give(3, "", 0, false);
	assert_int_equal(given_back(3), 6);
	assert_false(hear(0, 0, ""));
	assert_int_equal(world.breaks, 0);
	/* A name into a buffer that has no room for it. */
	say(1, 3, 1);
	assert_int_equal(given_back(2), 1);
	give(2, NULL, 10, true);
	assert_int_equal(vd_get32(&d, PORT_QUEUE(2) + 0x208 + 8), 10);
	/* A reset forgets it all. */
	say(1, 6, 1);
	wr(STATUS, 0);
	memset(d.ram + 0x10000, 0, 0x4000);
	second.in = "old";
	agree(OFFERED | 2);
	for (unsigned i = 0; i < 6; i++)
		set_queue(i, PORT_QUEUE(i), PORT_QUEUE(i) + 0x100, PORT_QUEUE(i) + 0x200, SIZE);
	wr(STATUS, 15);
	give(PORT_RX, NULL, 64, true);
	assert_int_equal(given_back(PORT_RX), 0);
}

/* What was said of a port goes with a reset, if the port's own queues never worked too. */
static void console_forgets_ports(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		if (round == 0)
			with_ports(2);
		agree(OFFERED | 2);
		memset(d.ram + 0x10000, 0, 0x4000);
		for (unsigned i = 2; i < 4; i++)
			set_queue(i, PORT_QUEUE(i), PORT_QUEUE(i) + 0x100, PORT_QUEUE(i) + 0x200,
				  SIZE);
		wr(STATUS, 15);
		assert_false(virtio_console_is_open(&console, 1));
		assert_false(hear(0, 1, ""));
		if (round == 0) {
			vd_put16(&d, PORT_QUEUE(2) + 0x102, 0); /* no place for news */
			say(1, 6, 1);
			assert_true(virtio_console_is_open(&console, 1));
			wr(QUEUE_SEL, 2);
			wr(QUEUE_READY, 0);
			say(0, 0, 1);
			assert_int_equal(given_back(3), 2);
		}
	}
	assert_int_equal(world.breaks, 0);
}

static size_t bottomless(void *opaque, const uint8_t *from, size_t bytes)
{
	(void)from;
	*(uint64_t *)opaque += bytes;
	return bytes;
}

/* The same memory again and again, in all buffers of a queue: nobody sends that to the end. */
static void console_ends(void **state)
{
	uint64_t sent = 0;

	(void)state;
	with_console();
	console.port[0].io =
		(struct virtio_console_env){ &sent, bottomless, console.port[0].io.input };
	drive(2);
	for (unsigned i = 0; i < 256; i++)
		vd_split(&d, VD_TABLE, i, 0, 0x10000, i < 255 ? VD_NEXT : 0, i + 1);
	for (unsigned i = 0; i < SIZE; i++) {
		vd_split(&d, SECOND + VD_DESC, i, VD_TABLE, 4096, VD_INDIRECT, 0);
		offer(1, i);
	}
	wr(NOTIFY, 1);
	assert_int_equal(sent, 4 << 20);
	assert_int_equal(used(1), SIZE);
	/* What comes next goes whole. */
	vd_split(&d, SECOND + VD_DESC, 0, VD_TABLE, 4096, VD_INDIRECT, 0);
	vd_split(&d, VD_TABLE, 15, 0, 0x10000, 0, 0);
	offer(1, 0);
	wr(NOTIFY, 1);
	assert_int_equal(sent, 5 << 20);
	assert_int_equal(used(1), SIZE + 1);
	assert_int_equal(world.breaks, 0);
}

/* A driver that does not know of ports: those queues do nothing. */
static void console_without_ports(void **state)
{
	(void)state;
	with_ports(0);
	say(0, 0, 1);
	give(PORT_TX, "to the second", 13, false);
	give(PORT_RX, NULL, 64, true);
	virtio_console_service(&console);
	assert_int_equal(second.n, 0);
	assert_int_equal(given_back(3), 0);
	give(1, "first", 5, false);
	assert_string_equal(world.out, "first");
	for (unsigned i = 2; i < VIRTIO_CONSOLE_PORTS; i++)
		assert_true(virtio_console_add_port(&console, "more", &console.port[1].io));
	assert_false(virtio_console_add_port(&console, "more", &console.port[1].io));
}

/* --- Balloon ---------------------------------------------------------------------------- */

static struct virtio_balloon balloon;
static struct {
	uint64_t at[8];
	unsigned n, fetched, back, resets;
	bool tells, none; /* no memory */
	uint32_t actual;
	uint64_t back_sum; /* of addresses */
} given;

static bool fetch_page(void *opaque, uint64_t at)
{
	(void)opaque, (void)at;
	given.fetched += !given.none;
	return !given.none;
}

static void page_back(void *opaque, uint64_t at)
{
	(void)opaque;
	given.back++;
	given.back_sum += at;
}

static void balloon_reset(void *opaque)
{
	(void)opaque;
	given.resets++;
}

static bool give_page(void *opaque, uint64_t at, bool tells)
{
	(void)opaque;
	given.tells = tells;
	if (at >= 0x40000000)
		return false;
	given.at[given.n++ % 8] = at;
	return true;
}

static void actual(void *opaque, uint32_t pages)
{
	(void)opaque;
	given.actual = pages;
}

static void with_balloon(void)
{
	const struct virtio_balloon_env io = { NULL, give_page, fetch_page, page_back,
					       balloon_reset, actual };
	struct virtio_env e;

	start();
	memset(&given, 0, sizeof(given));
	e = env();
	virtio_balloon_init(&balloon, &e, &io);
	plug(&balloon.v);
}

static void balloon_moves(void **state)
{
	(void)state;
	with_balloon();
	virtio_balloon_ask(&balloon, 2); /* nobody there: it finds it */
	assert_false(world.irq);
	drive(2);
	assert_int_equal(rd(CONFIG, 4), 2);
	assert_int_equal(rd(GENERATION, 4), 1);
	store_le32(d.ram + VD_DATA, 5);
	store_le32(d.ram + VD_DATA + 4, 0x3ffff);
	vd_split(&d, VD_DESC, 0, VD_DATA, 8, 0, 0);
	offer(0, 0);
	wr(NOTIFY, 0);
	assert_int_equal(given.n, 2);
	assert_int_equal(given.at[0], 5 * 4096);
	assert_int_equal(given.at[1], 0x3ffff000);
	assert_int_equal(used(0), 1);
	wr(ACK, 3);
	wr(CONFIG + 4, 2);
	assert_int_equal(given.actual, 2);
	assert_int_equal(rd(CONFIG + 4, 4), 2);
	/* Another size: the driver hears of it, once. */
	virtio_balloon_ask(&balloon, 1);
	virtio_balloon_ask(&balloon, 1);
	assert_int_equal(rd(ISR, 4), 2);
	assert_int_equal(rd(GENERATION, 4), 2);
	/* Pages that come back. */
	vd_split(&d, SECOND + VD_DESC, 0, VD_DATA, 4, 0, 0);
	offer(1, 0);
	wr(NOTIFY, 1);
	assert_int_equal(used(1), 1);
	assert_int_equal(given.n, 2);
	assert_int_equal(given.back, 1);
	/* They wait while there is no memory for all of them. */
	given.none = true;
	vd_split(&d, SECOND + VD_DESC, 1, VD_DATA, 8, 0, 0);
	offer(1, 1);
	wr(NOTIFY, 1);
	virtio_balloon_service(&balloon);
	assert_int_equal(used(1), 1);
	given.none = false;
	/* They are the ones of before, whatever is written there now. */
	store_le32(d.ram + VD_DATA, 9);
	store_le32(d.ram + VD_DATA + 4, 9);
	given.back_sum = 0;
	virtio_balloon_service(&balloon);
	assert_int_equal(used(1), 2);
	assert_int_equal(given.back, 3);
	assert_int_equal(given.back_sum, 0x3ffff000 + 5 * 4096);
	assert_int_equal(given.fetched, 3);
	virtio_balloon_service(&balloon);
	assert_int_equal(given.fetched, 3);
	/* What is asked for is not the driver's to write. */
	assert_int_equal(wr(CONFIG, 7), MMIO_IGNORED);
	assert_int_equal(virtio_balloon_asked(&balloon), 1);
	assert_int_equal(world.breaks, 0);
}

static void balloon_mistakes(void **state)
{
	(void)state;
	with_balloon();
	drive(2);
	/* A number cut short; nothing at all; more than fit into one request. */
	vd_split(&d, VD_DESC, 0, VD_DATA, 3, 0, 0);
	vd_split(&d, VD_DESC, 1, VD_DATA, 16, VD_WRITE, 0);
	vd_split(&d, VD_DESC, 2, VD_DATA, 0x4004, 0, 0);
	offer(0, 0);
	offer(0, 1);
	wr(NOTIFY, 0);
	assert_int_equal(used(0), 2);
	assert_int_equal(given.n, 0);
	offer(0, 2);
	wr(NOTIFY, 0);
	assert_int_equal(rd(STATUS, 4), 15 | 64);
	assert_int_equal(given.n, 0);
	/* A page that is no memory. */
	with_balloon();
	drive(2);
	store_le32(d.ram + VD_DATA, 0xffffffff);
	vd_split(&d, VD_DESC, 0, VD_DATA, 4, 0, 0);
	offer(0, 0);
	wr(NOTIFY, 0);
	assert_int_equal(world.breaks, 1);
	assert_int_equal(used(0), 0);
}

/* --- Block ---------------------------------------------------------------------------------- */

#define HEADER VD_DATA
#define STATUS_AT (VD_DATA + 16)
#define DATA (VD_DATA + 0x1000)

static void request(unsigned type, uint64_t sector)
{
	store_le32(d.ram + HEADER, type);
	store_le32(d.ram + HEADER + 4, 0);
	store_le64(d.ram + HEADER + 8, sector);
	d.ram[STATUS_AT] = 0xff;
}

/* A request in three descriptors, as Linux makes them; returns its status. */
static unsigned disk_does(unsigned type, uint64_t sector, uint32_t bytes, bool in)
{
	unsigned n = used(0);

	request(type, sector);
	vd_split(&d, VD_DESC, 0, HEADER, 16, VD_NEXT, bytes != 0 ? 1 : 2);
	vd_split(&d, VD_DESC, 1, DATA, bytes, VD_NEXT | (in ? VD_WRITE : 0), 2);
	vd_split(&d, VD_DESC, 2, STATUS_AT, 1, VD_WRITE, 0);
	offer(0, 0);
	assert_int_equal(wr(NOTIFY, 0), MMIO_HANDLED);
	assert_int_equal(used(0), n + 1);
	return d.ram[STATUS_AT];
}

static void blk_configuration(void **state)
{
	struct mmio m = { .offset = CONFIG + 20, .size = 8 };

	(void)state;
	with_blk(false);
	assert_int_equal(rd(CONFIG, 8), sizeof(image) / 512);
	assert_int_equal(rd(CONFIG, 4), sizeof(image) / 512);
	assert_int_equal(rd(CONFIG + 1, 1), 0);
	assert_int_equal(rd(CONFIG + 12, 4), 126);
	assert_int_equal(rd(CONFIG + 20, 4), 512);
	assert_int_equal(virtio_mmio_access(&t, &m), MMIO_IGNORED); /* its end is beyond */
	assert_int_equal(wr(CONFIG, 0), MMIO_IGNORED);
	assert_int_equal(rd(FEATURES, 4) & 1u << 5, 0);
	wr(FEATURES_SEL, 1);
	assert_int_equal(rd(FEATURES, 4), 5); /* packed rings too */
	with_blk(true);
	assert_int_equal(rd(FEATURES, 4) & 1u << 5, 1u << 5);
}

static void blk_reads_and_writes(void **state)
{
	uint8_t whole[8192];

	(void)state;
	with_blk(false);
	drive(1);
	assert_int_equal(disk_does(0, 7, 1024, true), 0);
	assert_int_equal(used_bytes(0, 0), 1025);
	assert_memory_equal(d.ram + DATA, image + 7 * 512, 1024);
	/* Over the end of a block, and back. */
	memset(whole, 'n', sizeof(whole));
	memcpy(d.ram + DATA, whole, 1024);
	assert_int_equal(disk_does(1, 7, 1024, false), 0);
	assert_int_equal(used_bytes(0, 1), 1);
	memset(d.ram + DATA, 0, 2048);
	assert_int_equal(disk_does(0, 6, 2048, true), 0);
	assert_memory_equal(d.ram + DATA, image + 6 * 512, 512);
	assert_memory_equal(d.ram + DATA + 512, whole, 1024);
	assert_memory_equal(d.ram + DATA + 1536, image + 9 * 512, 512);
	/* The image is as it was. */
	for (size_t i = 0; i < sizeof(image); i++)
		assert_int_equal(image[i], i / 512);
	/* The last sector, in a block that is not whole. */
	assert_int_equal(disk_does(1, 24, 512, false), 0);
	assert_int_equal(disk_does(0, 24, 512, true), 0);
	assert_int_equal(disk_does(4, 0, 0, false), 0);
	assert_int_equal(disk_does(8, 0, 20, true), 0);
	assert_string_equal((char *)d.ram + DATA, "disk one");
	assert_int_equal(blk.failures, 0);
}

static void blk_refuses(void **state)
{
	(void)state;
	with_blk(false);
	drive(1);
	assert_int_equal(disk_does(0, 25, 512, true), 1);
	assert_int_equal(disk_does(0, 24, 1024, true), 1);
	assert_int_equal(disk_does(0, 1ull << 55, 512, true), 1);
	assert_int_equal(disk_does(0, -1ull, 512, true), 1);
	assert_int_equal(disk_does(0, -1ull, 1024, true), 1);
	assert_int_equal(disk_does(0, 0, 100, true), 1);
	assert_int_equal(disk_does(1, 25, 512, false), 1);
	assert_int_equal(disk_does(1, 0, 511, false), 1);
	assert_int_equal(disk_does(11, 0, 16, false), 2); /* DISCARD */
	assert_int_equal(disk_does(0xffffffff, 0, 0, false), 2);
	assert_int_equal(blk.failures, 10);
	for (size_t i = 0; i < sizeof(room); i++)
		assert_int_equal(room[i], 0);
	with_blk(true);
	drive(1);
	assert_int_equal(disk_does(1, 0, 512, false), 1);
	assert_int_equal(disk_does(0, 0, 512, true), 0);
	assert_int_equal(world.breaks, 0);
}

/* What a request that failed says was written was. */
static void blk_tells_what_it_wrote(void **state)
{
	(void)state;
	with_blk(false);
	drive(1);
	memset(d.ram + DATA, 0xee, 2048);
	assert_int_equal(disk_does(0, 25, 1024, true), 1);
	assert_int_equal(used_bytes(0, 0), 1025);
	for (unsigned i = 0; i < 1024; i++)
		assert_int_equal(d.ram[DATA + i], 0);
	assert_int_equal(d.ram[DATA + 1024], 0xee);
	/* Room for more than a status, where there is no data to read; and for an id. */
	assert_int_equal(disk_does(4, 0, 100, true), 0);
	assert_int_equal(used_bytes(0, 1), 101);
	memset(d.ram + DATA, 0xee, 2048);
	assert_int_equal(disk_does(8, 0, 300, true), 0);
	assert_int_equal(used_bytes(0, 2), 301);
	assert_string_equal((char *)d.ram + DATA, "disk one");
	assert_int_equal(d.ram[DATA + 299], 0);
	assert_int_equal(disk_does(11, 0, 512, true), 2);
	assert_int_equal(used_bytes(0, 3), 513);
	assert_int_equal(disk_does(1, 25, 512, false), 1);
	assert_int_equal(used_bytes(0, 4), 1);
	assert_int_equal(world.breaks, 0);
	/* Nobody has zeros written over the same memory for hours. */
	request(0, 25);
	for (unsigned i = 0; i < 256; i++)
		vd_split(&d, VD_TABLE, i, i == 255 ? STATUS_AT : DATA, i == 255 ? 1 : 0x10000,
			 VD_WRITE | (i < 255 ? VD_NEXT : 0), i + 1);
	vd_split(&d, VD_TABLE, 0, HEADER, 16, VD_NEXT, 1);
	vd_split(&d, VD_DESC, 0, VD_TABLE, 4096, VD_INDIRECT, 0);
	offer(0, 0);
	wr(NOTIFY, 0);
	assert_int_equal(d.ram[STATUS_AT], 1);
	assert_int_equal(used_bytes(0, 5), 0);
}

/* A driver that asks for more as long as it is heard. */
static void offer_again(struct vd *v, uint64_t at, size_t bytes)
{
	(void)bytes;
	if (at == HEADER && v->accesses < 100000)
		offer(0, 0);
}

static void blk_works_in_turns(void **state)
{
	const unsigned most = VIRTIO_BLK_TURN / 4096;
	unsigned before;

	(void)state;
	with_blk(false);
	blk.in_turns = true;
	drive(1);
	d.after_read = offer_again;
	request(4, 0);
	vd_split(&d, VD_DESC, 0, HEADER, 16, VD_NEXT, 1);
	vd_split(&d, VD_DESC, 1, STATUS_AT, 1, VD_WRITE, 0);
	offer(0, 0);
	wr(NOTIFY, 0);
	assert_in_range(used(0), 1, most);
	assert_true(blk.more);
	before = used(0);
	virtio_blk_turn(&blk);
	assert_in_range(used(0) - before, 1, most);
	assert_true(blk.more);
	d.after_read = NULL;
	virtio_blk_turn(&blk);
	assert_false(blk.more);
	assert_int_equal(used(0), offered[0]);
}

/* A disk of one block, again and again. */
static const uint8_t *look_at_it(void *opaque, uint64_t offset, uint32_t *bytes)
{
	(void)opaque, (void)offset;
	*bytes = min_u32(*bytes, 4096);
	return image;
}

static uint8_t *change_it(void *opaque, uint64_t offset, uint32_t *bytes)
{
	(void)opaque, (void)offset;
	*bytes = min_u32(*bytes, 4096);
	return room;
}

static unsigned flushes;
static bool count_flush(void *opaque)
{
	(void)opaque;
	flushes++;
	return true;
}

#define LONG 6u /* buffers, of */
#define PIECE 0x10000u

static void with_long_disk(void)
{
	with_blk(false);
	blk.disk.sectors = 1u << 20;
	blk.disk.look = look_at_it;
	blk.disk.change = change_it;
	blk.disk.flush = count_flush;
	flushes = 0;
	drive(1);
}

static void offer_long(unsigned type)
{
	request(type, 0);
	vd_split(&d, VD_DESC, 0, HEADER, 16, VD_NEXT, 1);
	for (unsigned i = 1; i <= LONG; i++)
		vd_split(&d, VD_DESC, i, DATA, PIECE, VD_NEXT | (type == 0 ? VD_WRITE : 0), i + 1);
	vd_split(&d, VD_DESC, LONG + 1, STATUS_AT, 1, VD_WRITE, 0);
	offer(0, 0);
}

/* One that is longer than a turn: a part of it in each. */
static void blk_long_requests(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 2; type++) {
		with_long_disk();
		blk.in_turns = true;
		offer_long(type);
		assert_int_equal(wr(NOTIFY, 0), MMIO_HANDLED);
		assert_int_equal(used(0), 0);
		assert_true(blk.more);
		assert_int_equal(flushes, 0);
		virtio_blk_turn(&blk);
		assert_int_equal(used(0), 1);
		virtio_blk_turn(&blk);
		assert_false(blk.more);
		assert_int_equal(used_bytes(0, 0), type == 0 ? LONG * PIECE + 1 : 1);
		assert_int_equal(d.ram[STATUS_AT], 0);
		assert_int_equal(flushes, type);
		/* A reset in the middle. */
		offer_long(type);
		wr(NOTIFY, 0);
		wr(STATUS, 0);
		assert_false(blk.busy);
		virtio_blk_turn(&blk);
		assert_false(blk.more);
		memset(offered, 0, sizeof(offered));
		memset(d.ram + VD_DRIVER, 0, VD_DATA - VD_DRIVER);
		drive(1);
		assert_int_equal(disk_does(0, 8, 512, true), 0);
		assert_int_equal(used_bytes(0, 0), 513);
		assert_int_equal(world.breaks, 0);
	}
}

/* Whoever knows no flush has written what was written. */
static void blk_writes_through(void **state)
{
	(void)state;
	with_long_disk();
	assert_int_equal(disk_does(1, 8, 512, false), 0);
	assert_int_equal(disk_does(0, 8, 512, true), 0);
	assert_int_equal(flushes, 1);
	agree(OFFERED | 1u << 9);
	assert_true(blk.v.features & 1u << 9);
	memset(offered, 0, sizeof(offered));
	memset(d.ram + VD_DRIVER, 0, VD_DATA - VD_DRIVER);
	set_queue(0, VD_DESC, VD_DRIVER, VD_DEVICE, SIZE);
	wr(STATUS, 15);
	assert_int_equal(disk_does(1, 8, 512, false), 0);
	assert_int_equal(flushes, 1);
	assert_int_equal(disk_does(4, 0, 0, false), 0);
	assert_int_equal(flushes, 2);
}

static void offer_long_again(struct vd *v, uint64_t at, size_t bytes)
{
	(void)v, (void)bytes;
	if (at == HEADER)
		offer(0, 0);
}

/* What is read makes the next request: for ever, where there are no turns. */
static void blk_without_end(void **state)
{
	(void)state;
	with_long_disk();
	d.after_read = offer_long_again;
	offer_long(0);
	wr(NOTIFY, 0);
	assert_int_equal(world.breaks, 1);
	assert_string_equal(world.why, "requests without end");
}

/* The header and the status may be cut up as the driver likes (2.6.4). */
static void blk_framing(void **state)
{
	(void)state;
	with_blk(false);
	drive(1);
	request(0, 3);
	vd_split(&d, VD_DESC, 0, HEADER, 5, VD_NEXT, 1);
	vd_split(&d, VD_DESC, 1, HEADER + 5, 11, VD_NEXT, 2);
	vd_split(&d, VD_DESC, 2, DATA, 500, VD_NEXT | VD_WRITE, 3);
	vd_split(&d, VD_DESC, 3, DATA + 500, 13, VD_WRITE, 0); /* the status is its last byte */
	offer(0, 0);
	wr(NOTIFY, 0);
	assert_int_equal(used(0), 1);
	assert_memory_equal(d.ram + DATA, image + 3 * 512, 512);
	assert_int_equal(d.ram[DATA + 512], 0);
}

static void blk_breaks(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		with_blk(false);
		drive(1);
		request(0, 0);
		vd_split(&d, VD_DESC, 0, HEADER, i == 0 ? 15 : 16, i == 1 ? 0 : VD_NEXT, 1);
		vd_split(&d, VD_DESC, 1, i == 2 ? VD_BYTES - 100 : DATA, 512, VD_WRITE | VD_NEXT,
			 2);
		vd_split(&d, VD_DESC, 2, i == 3 ? VD_BYTES : STATUS_AT, 1, VD_WRITE, 0);
		offer(0, 0);
		wr(NOTIFY, 0);
		assert_int_equal(used(0), 0);
		assert_int_equal(rd(STATUS, 4), 15 | 0x40);
		assert_int_equal(world.breaks, 1);
		assert_true(world.irq);
	}
}

/* Data whose second half is not to be had: with a stage the disk has nothing of it. */
static void blk_stages(void **state)
{
	static uint8_t stage[VIRTIO_BLK_STAGE];

	(void)state;
	with_blk(false);
	blk.disk.stage = stage;
	drive(1);
	memset(d.ram + DATA, 'n', 2048);
	assert_int_equal(disk_does(1, 8, 2048, false), 0);
	request(1, 8);
	memset(d.ram + DATA, 'x', 512);
	vd_split(&d, VD_DESC, 0, HEADER, 16, VD_NEXT, 1);
	vd_split(&d, VD_DESC, 1, DATA, 512, VD_NEXT, 3);
	vd_split(&d, VD_DESC, 3, VD_BYTES, 512, VD_NEXT, 2);
	offer(0, 0);
	wr(NOTIFY, 0);
	assert_int_equal(world.breaks, 1);
	for (size_t i = 0; i < 2048; i++)
		assert_int_equal(room[4096 + i], 'n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers),
		cmocka_unit_test(features_and_status),
		cmocka_unit_test(status_bit_by_bit),
		cmocka_unit_test(ignored_requests),
		cmocka_unit_test(rings_in_wild_places),
		cmocka_unit_test(needs_reset),
		cmocka_unit_test(rng_fills),
		cmocka_unit_test(console_talks),
		cmocka_unit_test(console_waits),
		cmocka_unit_test(balloon_moves),
		cmocka_unit_test(balloon_mistakes),
		cmocka_unit_test(console_ends),
		cmocka_unit_test(console_ports),
		cmocka_unit_test(console_ready_twice),
		cmocka_unit_test(console_forgets_ports),
		cmocka_unit_test(console_control_mistakes),
		cmocka_unit_test(console_without_ports),
		cmocka_unit_test(blk_configuration),
		cmocka_unit_test(blk_reads_and_writes),
		cmocka_unit_test(blk_refuses),
		cmocka_unit_test(blk_tells_what_it_wrote),
		cmocka_unit_test(blk_works_in_turns),
		cmocka_unit_test(blk_framing),
		cmocka_unit_test(blk_breaks),
		cmocka_unit_test(blk_stages),
		cmocka_unit_test(blk_long_requests),
		cmocka_unit_test(blk_writes_through),
		cmocka_unit_test(blk_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
