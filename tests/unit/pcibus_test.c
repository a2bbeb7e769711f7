/* lib/pcibus, on the bus of dev/pci.c and on devices that lie. */
#include <dev/pci.h>
#include <dev/virtio/pci.h>
#include <dev/virtio/rng.h>
#include <selvage/base.h>
#include <selvage/pcibus.h>
#include <string.h>

#include "unit.h"

#define BAR1 0xf0000000u
#define BAR4 0xf0008000u
#define SLOT 5u

static struct pci_host host;
static struct virtio_pci t;
static struct virtio_rng rng;

/* --- The bus of dev/pci.c ----------------------------------------------------------------- */

static uint32_t host_read(void *opaque, uint16_t address, uint32_t offset)
{
	struct mmio m = { .offset = (uint64_t)address << 12 | offset, .size = 4 };

	(void)opaque;
	if (PCIBUS_BUS(address) != 0)
		return UINT32_MAX;
	(void)pci_ecam_access(&host, &m);
	return (uint32_t)m.value;
}

static void host_write(void *opaque, uint16_t address, uint32_t offset, uint32_t value)
{
	struct mmio m = {
		.offset = (uint64_t)address << 12 | offset, .size = 4, .write = true, .value = value
	};

	(void)opaque;
	if (PCIBUS_BUS(address) == 0)
		(void)pci_ecam_access(&host, &m);
}

static const struct pcibus real = { .read = host_read, .write = host_write };

static void broken(void *opaque, const char *why)
{
	(void)opaque, (void)why;
}

static void give_random(void *opaque, void *to, size_t bytes)
{
	(void)opaque;
	memset(to, 0, bytes);
}

static void set_intx(void *opaque, bool level)
{
	(void)opaque, (void)level;
}

static void send(void *opaque, uint64_t address, uint32_t data)
{
	(void)opaque, (void)address, (void)data;
}

static struct pcibus_function start(void)
{
	static const struct pci_env env = { NULL, set_intx, send };
	const struct virtio_env virtio = { .broken = broken };
	const struct virtio_rng_env source = { NULL, give_random };
	struct pcibus_function f[4];

	virtio_rng_init(&rng, &virtio, &source);
	pci_host_init(&host, 0, 0);
	virtio_pci_init(&t, &rng.v, &env);
	pci_plug(&host, SLOT, &t.f);
	host_write(NULL, PCIBUS_ADDRESS(0, SLOT, 0), PCI_BAR(1), BAR1);
	host_write(NULL, PCIBUS_ADDRESS(0, SLOT, 0), PCI_BAR(4), BAR4);
	assert_int_equal(pcibus_find(&real, f, 4), 1);
	return f[0];
}

static void finds_what_is_there(void **state)
{
	const struct pcibus_function f = start();
	struct pcibus_bar bar;

	(void)state;
	assert_int_equal(f.address, PCIBUS_ADDRESS(0, SLOT, 0));
	assert_int_equal(f.vendor, PCIBUS_VIRTIO_VENDOR);
	assert_int_equal(pcibus_virtio_id(&f), 4);
	assert_true(pcibus_bar(&real, &f, 4, &bar));
	assert_int_equal(bar.at, BAR4);
	assert_int_equal(bar.bytes, 0x4000);
	assert_int_equal(host_read(NULL, f.address, PCI_BAR(4)) & ~15u, BAR4);
	assert_false(pcibus_bar(&real, &f, 2, &bar));
	assert_false(pcibus_bar(&real, &f, 6, &bar));
	host_write(NULL, f.address, PCI_BAR(4), 0); /* nobody has given it an address */
	assert_false(pcibus_bar(&real, &f, 4, &bar));
}

static void finds_virtio(void **state)
{
	const struct pcibus_function f = start();
	struct pcibus_virtio v;

	(void)state;
	assert_null(pcibus_virtio(&real, &f, &v));
	assert_int_equal(v.structure[PCIBUS_COMMON].at, BAR4);
	assert_int_equal(v.structure[PCIBUS_NOTIFY].at, BAR4 + 0x1000);
	assert_int_equal(v.structure[PCIBUS_ISR].at, BAR4 + 0x2000);
	assert_int_equal(v.structure[PCIBUS_DEVICE_CONFIG].at, BAR4 + 0x3000);
	assert_true(v.notify_multiplier != 0);
	host_write(NULL, f.address, PCI_BAR(4), 0);
	assert_non_null(pcibus_virtio(&real, &f, &v));
}

