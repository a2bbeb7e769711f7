/* UART 16550A against National's PC16550D. */
#include <dev/pc/uart16550.h>

#include "dev_pc.h"

enum { DATA,
       IER,
       IIR,
       LCR,
       MCR,
       LSR,
       MSR,
       SCR };

struct fixture {
	struct uart16550 uart;
	bool irq;
	char sent[64];
	unsigned n, room, edges;
};

static bool transmit(void *opaque, uint8_t byte)
{
	struct fixture *f = opaque;

	if (f->room == 0)
		return false;
	f->room--;
	f->sent[f->n++] = (char)byte;
	return true;
}

static void set_irq(void *opaque, bool level)
{
	struct fixture *f = opaque;

	assert_int_not_equal(f->irq, level);
	f->irq = level;
	f->edges += level;
}

static struct fixture *fresh(void)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.room = 60;
	uart16550_init(&f.uart, &(struct uart16550_env){ &f, transmit, set_irq });
	return &f;
}

static uint8_t rd(struct fixture *f, unsigned port)
{
	uint8_t value = (uint8_t)RD(uart16550_access, &f->uart, port, 1);

	assert_int_equal(f->irq, uart16550_irq(&f->uart));
	return value;
}

static void wr(struct fixture *f, unsigned port, uint8_t value)
{
	WR(uart16550_access, &f->uart, port, 1, value);
	assert_int_equal(f->irq, uart16550_irq(&f->uart));
}

static void test_registers(void **state)
{
	static const struct {
		unsigned port;
		uint8_t reset, ones;
	} map[] = {
		{ IER, 0, 0x0f },
		{ IIR, 0x01, 0xc1 },
		{ LCR, 0, 0xff },
		{ MCR, 0, 0x1f },
		{ LSR, 0x60, 0x60 },
		{ MSR, 0xb0, 0xb0 },
		{ SCR, 0, 0xff },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		struct fixture *f = fresh();

		assert_int_equal(rd(f, map[i].port), map[i].reset);
		wr(f, map[i].port, 0xff);
		assert_int_equal(rd(f, map[i].port), map[i].ones);
	}
}

static void test_divisor(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	wr(f, LCR, 0x83);
	WR(uart16550_access, &f->uart, 0, 2, 0x1234); /* both at once */
	assert_int_equal(rd(f, 0), 0x34);
	assert_int_equal(rd(f, 1), 0x12);
	wr(f, LCR, 0x03);
	assert_int_equal(rd(f, IER), 0);
	assert_int_equal(f->n, 0);
}

static void test_transmit(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	wr(f, DATA, 'a');
	assert_int_equal(rd(f, LSR), 0x60);
	wr(f, IER, 2); /* empty: at once */
	assert_true(f->irq);
	assert_int_equal(rd(f, IIR), 0x02); /* and that is heard */
	assert_false(f->irq);
	wr(f, DATA, 'b');
	assert_true(f->irq);
	f->edges = 0;
	wr(f, DATA, 'b'); /* a new edge, though the last was not heard */
	assert_true(f->irq);
	assert_int_equal(f->edges, 1);
	wr(f, IER, 0);
	wr(f, IER, 2); /* off and on: again */
	assert_int_equal(rd(f, IIR), 0x02);
	/* No room: what fits waits, and the interrupt comes when all is gone. */
	f->room = 0;
	wr(f, 2, 1);
	for (char c = 'c'; c < 'c' + 18; c++) {
		wr(f, DATA, (uint8_t)c);
		assert_int_equal(rd(f, LSR), 0);
	}
	f->room = 5;
	uart16550_transmit_ready(&f->uart);
	assert_false(f->irq);
	f->room = 50;
	uart16550_transmit_ready(&f->uart);
	assert_true(f->irq);
	assert_int_equal(f->n, 3 + 16); /* two were one too many each */
	assert_memory_equal(f->sent, "abbcdefghijklmnopqr", 19);
	/* Clearing the FIFO throws away. */
	f->room = 0;
	wr(f, DATA, 'x');
	wr(f, 2, 5);
	assert_int_equal(rd(f, LSR), 0x60);
	assert_true(f->irq);
}

static void test_receive(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	assert_int_equal(uart16550_receive_room(&f->uart), 1);
	wr(f, IER, 5);
	assert_true(uart16550_receive(&f->uart, 'a'));
	assert_int_equal(rd(f, IIR), 0x04);
	assert_false(uart16550_receive(&f->uart, 'b'));
	assert_int_equal(rd(f, IIR), 0x06); /* overrun, above all */
	assert_int_equal(rd(f, LSR), 0x63);
	assert_int_equal(rd(f, LSR), 0x61);
	assert_int_equal(rd(f, DATA), 'a');
	assert_false(f->irq);
	assert_int_equal(rd(f, DATA), 0);
	/* FIFOs: trigger at 8, below it the timeout. */
	wr(f, 2, 0x81);
	assert_int_equal(uart16550_receive_room(&f->uart), 16);
	for (unsigned i = 0; i < 16; i++) {
		assert_true(uart16550_receive(&f->uart, (uint8_t)('A' + i)));
		assert_int_equal(rd(f, IIR), i < 7 ? 0xcc : 0xc4);
	}
	assert_false(uart16550_receive(&f->uart, 'Z'));
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(rd(f, DATA), 'A' + i);
	assert_int_equal(rd(f, IIR), 0xc6);
	rd(f, LSR);
	assert_int_equal(rd(f, IIR), 0xc1);
	uart16550_receive(&f->uart, 'x');
	wr(f, 2, 0x83);
	assert_int_equal(rd(f, LSR), 0x60);
	uart16550_receive(&f->uart, 'x');
	uart16550_reset(&f->uart);
	assert_int_equal(rd(f, LSR), 0x60);
	assert_int_equal(rd(f, IER), 0);
}

static void test_loopback(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	wr(f, IER, 0x09);
	wr(f, MCR, 0x10);
	assert_true(f->irq); /* three lines fell */
	assert_int_equal(rd(f, IIR), 0);
	assert_int_equal(rd(f, MSR), 0x0b);
	assert_false(f->irq);
	wr(f, MCR, 0x1a); /* what Linux looks for */
	assert_int_equal(rd(f, MSR), 0x99);
	wr(f, MCR, 0x14);
	assert_int_equal(rd(f, MSR), 0x49); /* ring: its beginning is no change */
	wr(f, MCR, 0x11);
	assert_int_equal(rd(f, MSR), 0x26);
	wr(f, DATA, 'q');
	assert_int_equal(f->n, 0);
	assert_false(uart16550_receive(&f->uart, 'r')); /* not connected */
	assert_int_equal(rd(f, DATA), 'q');
	wr(f, MCR, 0);
	assert_int_equal(rd(f, MSR) & 0xf0, 0xb0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_divisor),
		cmocka_unit_test(test_transmit),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
