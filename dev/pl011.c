#include <dev/pl011.h>
#include <dev/reg.h>

/* UARTDR, and UARTRSR shifted down by 8 (DDI 0183G 3.3.1, 3.3.2) */
#define DR_OE (1u << 11)
#define RSR_OE (1u << 3)
/* UARTFR (3.3.3) */
#define FR_CTS (1u << 0)
#define FR_DSR (1u << 1)
#define FR_DCD (1u << 2)
#define FR_BUSY (1u << 3)
#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)
#define FR_RXFF (1u << 6)
#define FR_TXFE (1u << 7)
#define FR_RI (1u << 8)
#define FR_MODEM (FR_CTS | FR_DSR | FR_DCD | FR_RI)
/* UARTLCR_H (3.3.7) */
#define LCR_FEN (1u << 4)
/* UARTCR (3.3.8) */
#define CR_LBE (1u << 7)
#define CR_TXE (1u << 8)
#define CR_RXE (1u << 9)
#define CR_DTR (1u << 10)
#define CR_RTS (1u << 11)
#define CR_OUT1 (1u << 12)
#define CR_OUT2 (1u << 13)
/* UARTIMSC, RIS, MIS, ICR (3.3.10-3.3.13) */
#define INT_RI (1u << 0)
#define INT_CTS (1u << 1)
#define INT_DCD (1u << 2)
#define INT_DSR (1u << 3)
#define INT_RX (1u << 4)
#define INT_TX (1u << 5)
#define INT_RT (1u << 6)
#define INT_FE (1u << 7)
#define INT_PE (1u << 8)
#define INT_OE (1u << 10)
#define INT_ALL 0x7ffu

static unsigned depth(const struct pl011 *u)
{
	return (u->lcr_h & LCR_FEN) ? PL011_FIFO_DEPTH : 1;
}

/* Trigger levels in entries (3.3.9); reserved encodings count as 1/2. */
static unsigned trigger(unsigned select)
{
	static const uint8_t level[8] = { 4, 8, 16, 24, 28, 16, 16, 16 };

	return level[select & 7u];
}

static unsigned rx_trigger(const struct pl011 *u)
{
	return (u->lcr_h & LCR_FEN) ? trigger(u->ifls >> 3) : 1;
}

static unsigned tx_trigger(const struct pl011 *u)
{
	return (u->lcr_h & LCR_FEN) ? trigger(u->ifls) : 0;
}

bool pl011_irq_level(const struct pl011 *u)
{
	return (u->ris & u->imsc) != 0;
}

/* Passes a change of the line on; every entry point ends with it. */
static void update_irq(struct pl011 *u)
{
	bool level = pl011_irq_level(u);

	if (level == u->irq)
		return;
	u->irq = level;
	u->env.set_irq(u->env.opaque, level);
}

static void fifo_push(struct pl011_fifo *f, uint8_t byte)
{
	f->data[(f->head + f->count) % PL011_FIFO_DEPTH] = byte;
	f->count++;
}

static uint8_t fifo_pop(struct pl011_fifo *f)
{
	uint8_t byte = f->data[f->head];

	f->head = (uint8_t)((f->head + 1u) % PL011_FIFO_DEPTH);
	f->count--;
	return byte;
}

/* A character comes in, from the line or by loopback. */
static bool rx_push(struct pl011 *u, uint8_t byte)
{
	if (u->rx.count >= depth(u)) {
		u->overrun = true;
		u->rsr |= RSR_OE;
		u->ris |= INT_OE;
		return false;
	}
	fifo_push(&u->rx, byte);
	if (u->rx.count >= rx_trigger(u))
		u->ris |= INT_RX;
	/* The timeout, 32 bit times without a further character, has passed
	 * before the guest can look. */
	if (u->lcr_h & LCR_FEN)
		u->ris |= INT_RT;
	return true;
}

/*
 * Sends what waits, as far as env.transmit takes it. The transmit interrupt
 * is the event "the FIFO has drained to its trigger level" (2.8.3), not the
 * state: a driver that has nothing to send is not interrupted again after it
 * has cleared it.
 */
static void tx_drain(struct pl011 *u)
{
	bool sent = false;

	while (u->tx.count > 0) { /* at most the FIFO's depth */
		uint8_t byte = u->tx.data[u->tx.head];

		if (u->cr & CR_LBE)
			(void)rx_push(u, byte);
		else if (!u->env.transmit(u->env.opaque, byte))
			break;
		(void)fifo_pop(&u->tx);
		sent = true;
	}
	if (sent && u->tx.count <= tx_trigger(u))
		u->ris |= INT_TX;
}

static uint32_t dr_read(void *device)
{
	struct pl011 *u = device;
	uint32_t value;

	if (u->rx.count == 0)
		return 0;
	value = fifo_pop(&u->rx);
	if (u->overrun)
		value |= DR_OE;
	u->overrun = false; /* there is room again */
	if (u->rx.count < rx_trigger(u))
		u->ris &= ~INT_RX;
	if (u->rx.count == 0)
		u->ris &= ~INT_RT;
	return value;
}

static void dr_write(void *device, uint32_t value)
{
	struct pl011 *u = device;

	/* Full: the character is lost, as on the hardware. */
	if (u->tx.count >= depth(u))
		return;
	fifo_push(&u->tx, (uint8_t)value);
	if (u->tx.count > tx_trigger(u))
		u->ris &= ~INT_TX;
	tx_drain(u);
}