static void uses_messages(void **state)
{
	const struct pcibus_function f = start();
	uint64_t table = 0;

	(void)state;
	pcibus_enable(&real, &f);
	assert_int_equal(pcibus_use_messages(&real, &f, 0xfee00000, 0x70, &table), PCIBUS_MSIX);
	assert_int_equal(table, BAR1);
	assert_true(pci_msix_enabled(&t.f));
	assert_int_equal(host_read(NULL, f.address, PCI_COMMAND) & 0xffff,
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);
}

/* --- Devices that lie ------------------------------------------------------------------- */

#define FUNCTIONS 3u
static uint8_t space[FUNCTIONS][256]; /* 0:0.0, 0:1.0 and 1:0.0 */
static unsigned reads;

static uint8_t *fake_space(uint16_t address)
{
	return address == 0 ? space[0] : address == PCIBUS_ADDRESS(0, 1, 0) ? space[1]
				 : address == PCIBUS_ADDRESS(1, 0, 0)       ? space[2]
									    : NULL;
}

static uint32_t fake_read(void *opaque, uint16_t address, uint32_t offset)
{
	(void)opaque;
	reads++;
	assert_true(offset % 4 == 0 && offset < 256);
	return fake_space(address) == NULL ? UINT32_MAX : load_le32(fake_space(address) + offset);
}

/* Status stays; BARs 0 to 3 have 4 KiB, 4 and 5 keep what they are given. */
static void fake_write(void *opaque, uint16_t address, uint32_t offset, uint32_t value)
{
	(void)opaque;
	assert_true(offset % 4 == 0 && offset < 256);
	if (fake_space(address) == NULL)
		return;
	if (offset == 4)
		value = (value & 0xffff) | (load_le32(fake_space(address) + 4) & 0xffff0000u);
	if (offset >= 0x10 && offset < 0x20)
		value = (value & 0xfffff000u) | (fake_space(address)[offset] & 15u);
	store_le32(fake_space(address) + offset, value);
}

static const struct pcibus fake = { .read = fake_read, .write = fake_write };

static void put(unsigned n, uint32_t offset, uint32_t value)
{
	store_le32(space[n] + offset, value);
}

static void clear(void)
{
	memset(space, 0, sizeof(space));
	put(0, 0x00, 0x10411af4);
	put(0, 0x04, 1u << 20); /* capabilities */
	reads = 0;
}

static void bridges(void **state)
{
	struct pcibus_function f[8];

	(void)state;
	clear();
	put(1, 0x00, 0x12348086);
	put(1, 0x08, 0x06040000);
	put(1, 0x0c, 0x00010000);
	put(1, 0x18, 0x00000100); /* bus 1 is behind it */
	put(2, 0x00, 0x12348086);
	put(2, 0x08, 0x06040000);
	put(2, 0x0c, 0x00010000); /* and bus 0 behind what is there */
	assert_int_equal(pcibus_find(&fake, f, 8), 3);
	assert_int_equal(f[2].address, PCIBUS_ADDRESS(1, 0, 0));
	assert_int_equal(pcibus_find(&fake, f, 2), 2);
	assert_int_equal(pcibus_virtio_id(&f[1]), 0);
}

static void lists_that_lead_back(void **state)
{
	struct pcibus_function f;
	uint32_t cap;

	(void)state;
	clear();
	assert_int_equal(pcibus_find(&fake, &f, 1), 1);
	put(0, 0x34, 0x42); /* the lowest two bits are nothing */
	put(0, 0x40, 0x00005009);
	put(0, 0x50, 0x00004009);
	cap = pcibus_capability(&fake, &f, PCIBUS_CAP_VENDOR, 0);
	assert_int_equal(cap, 0x40);
	cap = pcibus_capability(&fake, &f, PCIBUS_CAP_VENDOR, cap);
	assert_int_equal(cap, 0x50);
	assert_int_equal(pcibus_capability(&fake, &f, PCIBUS_CAP_VENDOR, cap), 0);
	assert_int_equal(pcibus_capability(&fake, &f, PCIBUS_CAP_MSIX, 0), 0);
	put(0, 0x34, 0x10); /* among the registers */
	assert_int_equal(pcibus_capability(&fake, &f, PCIBUS_CAP_VENDOR, 0), 0);
	put(0, 0x34, 0x40);
	put(0, 0x04, 0);
	assert_int_equal(pcibus_capability(&fake, &f, PCIBUS_CAP_VENDOR, 0), 0);
	assert_true(reads < 1000);
}

