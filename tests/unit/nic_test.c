/* servers/net: the NIC's driver, on the device of dev/virtio, over MMIO and over PCI. */
#include "virtio_nic.h"

#include <dev/virtio/net.h>
#include <dev/virtio/pci.h>
#include <selvage/base.h>
#include <selvage/vpci.h>
#include <stdlib.h>
#include <string.h>

#include "nic_frames.h"
#include "unit.h"
#include "virtio_driver.h"

#define AT 0x40000000ull

static struct virtio_net net;
static struct virtio_mmio mmio;
static struct virtio_nic card;
static _Alignas(64) uint8_t memory[NIC_MEMORY_BYTES];
static struct {
	unsigned out, in, sum_out, sum_in;
	uint32_t last;
	bool irq;
} world;

/* --- The device's view of the memory -------------------------------------------------- */

static bool m_read(void *opaque, uint64_t at, void *to, size_t bytes)
{
	(void)opaque;
	if (!range_within_u64(at, bytes, AT, sizeof(memory)))
		return false;
	memcpy(to, memory + (at - AT), bytes);
	return true;
}

static bool m_write(void *opaque, uint64_t at, const void *from, size_t bytes)
{
	(void)opaque;
	if (!range_within_u64(at, bytes, AT, sizeof(memory)))
		return false;
	memcpy(memory + (at - AT), from, bytes);
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

static bool transmit(void *opaque, const uint8_t *frame, uint32_t bytes)
{
	(void)opaque;
	world.out++;
	world.sum_out += sum(frame, bytes);
	return true;
}

static void kicked(void *opaque) { (void)opaque; }

static void set_irq(void *opaque, bool level)
{
	(void)opaque;
	world.irq = level;
}

static void take(void *opaque, const uint8_t *frame, uint32_t bytes)
{
	(void)opaque;
	world.in++;
	world.sum_in += sum(frame, bytes);
	world.last = bytes;
}

/* --- The function on a bus, with its BAR 4 at the start of the window ------------------ */

static bool on_pci, with_messages;
static struct virtio_pci pci;
static struct pci_host host;
static struct vpci vpci;

/* Messages do not last: what interrupts() looks at is that one came. */
static void send(void *opaque, uint64_t address, uint32_t data)
{
	(void)opaque;
	assert_int_equal(address, 0xfee00000);
	assert_int_equal(data, 0x70);
	world.irq = true;
}

static uint32_t bar_read(void *opaque, uint32_t offset, unsigned bytes)
{
	struct mmio m = { .offset = offset, .size = (uint8_t)bytes };

	(void)opaque;
	(void)pci_memory_access(&host, &m);
	return (uint32_t)m.value;
}

static void bar_write(void *opaque, uint32_t offset, uint32_t value, unsigned bytes)
{
	struct mmio m = {
		.offset = offset, .size = (uint8_t)bytes, .write = true, .value = value
	};

	(void)opaque;
	(void)pci_memory_access(&host, &m);
}

static void set_config(uint32_t offset, uint32_t value)
{
	struct mmio m = { .offset = offset, .size = 4, .write = true, .value = value };

	(void)pci_ecam_access(&host, &m);
}

#define WINDOW 0x10000000u
#define MSIX_AT 0x8000u
static struct vmmio_regs plug(void)
{
	static const struct pci_env env = { NULL, set_irq, send };
	static const struct vmmio_regs under = { NULL, bar_read, bar_write };
	const struct vpci_place at = { 0, 0x2000, 0x1000, 0x1000, 4, 0x3000, 0x1000, VIRTIO_ID_NET,
				       with_messages };

	virtio_pci_init(&pci, &net.v, &env);
	pci_host_init(&host, WINDOW, 0);
	pci_plug(&host, 0, &pci.f);
	set_config(PCI_BAR(4), WINDOW);
	set_config(PCI_BAR(1), WINDOW + MSIX_AT);
	set_config(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	if (with_messages) {
		bar_write(NULL, MSIX_AT, 0xfee00000, 4);
		bar_write(NULL, MSIX_AT + 8, 0x70, 4);
		bar_write(NULL, MSIX_AT + 12, 0, 4);
		set_config(pci.f.msix, 1u << 31);
	}
	return vpci_regs(&vpci, &under, &at);
}

static const uint8_t mac[] = { 2, 1, 2, 3, 4, 5 };

static void start(void)
{
	static const struct virtio_mmio_env irq = { NULL, set_irq };
	static const struct virtio_net_env io = { NULL, transmit, kicked };
	const struct virtio_mem mem = { NULL, m_read, m_write, m_load, m_store, { 0 } };
	const struct virtio_env env = { NULL, mem, broken };
	struct vmmio_regs regs;

	memset(&world, 0, sizeof(world));
	virtio_net_init(&net, &env, &io, mac);
	if (!on_pci)
		virtio_mmio_init(&mmio, &net.v, &irq);
	regs = on_pci ? plug() : vd_regs(&mmio);
	assert_null(virtio_nic_start(&card, &regs, memory, AT));
	assert_memory_equal(card.nic.mac, mac, 6);
}

static uint8_t frame[NIC_FRAME_MAX + 1];

static void both_ways(void **state)
{
	unsigned sent = 0, sum_sent = 0, given = 0, sum_given = 0, full = 0;

	(void)state;
	start();
	srand(1);
	for (unsigned n = 0; n < 20000; n++) {
		uint32_t bytes = make_frame(frame, NIC_FRAME_MIN, NIC_FRAME_MAX);

		switch (rand() % 4) {
		case 0:
			if (nic_send(&card.nic, frame, bytes)) {
				sent++;
				sum_sent += sum(frame, bytes);
			} else {
				full++;
			}
			break;
		case 1:
			if (virtio_net_receive(&net, frame, bytes) == VIRTIO_NET_OK) {
				given++;
				sum_given += sum(frame, bytes);
			}
			break;
		case 2:
			if (rand() % 50 == 0)
				(void)virtio_net_poll(&net, 1000);
			virtio_net_settle(&net);
			break;
		default:
			if (world.irq)
				nic_interrupt(&card.nic);
			(void)nic_receive(&card.nic, (unsigned)rand() % 20, take, NULL);
			(void)nic_flush(&card.nic);
		}
		assert_null(card.nic.error);
		assert_int_equal(net.v.breaks, 0);
	}
	(void)nic_receive(&card.nic, 1000, take, NULL);
	(void)nic_flush(&card.nic);
	(void)virtio_net_poll(&net, 1000);
	assert_int_equal(world.out, sent);
	assert_int_equal(world.sum_out, sum_sent);
	assert_int_equal(world.in, given);
	assert_int_equal(world.sum_in, sum_given);
	assert_true(sent > 1000 && given > 1000 && full > 0);
	assert_int_equal(card.nic.received_bad, 0);
	assert_false(nic_send(&card.nic, frame, NIC_FRAME_MAX + 1));
}

/* Who waits for the interrupt gets it. */
static void interrupts(void **state)
{
	(void)state;
	start();
	for (unsigned n = 0; n < 1000; n++) {
		assert_false(nic_flush(&card.nic));
		assert_false(world.irq);
		assert_int_equal(virtio_net_receive(&net, frame, 60), VIRTIO_NET_OK);
		virtio_net_settle(&net);
		assert_true(world.irq);
		nic_interrupt(&card.nic);
		if (with_messages)
			world.irq = false;
		assert_false(world.irq);
		assert_int_equal(nic_receive(&card.nic, 100, take, NULL), 1);
		assert_int_equal(world.last, 60);
	}
	/* One that came between the last look and the flush. */
	assert_int_equal(virtio_net_receive(&net, frame, 60), VIRTIO_NET_OK);
	assert_true(nic_flush(&card.nic));
}

/* A device that lies, or gives up, is off until it is started again. */
static void lies(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		start();
		if (i == 0) { /* a used buffer that it was not given */
			store_le32(card.rx.used + 4, 500);
			store_le16(card.rx.used + 2, 1);
			assert_int_equal(nic_receive(&card.nic, 10, take, NULL), 0);
			assert_false(nic_flush(&card.nic));
		} else if (i == 1) { /* lengths */
			store_le32(card.rx.used + 4, 0);
			store_le32(card.rx.used + 8, NIC_BUFFER + 1);
			store_le16(card.rx.used + 2, 1);
			assert_int_equal(nic_receive(&card.nic, 10, take, NULL), 0);
			assert_false(nic_flush(&card.nic));
		} else {
			virtio_break(&net.v, "tired");
			nic_interrupt(&card.nic);
		}
		assert_non_null(card.nic.error);
		assert_int_equal(net.v.status, 0);
		assert_false(nic_send(&card.nic, frame, 60));
		assert_int_equal(nic_receive(&card.nic, 10, take, NULL), 0);
		assert_int_equal(world.in, 0);
	}
	/* Frames that are too short or too long for the wire. */
	start();
	for (unsigned i = 0; i < 3; i++) {
		static const uint32_t bytes[] = { 0, 12 + 13, 12 + 1519 };

		store_le32(card.rx.used + 4 + 8 * i, i);
		store_le32(card.rx.used + 8 + 8 * i, bytes[i]);
	}
	store_le16(card.rx.used + 2, 3);
	assert_int_equal(nic_receive(&card.nic, 10, take, NULL), 3);
	assert_int_equal(card.nic.received_bad, 3);
	assert_int_equal(world.in, 0);
	assert_null(card.nic.error);
}

static int over_mmio(void **state)
{
	(void)state;
	on_pci = with_messages = false;
	return 0;
}

static int over_pci(void **state)
{
	(void)state;
	on_pci = true;
	with_messages = false;
	return 0;
}

static int with_msix(void **state)
{
	(void)state;
	on_pci = with_messages = true;
	return 0;
}

/* A queue whose kicks would leave the structure for them is not used. */
static void kicks_elsewhere(void **state)
{
	struct vmmio_regs regs;

	(void)state;
	start();
	regs = plug();
	vpci.at.notify_bytes = 4; /* of the second queue it is at 4 */
	assert_non_null(virtio_nic_start(&card, &regs, memory, AT));
	assert_int_equal(net.v.status, 0);
	vpci.at.config_bytes = 5; /* of six of the address */
	assert_int_equal(regs.read(regs.opaque, 0x105, 1), 0);
	assert_int_equal(regs.read(regs.opaque, 0x104, 1), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(both_ways, over_mmio),
		cmocka_unit_test_setup(both_ways, over_pci),
		cmocka_unit_test_setup(both_ways, with_msix),
		cmocka_unit_test_setup(interrupts, over_mmio),
		cmocka_unit_test_setup(interrupts, over_pci),
		cmocka_unit_test_setup(interrupts, with_msix),
		cmocka_unit_test_setup(lies, over_mmio),
		cmocka_unit_test_setup(lies, with_msix),
		cmocka_unit_test_setup(kicks_elsewhere, over_pci),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
