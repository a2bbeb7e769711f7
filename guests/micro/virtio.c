/*
 * A driver that breaks every rule of virtio, over MMIO or, if there is one, a
 * PCI bus: rings and buffers in wild places, circles, jumps, features that were
 * not offered, resets in mid-flight; BARs over everything, messages to
 * anywhere. After each attack the device must ask for a reset, or have ignored
 * it, and behind the reset it must work.
 */
#include "micro.h"

#define MMIO 0x0a000000ull
#define ECAM 0x3f000000ull
#define WINDOW 0x10000000ull
#define FRAME 0x08020040ull

#define NEXT 1u
#define WRITE 2u
#define INDIRECT 4u
#define VERSION_1 (1ull << 32)
#define INDIRECT_DESC (1ull << 28)
#define LIVE 15u
#define NEEDS_RESET 64u

/* As the description has them: entropy, console, a disk. */
enum { RNG,
       CONSOLE,
       DISK,
       DEVICES };
#define SIZE 8u

struct desc {
	uint64_t at;
	uint32_t bytes;
	uint16_t flags, next;
};

static struct {
	struct desc desc[SIZE], table[SIZE];
	volatile uint16_t avail[4 + SIZE];
	uint8_t pad[2048];
	volatile uint16_t used[4 + SIZE * 4];
	uint8_t data[4096];
} ring __attribute__((aligned(4096)));

static int pci;
static unsigned attacks, resets, wrong;

static void put(uint64_t at, unsigned bytes, uint64_t value)
{
	switch (bytes) {
	case 1: *(volatile uint8_t *)at = (uint8_t)value; break;
	case 2: *(volatile uint16_t *)at = (uint16_t)value; break;
	case 4: *(volatile uint32_t *)at = (uint32_t)value; break;
	default: *(volatile uint64_t *)at = value;
	}
}

static uint64_t get(uint64_t at, unsigned bytes)
{
	switch (bytes) {
	case 1: return *(volatile uint8_t *)at;
	case 2: return *(volatile uint16_t *)at;
	case 4: return *(volatile uint32_t *)at;
	default: return *(volatile uint64_t *)at;
	}
}

static void expect(const char *what, unsigned device, unsigned n, int good)
{
	attacks++;
	if (good)
		return;
	wrong++;
	micro_print("micro: WRONG ");
	micro_print(what);
	micro_print(" ");
	micro_print_number(n);
	micro_print(" on device ");
	micro_print_number(device);
	micro_print("\n");
}

/* --- Transports ------------------------------------------------------------------------ */

static uint64_t frame(unsigned device)
{
	return pci ? WINDOW + device * 0x10000ull : MMIO + device * 0x200ull;
}

static uint64_t config(unsigned device, unsigned offset)
{
	return ECAM + ((uint64_t)device << 15) + offset;
}

/* Where the rest expects it; no messages. */
static void place(unsigned device)
{
	put(config(device, 0x10), 4, 0x1000 * (device + 1));
	put(config(device, 0x14), 4, frame(device) + 0x8000);
	put(config(device, 0x20), 4, frame(device));
	put(config(device, 0x42), 2, 0);
	put(config(device, 0x04), 2, 7);
}

static unsigned status(unsigned device)
{
	return (unsigned)(pci ? get(frame(device) + 0x14, 1) : get(frame(device) + 0x70, 4));
}

static void set_status(unsigned device, unsigned value)
{
	if (pci)
		put(frame(device) + 0x14, 1, value);
	else
		put(frame(device) + 0x70, 4, value);
}

static void set_features(unsigned device, uint64_t features)
{
	for (unsigned i = 0; i < 2; i++) {
		put(frame(device) + (pci ? 0x08 : 0x24), 4, i);
		put(frame(device) + (pci ? 0x0c : 0x20), 4, features >> (32 * i));
	}
}

