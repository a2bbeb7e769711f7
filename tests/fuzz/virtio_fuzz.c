/* A virtio device, through its transport, in the hands of a hostile driver.
 * FUZZ_rng, FUZZ_console, FUZZ_blk, FUZZ_net,
 * FUZZ_balloon or FUZZ_vsock says which; FUZZ_PCI: over PCI, where
 * configuration space, BARs and MSI-X are the driver's too. */
#include <dev/virtio/balloon.h>
#include <dev/virtio/blk.h>
#include <dev/virtio/console.h>
#include <dev/virtio/mmio.h>
#include <dev/virtio/net.h>
#include <dev/virtio/pci.h>
#include <dev/virtio/ramdisk.h>
#include <dev/virtio/rng.h>
#include <dev/virtio/vsock_switch.h>
#include <stdlib.h>

#include "hostile_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DESC(queue) (0x300u * (queue))
#define DRIVER(queue) (0x300u * (queue) + 0x100u)
#define DEVICE(queue) (0x300u * (queue) + 0x200u)
#define QUEUE_SIZE 16u

static struct hostile h;
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
	if (!virtio_console_add_port(&device, "one", &io) ||
	    !virtio_console_add_port(&device, "two", &io))
		abort();
}

static void service(void)
{
	virtio_console_service(&device);
}
#endif

#ifdef FUZZ_balloon
static struct virtio_balloon device;

static bool give(void *opaque, uint64_t at, bool tells)
{
	(void)opaque, (void)tells;
	if (at % VIRTIO_BALLOON_PAGE != 0)
		abort();
	return at < 64 * VIRTIO_BALLOON_PAGE;
}

/* There is memory or not, whenever. */
static bool fetch(void *opaque, uint64_t at)
{
	(void)opaque, (void)at;
	return hm_next(&h) & 1;
}

static void back(void *opaque, uint64_t at)
{
	(void)opaque;
	if (at % VIRTIO_BALLOON_PAGE != 0)
		abort();
}

static void reset(void *opaque) { (void)opaque; }

static void actual(void *opaque, uint32_t pages)
{
	(void)opaque, (void)pages;
}

static void plug(const struct virtio_env *env)
{
	const struct virtio_balloon_env io = { NULL, give, fetch, back, reset, actual };

	virtio_balloon_init(&device, env, &io);
}

static void service(void)
{
	virtio_balloon_ask(&device, hm_next(&h));
	virtio_balloon_service(&device);
}
#endif

#ifdef FUZZ_vsock
/* Its own peer, since it may talk to itself. */
static struct virtio_vsock device;
static struct vsock_switch hub;

static bool packet(void *opaque, const struct vsock_header *p, const uint8_t *data)
{
	uint8_t sum = 0;

	(void)opaque;
	if (p->len > VSOCK_PIECE || p->src_cid != 3)
		abort();
	for (uint32_t i = 0; i < p->len; i++)
		sum ^= data[i]; /* all of it is there */
	return vsock_switch_packet(&hub, 0, p, data) || sum == 0x5a;
}

static void room(void *opaque)
{
	(void)opaque;
	vsock_switch_room(&hub, 0);
}

static bool may_send(void *opaque)
{
	(void)opaque;
	return hm_next(&h) != 0xff;
}

static void stopped(void *opaque)
{
	(void)opaque;
	vsock_switch_stopped(&hub, 0);
}

static void plug(const struct virtio_env *env)
{
	const struct virtio_vsock_env io = { NULL, packet, may_send, room, stopped };

	memset(&hub, 0, sizeof(hub));
	virtio_vsock_init(&device, env, &io, 3);
	vsock_switch_add(&hub, 0, &device, 1);
}

