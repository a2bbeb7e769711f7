/* A virtio device, through its MMIO transport, in the hands of a hostile
 * driver. FUZZ_rng, FUZZ_console, FUZZ_blk or FUZZ_net says which. */
#include <dev/virtio/blk.h>
#include <dev/virtio/console.h>
#include <dev/virtio/mmio.h>
#include <dev/virtio/net.h>
#include <dev/virtio/ramdisk.h>
#include <dev/virtio/rng.h>
#include <stdlib.h>

#include "hostile_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DESC(queue) (0x1000u * (queue))
#define DRIVER(queue) (0x1000u * (queue) + 0x400u)
#define DEVICE(queue) (0x1000u * (queue) + 0x800u)
#define QUEUE_SIZE 16u

static struct hostile h;
static struct virtio_mmio t;
static bool irq, packed;
static uint64_t breaks;

static void set_irq(void *opaque, bool level)
{
	(void)opaque;
	if (irq == level)
		abort();
	irq = level;
}

static void broken(void *opaque, const char *why)
{
	(void)opaque;
	if (why == NULL)
		abort();
	breaks++;
}

#ifdef FUZZ_rng
static struct virtio_rng device;

static void give_random(void *opaque, void *to, size_t bytes)
{
	(void)opaque;
	memset(to, 0x55, bytes);
}

static void plug(const struct virtio_env *env)
{
	const struct virtio_rng_env rng = { NULL, give_random };

	virtio_rng_init(&device, env, &rng);
}

static void service(void)
{
}
#endif

#ifdef FUZZ_console
static struct virtio_console device;

static size_t transmit(void *opaque, const uint8_t *from, size_t bytes)
{
	(void)opaque, (void)from;
	return min_size(bytes, hm_next(&h));
}

static size_t input(void *opaque, uint8_t *to, size_t room)
{
	size_t n = min_size(hm_next(&h) % 80, room);

	(void)opaque;
	memset(to, 'i', n);
	return n;
}

static void plug(const struct virtio_env *env)
{
	const struct virtio_console_env io = { NULL, transmit, input };

	virtio_console_init(&device, env, &io);
}

static void service(void)
{
	virtio_console_service(&device);
}
#endif

#ifdef FUZZ_blk
#define DISK 9216u
static struct virtio_blk device;
static struct ramdisk ramdisk;

static void plug(const struct virtio_env *env)
{
	static uint8_t image[DISK];
	static uint8_t room[4 * RAMDISK_BLOCK];
	uint8_t options = hm_next(&h);
	struct virtio_blk_disk disk;

	if (ramdisk_room(DISK) > sizeof(room))
		abort();
	memset(room, 0, sizeof(room));
	for (unsigned i = 0; i < DISK; i++)
		if (image[i] != 0)
			abort(); /* of the run before: it is never written */
	ramdisk_init(&ramdisk, image, DISK, options & 1 ? room : NULL);
	disk = ramdisk_disk(&ramdisk);
	virtio_blk_init(&device, env, &disk);
}

static void service(void)
{
}
#endif

#ifdef FUZZ_net
static struct virtio_net device;

static void transmit(void *opaque, const uint8_t *frame, uint32_t bytes)
{
	uint8_t sum = 0;

	(void)opaque;
	if (bytes < NET_FRAME_MIN || bytes > NET_FRAME_MAX)
		abort();
	for (uint32_t i = 0; i < bytes; i++)
		sum ^= frame[i]; /* all of it is there */
	if (sum & 1)             /* a switch gives it back */
		(void)virtio_net_receive(&device, frame, bytes);
}

static void kicked(void *opaque)
{
	(void)opaque;
	if (!device.waiting)
		abort();
}

static void plug(const struct virtio_env *env)
{
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 1 };
	const struct virtio_net_env io = { NULL, transmit, kicked };

	virtio_net_init(&device, env, &io, mac);
}

static void service(void)
{
	static uint8_t frame[NET_FRAME_MAX + 1];
	uint8_t what = hm_next(&h);
	unsigned most = what >> 2 & 7;

	if (what & 1)
		(void)virtio_net_receive(&device, frame, what * 6u % sizeof(frame));
	if (virtio_net_poll(&device, most) > most)
		abort();
	if (what & 2)
		virtio_net_settle(&device);
	for (unsigned i = 0; i < 2; i++) /* before the check at the end of the step */
		if (device.v.queue[i].error != NULL)
			virtio_net_settle(&device);
}
#endif

