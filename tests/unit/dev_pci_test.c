/* The PCI host bridge, virtio over PCI (virtio 1.2, 4.1) and GICv2m's frame. */
#include <dev/gicv2m.h>
#include <dev/virtio/blk.h>
#include <dev/virtio/pci.h>
#include <dev/virtio/ramdisk.h>
#include <dev/virtio/rng.h>
#include <selvage/base.h>
#include <string.h>

#include "unit.h"
#include "virtio_driver.h"

#define MEMORY 0x10000000u /* the window, on the bus */
#define MODERN MEMORY
#define MSIX (MEMORY + 0x8000u)
#define LEGACY 0x1000u
#define SLOT 3u
#define OTHER 4u
#define VECTORS (VIRTIO_MAX_QUEUES + 1)
#define NO_VECTOR 0xffffu

enum { COMMON = 0,
       NOTIFY = 0x1000,
       ISR = 0x2000,
       CONFIG = 0x3000 };
enum { DEVICE_SEL = 0,
       FEATURE = 4,
       DRIVER_SEL = 8,
       DRIVER_FEATURE = 12,
       CONFIG_VECTOR = 16,
       QUEUES = 18,
       STATUS = 20,
       QUEUE_SEL = 22,
       QUEUE_SIZE = 24,
       QUEUE_VECTOR = 26,
       QUEUE_ENABLE = 28,
       NOTIFY_OFF = 30,
       QUEUE_DESC = 32 };

static struct vd d;
static struct pci_host host;
static struct virtio_pci t, other;
static struct virtio_rng rng;
static struct virtio_blk blk;
static struct ramdisk ramdisk;
static uint8_t image[4096];
static unsigned offered;

static struct {
	bool intx;
	unsigned sent, breaks;
	uint64_t address;
	uint32_t data;
} world;

static void set_intx(void *opaque, bool level)
{
	(void)opaque;
	assert_int_not_equal(world.intx, level);
	world.intx = level;
}

static void send(void *opaque, uint64_t address, uint32_t data)
{
	(void)opaque;
	world.sent++;
	world.address = address;
	world.data = data;
}

static void broken(void *opaque, const char *why)
{
	(void)opaque, (void)why;
	world.breaks++;
}

static void give_random(void *opaque, void *to, size_t bytes)
{
	(void)opaque;
	memset(to, 0x5a, bytes);
}

typedef enum mmio_outcome (*window)(struct pci_host *h, struct mmio *m);

static enum mmio_outcome write_to(window w, uint64_t offset, unsigned bytes, uint64_t value)
{
	struct mmio m = {
		.offset = offset, .size = (uint8_t)bytes, .write = true, .value = value
	};

	return w(&host, &m);
}

static uint64_t read_from(window w, uint64_t offset, unsigned bytes)
{
	struct mmio m = { .offset = offset, .size = (uint8_t)bytes };

	assert_int_not_equal(w(&host, &m), MMIO_FAULT);
	return m.value;
}

#define CONFIG_AT(slot, offset) (((uint64_t)(slot) << 15) + (offset))
static uint64_t cfg(uint32_t offset, unsigned bytes)
{
	return read_from(pci_ecam_access, CONFIG_AT(SLOT, offset), bytes);
}

static enum mmio_outcome set_cfg(uint32_t offset, unsigned bytes, uint64_t value)
{
	return write_to(pci_ecam_access, CONFIG_AT(SLOT, offset), bytes, value);
}

static uint64_t rd(uint64_t at, unsigned bytes)
{
	return read_from(pci_memory_access, at - MEMORY, bytes);
}

static enum mmio_outcome wr(uint64_t at, unsigned bytes, uint64_t value)
{
	return write_to(pci_memory_access, at - MEMORY, bytes, value);
}

static uint64_t port(uint32_t offset, unsigned bytes)
{
	return read_from(pci_io_access, LEGACY + offset, bytes);
}

static enum mmio_outcome set_port(uint32_t offset, unsigned bytes, uint64_t value)
{
	return write_to(pci_io_access, LEGACY + offset, bytes, value);
}

static void plug(struct virtio_pci *to, unsigned slot, struct virtio *device)
{
	const struct pci_env env = { NULL, set_intx, send };

	virtio_pci_init(to, device, &env);
	pci_plug(&host, slot, &to->f);
}

static void start(void)
{
	const struct virtio_env e = { NULL, d.mem, broken };
	const struct virtio_rng_env r = { NULL, give_random };

	virtio_rng_init(&rng, &e, &r);
	plug(&t, SLOT, &rng.v);
	set_cfg(PCI_BAR(0), 4, LEGACY);
	set_cfg(PCI_BAR(1), 4, MSIX);
	set_cfg(PCI_BAR(4), 4, MODERN);
	set_cfg(PCI_COMMAND, 2, 7);
	offered = 0;
}

static int setup(void **state)
{
	(void)state;
	vd_init(&d);
	memset(&world, 0, sizeof(world));
	pci_host_init(&host, MEMORY, 0);
	start();
	return 0;
}