/* A packet that is likely to mean something, where `ask` looks for one. */
static void service(void)
{
	uint8_t *p = h.ram + 0x2000, *rest = h.ram + 0x2100, what = hm_next(&h);

	for (unsigned i = 0; i < 2; i++)
		store_le64(p + 8 * i, 3);
	store_le32(rest, what & 1);
	store_le32(rest + 4, what >> 1 & 1);
	store_le32(rest + 8, what & 4 ? 30 : 0);
	store_le16(rest + 12, 1);
	store_le16(rest + 14, what >> 4);
	store_le32(rest + 20, (uint32_t)hm_next(&h) << 4);
	store_le32(rest + 24, hm_next(&h));
	hub.guest[0].deaf = hub.full != 0 && (what & 8);
	hub.full = 0;
	if (what == 0xff)
		virtio_vsock_lost(&device);
	vsock_switch_retry(&hub);
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

static bool transmit(void *opaque, const uint8_t *frame, uint32_t bytes)
{
	uint8_t sum = 0;

	(void)opaque;
	if (bytes < NET_FRAME_MIN || bytes > NET_FRAME_MAX)
		abort();
	for (uint32_t i = 0; i < bytes; i++)
		sum ^= frame[i]; /* all of it is there */
	if (sum & 1)             /* a switch gives it back */
		(void)virtio_net_receive(&device, frame, bytes);
	return hm_next(&h) != 0xff;
}

static void kicked(void *opaque)
{
	(void)opaque;
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

static void judge(const struct mmio *m, enum mmio_outcome outcome)
{
	if (outcome == MMIO_FAULT || (outcome == MMIO_IGNORED && m->reason == NULL) ||
	    (!m->write && (m->value & ~mmio_mask(m)) != 0))
		abort();
}

#ifdef FUZZ_PCI
static struct pci_host host;
static struct virtio_pci t;

#define MEMORY 0x10000000u /* modern there, MSI-X behind it; ports from 0 on */
#define MSIX 0x4000u

static void reg(enum mmio_outcome (*window)(struct pci_host *h, struct mmio *m), uint64_t offset,
		unsigned bytes, bool write, uint64_t value)
{
	struct mmio m = {
		.offset = offset, .size = (uint8_t)bytes, .write = write, .value = value
	};

	judge(&m, window(&host, &m));
}

static void put(uint64_t offset, unsigned bytes, uint64_t value)
{
	reg(pci_memory_access, offset, bytes, true, value);
}

static void send(void *opaque, uint64_t address, uint32_t data)
{
	(void)opaque, (void)address, (void)data;
	if (!pci_msix_enabled(&t.f))
		abort();
}

static void attach(void)
{
	const struct pci_env env = { NULL, set_irq, send };

	pci_host_init(&host, MEMORY, 0);
	virtio_pci_init(&t, &device.v, &env);
	pci_plug(&host, 1, &t.f);
}

/* BARs where the rest expects them. */
static void restore(void)
{
	reg(pci_ecam_access, 0x8010, 4, true, 0);
	reg(pci_ecam_access, 0x8014, 4, true, MEMORY + MSIX);
	reg(pci_ecam_access, 0x8020, 4, true, MEMORY);
	reg(pci_ecam_access, 0x8004, 2, true, 7);
}

static void set_status(uint8_t status)
{
	put(0x14, 1, status);
}

static void set_features(unsigned word, uint32_t features)
{
	put(0x08, 4, word);
	put(0x0c, 4, features);
}

static void set_queue(unsigned queue)
{
	put(0x16, 2, queue);
	put(0x18, 2, QUEUE_SIZE);
	put(0x1a, 2, queue);
	put(0x20, 4, DESC(queue));
	put(0x28, 4, DRIVER(queue));
	put(0x30, 4, DEVICE(queue));
	put(0x1c, 2, 1);
}

static void notify(unsigned queue)
{
	put(0x1000 + 4 * queue, 2, queue);
}

static void any_access(uint8_t op)
{
	unsigned bytes = 1u << (op >> 3 & 3);
	uint32_t at = (uint32_t)(hm_next(&h) << 8 | hm_next(&h)) / bytes * bytes;

	switch (op >> 5 & 3) {
	case 0: reg(pci_ecam_access, 0x8000 + (at & 0x1ff), bytes, op & 1, hm_next32(&h)); break;
	case 1: reg(pci_io_access, at & 0x9f, bytes, op & 1, hm_next32(&h)); break;
	case 2: reg(pci_memory_access, at & 0x7fff, bytes, op & 1, hm_next32(&h)); break;
	/* A message's entry, or the table's control. */
	default:
		if (at & 1)
			reg(pci_ecam_access, 0x8042, 2, true, at);
		else
			put(MSIX + (at & 0x3c), 4, hm_next32(&h));
	}
}

static bool consistent(void)
{
	return irq == t.f.line && (!irq || (t.isr != 0 && !pci_msix_enabled(&t.f)));
}
#else
static struct virtio_mmio t;

static void reg(uint64_t offset, unsigned bytes, bool write, uint64_t value)
{
	struct mmio m = {
		.offset = offset, .size = (uint8_t)bytes, .write = write, .value = value
	};

	judge(&m, virtio_mmio_access(&t, &m));
}

/* Over MMIO a line that is up may be raised again. */
static void set_line(void *opaque, bool level)
{
	if (!irq || !level)
		set_irq(opaque, level);
}

static void attach(void)
{
	const struct virtio_mmio_env mmio = { NULL, set_line };

	virtio_mmio_init(&t, &device.v, &mmio);
}

static void restore(void)
{
}

static void set_status(uint8_t status)
{
	reg(0x70, 4, true, status);
}

static void set_features(unsigned word, uint32_t features)
{
	reg(0x24, 4, true, word);
	reg(0x20, 4, true, features);
}

static void set_queue(unsigned queue)
{
	reg(0x30, 4, true, queue);
	reg(0x38, 4, true, QUEUE_SIZE);
	reg(0x80, 4, true, DESC(queue));
	reg(0x90, 4, true, DRIVER(queue));
	reg(0xa0, 4, true, DEVICE(queue));
	reg(0x44, 4, true, 1);
}

static void notify(unsigned queue)
{
	reg(0x50, 4, true, queue);
}

static void any_access(uint8_t op)
{
	unsigned bytes = 1u << (op >> 3 & 3);
	uint64_t at = ((uint64_t)hm_next(&h) << 1 & 0x1ff) / bytes * bytes;

	reg(at, bytes, op & 1, hm_next32(&h));
}

static bool consistent(void)
{
	return irq == (t.isr != 0);
}
#endif

/* What a driver does that means to work. */
static void drive(uint8_t options)
{
	uint64_t features = VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC;

	packed = (options & 1) && (virtio_offered(t.device) & VIRTIO_F_RING_PACKED);
	features |= packed ? VIRTIO_F_RING_PACKED : 0;
	features |= options & 2 ? VIRTIO_F_EVENT_IDX : 0;
	features |= options & 4 ? virtio_offered(t.device) & 2 : 0; /* ports */
	features |= options & 4 ? virtio_offered(t.device) & 0xffffff : 0;
	memset(h.ram, 0, 0x2000);
	restore();
	set_status(0);
	set_status(3);
	for (unsigned i = 0; i < 2; i++)
		set_features(i, features >> (32 * i) & 0xffffffff);
	set_status(11);
	for (unsigned queue = 0; queue < t.device->class->n_queues; queue++)
		set_queue(queue);
	set_status(15);
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
#ifndef FUZZ_vsock
	h.ram[0x2000] = bits >> 4;
	h.ram[0x2008] = hm_next(&h) % 32;
#endif
	avail[4 + 2 * (idx % QUEUE_SIZE)] = 0;
	store_le16(avail + 2, (uint16_t)(idx + 1));
	notify(queue);
}

static void step(void)
{
	uint8_t op = hm_next(&h);
	unsigned queue = op & 0x80 ? hm_next(&h) % t.device->class->n_queues : 0;

	switch (op & 7) {
	case 0: hm_poke(&h); break;
	case 1: hm_desc(&h, op & 0x40 ? DESC(queue) : 0x3000, packed); break;
	case 2: drive(hm_next(&h)); break;
	case 3: ask(queue); break;
	case 4:
		h.ram[DRIVER(queue) + 2] += op >> 3 & 3;
		notify(queue);
		break;
	case 5: service(); break;
	default: any_access(op);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtio_env env = { NULL, hm_mem(&h), broken };

	memset(&h, 0, sizeof(h));
	h.data = data;
	h.left = size;
	irq = packed = false;
	breaks = 0;
	plug(&env);
	attach();
	drive(hm_next(&h));
	while (h.left > 0) {
		step();
		if (!consistent() || device.v.breaks != breaks)
			abort();
		for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
			if (device.v.queue[i].error != NULL &&
			    !(device.v.status & VIRTIO_STATUS_NEEDS_RESET))
				abort();
	}
	return 0;
}