static void reg(uint64_t offset, unsigned bytes, bool write, uint64_t value)
{
	struct mmio m = {
		.offset = offset, .size = (uint8_t)bytes, .write = write, .value = value
	};
	enum mmio_outcome outcome = virtio_mmio_access(&t, &m);

	if (outcome == MMIO_FAULT || (outcome == MMIO_IGNORED && m.reason == NULL) ||
	    (!write && (m.value & ~mmio_mask(&m)) != 0))
		abort();
}

/* What a driver does that means to work. */
static void drive(uint8_t options)
{
	uint64_t features = VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC;

	packed = (options & 1) && (virtio_offered(t.device) & VIRTIO_F_RING_PACKED);
	features |= packed ? VIRTIO_F_RING_PACKED : 0;
	features |= options & 2 ? VIRTIO_F_EVENT_IDX : 0;
	features |= options & 4 ? virtio_offered(t.device) & 0xffffff : 0;
	memset(h.ram, 0, 0x2000);
	reg(0x70, 4, true, 0);
	reg(0x70, 4, true, 3);
	for (unsigned i = 0; i < 2; i++) {
		reg(0x24, 4, true, i);
		reg(0x20, 4, true, features >> (32 * i) & 0xffffffff);
	}
	reg(0x70, 4, true, 11);
	for (unsigned queue = 0; queue < 2; queue++) {
		reg(0x30, 4, true, queue);
		reg(0x38, 4, true, QUEUE_SIZE);
		reg(0x80, 4, true, DESC(queue));
		reg(0x90, 4, true, DRIVER(queue));
		reg(0xa0, 4, true, DEVICE(queue));
		reg(0x44, 4, true, 1);
	}
	reg(0x70, 4, true, 15);
	if (t.device->status != 15)
		abort();
}

/* Three descriptors and a kick: for a disk, a request. */
static void ask(unsigned queue)
{
	uint8_t *desc = h.ram + DESC(queue), *avail = h.ram + DRIVER(queue);
	uint16_t idx = load_le16(avail + 2);
	uint8_t bits = hm_next(&h);

	for (unsigned i = 0; i < 3; i++) {
		store_le64(desc + 16 * i, 0x2000 + 0x100 * i);
		store_le32(desc + 16 * i + 8, i == 0 ? 16 : i == 1 ? 512u * (bits & 15)
								   : 1);
		store_le16(desc + 16 * i + 12, (uint16_t)(i < 2 ? 1 | (bits >> i & 2) : 2));
		store_le16(desc + 16 * i + 14, (uint16_t)(i + 1));
	}
	h.ram[0x2000] = bits >> 4;
	h.ram[0x2008] = hm_next(&h) % 32;
	avail[4 + 2 * (idx % QUEUE_SIZE)] = 0;
	store_le16(avail + 2, (uint16_t)(idx + 1));
	reg(0x50, 4, true, queue);
}

static void step(void)
{
	uint8_t op = hm_next(&h);
	unsigned queue = op >> 7;

	switch (op & 7) {
	case 0: hm_poke(&h); break;
	case 1: hm_desc(&h, op & 0x40 ? DESC(queue) : 0x3000, packed); break;
	case 2: drive(hm_next(&h)); break;
	case 3: ask(queue); break;
	case 4:
		h.ram[DRIVER(queue) + 2] += op >> 3 & 3;
		reg(0x50, 4, true, queue);
		break;
	case 5: service(); break;
	default: {
		unsigned bytes = 1u << (op >> 3 & 3);
		uint64_t at = ((uint64_t)hm_next(&h) << 1 & 0x1ff) / bytes * bytes;

		reg(at, bytes, op & 1, hm_next32(&h));
	}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct virtio_mmio_env mmio = { NULL, set_irq };
	struct virtio_env env = { NULL, hm_mem(&h), broken };

	memset(&h, 0, sizeof(h));
	h.data = data;
	h.left = size;
	irq = packed = false;
	breaks = 0;
	plug(&env);
	virtio_mmio_init(&t, &device.v, &mmio);
	drive(hm_next(&h));
	while (h.left > 0) {
		step();
		if (irq != (t.isr != 0) || device.v.breaks != breaks)
			abort();
		for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
			if (device.v.queue[i].error != NULL &&
			    !(device.v.status & VIRTIO_STATUS_NEEDS_RESET))
				abort();
	}
	return 0;
}