static void with_blk(void)
{
	const struct virtio_env e = { NULL, d.mem, broken };
	struct virtio_blk_disk disk;

	ramdisk_init(&ramdisk, image, sizeof(image), NULL);
	disk = ramdisk_disk(&ramdisk);
	virtio_blk_init(&blk, &e, &disk);
	plug(&other, OTHER, &blk.v);
	write_to(pci_ecam_access, CONFIG_AT(OTHER, PCI_BAR(4)), 4, MODERN + 0x4000);
	write_to(pci_ecam_access, CONFIG_AT(OTHER, PCI_COMMAND), 2, 7);
}

/* --- PCI ---------------------------------------------------------------------------- */

static void identity(void **state)
{
	(void)state;
	assert_int_equal(cfg(0, 4), 0x10051af4);
	assert_int_equal(cfg(8, 4), 0x00ff0000);
	assert_int_equal(cfg(0x2c, 4), 0x00041af4);
	assert_int_equal(cfg(0x3d, 1), 1);
	/* Nothing is there: all ones, at any width; nothing happens. */
	for (unsigned bytes = 1; bytes <= 4; bytes *= 2)
		assert_int_equal(read_from(pci_ecam_access, CONFIG_AT(OTHER, 0), bytes),
				 (1ull << 8 * bytes) - 1);
	assert_int_equal(read_from(pci_ecam_access, CONFIG_AT(SLOT, 1 << 12), 2), 0xffff);
	assert_int_equal(read_from(pci_ecam_access, 1 << 20, 2), 0xffff);
	assert_int_equal(write_to(pci_ecam_access, CONFIG_AT(OTHER, 4), 2, 7), MMIO_HANDLED);
	/* Read-only, extended, too wide. */
	set_cfg(0, 4, 0);
	set_cfg(8, 4, 0xffffffff);
	assert_int_equal(cfg(0, 4), 0x10051af4);
	assert_int_equal(cfg(8, 4), 0x00ff0000);
	assert_int_equal(cfg(0x100, 4), 0);
	assert_int_equal(set_cfg(0x100, 4, 1), MMIO_HANDLED);
	assert_int_equal(set_cfg(0x40, 8, ~0ull), MMIO_IGNORED);
	assert_int_equal(cfg(0x40, 8), 0);
	assert_int_equal(cfg(0xfff, 1), 0);
}

static void modern_identity(void **state)
{
	static const struct virtio_class kind = { .name = "sockets",
						  .id = VIRTIO_ID_VSOCK,
						  .n_queues = 3 };
	static struct virtio v;
	const struct virtio_env e = { NULL, d.mem, broken };

	(void)state;
	virtio_init(&v, &kind, &e, NULL);
	plug(&other, OTHER, &v);
	assert_int_equal(read_from(pci_ecam_access, CONFIG_AT(OTHER, 0), 4), 0x10531af4);
	assert_int_equal(read_from(pci_ecam_access, CONFIG_AT(OTHER, 8), 1), 1);
	assert_int_equal(read_from(pci_ecam_access, CONFIG_AT(OTHER, 0x2c), 4), 0x00531af4);
}

static unsigned find_capability(uint8_t id, uint8_t type)
{
	unsigned at = (unsigned)cfg(0x34, 1);

	assert_int_equal(cfg(6, 2) & 16, 16);
	for (unsigned n = 0; at != 0 && n < 16; n++) {
		assert_true(at >= 0x40 && at % 4 == 0);
		if (cfg(at, 1) == id && (id != PCI_CAP_VENDOR || cfg(at + 3, 1) == type))
			return at;
		at = (unsigned)cfg(at + 1, 1);
	}
	return 0;
}

static void capabilities(void **state)
{
	static const struct {
		uint8_t type;
		uint32_t offset, length;
	} wanted[] = {
		{ 1, COMMON, 0x1000 },
		{ 2, NOTIFY, 0x1000 },
		{ 3, ISR, 0x1000 },
		{ 4, CONFIG, 0x1000 },
		{ 5, 0, 0 },
	};
	unsigned msix = find_capability(PCI_CAP_MSIX, 0);

	(void)state;
	assert_int_equal(cfg(msix + 2, 2), VECTORS - 1);
	assert_int_equal(cfg(msix + 4, 4), 1);
	assert_int_equal(cfg(msix + 8, 4), 0x801);
	for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
		unsigned at = find_capability(PCI_CAP_VENDOR, wanted[i].type);

		assert_int_not_equal(at, 0);
		assert_int_equal(cfg(at + 4, 1), 4);
		assert_int_equal(cfg(at + 8, 4), wanted[i].offset);
		assert_int_equal(cfg(at + 12, 4), wanted[i].length);
	}
	assert_int_equal(cfg(find_capability(PCI_CAP_VENDOR, 2) + 16, 4), 4);
}