static void set_queue(unsigned device, unsigned queue, uint64_t desc, uint64_t driver,
		      uint64_t used, unsigned size)
{
	const uint64_t area[3] = { desc, driver, used };

	put(frame(device) + (pci ? 0x16 : 0x30), pci ? 2 : 4, queue);
	put(frame(device) + (pci ? 0x18 : 0x38), pci ? 2 : 4, size);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t at = frame(device) + (pci ? 0x20 + 8 * i : 0x80 + 16 * i);

		put(at, 4, area[i]);
		put(at + 4, 4, area[i] >> 32);
	}
	put(frame(device) + (pci ? 0x1c : 0x44), pci ? 2 : 4, 1);
}

static void kick(unsigned device, unsigned queue)
{
	if (pci)
		put(frame(device) + 0x1000 + 4 * queue, 2, queue);
	else
		put(frame(device) + 0x50, 4, queue);
}

/* --- Proper use ---------------------------------------------------------------------------- */

/* The console's input has nothing to give. */
static unsigned queue_of(unsigned device)
{
	return device == CONSOLE;
}

static void agree(unsigned device, uint64_t features)
{
	set_status(device, 0);
	set_status(device, 3);
	set_features(device, features);
	set_status(device, 11);
}

static void start(unsigned device, uint64_t features)
{
	for (unsigned i = 0; i < sizeof(ring); i++)
		((volatile uint8_t *)&ring)[i] = 0;
	agree(device, features);
	set_queue(device, queue_of(device), (uint64_t)ring.desc, (uint64_t)ring.avail,
		  (uint64_t)ring.used, SIZE);
	set_status(device, LIVE);
}

static void set(struct desc *d, uint64_t at, uint32_t bytes, unsigned flags, unsigned next)
{
	*(volatile uint64_t *)&d->at = at;
	*(volatile uint32_t *)&d->bytes = bytes;
	*(volatile uint16_t *)&d->flags = (uint16_t)flags;
	*(volatile uint16_t *)&d->next = (uint16_t)next;
}

static void offer(unsigned device, unsigned head)
{
	ring.avail[2 + ring.avail[1] % SIZE] = (uint16_t)head;
	ring.avail[1]++;
	__asm__ volatile("dmb ish" ::
				 : "memory");
	kick(device, queue_of(device));
}

/* A request as the device likes it. */
static void ask(unsigned device)
{
	uint64_t data = (uint64_t)ring.data;

	switch (device) {
	case RNG: set(&ring.desc[0], data, 64, WRITE, 0); break;
	case CONSOLE:
		ring.data[0] = '.';
		set(&ring.desc[0], data, 1, 0, 0);
		break;
	default: /* sector 0 */
		for (unsigned i = 0; i < 16; i++)
			((volatile uint8_t *)ring.data)[i] = 0;
		set(&ring.desc[0], data, 16, NEXT, 1);
		set(&ring.desc[1], data + 512, 512, NEXT | WRITE, 2);
		set(&ring.desc[2], data + 1024, 1, WRITE, 0);
	}
	offer(device, 0);
}

static int works(unsigned device)
{
	start(device, VERSION_1);
	ask(device);
	return status(device) == LIVE && ring.used[1] == 1;
}

/* --- Attacks on the rings ------------------------------------------------------------------ */

