#include "e1000.h"

#include <selvage/base.h>
#include <selvage/dma_arch.h>
#include <string.h>

/* Registers (13.4). */
enum { CTRL = 0x0000,
       EERD = 0x0014,
       ICR = 0x00c0,
       IMS = 0x00d0,
       IMC = 0x00d8,
       RCTL = 0x0100,
       TCTL = 0x0400,
       TIPG = 0x0410,
       RDBAL = 0x2800,
       RDBAH = 0x2804,
       RDLEN = 0x2808,
       RDH = 0x2810,
       RDT = 0x2818,
       TDBAL = 0x3800,
       TDBAH = 0x3804,
       TDLEN = 0x3808,
       TDH = 0x3810,
       TDT = 0x3818,
       MTA = 0x5200,
       RAL = 0x5400,
       RAH = 0x5404 };
#define MTA_WORDS 128u
#define CTRL_ASDE (1u << 5)
#define CTRL_SLU (1u << 6)
#define CTRL_RST (1u << 26)
#define EERD_START 1u
#define EERD_DONE (1u << 4)
#define RAH_VALID (1u << 31)
#define INTERRUPTS (1u << 2 | 1u << 4 | 1u << 6 | 1u << 7) /* link, few buffers, overrun, frame */
/* Enabled, all addresses (others are behind us), 2 KiB buffers, without checksum. */
#define RCTL_OUR (1u << 1 | 1u << 3 | 1u << 4 | 1u << 15 | 1u << 26)
#define TCTL_OUR (1u << 1 | 1u << 3 | 0x0fu << 4 | 0x40u << 12)
#define TIPG_OUR (10u | 8u << 10 | 6u << 20)

/* Descriptors (3.2.3, 3.3.3): address, then length, and in the last four bytes status and,
 * of those to send, the command. */
#define DESC_BYTES 16u
#define RX_RING 0x0000u
#define TX_RING 0x4000u
#define DESC_LENGTH 8u
#define DESC_CMD 11u
#define DESC_STATUS 12u
#define RX_ERRORS 13u
#define STATUS_DONE 1u
#define STATUS_WHOLE 2u
#define CMD_OUR (1u | 2u | 8u) /* all of a frame, add the checksum, say when it is done */

#define PATIENCE 100000u
#define GONE UINT32_MAX

static struct e1000 *of(struct nic *n)
{
	return CONTAINER_OF(n, struct e1000, nic);
}

static uint32_t rd(struct e1000 *e, uint32_t offset)
{
	return e->regs.read(e->regs.opaque, offset, 4);
}

static void wr(struct e1000 *e, uint32_t offset, uint32_t value)
{
	e->regs.write(e->regs.opaque, offset, value, 4);
}

static uint8_t *rx_desc(struct e1000 *e, unsigned i)
{
	return e->memory + RX_RING + i * DESC_BYTES;
}

static uint8_t *tx_desc(struct e1000 *e, unsigned i)
{
	return e->memory + TX_RING + i * DESC_BYTES;
}

static bool is_done(const uint8_t *desc)
{
	return __atomic_load_n(desc + DESC_STATUS, __ATOMIC_ACQUIRE) & STATUS_DONE;
}

static void silence(struct e1000 *e)
{
	wr(e, IMC, UINT32_MAX);
	wr(e, RCTL, 0);
	wr(e, TCTL, 0);
}

static void give_up(struct e1000 *e, const char *why)
{
	e->nic.error = why;
	silence(e);
}

/* --- Frames --------------------------------------------------------------------------------- */

/* All of it anew: the device may have written anywhere in it. */
static void give_rx_buffer(struct e1000 *e, unsigned i)
{
	uint8_t *d = rx_desc(e, i);

	store_le64(d, e->at + NIC_RX_BUFFER(i));
	store_le64(d + 8, 0);
}

static void reclaim(struct e1000 *e)
{
	while (e->tx_done != e->tx_next && is_done(tx_desc(e, e->tx_done)))
		e->tx_done = (e->tx_done + 1) % NIC_TX;
}

static bool send(struct nic *n, const uint8_t *frame, uint32_t bytes)
{
	struct e1000 *e = of(n);
	const unsigned i = e->tx_next, next = (i + 1) % NIC_TX;
	uint8_t *d = tx_desc(e, i);

	if (next == e->tx_done)
		reclaim(e);
	if (next == e->tx_done)
		return false;
	memcpy(e->memory + NIC_TX_BUFFER(i), frame, bytes);
	store_le64(d, e->at + NIC_TX_BUFFER(i));
	store_le64(d + 8, bytes | (uint64_t)CMD_OUR << 8 * (DESC_CMD - DESC_LENGTH));
	e->tx_next = next;
	return true;
}