static void bars(void **state)
{
	static const uint32_t sizes[PCI_BARS] = { 0x80, 0x1000, 0, 0, 0x4000, 0 };

	(void)state;
	for (unsigned i = 0; i < PCI_BARS; i++) {
		uint64_t before = cfg(PCI_BAR(i), 4);

		set_cfg(PCI_BAR(i), 4, 0xffffffff);
		assert_int_equal(cfg(PCI_BAR(i), 4),
				 sizes[i] == 0 ? 0 : (uint32_t)-sizes[i] | (i == 0));
		/* Now it is at the end of the address space, and beyond no end. */
		assert_int_equal(rd(MODERN + 0x8000 + 0x4000, 4), 0xffffffff);
		set_cfg(PCI_BAR(i), 4, before);
	}
	assert_int_equal(rd(MODERN + QUEUES, 2), 1);
	/* By bytes; somewhere else; where the window does not reach; off. */
	set_cfg(PCI_BAR(4) + 2, 1, 0x10);
	assert_int_equal(rd(MODERN + QUEUES, 2), 0xffff);
	assert_int_equal(rd(MODERN + 0x100000 + QUEUES, 2), 1);
	set_cfg(PCI_BAR(4), 4, 0x40000000);
	assert_int_equal(rd(MODERN + QUEUES, 2), 0xffff);
	assert_int_equal(wr(MODERN + STATUS, 1, 1), MMIO_IGNORED);
	set_cfg(PCI_BAR(4), 4, MODERN);
	set_cfg(PCI_COMMAND, 2, 1);
	assert_int_equal(rd(MODERN + QUEUES, 2), 0xffff);
	assert_int_equal(port(0x0c, 2), 64);
	set_cfg(PCI_COMMAND, 2, 2);
	assert_int_equal(rd(MODERN + QUEUES, 2), 1);
	assert_int_equal(port(0x0c, 2), 0xffff);
}