static void bars(void **state)
{
	struct pcibus_function f;
	struct pcibus_bar bar;

	(void)state;
	clear();
	assert_int_equal(pcibus_find(&fake, &f, 1), 1);
	put(0, 0x10, 0xc0000000);
	assert_true(pcibus_bar(&fake, &f, 0, &bar));
	assert_int_equal(bar.bytes, 0x1000);
	put(0, 0x10, 0xc001); /* ports */
	assert_false(pcibus_bar(&fake, &f, 0, &bar));
	put(0, 0x20, 0xc0000004); /* wide, and all of it is address */
	put(0, 0x24, 1);
	assert_true(pcibus_bar(&fake, &f, 4, &bar));
	assert_int_equal(bar.at, 0x1c0000000);
	assert_int_equal(bar.bytes, 16);
	put(0, 0x24, 0xc0000004); /* wide, without another half */
	assert_false(pcibus_bar(&fake, &f, 5, &bar));
}

static void messages(void **state)
{
	struct pcibus_function f;
	uint64_t table = 0;

	(void)state;
	clear();
	assert_int_equal(pcibus_find(&fake, &f, 1), 1);
	assert_int_equal(pcibus_use_messages(&fake, &f, 0xfee01000, 0x71, &table),
			 PCIBUS_NO_MESSAGES);
	put(0, 0x34, 0x40);
	put(0, 0x40, 0x00845005 | 7u << 20); /* MSI, wide */
	assert_int_equal(pcibus_use_messages(&fake, &f, 0xfee01000, 0x71, &table), PCIBUS_MSI);
	assert_int_equal(load_le32(space[0] + 0x44), 0xfee01000);
	assert_int_equal(load_le32(space[0] + 0x4c), 0x71);
	assert_int_equal(load_le32(space[0] + 0x40), 0x00855005 & ~(7u << 20));
	put(0, 0x50, 0x00000011); /* MSI-X, whose table is not within its BAR */
	put(0, 0x54, 0x00001000);
	put(0, 0x10, 0xc0000000);
	assert_int_equal(pcibus_use_messages(&fake, &f, 0xfee01000, 0x71, &table), PCIBUS_MSI);
	put(0, 0x54, 0x00000ff0);
	assert_int_equal(pcibus_use_messages(&fake, &f, 0xfee01000, 0x71, &table), PCIBUS_MSIX);
	assert_int_equal(table, 0xc0000ff0);
}

/* A structure that leaves its BAR is none. */
static void structures(void **state)
{
	struct pcibus_function f;
	struct pcibus_virtio v;

	(void)state;
	for (unsigned wrong = 0; wrong < 6; wrong++) {
		clear();
		put(0, 0x10, 0xc0000000);
		put(0, 0x34, 0x40);
		assert_int_equal(pcibus_find(&fake, &f, 1), 1);
		for (unsigned i = 0; i < PCIBUS_STRUCTURES; i++) {
			uint32_t at = 0x40 + 0x20 * i;

			put(0, at, (i + 1) << 24 | 0x14 << 16 | (at + 0x20) << 8 | 9);
			put(0, at + 8, 0x400 * i);
			put(0, at + 12, 0x400);
		}
		if (wrong == 1)
			put(0, 0x48, 0xffffff00);
		if (wrong == 2)
			put(0, 0x4c, 40); /* too short for the common structure */
		if (wrong == 3)
			put(0, 0x64, 6); /* no BAR has that number */
		if (wrong == 4)
			put(0, 0xac, 0xffffffff);
		if (wrong == 5)
			put(0, 0x60, 0x00148009); /* of no kind */
		assert_int_equal(pcibus_virtio(&fake, &f, &v) == NULL, wrong == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_is_there),
		cmocka_unit_test(finds_virtio),
		cmocka_unit_test(uses_messages),
		cmocka_unit_test(bridges),
		cmocka_unit_test(lists_that_lead_back),
		cmocka_unit_test(bars),
		cmocka_unit_test(messages),
		cmocka_unit_test(structures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
