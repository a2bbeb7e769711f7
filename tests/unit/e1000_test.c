/* servers/net: the driver of Intel's 8254x, on a model of what it needs of one. */
#include "e1000.h"

#include <selvage/base.h>
#include <stdlib.h>
#include <string.h>

#include "nic_frames.h"
#include "unit.h"

#define AT 0x123400000ull
enum { CTRL = 0x0000,
       EERD = 0x0014,
       ICR = 0x00c0,
       IMS = 0x00d0,
       IMC = 0x00d8,
       RCTL = 0x0100,
       TCTL = 0x0400,
       RDBAL = 0x2800,
       RDH = 0x2810,
       RDT = 0x2818,
       TDBAL = 0x3800,
       TDH = 0x3810,
       TDT = 0x3818,
       RAL = 0x5400,
       RAH = 0x5404,
       REGISTERS = 0x6000 };

static struct e1000 card;
static struct nic *const nic = &card.nic;
static _Alignas(64) uint8_t memory[NIC_MEMORY_BYTES];
static const uint8_t mac[] = { 0x52, 0x54, 0, 1, 2, 3 };

static struct {
	uint32_t reg[REGISTERS / 4], mask;
	bool gone, stuck, no_mac, no_eeprom;
	unsigned out, sum_out;
} hw;
static struct {
	unsigned in, sum_in;
	uint32_t last;
} world;

/* What the device reaches. */
static uint8_t *reach(uint64_t at, uint64_t bytes)
{
	assert_true(range_within_u64(at, bytes, AT, sizeof(memory)));
	return memory + (at - AT);
}

static uint8_t *descriptor(uint32_t ring, uint32_t i)
{
	return reach((hw.reg[ring / 4] | (uint64_t)hw.reg[ring / 4 + 1] << 32) + 16ull * i, 16);
}

static void transmit(void)
{
	uint32_t n = hw.reg[TDBAL / 4 + 2] / 16;

	while ((hw.reg[TCTL / 4] & 2) && hw.reg[TDH / 4] != hw.reg[TDT / 4]) {
		uint8_t *d = descriptor(TDBAL, hw.reg[TDH / 4]);

		assert_int_equal(d[11] & 9, 9);
		hw.sum_out += sum(reach(load_le64(d), load_le16(d + 8)), load_le16(d + 8));
		hw.out++;
		d[12] |= 1;
		hw.reg[TDH / 4] = (hw.reg[TDH / 4] + 1) % n;
	}
	hw.reg[ICR / 4] |= 1;
}

/* False: no buffer. */
static bool arrive(const uint8_t *frame, uint16_t bytes, uint8_t status, uint8_t errors)
{
	uint32_t n = hw.reg[RDBAL / 4 + 2] / 16;
	uint8_t *d = descriptor(RDBAL, hw.reg[RDH / 4]);

	if (!(hw.reg[RCTL / 4] & 2) || hw.reg[RDH / 4] == hw.reg[RDT / 4])
		return false;
	memcpy(reach(load_le64(d), NIC_BUFFER), frame, bytes);
	store_le16(d + 8, bytes);
	d[13] = errors;
	d[12] = status;
	hw.reg[RDH / 4] = (hw.reg[RDH / 4] + 1) % n;
	hw.reg[ICR / 4] |= 1u << 7;
	return true;
}

static uint32_t eeprom(void)
{
	uint32_t word = hw.reg[EERD / 4] >> 8 & 0xff;

	return hw.no_eeprom || word > 2
		       ? 0
		       : (uint32_t)load_le16(mac + 2 * word) << 16 | 1u << 4;
}

static uint32_t reg_read(void *opaque, uint32_t offset, unsigned bytes)
{
	uint32_t value;

	(void)opaque;
	assert_true(offset < REGISTERS && offset % 4 == 0 && bytes == 4);
	if (hw.gone)
		return UINT32_MAX;
	if (offset == EERD)
		return eeprom();
	value = hw.reg[offset / 4];
	if (offset == ICR)
		hw.reg[ICR / 4] = 0;
	return value;
}

static void reset(void)
{
	memset(hw.reg, 0, sizeof(hw.reg));
	hw.mask = 0;
	if (!hw.no_mac) {
		hw.reg[RAL / 4] = load_le32(mac);
		hw.reg[RAH / 4] = load_le16(mac + 4) | 1u << 31;
	}
}

static void reg_write(void *opaque, uint32_t offset, uint32_t value, unsigned bytes)
{
	(void)opaque;
	assert_true(offset < REGISTERS && offset % 4 == 0 && bytes == 4);
	hw.reg[offset / 4] = value;
	if (offset == CTRL && (value & 1u << 26)) {
		reset();
		hw.reg[CTRL / 4] = hw.stuck ? value : 0;
	}
	if (offset == IMS)
		hw.mask |= value;
	if (offset == IMC)
		hw.mask &= ~value;
	if (offset == TDT)
		transmit();
}