/* What firmware does for guests that do not. */
static void assigned(void **state)
{
	uint32_t memory = MEMORY + 0x100010, io = LEGACY + 0x1001;

	(void)state;
	pci_assign(&t.f, &memory, &io, 11);
	assert_int_equal(cfg(PCI_BAR(0), 4), LEGACY + 0x1080 + 1);
	assert_int_equal(cfg(PCI_BAR(1), 4), MEMORY + 0x101000);
	assert_int_equal(cfg(PCI_BAR(4), 4), MEMORY + 0x104000);
	assert_int_equal(cfg(PCI_BAR(2), 4), 0);
	assert_int_equal(memory, MEMORY + 0x108000);
	assert_int_equal(io, LEGACY + 0x1100);
	assert_int_equal(cfg(PCI_COMMAND, 2), PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	assert_int_equal(cfg(PCI_INTERRUPT_LINE, 1), 11);
	assert_int_equal(rd(MEMORY + 0x104000 + QUEUES, 2), 1);
	/* The guest may move them. */
	set_cfg(PCI_BAR(4), 4, MODERN);
	assert_int_equal(rd(MODERN + QUEUES, 2), 1);
}

static void without_messages(void **state)
{
	unsigned msix = find_capability(PCI_CAP_MSIX, 0);

	(void)state;
	pci_drop_msix(&t.f);
	assert_int_equal(find_capability(PCI_CAP_MSIX, 0), 0);
	assert_int_not_equal(find_capability(PCI_CAP_VENDOR, 1), 0); /* behind it */
	set_cfg(msix + 2, 2, 0x8000);
	assert_false(pci_msix_enabled(&t.f));
}

/* Over each other: one of them answers, and no access leaves its BAR. */
static void overlapping_bars(void **state)
{
	(void)state;
	with_blk();
	write_to(pci_ecam_access, CONFIG_AT(OTHER, PCI_BAR(4)), 4, MODERN);
	for (uint32_t at = 0; at < 0x8000; at += 8)
		for (unsigned bytes = 1; bytes <= 8; bytes *= 2)
			(void)rd(MODERN + at, bytes);
	set_cfg(PCI_BAR(1), 4, MODERN);
	for (uint32_t at = 0; at < 0x4000; at += 4)
		wr(MODERN + at, 4, 0xffffffff);
	set_cfg(PCI_BAR(1), 4, MSIX);
	write_to(pci_ecam_access, CONFIG_AT(OTHER, PCI_COMMAND), 2, 0);
	assert_int_equal(rd(MODERN + QUEUES, 2), 1);
	/* Past the end of the last BAR of ports. */
	assert_int_equal(port(0x78, 8), 0);
	assert_int_equal(port(0x80, 1), 0xff);
}

/* --- Interrupts --------------------------------------------------------------------------- */

static void agree(uint64_t features)
{
	wr(MODERN + STATUS, 1, 0);
	wr(MODERN + STATUS, 1, 3);
	for (unsigned i = 0; i < 2; i++) {
		wr(MODERN + DRIVER_SEL, 4, i);
		wr(MODERN + DRIVER_FEATURE, 4, (uint32_t)(features >> (32 * i)));
	}
	wr(MODERN + STATUS, 1, 11);
}

static void drive(void)
{
	static const uint64_t area[] = { VD_DESC, VD_DRIVER, VD_DEVICE };

	agree(VIRTIO_F_VERSION_1);
	assert_int_equal(rd(MODERN + STATUS, 1), 11);
	wr(MODERN + QUEUE_SEL, 2, 0);
	assert_int_equal(rd(MODERN + QUEUE_SIZE, 2), 64);
	wr(MODERN + QUEUE_SIZE, 2, 8);
	for (unsigned i = 0; i < 3; i++) {
		wr(MODERN + QUEUE_DESC + 8 * i, 4, area[i]);
		wr(MODERN + QUEUE_DESC + 8 * i + 4, 4, 0);
	}
	assert_int_equal(wr(MODERN + QUEUE_ENABLE, 2, 1), MMIO_HANDLED);
	assert_int_equal(rd(MODERN + QUEUE_ENABLE, 2), 1);
	wr(MODERN + STATUS, 1, 15);
}

/* The device fills a buffer. */
static void ask(void)
{
	vd_split(&d, VD_DESC, 0, VD_DATA, 16, VD_WRITE, 0);
	vd_offer(&d, 8, offered++, 0);
	assert_int_equal(wr(MODERN + NOTIFY, 2, 0), MMIO_HANDLED);
	assert_int_equal(vd_get16(&d, VD_DEVICE + 2), offered);
}

static unsigned msix_on(uint16_t control)
{
	unsigned at = find_capability(PCI_CAP_MSIX, 0);

	set_cfg(at + 2, 2, control);
	return at;
}

static void set_vector(unsigned vector, uint64_t address, uint32_t data, uint32_t control)
{
	wr(MSIX + 16 * vector, 4, (uint32_t)address);
	wr(MSIX + 16 * vector + 4, 4, address >> 32);
	wr(MSIX + 16 * vector + 8, 4, data);
	wr(MSIX + 16 * vector + 12, 4, control);
}

static void intx(void **state)
{
	(void)state;
	drive();
	ask();
	assert_true(world.intx);
	assert_int_equal(cfg(PCI_STATUS, 2) & 8, 8);
	assert_int_equal(rd(MODERN + ISR, 1), 1);
	assert_false(world.intx);
	assert_int_equal(rd(MODERN + ISR, 1), 0);
	/* Forbidden, then not; a reset takes it away. */
	set_cfg(PCI_COMMAND, 2, 0x407);
	ask();
	assert_false(world.intx);
	assert_int_equal(cfg(PCI_STATUS, 2) & 8, 8);
	set_cfg(PCI_COMMAND, 2, 7);
	assert_true(world.intx);
	wr(MODERN + STATUS, 1, 0);
	assert_false(world.intx);
	assert_int_equal(world.sent, 0);
}

static void messages(void **state)
{
	uint64_t address;
	uint32_t data;
	unsigned at;

	(void)state;
	drive();
	at = msix_on(0x8000);
	assert_int_equal(rd(MSIX + 12, 4), 1);
	set_vector(1, 0x8020040, 80, 0);
	/* No vector yet: the queue is silent. */
	ask();
	assert_int_equal(world.sent, 0);
	assert_false(virtio_pci_message(&t, 0, &address, &data));
	wr(MODERN + QUEUE_VECTOR, 2, 1);
	assert_int_equal(rd(MODERN + QUEUE_VECTOR, 2), 1);
	ask();
	assert_int_equal(world.sent, 1);
	assert_int_equal(world.address, 0x8020040);
	assert_int_equal(world.data, 80);
	assert_false(world.intx);
	assert_int_equal(rd(MODERN + ISR, 1), 0);
	assert_true(virtio_pci_message(&t, 0, &address, &data));
	assert_int_equal(data, 80);
	/* Out of range; of a queue that there is not. */
	wr(MODERN + QUEUE_VECTOR, 2, VECTORS);
	assert_int_equal(rd(MODERN + QUEUE_VECTOR, 2), NO_VECTOR);
	wr(MODERN + CONFIG_VECTOR, 2, 0xfffe);
	assert_int_equal(rd(MODERN + CONFIG_VECTOR, 2), NO_VECTOR);
	wr(MODERN + QUEUE_SEL, 2, 7);
	assert_int_equal(wr(MODERN + QUEUE_VECTOR, 2, 1), MMIO_IGNORED);
	assert_int_equal(rd(MODERN + QUEUE_VECTOR, 2), 0);
	wr(MODERN + QUEUE_SEL, 2, 0);
	/* Wild addresses are the owner's to judge. */
	wr(MODERN + QUEUE_VECTOR, 2, 1);
	set_vector(1, 0xfffffffffffffffcull, 0xffffffff, 0);
	ask();
	assert_int_equal(world.address, 0xfffffffffffffffcull);
	/* Off: INTA# again; and a reset forgets vectors. */
	set_cfg(at + 2, 2, 0);
	ask();
	assert_true(world.intx);
	set_cfg(at + 2, 2, 0x8000);
	assert_false(world.intx);
	wr(MODERN + STATUS, 1, 0);
	assert_int_equal(rd(MODERN + QUEUE_VECTOR, 2), NO_VECTOR);
}

static void masks(void **state)
{
	unsigned at;

	(void)state;
	drive();
	at = msix_on(0x8000);
	set_vector(1, 0x8020040, 80, 1);
	wr(MODERN + QUEUE_VECTOR, 2, 1);
	ask();
	ask();
	assert_int_equal(world.sent, 0);
	assert_int_equal(rd(MSIX + 0x800, 8), 2);
	assert_int_equal(wr(MSIX + 0x800, 4, 0), MMIO_IGNORED);
	wr(MSIX + 28, 4, 0); /* both as one */
	assert_int_equal(world.sent, 1);
	assert_int_equal(rd(MSIX + 0x800, 4), 0);
	/* All of them; without the right to send; pending goes when it is off. */
	set_cfg(at + 2, 2, 0xc000);
	ask();
	assert_int_equal(rd(MSIX + 0x800, 4), 2);
	set_cfg(at + 2, 2, 0x8000);
	assert_int_equal(world.sent, 2);
	set_cfg(PCI_COMMAND, 2, 3);
	ask();
	assert_int_equal(world.sent, 2);
	set_cfg(PCI_COMMAND, 2, 7);
	assert_int_equal(world.sent, 3);
	set_cfg(at + 2, 2, 0xc000);
	ask();
	set_cfg(at + 2, 2, 0);
	set_cfg(at + 2, 2, 0x8000);
	assert_int_equal(world.sent, 3);
	/* Odd widths and what is behind the table. */
	assert_int_equal(wr(MSIX + 28, 2, 1), MMIO_IGNORED);
	assert_int_equal(wr(MSIX + 16 * VECTORS, 4, 1), MMIO_IGNORED);
	assert_int_equal(rd(MSIX + 16 * VECTORS, 4), 0);
	wr(MSIX + 16, 8, 0x1234567800000043ull);
	assert_int_equal(rd(MSIX + 16, 8), 0x1234567800000040ull);
	assert_int_equal(rd(MSIX + 24, 8), 80);
	assert_int_equal(rd(MSIX + 0xffc, 4), 0);
}

static void frame_pulse(void *opaque, uint32_t irq)
{
	*(uint32_t *)opaque = irq;
}

static void frame(void **state)
{
	uint32_t pulsed = 0;
	struct gicv2m g = { 80, 64, &pulsed, frame_pulse };
	struct mmio m = { .offset = 8, .size = 4 };

	(void)state;
	assert_int_equal(gicv2m_access(&g, &m), MMIO_HANDLED);
	assert_int_equal(m.value, 80u << 16 | 64);
	m = (struct mmio){ .offset = 0x40, .size = 4, .write = true, .value = 143 };
	assert_int_equal(gicv2m_access(&g, &m), MMIO_HANDLED);
	assert_int_equal(pulsed, 143);
	for (unsigned i = 0; i < 4; i++) {
		static const uint32_t wild[] = { 144, 79, 0, 0xffffffff };

		m.value = wild[i];
		assert_int_equal(gicv2m_access(&g, &m), MMIO_IGNORED);
		assert_int_equal(gicv2m_interrupt(&g, 0x40, wild[i]), 0);
	}
	assert_int_equal(gicv2m_interrupt(&g, 0x44, 80), 0);
	assert_int_equal(gicv2m_interrupt(&g, 0x40, 80), 80);
	m = (struct mmio){ .offset = 0x40, .size = 8 };
	assert_int_equal(gicv2m_access(&g, &m), MMIO_IGNORED);
	assert_int_equal(pulsed, 143);
}

/* --- Modern -------------------------------------------------------------------------------- */

static void common(void **state)
{
	(void)state;
	assert_int_equal(rd(MODERN + FEATURE, 4), 3u << 28);
	wr(MODERN + DEVICE_SEL, 4, 1);
	assert_int_equal(rd(MODERN + FEATURE, 4), 1);
	wr(MODERN + DEVICE_SEL, 4, 2);
	assert_int_equal(rd(MODERN + FEATURE, 4), 0);
	/* Each field by its own width. */
	assert_int_equal(wr(MODERN + STATUS, 4, 1), MMIO_IGNORED);
	assert_int_equal(rd(MODERN + STATUS, 1), 0);
	assert_int_equal(rd(MODERN + QUEUE_SEL, 4), 0);
	assert_int_equal(wr(MODERN + QUEUES, 2, 9), MMIO_IGNORED);
	assert_int_equal(wr(MODERN + 0x38, 4, 9), MMIO_IGNORED);
	assert_int_equal(wr(MODERN + QUEUE_SEL + 2, 8, 9), MMIO_IGNORED);
	/* A queue before its time, and one that there is not. */
	assert_int_equal(wr(MODERN + QUEUE_ENABLE, 2, 1), MMIO_IGNORED);
	drive();
	assert_int_equal(rd(MODERN + DRIVER_FEATURE, 4), 1);
	assert_int_equal(rd(MODERN + QUEUE_DESC, 4), VD_DESC);
	assert_int_equal(rd(MODERN + NOTIFY_OFF, 2), 0);
	assert_int_equal(wr(MODERN + QUEUE_ENABLE, 2, 0), MMIO_IGNORED);
	assert_int_equal(wr(MODERN + QUEUE_DESC, 4, 0), MMIO_IGNORED);
	assert_int_equal(wr(MODERN + QUEUE_DESC, 8, 0), MMIO_IGNORED);
	wr(MODERN + QUEUE_SEL, 2, 0xffff);
	assert_int_equal(rd(MODERN + QUEUE_SIZE, 2), 0);
	assert_int_equal(wr(MODERN + QUEUE_ENABLE, 2, 1), MMIO_IGNORED);
	assert_int_equal(wr(MODERN + NOTIFY + 4, 2, 0), MMIO_IGNORED);
	assert_int_equal(wr(MODERN + NOTIFY + 2, 2, 0), MMIO_IGNORED);
	assert_int_equal(wr(MODERN + ISR, 1, 0), MMIO_IGNORED);
	assert_int_equal(world.breaks, 0);
	/* Features never offered. */
	agree(VIRTIO_F_VERSION_1 | 1ull << 40);
	assert_int_equal(rd(MODERN + STATUS, 1), 3);
	/* An address as a whole. */
	agree(VIRTIO_F_VERSION_1);
	wr(MODERN + QUEUE_SEL, 2, 0);
	assert_int_equal(wr(MODERN + QUEUE_DESC + 8, 8, 0x123456789a), MMIO_HANDLED);
	assert_int_equal(rd(MODERN + QUEUE_DESC + 8, 4), 0x3456789a);
	assert_int_equal(rd(MODERN + QUEUE_DESC + 8, 8), 0x123456789a);
	/* Without a size it is the one that is offered; a ring that is nowhere. */
	wr(MODERN + QUEUE_DESC + 4, 4, 1);
	wr(MODERN + QUEUE_ENABLE, 2, 1);
	assert_int_equal(rd(MODERN + STATUS, 1), 11 | 64);
	assert_int_equal(world.breaks, 1);
}

static void configuration(void **state)
{
	(void)state;
	with_blk();
	assert_int_equal(rd(MODERN + 0x4000 + CONFIG, 8), sizeof(image) / 512);
	assert_int_equal(rd(MODERN + 0x4000 + CONFIG, 1), sizeof(image) / 512);
	assert_int_equal(wr(MODERN + 0x4000 + CONFIG, 4, 1), MMIO_IGNORED);
	assert_int_equal(rd(MODERN + 0x4000 + CONFIG + 0xff8, 8), 0);
}

/* The window in configuration space. */
static void window_capability(void **state)
{
	unsigned at = find_capability(PCI_CAP_VENDOR, 5);

	(void)state;
	set_cfg(at + 8, 4, QUEUES);
	set_cfg(at + 12, 4, 2);
	assert_int_equal(cfg(at + 16, 2), 1);
	set_cfg(at + 8, 4, STATUS);
	set_cfg(at + 12, 4, 1);
	set_cfg(at + 16, 1, 3);
	assert_int_equal(rd(MODERN + STATUS, 1), 3);
	/* The first of four bytes; the others are as they were. */
	set_cfg(at + 16, 4, 0x11223303);
	assert_int_equal(cfg(at + 16, 4), 0x11223303);
	wr(MODERN + STATUS, 1, 0);
	assert_int_equal(cfg(at + 16, 4), 0x11223300);
	set_cfg(at + 16, 4, 0x11223303);
	assert_int_equal(rd(MODERN + STATUS, 1), 3);
	/* BAR 0 too, where it is: the device's features. */
	set_cfg(at + 4, 1, 0);
	set_cfg(at + 8, 4, 0);
	set_cfg(at + 12, 4, 4);
	assert_int_equal(cfg(at + 16, 4), 3u << 28);
	set_cfg(at + 4, 1, 4);
	set_cfg(at + 8, 4, STATUS);
	/* A length that is none; another BAR, beyond the end, not aligned: nothing. */
	set_cfg(at + 12, 4, 3);
	set_cfg(at + 16, 4, 7);
	set_cfg(at + 12, 4, 1);
	set_cfg(at + 4, 1, 1);
	set_cfg(at + 16, 1, 7);
	set_cfg(at + 4, 1, 4);
	set_cfg(at + 8, 4, 0xfffffff4);
	set_cfg(at + 16, 1, 7);
	set_cfg(at + 12, 4, 4);
	set_cfg(at + 8, 4, QUEUE_SEL);
	set_cfg(at + 16, 4, 0x00070007);
	assert_int_equal(rd(MODERN + STATUS, 1), 3);
	assert_int_equal(rd(MODERN + QUEUE_SEL, 2), 0);
}

/* An access to some of the data: on the BAR it is of the capability's length. */
static void window_by_bytes(void **state)
{
	unsigned at = find_capability(PCI_CAP_VENDOR, 5);

	(void)state;
	set_cfg(at + 8, 4, FEATURE);
	set_cfg(at + 12, 4, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(cfg(at + 16 + i, 1), i == 3 ? 0x30 : 0);
	assert_int_equal(cfg(at + 18, 2), 0x3000);
	wr(MODERN + DEVICE_SEL, 4, 1);
	assert_int_equal(cfg(at + 19, 1), 0);
	assert_int_equal(cfg(at + 16, 1), 1);
	/* What of the data is not written is as it was. */
	set_cfg(at + 8, 4, DEVICE_SEL);
	assert_int_equal(cfg(at + 16, 4), 1);
	set_cfg(at + 18, 1, 7);
	assert_int_equal(rd(MODERN + DEVICE_SEL, 4), 0x70001);
	set_cfg(at + 16, 2, 0x1234);
	assert_int_equal(rd(MODERN + DEVICE_SEL, 4), 0x71234);
	/* A length that is less than what is touched, or not touched at all. */
	set_cfg(at + 8, 4, STATUS);
	set_cfg(at + 12, 4, 1);
	set_cfg(at + 16, 4, 0x11223303);
	assert_int_equal(rd(MODERN + STATUS, 1), 3);
	wr(MODERN + STATUS, 1, 0);
	set_cfg(at + 17, 1, 0x44);
	assert_int_equal(rd(MODERN + STATUS, 1), 3);
	wr(MODERN + STATUS, 1, 0);
	/* The capability's other words do nothing. */
	set_cfg(at + 12, 4, 1);
	(void)cfg(at + 12, 4);
	(void)cfg(at + 20, 4);
	assert_int_equal(rd(MODERN + STATUS, 1), 0);
}

/* --- Legacy ---------------------------------------------------------------------------------- */

/* Its rings lie behind each other, from a page on. */
#define L_DESC 0x4000u
#define L_AVAIL (L_DESC + 16 * 64)
#define L_USED 0x5000u

static void legacy_drive(void)
{
	set_port(0x12, 1, 0);
	set_port(0x12, 1, 1);
	set_port(0x12, 1, 3);
	set_port(4, 4, 0xffffffff);
	assert_int_equal(port(4, 4), 3u << 28); /* what was not offered does not count */
	set_port(4, 4, 0);
	set_port(0x0e, 2, 0);
	set_port(8, 4, L_DESC / 4096);
	assert_int_equal(port(8, 4), L_DESC / 4096);
	set_port(0x12, 1, 7);
}

static void legacy_ask(unsigned n)
{
	vd_split(&d, L_DESC, 0, VD_DATA, 16, VD_WRITE, 0);
	vd_put16(&d, L_AVAIL + 2, (uint16_t)n);
	assert_int_equal(set_port(0x10, 2, 0), MMIO_HANDLED);
	assert_int_equal(vd_get16(&d, L_USED + 2), n);
}

static void legacy(void **state)
{
	(void)state;
	assert_int_equal(port(0, 4), 3u << 28);
	assert_int_equal(port(0x0c, 2), 64);
	vd_split(&d, L_DESC, 0, VD_DATA, 16, VD_WRITE, 0);
	vd_put16(&d, L_AVAIL + 2, 1);
	legacy_drive(); /* it may be there before the driver says that it works */
	assert_int_equal(port(0x12, 1), 7);
	assert_int_equal(vd_get16(&d, L_USED + 2), 1);
	assert_true(world.intx);
	assert_int_equal(port(0x13, 1), 1);
	assert_false(world.intx);
	vd_put16(&d, L_AVAIL + 2, 2);
	set_port(0x10, 2, 0);
	assert_int_equal(vd_get16(&d, L_USED + 2), 2);
	/* The other interface has to reset it first. */
	assert_int_equal(wr(MODERN + DRIVER_SEL, 4, 1), MMIO_IGNORED);
	assert_int_equal(wr(MODERN + STATUS, 1, 15), MMIO_IGNORED);
	assert_int_equal(wr(MODERN + STATUS, 1, 0), MMIO_HANDLED);
	offered = 0;
	drive();
	assert_int_equal(set_port(0x12, 1, 7), MMIO_IGNORED);
	assert_int_equal(set_port(0x12, 2, 0), MMIO_IGNORED);
	assert_int_equal(set_port(4, 4, 0), MMIO_IGNORED);
	assert_int_equal(rd(MODERN + STATUS, 1), 15);
	/* And the other way round. */
	ask();
	assert_true(world.intx);
	assert_int_equal(set_port(0x12, 1, 0), MMIO_HANDLED);
	assert_int_equal(port(0x12, 1), 0);
	assert_false(world.intx || rng.v.queue[0].ready);
	memset(d.ram + L_AVAIL, 0, 0x2000);
	legacy_drive();
	legacy_ask(1);
}

/* It may use the device before DRIVER_OK, and before it writes features (3.1.2). */
static void legacy_early(void **state)
{
	(void)state;
	set_port(0x12, 1, 1);
	set_port(8, 4, L_DESC / 4096);
	assert_int_equal(set_port(0x10, 2, 0), MMIO_IGNORED);
	vd_split(&d, L_DESC, 0, VD_DATA, 16, VD_WRITE, 0);
	vd_put16(&d, L_AVAIL + 2, 1);
	set_port(0x12, 1, 3); /* it has kicked before */
	assert_int_equal(vd_get16(&d, L_USED + 2), 1);
	assert_true(world.intx);
	legacy_ask(2);
	assert_int_equal(port(0x13, 1), 1);
	/* Features count for queues that work. */
	vd_put16(&d, L_AVAIL, 1); /* no interrupts, without EVENT_IDX */
	legacy_ask(3);
	assert_false(world.intx);
	set_port(4, 4, 3u << 28);
	assert_int_equal(port(4, 4), 3u << 28);
	assert_true(rng.v.queue[0].event_idx && rng.v.queue[0].indirect);
	vd_put16(&d, L_AVAIL + 4 + 2 * 64, 3); /* used_event */
	legacy_ask(4);
	assert_true(world.intx);
	assert_int_equal(vd_get16(&d, L_USED + 4 + 8 * 64), 4); /* avail_event */
	set_port(4, 4, 0);
	assert_false(rng.v.queue[0].event_idx);
	set_port(0x12, 1, 7);
	assert_int_equal(port(0x12, 1), 7);
	legacy_ask(5);
	/* A mistake is said in the same way. */
	assert_int_equal(port(0x13, 1), 1);
	set_port(0x12, 1, 0);
	set_port(0x12, 1, 3);
	set_port(8, 4, 0x00ffffff);
	assert_int_equal(world.breaks, 1);
	assert_int_equal(port(0x13, 1), 2);
	assert_int_equal(set_port(0x10, 2, 0), MMIO_IGNORED);
}

/* Modern drivers too, if the owner wants so. */
static void kicks_by_port(void **state)
{
	unsigned io, memory;
	uint32_t at;

	(void)state;
	offered = 0;
	drive();
	assert_int_equal(set_port(0x10, 2, 0), MMIO_IGNORED);
	assert_false(virtio_pci_kick_port(&t, &at));
	wr(MODERN + STATUS, 1, 0);
	virtio_pci_kick_by_port(&t);
	virtio_pci_kick_by_port(&t); /* once is enough */
	io = find_capability(PCI_CAP_VENDOR, 2);
	assert_int_equal(cfg(io + 4, 1), 0);
	assert_int_equal(cfg(io + 8, 4), 0x10);
	assert_int_equal(cfg(io + 12, 4), 2);
	assert_int_equal(cfg(io + 16, 4), 0);
	for (memory = (unsigned)cfg(io + 1, 1); cfg(memory + 3, 1) != 2;)
		memory = (unsigned)cfg(memory + 1, 1);
	assert_int_equal(cfg(memory + 4, 1), 4);
	assert_int_equal(cfg(memory + 8, 4), NOTIFY);
	assert_int_equal(cfg(memory + 1, 1), 0);
	assert_true(virtio_pci_kick_port(&t, &at));
	assert_int_equal(at, LEGACY + 0x10);
	/* Before anything else it says nothing of who the driver is. */
	assert_int_equal(set_port(0x10, 2, 0), MMIO_IGNORED);
	drive();
	for (offered = 1; offered < 4; offered++) {
		vd_split(&d, VD_DESC, 0, VD_DATA, 16, VD_WRITE, 0);
		vd_offer(&d, 8, offered - 1, 0);
		assert_int_equal(set_port(0x10, 2, 0), MMIO_HANDLED);
		assert_int_equal(vd_get16(&d, VD_DEVICE + 2), offered);
	}
	assert_int_equal(set_port(0x10, 2, 99), MMIO_IGNORED);
	assert_int_equal(set_port(0x10, 4, 0), MMIO_IGNORED);
	assert_int_equal(set_port(0x12, 1, 1), MMIO_IGNORED);
	assert_int_equal(rd(MODERN + STATUS, 1), 15);
	/* It is where the guest puts it, and where it does not decode, nowhere. */
	set_cfg(PCI_BAR(0), 4, LEGACY + 0x80);
	assert_true(virtio_pci_kick_port(&t, &at));
	assert_int_equal(at, LEGACY + 0x90);
	set_cfg(PCI_COMMAND, 2, 6);
	assert_false(virtio_pci_kick_port(&t, &at));
}

static void legacy_vectors(void **state)
{
	(void)state;
	msix_on(0x8000);
	set_vector(0, 0x8020040, 81, 0);
	legacy_drive();
	set_port(0x16, 2, 0);
	assert_int_equal(port(0x16, 2), 0);
	assert_int_equal(set_port(0x14, 2, 99), MMIO_HANDLED);
	assert_int_equal(port(0x14, 2), NO_VECTOR);
	vd_split(&d, L_DESC, 0, VD_DATA, 16, VD_WRITE, 0);
	vd_put16(&d, L_AVAIL + 2, 1);
	set_port(0x10, 2, 0);
	assert_int_equal(world.data, 81);
}

static void legacy_mistakes(void **state)
{
	(void)state;
	/* FEATURES_OK is none of its bits; a queue in a wild place; stopped. */
	set_port(0x12, 1, 3);
	assert_int_equal(set_port(0x12, 1, 11), MMIO_IGNORED);
	set_port(8, 4, 0x00ffffff);
	assert_int_equal(world.breaks, 1);
	assert_int_equal(set_port(8, 4, 4), MMIO_IGNORED);
	legacy_drive();
	assert_int_equal(world.breaks, 1);
	assert_int_equal(set_port(8, 4, 4), MMIO_IGNORED);
	set_port(8, 4, 0);
	assert_int_equal(set_port(0x10, 2, 0), MMIO_IGNORED);
	set_port(0x0e, 2, 5);
	assert_int_equal(set_port(8, 4, 4), MMIO_IGNORED);
	assert_int_equal(port(0x0c, 2), 0);
	assert_int_equal(set_port(0, 1, 4), MMIO_IGNORED);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(identity),
		TEST(modern_identity),
		TEST(capabilities),
		TEST(bars),
		TEST(assigned),
		TEST(without_messages),
		TEST(overlapping_bars),
		TEST(intx),
		TEST(messages),
		TEST(masks),
		TEST(frame),
		TEST(common),
		TEST(configuration),
		TEST(window_capability),
		TEST(window_by_bytes),
		TEST(legacy),
		TEST(legacy_early),
		TEST(kicks_by_port),
		TEST(legacy_vectors),
		TEST(legacy_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