#define CHAINS 13u
/* The first descriptors, and what the available ring says of them. */
static void attack_chain(unsigned device, unsigned n)
{
	unsigned flags = device == RNG ? WRITE : 0;
	uint64_t data = (uint64_t)ring.data, table = (uint64_t)ring.table;
	unsigned head = 0;

	start(device, n == 6 ? VERSION_1 : VERSION_1 | INDIRECT_DESC);
	set(&ring.desc[0], data, 16, flags, 0);
	set(&ring.desc[1], data, 16, flags, 0);
	set(&ring.table[0], data, 16, flags, 0);
	switch (n) {
	case 0: set(&ring.desc[0], 0x1000, 16, flags, 0); break;
	case 1: set(&ring.desc[0], -8ull, 64, flags, 0); break;
	case 2:
		set(&ring.desc[0], data, 16, flags | NEXT, 1);
		set(&ring.desc[1], data, 16, flags | NEXT, 0);
		break;
	case 3: set(&ring.desc[0], data, 16, flags | NEXT, SIZE); break;
	case 4: head = 0xffff; break;
	case 5: ring.avail[1] = 100; break;
	case 6: set(&ring.desc[0], table, 16, INDIRECT, 0); break;
	case 7: set(&ring.desc[0], table, 17, INDIRECT, 0); break;
	case 8:
		set(&ring.desc[0], table, 16, INDIRECT, 0);
		set(&ring.table[0], table, 16, INDIRECT, 0);
		break;
	case 9: set(&ring.desc[0], 0x1000, 16, INDIRECT, 0); break;
	case 10:
		set(&ring.desc[0], data, 0xffffffff, flags | NEXT, 1);
		set(&ring.desc[1], data, 0xffffffff, flags, 0);
		break;
	case 11:
		set(&ring.desc[0], data, 16, WRITE | NEXT, 1);
		set(&ring.desc[1], data, 16, 0, 0);
		break;
	default: set(&ring.desc[0], table, 16, INDIRECT | NEXT, 1);
	}
	offer(device, head);
	expect("chain", device, n, (status(device) & NEEDS_RESET) != 0);
	resets++;
	kick(device, queue_of(device)); /* broken: nothing happens */
	set_status(device, 0);
	expect("reset", device, n, status(device) == 0);
}

#define PLACES 6u
static void attack_place(unsigned device, unsigned n)
{
	uint64_t desc = (uint64_t)ring.desc, avail = (uint64_t)ring.avail;
	uint64_t used = (uint64_t)ring.used;
	unsigned size = SIZE;

	switch (n) {
	case 0: desc = 0x1000; break;
	case 1: avail = -16ull; break;
	case 2: used = 0x8000000000000000ull; break;
	case 3: avail++; break;
	case 4: size = 3; break;
	default: size = 0x8000;
	}
	agree(device, VERSION_1);
	set_queue(device, 0, desc, avail, used, size);
	expect("place", device, n, (status(device) & NEEDS_RESET) != 0);
	resets++;
}

static void attack_protocol(unsigned device)
{
	agree(device, VERSION_1 | 1ull << 50);
	expect("features", device, 0, status(device) == 3);
	agree(device, INDIRECT_DESC);
	expect("features", device, 1, status(device) == 3);
	set_status(device, LIVE);
	expect("features", device, 2, !(status(device) & 4));
	start(device, VERSION_1);
	set_status(device, 1);
	expect("status", device, 0, status(device) == LIVE);
	for (unsigned queue = 2; queue < 1024; queue = queue * 2 + 1)
		kick(device, queue % 1000);
	expect("kick", device, 0, status(device) == LIVE);
	/* With requests under way. */
	for (unsigned i = 0; i < 50; i++) {
		start(device, VERSION_1);
		ask(device);
		set_status(device, 0);
		kick(device, queue_of(device));
	}
	expect("mid-flight", device, 0, status(device) == 0);
}

/* --- Attacks on the bus ---------------------------------------------------------------------- */

/* The interrupt controller, the UART, RAM, all of it. */
static void attack_bars(unsigned device)
{
	static const uint32_t places[] = {
		0x08000000, 0x09000000, 0x40000000, 0xffffffff, 0, 0x10000000
	};
	uint64_t word = get((uint64_t)ring.data, 8);

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		put(config(device, 0x20), 4, places[i]);
		put(config(device, 0x14), 4, places[i]);
		(void)get(WINDOW + 0x10000 * device, 4);
		put(WINDOW + 0x10000 * device + 0x14, 1, 3);
		micro_print("");
	}
	expect("bars", device, 0, get((uint64_t)ring.data, 8) == word);
	for (unsigned offset = 0; offset < 0x1000; offset += 8)
		for (unsigned bytes = 1; bytes <= 8; bytes *= 2) {
			put(config(device, offset), bytes, micro_random());
			(void)get(config(device, offset), bytes);
		}
	place(device);
	expect("bars", device, 1, works(device));
}