static bool irq(void) { return (hw.reg[ICR / 4] & hw.mask) != 0; }

static const struct vmmio_regs regs = { NULL, reg_read, reg_write };

static const char *start(void)
{
	memset(&world, 0, sizeof(world));
	hw.out = hw.sum_out = 0;
	reset();
	return e1000_start(&card, &regs, memory, AT);
}

static int plain(void **state)
{
	(void)state;
	memset(&hw, 0, sizeof(hw));
	return 0;
}

static void take(void *opaque, const uint8_t *frame, uint32_t bytes)
{
	(void)opaque;
	world.in++;
	world.sum_in += sum(frame, bytes);
	world.last = bytes;
}

static uint8_t frame[NIC_FRAME_MAX + 1];

static void both_ways(void **state)
{
	unsigned sent = 0, sum_sent = 0, given = 0, sum_given = 0, full = 0, lost = 0;

	(void)state;
	assert_null(start());
	assert_memory_equal(nic->mac, mac, 6);
	srand(1);
	for (unsigned n = 0; n < 20000; n++) {
		uint32_t bytes = make_frame(frame, NIC_FRAME_MIN, NIC_FRAME_MAX);
		unsigned what = (unsigned)rand() % 400;

		if (what < 200) {
			if (nic_send(nic, frame, bytes)) {
				sent++;
				sum_sent += sum(frame, bytes);
			} else {
				full++;
			}
		} else if (what < 398) {
			if (arrive(frame, (uint16_t)bytes, 3, 0)) {
				given++;
				sum_given += sum(frame, bytes);
			} else {
				lost++;
			}
		} else {
			if (irq())
				nic_interrupt(nic);
			(void)nic_receive(nic, (unsigned)rand() % 400, take, NULL);
			(void)nic_flush(nic);
		}
		assert_null(nic->error);
	}
	(void)nic_receive(nic, 1000, take, NULL);
	assert_false(nic_flush(nic));
	assert_int_equal(hw.out, sent);
	assert_int_equal(hw.sum_out, sum_sent);
	assert_int_equal(world.in, given);
	assert_int_equal(world.sum_in, sum_given);
	assert_true(sent > 1000 && given > 1000 && full > 0 && lost > 0);
	assert_int_equal(nic->received_bad, 0);
	assert_false(nic_send(nic, frame, NIC_FRAME_MAX + 1));
}

/* Who waits for the interrupt gets it. */
static void interrupts(void **state)
{
	(void)state;
	assert_null(start());
	for (unsigned n = 0; n < 1000; n++) {
		assert_false(nic_flush(nic));
		assert_false(irq());
		assert_true(arrive(frame, 60, 3, 0));
		assert_true(irq());
		nic_interrupt(nic);
		assert_false(irq());
		assert_int_equal(nic_receive(nic, 100, take, NULL), 1);
		assert_int_equal(world.last, 60);
	}
	assert_true(arrive(frame, 60, 3, 0)); /* between the last look and the flush */
	assert_true(nic_flush(nic));
}

/* Bochs: the address is in the EEPROM alone. */
static void address(void **state)
{
	(void)state;
	hw.no_mac = true;
	assert_null(start());
	assert_memory_equal(nic->mac, mac, 6);
	hw.no_eeprom = true;
	assert_non_null(start());
	assert_false(nic_send(nic, frame, 60));
	assert_false(nic_flush(nic));
}

static void lies(void **state)
{
	(void)state;
	assert_null(start());
	assert_true(arrive(frame, 13, 3, 0));
	assert_true(arrive(frame, NIC_FRAME_MAX + 1, 3, 0));
	assert_true(arrive(frame, 60, 1, 0)); /* a part of a frame */
	assert_true(arrive(frame, 60, 3, 1)); /* damaged */
	assert_int_equal(nic_receive(nic, 10, take, NULL), 4);
	assert_int_equal(nic->received_bad, 4);
	assert_int_equal(world.in, 0);
	/* Descriptors that say they are done, all at once: each is taken once in a turn. */
	for (unsigned i = 0; i < NIC_RX; i++)
		store_le64(memory + 16 * i + 8, 60 | 3ull << 32);
	assert_int_equal(nic_receive(nic, 1000, take, NULL), NIC_RX);
	hw.gone = true;
	nic_interrupt(nic);
	assert_non_null(nic->error);
	assert_int_equal(nic_receive(nic, 10, take, NULL), 0);
	assert_non_null(start());
	hw.gone = false;
	hw.stuck = true;
	assert_non_null(start());
	hw.stuck = false;
	assert_null(start());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(both_ways, plain),
		cmocka_unit_test_setup(interrupts, plain),
		cmocka_unit_test_setup(address, plain),
		cmocka_unit_test_setup(lies, plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