/* Whether it is one; then its copy is in n->frame. */
static bool take_frame(struct e1000 *e, unsigned i, uint32_t *bytes)
{
	const uint8_t *d = rx_desc(e, i);

	*bytes = __atomic_load_n((const uint16_t *)(const void *)(d + DESC_LENGTH),
				 __ATOMIC_RELAXED);
	if (!(d[DESC_STATUS] & STATUS_WHOLE) || d[RX_ERRORS] != 0 || *bytes < NIC_FRAME_MIN ||
	    *bytes > NIC_FRAME_MAX) {
		e->nic.received_bad++;
		return false;
	}
	memcpy(e->nic.frame, e->memory + NIC_RX_BUFFER(i), *bytes);
	return true;
}

static unsigned receive(struct nic *n, unsigned most, nic_take take, void *opaque)
{
	struct e1000 *e = of(n);
	unsigned taken = 0;

	for (; taken < most && is_done(rx_desc(e, e->rx_next)); taken++) {
		uint32_t bytes;
		bool good = take_frame(e, e->rx_next, &bytes);

		give_rx_buffer(e, e->rx_next);
		e->rx_next = (e->rx_next + 1) % NIC_RX;
		if (good)
			take(opaque, n->frame, bytes);
	}
	return taken;
}

/* Reading the causes takes them back. */
static void interrupt(struct nic *n)
{
	if (rd(of(n), ICR) == GONE && n->error == NULL)
		give_up(of(n), "it is not there any more");
}

static bool flush(struct nic *n)
{
	struct e1000 *e = of(n);
	const unsigned last = (e->rx_next + NIC_RX - 1) % NIC_RX; /* one stays empty */

	dma_write_barrier();
	if (e->rx_told != last)
		wr(e, RDT, last);
	if (e->tx_told != e->tx_next)
		wr(e, TDT, e->tx_next);
	e->rx_told = last;
	e->tx_told = e->tx_next;
	return is_done(rx_desc(e, e->rx_next));
}

static const struct nic_ops ops = { send, receive, interrupt, flush };

/* --- Start ------------------------------------------------------------------------------------ */

static bool waits_for(struct e1000 *e, uint32_t offset, uint32_t mask, uint32_t value)
{
	for (unsigned i = 0; i < PATIENCE; i++)
		if ((rd(e, offset) & mask) == value)
			return true;
	return false;
}

/* A word of the EEPROM (5.6.1). */
static bool read_eeprom(struct e1000 *e, uint32_t word, uint8_t *to)
{
	wr(e, EERD, word << 8 | EERD_START);
	if (!waits_for(e, EERD, EERD_DONE, EERD_DONE))
		return false;
	store_le16(to, (uint16_t)(rd(e, EERD) >> 16));
	return true;
}

/* The reset takes it from the EEPROM; Bochs leaves that to us. */
static bool read_mac(struct e1000 *e)
{
	uint8_t own[8];

	store_le32(own, rd(e, RAL));
	store_le32(own + 4, rd(e, RAH));
	memcpy(e->nic.mac, own, sizeof(e->nic.mac));
	if (load_le32(own + 4) & RAH_VALID)
		return true;
	for (uint32_t i = 0; i < 3; i++)
		if (!read_eeprom(e, i, e->nic.mac + 2 * i))
			return false;
	return true;
}

static void set_ring(struct e1000 *e, uint32_t low, uint64_t at, unsigned n)
{
	wr(e, low, (uint32_t)at);
	wr(e, low + (RDBAH - RDBAL), (uint32_t)(at >> 32));
	wr(e, low + (RDLEN - RDBAL), n * DESC_BYTES);
	wr(e, low + (RDH - RDBAL), 0);
	wr(e, low + (RDT - RDBAL), 0);
}

static const char *set_up(struct e1000 *e)
{
	silence(e);
	wr(e, CTRL, rd(e, CTRL) | CTRL_RST);
	if (!waits_for(e, CTRL, CTRL_RST, 0))
		return "it does not reset";
	silence(e);
	(void)rd(e, ICR);
	if (!read_mac(e))
		return "its address cannot be read";
	wr(e, CTRL, (rd(e, CTRL) | CTRL_SLU | CTRL_ASDE));
	for (uint32_t i = 0; i < MTA_WORDS; i++)
		wr(e, MTA + 4 * i, 0);
	memset(e->memory + TX_RING, 0, NIC_TX * DESC_BYTES);
	for (unsigned i = 0; i < NIC_RX; i++)
		give_rx_buffer(e, i);
	set_ring(e, RDBAL, e->at + RX_RING, NIC_RX);
	set_ring(e, TDBAL, e->at + TX_RING, NIC_TX);
	wr(e, TIPG, TIPG_OUR);
	wr(e, TCTL, TCTL_OUR);
	wr(e, RCTL, RCTL_OUR);
	(void)flush(&e->nic);
	wr(e, IMS, INTERRUPTS);
	return NULL;
}

const char *e1000_start(struct e1000 *e, const struct vmmio_regs *regs, void *memory, uint64_t at)
{
	const char *wrong;

	*e = (struct e1000){ .nic.ops = &ops, .regs = *regs, .memory = memory, .at = at };
	wrong = rd(e, CTRL) == GONE ? "it is not there" : set_up(e);
	if (wrong != NULL)
		give_up(e, wrong);
	return wrong;
}