/* UARTECR: any write clears the errors. */
static void ecr_write(void *device, uint32_t value)
{
	struct pl011 *u = device;

	(void)value;
	u->rsr = 0;
}

/* Modem inputs: asserted, or looped back from the outputs (2.4.4). */
static uint32_t modem_inputs(const struct pl011 *u)
{
	if (!(u->cr & CR_LBE))
		return FR_CTS | FR_DSR | FR_DCD;
	return ((u->cr & CR_RTS) ? FR_CTS : 0) |
	       ((u->cr & CR_DTR) ? FR_DSR : 0) |
	       ((u->cr & CR_OUT1) ? FR_DCD : 0) |
	       ((u->cr & CR_OUT2) ? FR_RI : 0);
}

static uint32_t fr_read(void *device)
{
	struct pl011 *u = device;
	uint32_t value = modem_inputs(u);

	/* A guest that polls for room gets on even if nobody tells the
	 * device that there is some. */
	if (u->tx.count > 0)
		tx_drain(u);
	value |= u->rx.count == 0 ? FR_RXFE : 0;
	value |= u->rx.count >= depth(u) ? FR_RXFF : 0;
	value |= u->tx.count == 0 ? FR_TXFE : FR_BUSY;
	value |= u->tx.count >= depth(u) ? FR_TXFF : 0;
	return value;
}

static void cr_write(void *device, uint32_t value)
{
	struct pl011 *u = device;
	uint32_t before = modem_inputs(u);
	uint32_t changed;

	u->cr = value;
	changed = before ^ modem_inputs(u);
	u->ris |= ((changed & FR_RI) ? INT_RI : 0) |
		  ((changed & FR_CTS) ? INT_CTS : 0) |
		  ((changed & FR_DCD) ? INT_DCD : 0) |
		  ((changed & FR_DSR) ? INT_DSR : 0);
	tx_drain(u); /* into the loop, when it was closed */
}

static uint32_t mis_read(void *device)
{
	const struct pl011 *u = device;

	return u->ris & u->imsc;
}

static void icr_write(void *device, uint32_t value)
{
	struct pl011 *u = device;

	u->ris &= ~value;
}

#define FIELD(name) offsetof(struct pl011, name)

/* DDI 0183G table 3-1. The test registers at 0x80-0x8c are left out. */
static const struct dev_reg registers[DEV_REG_PLACES] = {
	DEV_REG("UARTDR", PL011_DR, DEV_REG_NO_FIELD, 0, 0xff, dr_read, dr_write),
	DEV_REG("UARTRSR", 0x004, FIELD(rsr), 0, 0xff, NULL, ecr_write),
	DEV_REG("UARTFR", 0x018, DEV_REG_NO_FIELD, 0, 0, fr_read, NULL),
	DEV_REG("UARTILPR", 0x020, FIELD(ilpr), 0, 0xff, NULL, NULL),
	DEV_REG("UARTIBRD", 0x024, FIELD(ibrd), 0, 0xffff, NULL, NULL),
	DEV_REG("UARTFBRD", 0x028, FIELD(fbrd), 0, 0x3f, NULL, NULL),
	DEV_REG("UARTLCR_H", 0x02c, FIELD(lcr_h), 0, 0xff, NULL, NULL),
	DEV_REG("UARTCR", 0x030, FIELD(cr), CR_TXE | CR_RXE, 0xff87, NULL, cr_write),
	DEV_REG("UARTIFLS", 0x034, FIELD(ifls), 0x12, 0x3f, NULL, NULL),
	DEV_REG("UARTIMSC", 0x038, FIELD(imsc), 0, INT_ALL, NULL, NULL),
	DEV_REG("UARTRIS", 0x03c, FIELD(ris), 0, 0, NULL, NULL),
	DEV_REG("UARTMIS", 0x040, DEV_REG_NO_FIELD, 0, 0, mis_read, NULL),
	DEV_REG("UARTICR", 0x044, DEV_REG_NO_FIELD, 0, INT_ALL, NULL, icr_write),
	DEV_REG("UARTDMACR", 0x048, FIELD(dmacr), 0, 0x7, NULL, NULL),
	/* Revision 3 (r1p5): drivers take 32-entry FIFOs from it. */
	DEV_REG_PRIMECELL_ID(0x11, 0x10, 0x34, 0x00),
};

const struct dev_reg *pl011_registers(void)
{
	return registers;
}

__attribute__((flatten)) enum mmio_outcome pl011_access(struct pl011 *u, struct mmio *m)
{
	enum mmio_outcome outcome =
		dev_reg_access(registers, u, m);

	update_irq(u);
	return outcome;
}

void pl011_init(struct pl011 *u, const struct pl011_env *env)
{
	*u = (struct pl011){ .env = *env };
	dev_reg_reset(registers, u);
}

size_t pl011_receive_room(const struct pl011 *u)
{
	unsigned d = depth(u);

	/* In loopback the line is cut off. */
	if ((u->cr & CR_LBE) || u->rx.count >= d)
		return 0;
	return d - u->rx.count;
}

bool pl011_receive(struct pl011 *u, uint8_t byte)
{
	bool taken = !(u->cr & CR_LBE) && rx_push(u, byte);

	update_irq(u);
	return taken;
}

void pl011_transmit_ready(struct pl011 *u)
{
	tx_drain(u);
	update_irq(u);
}
