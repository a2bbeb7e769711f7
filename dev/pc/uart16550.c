#include <dev/pc/uart16550.h>

#include <dev/pc/isa.h>

#define IER_RX (1u << 0)
#define IER_THRE (1u << 1)
#define IER_LINE (1u << 2)
#define IER_MODEM (1u << 3)
#define FCR_ENABLE (1u << 0)
#define FCR_CLEAR_RX (1u << 1)
#define FCR_CLEAR_TX (1u << 2)
#define LCR_DLAB (1u << 7)
#define MCR_LOOP (1u << 4)
#define MCR_WRITABLE 0x1fu
#define LSR_DATA (1u << 0)
#define LSR_OVERRUN (1u << 1)
#define LSR_THRE (1u << 5)
#define LSR_TEMT (1u << 6)
/* MSR's upper half: clear to send, data set ready, ring, carrier; its lower
 * half says which have changed, of ring only that it ended. */
#define MSR_CTS (1u << 4)
#define MSR_DSR (1u << 5)
#define MSR_RI (1u << 6)
#define MSR_DCD (1u << 7)
/* IIR, in order of priority. */
#define IIR_LINE 0x06u
#define IIR_RX 0x04u
#define IIR_TIMEOUT 0x0cu
#define IIR_THRE 0x02u
#define IIR_MODEM 0x00u
#define IIR_NONE 0x01u
#define IIR_FIFOS 0xc0u

static unsigned depth(const struct uart16550 *u)
{
	return u->fcr & FCR_ENABLE ? UART16550_FIFO : 1;
}

static bool push(struct uart16550_fifo *f, unsigned room, uint8_t byte)
{
	if (f->count >= room)
		return false;
	f->data[(f->head + f->count++) % UART16550_FIFO] = byte;
	return true;
}

static uint8_t pop(struct uart16550_fifo *f)
{
	uint8_t byte = f->data[f->head];

	f->head = (f->head + 1u) % UART16550_FIFO;
	f->count--;
	return byte;
}

static unsigned trigger(const struct uart16550 *u)
{
	static const uint8_t level[] = { 1, 4, 8, 14 };

	return u->fcr & FCR_ENABLE ? level[u->fcr >> 6] : 1;
}

static unsigned cause(const struct uart16550 *u)
{
	if ((u->ier & IER_LINE) && u->overrun)
		return IIR_LINE;
	if ((u->ier & IER_RX) && u->rx.count != 0)
		return u->rx.count >= trigger(u) ? IIR_RX : IIR_TIMEOUT;
	if ((u->ier & IER_THRE) && u->thre)
		return IIR_THRE;
	if ((u->ier & IER_MODEM) && (u->modem & 0xf))
		return IIR_MODEM;
	return IIR_NONE;
}

bool uart16550_irq(const struct uart16550 *u)
{
	return cause(u) != IIR_NONE;
}

static void update(struct uart16550 *u)
{
	bool level = uart16550_irq(u);

	if (level == u->irq)
		return;
	u->irq = level;
	u->env.set_irq(u->env.opaque, level);
}

/* --- Characters ------------------------------------------------------------------------- */

size_t uart16550_receive_room(const struct uart16550 *u)
{
	return u->mcr & MCR_LOOP || u->rx.count >= depth(u) ? 0 : depth(u) - u->rx.count;
}

static bool arrive(struct uart16550 *u, uint8_t byte)
{
	bool taken = push(&u->rx, depth(u), byte);

	u->overrun |= !taken;
	return taken;
}

bool uart16550_receive(struct uart16550 *u, uint8_t byte)
{
	/* In loopback the line is not connected. */
	bool taken = !(u->mcr & MCR_LOOP) && arrive(u, byte);

	update(u);
	return taken;
}

static void drain(struct uart16550 *u)
{
	if (u->tx.count == 0)
		return;
	while (u->tx.count != 0 && u->env.transmit(u->env.opaque, u->tx.data[u->tx.head]))
		pop(&u->tx);
	u->thre = u->tx.count == 0;
}

void uart16550_transmit_ready(struct uart16550 *u)
{
	drain(u);
	update(u);
}

static void send(struct uart16550 *u, uint8_t byte)
{
	u->thre = false;
	update(u); /* an edge, however fast the byte goes */
	if (u->mcr & MCR_LOOP) {
		arrive(u, byte);
		u->thre = true;
		return;
	}
	push(&u->tx, depth(u), byte); /* a guest that does not look at LSR loses it */
	drain(u);
}