static void attack_messages(unsigned device)
{
	const uint64_t to[] = {
		(uint64_t)ring.data, 0, -4ull, FRAME, FRAME, FRAME + 4, 0x08000f00
	};
	const uint32_t what[] = { 0xdeadbeef, 0, 0xffffffff, 79, 144, 80, 0x02000001 };
	uint64_t table = frame(device) + 0x8000;

	for (unsigned i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		start(device, VERSION_1);
		put(config(device, 0x42), 2, 0x8000);
		for (unsigned bytes = 1; bytes <= 8; bytes *= 2)
			put(table + 16 * 200, bytes, ~0ull);
		put(table, 8, to[i]);
		put(table + 8, 8, what[i]);
		put(frame(device) + 0x16, 2, queue_of(device));
		put(frame(device) + 0x1a, 2, 500);
		expect("vector", device, i, get(frame(device) + 0x1a, 2) == 0xffff);
		put(frame(device) + 0x1a, 2, 0);
		put(frame(device) + 0x10, 2, 0);
		*(volatile uint32_t *)(ring.data + 2048) = 0x600d;
		ask(device);
		expect("message", device, i,
		       *(volatile uint32_t *)(ring.data + 2048) == 0x600d &&
			       status(device) == LIVE);
		put(table + 12, 4, 1); /* masked: it waits */
		ask(device);
		expect("masked", device, i, (get(table + 0x800, 4) & 1) != 0);
		set_status(device, 0);
		put(table + 12, 4, 0);
	}
	place(device);
}

/* --- Anything at all -------------------------------------------------------------------------- */

static uint64_t any_value(void)
{
	uint64_t r = micro_random();

	switch (r >> 8 & 7) {
	case 0: return 0;
	case 1: return 1;
	case 2: return ~0ull;
	case 3: return (uint64_t)&ring + (r >> 16 & 0xff0);
	case 4: return 1ull << (r >> 16 & 63);
	case 5: return r >> 16 & 15;
	default: return r;
	}
}

static void hammer(unsigned device)
{
	for (unsigned i = 0; i < 3000; i++) {
		uint64_t r = micro_random();
		unsigned bytes = pci ? 1u << (r & 3) : 4;
		uint64_t offset = r >> 8 & (pci ? 0x3ff8 : 0x1fc);

		if (pci && (r >> 32 & 1))
			offset &= 0x38;
		if (r >> 33 & 1)
			put(frame(device) + offset, bytes, any_value());
		else
			(void)get(frame(device) + offset, bytes);
	}
	attacks += 3000;
	set_status(device, 0);
	if (pci)
		place(device);
}

void micro_main(void)
{
	pci = micro_told("pci-host-ecam-generic");
	micro_print(pci ? "micro: virtio over pci\n" : "micro: virtio over mmio\n");
	for (unsigned device = 0; device < DEVICES; device++) {
		if (pci)
			place(device);
		expect("before", device, 0, works(device));
		for (unsigned n = 0; n < CHAINS; n++)
			attack_chain(device, n);
		for (unsigned n = 0; n < PLACES; n++)
			attack_place(device, n);
		attack_protocol(device);
		if (pci) {
			attack_bars(device);
			attack_messages(device);
		}
		hammer(device);
		expect("after", device, 0, works(device));
	}
	micro_print("micro: virtio done, ");
	micro_print_number(attacks);
	micro_print(" attacks, ");
	micro_print_number(resets);
	micro_print(" resets, ");
	micro_print_number(wrong);
	micro_print(" wrong\n");
	micro_power_off();
}