/* --- Registers -------------------------------------------------------------------------- */

static unsigned modem_lines(const struct uart16550 *u)
{
	if (!(u->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	/* RTS, DTR, OUT1 and OUT2 come back. */
	return (u->mcr & 2u) << 3 | (u->mcr & 1u) << 5 | (u->mcr & 0xcu) << 4;
}

static void set_mcr(struct uart16550 *u, uint8_t value)
{
	unsigned was = u->modem & 0xf0u, is, changed;

	u->mcr = value & MCR_WRITABLE;
	is = modem_lines(u);
	changed = was ^ is;
	if (is & MSR_RI)
		changed &= ~MSR_RI;
	u->modem = (uint8_t)(is | (u->modem & 0xfu) | changed >> 4);
}

static void set_fcr(struct uart16550 *u, uint8_t value)
{
	/* Switching the FIFOs on or off empties them. */
	bool both = (u->fcr ^ value) & FCR_ENABLE;

	if (both || (value & FCR_CLEAR_RX))
		u->rx.count = 0;
	if ((both || (value & FCR_CLEAR_TX)) && u->tx.count != 0) {
		u->tx.count = 0;
		u->thre = true;
	}
	u->fcr = value & FCR_ENABLE ? value & (0xc0 | FCR_ENABLE) : 0;
}

static uint8_t lsr(const struct uart16550 *u)
{
	return (uint8_t)((u->rx.count ? LSR_DATA : 0) | (u->overrun ? LSR_OVERRUN : 0) |
			 (u->tx.count ? 0 : LSR_THRE | LSR_TEMT));
}

static uint8_t iir(struct uart16550 *u)
{
	unsigned value = cause(u);

	if (value == IIR_THRE)
		u->thre = false; /* heard */
	return (uint8_t)(value | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0));
}

static uint8_t read_register(struct uart16550 *u, unsigned port)
{
	uint8_t value;

	switch (port) {
	case 0:
		if (u->lcr & LCR_DLAB)
			return u->dll;
		return u->rx.count ? pop(&u->rx) : 0;
	case 1: return u->lcr & LCR_DLAB ? u->dlm : u->ier;
	case 2: return iir(u);
	case 3: return u->lcr;
	case 4: return u->mcr;
	case 5:
		value = lsr(u);
		u->overrun = false;
		return value;
	case 6:
		value = u->modem;
		u->modem &= 0xf0;
		return value;
	default: return u->scr;
	}
}

static void write_register(struct uart16550 *u, unsigned port, uint8_t value)
{
	switch (port) {
	case 0:
		if (u->lcr & LCR_DLAB)
			u->dll = value;
		else
			send(u, value);
		break;
	case 1:
		if (u->lcr & LCR_DLAB) {
			u->dlm = value;
			break;
		}
		/* Enabled while the transmitter is empty, it interrupts at once. */
		if ((value & ~u->ier & IER_THRE) && u->tx.count == 0)
			u->thre = true;
		u->ier = value & 0xf;
		break;
	case 2: set_fcr(u, value); break;
	case 3: u->lcr = value; break;
	case 4: set_mcr(u, value); break;
	case 7: u->scr = value; break;
	default: break; /* LSR and MSR are for reading */
	}
}

static uint8_t read(void *device, unsigned port)
{
	uint8_t value = read_register(device, port);

	update(device);
	return value;
}

static void write(void *device, unsigned port, uint8_t value)
{
	write_register(device, port, value);
	update(device);
}

enum mmio_outcome uart16550_access(struct uart16550 *u, struct mmio *m)
{
	static const struct isa_class class = { read, write };

	if (m->offset + m->size > UART16550_PORTS)
		return mmio_ignore(m, "access size");
	return isa_access(&class, u, m);
}

static void reset_state(struct uart16550 *u)
{
	struct uart16550_env env = u->env;
	bool irq = u->irq;

	*u = (struct uart16550){ .env = env, .irq = irq };
	u->modem = (uint8_t)modem_lines(u);
}

void uart16550_reset(struct uart16550 *u)
{
	reset_state(u);
	update(u);
}

void uart16550_init(struct uart16550 *u, const struct uart16550_env *env)
{
	*u = (struct uart16550){ .env = *env };
	reset_state(u);
}
