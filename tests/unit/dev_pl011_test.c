/* PL011 against DDI 0183G: the register map, then behaviour by behaviour. */
#include <dev/pl011.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { DR = 0,
       RSR = 4,
       FR = 0x18,
       LCR_H = 0x2c,
       CR = 0x30,
       IFLS = 0x34,
       IMSC = 0x38,
       RIS = 0x3c,
       MIS = 0x40,
       ICR = 0x44 };
enum { RX = 1 << 4,
       TX = 1 << 5,
       RT = 1 << 6,
       BE = 1 << 9,
       OE = 1 << 10 };
enum { RXFE = 1 << 4,
       TXFF = 1 << 5,
       RXFF = 1 << 6,
       TXFE = 1 << 7,
       BUSY = 8 };
#define FEN 0x10
#define LBE 0x80

struct fixture {
	struct pl011 uart;
	char sent[256];
	size_t n_sent;
	bool blocked, irq;
	unsigned irq_changes;
};

static bool transmit(void *opaque, uint8_t byte)
{
	struct fixture *f = opaque;

	if (f->blocked)
		return false;
	if (f->n_sent < sizeof(f->sent))
		f->sent[f->n_sent++] = (char)byte;
	return true;
}

static void set_irq(void *opaque, bool level)
{
	struct fixture *f = opaque;

	assert_int_not_equal(f->irq, level); /* changes only */
	f->irq = level;
	f->irq_changes++;
}

static struct fixture *fresh(void)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	pl011_init(&f.uart, &(struct pl011_env){ &f, transmit, set_irq });
	return &f;
}

static uint32_t rd(struct fixture *f, uint32_t offset)
{
	struct mmio m = { .offset = offset, .size = 4 };

	assert_int_equal(pl011_access(&f->uart, &m), MMIO_HANDLED);
	assert_int_equal(f->irq, pl011_irq_level(&f->uart));
	return (uint32_t)m.value;
}

static void wr(struct fixture *f, uint32_t offset, uint32_t value)
{
	struct mmio m = { .offset = offset, .size = 4, .write = true, .value = value };

	assert_int_equal(pl011_access(&f->uart, &m), MMIO_HANDLED);
	assert_int_equal(f->irq, pl011_irq_level(&f->uart));
}

/* Table 3-1: offset, reset value, bits that read back as written. */
static const struct {
	uint32_t offset, reset, writable;
} map[] = {
	{ 0x000, 0, 0 },
	{ 0x004, 0, 0 },
	{ 0x018, 0x97, 0 },
	{ 0x020, 0, 0xff },
	{ 0x024, 0, 0xffff },
	{ 0x028, 0, 0x3f },
	{ 0x02c, 0, 0xff },
	{ 0x030, 0x300, 0xff87 },
	{ 0x034, 0x12, 0x3f },
	{ 0x038, 0, 0x7ff },
	{ 0x03c, 0, 0 },
	{ 0x040, 0, 0 },
	{ 0x044, 0, 0 },
	{ 0x048, 0, 0x7 },
	{ 0xfe0, 0x11, 0 },
	{ 0xfe4, 0x10, 0 },
	{ 0xfe8, 0x34, 0 },
	{ 0xfec, 0x00, 0 },
	{ 0xff0, 0x0d, 0 },
	{ 0xff4, 0xf0, 0 },
	{ 0xff8, 0x05, 0 },
	{ 0xffc, 0xb1, 0 },
};
#define N_MAP (sizeof(map) / sizeof(map[0]))

static void test_map(void **state)
{
	const struct dev_reg *r = pl011_registers();
	size_t n = 0;

	(void)state;
	assert_non_null(r[0].name);
	for (size_t i = 0; i < DEV_REG_PLACES; i++) {
		n += r[i].name != NULL;
		if (r[i].writable != 0)
			assert_true(r[i].write != NULL || r[i].field != DEV_REG_NO_FIELD);
	}
	assert_int_equal(n, N_MAP);
	for (size_t i = 0; i < N_MAP; i++) {
		struct fixture *f = fresh();
		struct mmio m = {
			.offset = map[i].offset,
			.size = 4,
			.write = true,
			.value = UINT32_MAX,
		};

		assert_int_equal(rd(f, map[i].offset), map[i].reset);
		f->blocked = true;
		pl011_access(&f->uart, &m);
		if (map[i].writable)
			assert_int_equal(rd(f, map[i].offset),
					 map[i].writable);
	}
}

static void test_unknown_is_ignored(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	for (uint32_t o = 0; o < PL011_FRAME_BYTES; o++)
		for (uint8_t size = 1; size <= 8; size = (uint8_t)(size * 2)) {
			struct mmio m = { .offset = o, .size = size, .value = 0xdead };
			bool known = false;
			enum mmio_outcome outcome;

			for (size_t i = 0; i < N_MAP; i++)
				known |= map[i].offset == o && size <= 4;
			outcome = pl011_access(&f->uart, &m);
			assert_int_equal(outcome, known ? MMIO_HANDLED : MMIO_IGNORED);
			if (!known) {
				assert_int_equal(m.value, 0);
				assert_non_null(m.reason);
			}
		}
}

static void test_early_console(void **state)
{
	struct fixture *f = fresh();
	const char *text = "hello";

	(void)state;
	for (const char *c = text; *c; c++) { /* bytes, UART not set up */
		struct mmio m = { .offset = DR, .size = 1, .write = true, .value = (uint8_t)*c };

		assert_false(rd(f, FR) & TXFF);
		pl011_access(&f->uart, &m);
		assert_false(rd(f, FR) & BUSY);
	}
	assert_int_equal(f->n_sent, 5);
	assert_memory_equal(f->sent, text, 5);
	assert_int_equal(f->irq_changes, 0);
}

static void test_transmit_backpressure(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	wr(f, LCR_H, FEN);
	wr(f, IMSC, TX);
	f->blocked = true;
	for (unsigned i = 0; i < 32; i++) {
		assert_false(rd(f, FR) & TXFF);
		wr(f, DR, 'a' + i % 26);
	}
	assert_int_equal(rd(f, FR) & (TXFF | TXFE | BUSY), TXFF | BUSY);
	wr(f, DR, '!'); /* lost */
	assert_int_equal(f->uart.tx.count, 32);
	assert_false(f->irq);
	f->blocked = false;
	pl011_transmit_ready(&f->uart);
	assert_int_equal(f->n_sent, 32);
	assert_int_equal(f->sent[31], 'f');
	assert_true(f->irq); /* drained to the trigger */
	assert_int_equal(rd(f, FR) & (TXFF | TXFE | BUSY), TXFE);
	/* An idle transmitter does not interrupt again. */
	wr(f, ICR, TX);
	assert_false(f->irq);
	wr(f, IMSC, 0);
	wr(f, IMSC, TX);
	assert_false(f->irq);
}

static void test_polling_guest_gets_on(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	f->blocked = true;
	wr(f, DR, 'x');
	assert_true(rd(f, FR) & TXFF); /* no FIFO: one character */
	f->blocked = false;            /* nobody calls pl011_transmit_ready */
	assert_false(rd(f, FR) & (TXFF | BUSY));
	assert_int_equal(f->n_sent, 1);
}

static void test_receive_levels(void **state)
{
	/* IFLS[5:3] -> entries (3.3.9) */
	static const unsigned trigger[5] = { 4, 8, 16, 24, 28 };

	(void)state;
	for (unsigned sel = 0; sel < 5; sel++) {
		struct fixture *f = fresh();

		wr(f, LCR_H, FEN);
		wr(f, IFLS, sel << 3);
		for (unsigned i = 1; i <= 32; i++) {
			assert_true(pl011_receive(&f->uart, (uint8_t)i));
			assert_int_equal((rd(f, RIS) & RX) != 0,
					 i >= trigger[sel]);
			assert_true(rd(f, RIS) & RT);
		}
		assert_true(rd(f, FR) & RXFF);
		assert_int_equal(pl011_receive_room(&f->uart), 0);
		for (unsigned left = 32; left-- > 0;) {
			assert_int_equal(rd(f, DR), 32 - left);
			assert_int_equal((rd(f, RIS) & RX) != 0,
					 left >= trigger[sel]);
			assert_int_equal((rd(f, RIS) & RT) != 0, left > 0);
		}
		assert_true(rd(f, FR) & RXFE);
	}
}

static void test_receive_without_fifo(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	wr(f, IMSC, RX | RT);
	assert_int_equal(pl011_receive_room(&f->uart), 1);
	assert_true(pl011_receive(&f->uart, 'k'));
	assert_true(f->irq);
	assert_int_equal(rd(f, MIS), RX);
	assert_false(pl011_receive(&f->uart, 'l'));
	assert_int_equal(rd(f, DR), 'k' | 1 << 11);
	assert_false(f->irq);
}

static void test_overrun(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	wr(f, IMSC, OE);
	pl011_receive(&f->uart, 1);
	pl011_receive(&f->uart, 2);
	assert_int_equal(rd(f, MIS), OE);
	assert_int_equal(rd(f, RSR), 8);
	wr(f, RSR, 0);
	assert_int_equal(rd(f, RSR), 0);
	assert_int_equal(rd(f, DR), 1 | 1 << 11);
	pl011_receive(&f->uart, 3);
	assert_int_equal(rd(f, DR), 3);
}

static void test_loopback(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	wr(f, LCR_H, FEN);
	wr(f, CR, 0x301 | LBE);
	assert_int_equal(rd(f, FR) & 0x107, 0);  /* outputs are all low */
	assert_int_equal(rd(f, RIS) & 0xf, 0xe); /* CTS, DCD, DSR went */
	wr(f, ICR, 0x7ff);
	wr(f, CR, 0x301 | LBE | 1 << 10 | 1 << 13); /* DTR, Out2 */
	assert_int_equal(rd(f, FR) & 0x107, 0x102); /* RI, DSR */
	assert_int_equal(rd(f, RIS) & 0xf, 0x9);
	wr(f, DR, 0x5a);
	assert_int_equal(f->n_sent, 0);
	assert_false(pl011_receive(&f->uart, 'x')); /* cut off */
	assert_int_equal(rd(f, DR), 0x5a);
}

/* What Linux's amba-pl011 does: prime by polling, then by interrupt. */
static void test_linux_transmit(void **state)
{
	struct fixture *f = fresh();
	unsigned sent = 0, interrupts = 0;

	(void)state;
	wr(f, LCR_H, FEN | 0x60);
	wr(f, CR, 0x301);
	wr(f, ICR, 0x7ff);
	wr(f, IMSC, RX | RT);
	f->blocked = true;
	while (sent < 100 && !(rd(f, FR) & TXFF)) {
		wr(f, DR, sent++);
	}
	assert_int_equal(sent, 32);
	wr(f, IMSC, RX | RT | TX);
	while (sent < 100) {
		f->blocked = false;
		pl011_transmit_ready(&f->uart);
		f->blocked = true;
		assert_true(f->irq);
		interrupts++;
		wr(f, ICR, TX);
		for (unsigned n = 0; n < 16 && sent < 100; n++)
			if (!(rd(f, FR) & TXFF))
				wr(f, DR, sent++);
	}
	wr(f, IMSC, RX | RT);
	f->blocked = false;
	pl011_transmit_ready(&f->uart);
	assert_int_equal(f->n_sent, 100);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal((uint8_t)f->sent[i], i);
	assert_in_range(interrupts, 1, 5);
	assert_false(f->irq);
}

/* Random operations: nothing is lost, doubled or out of order. */
static void test_random(void **state)
{
	struct fixture *f = fresh();
	uint8_t in = 0, out = 0, put = 0, seen = 0;
	uint32_t seed = 1;

	(void)state;
	for (unsigned n = 0; n < 200000; n++) {
		seed = seed * 1664525u + 1013904223u;
		switch (seed >> 24 & 7) {
		case 0: wr(f, LCR_H, (seed >> 8 & 1) * FEN); break;
		case 1: f->blocked = seed >> 8 & 1; break;
		case 2: pl011_transmit_ready(&f->uart); break;
		case 3: wr(f, IMSC, seed >> 8 & 0x7ff); break;
		case 4: wr(f, ICR, seed >> 8 & 0x7ff); break;
		case 5:
			if (pl011_receive_room(&f->uart))
				assert_true(pl011_receive(&f->uart, in++));
			break;
		case 6:
			if (!(rd(f, FR) & RXFE))
				assert_int_equal(rd(f, DR) & 0xff, out++);
			break;
		default:
			if (!(rd(f, FR) & TXFF))
				wr(f, DR, put++);
			break;
		}
		for (size_t i = 0; i < f->n_sent; i++)
			assert_int_equal((uint8_t)f->sent[i], seen++);
		f->n_sent = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_unknown_is_ignored),
		cmocka_unit_test(test_early_console),
		cmocka_unit_test(test_transmit_backpressure),
		cmocka_unit_test(test_polling_guest_gets_on),
		cmocka_unit_test(test_receive_levels),
		cmocka_unit_test(test_receive_without_fifo),
		cmocka_unit_test(test_overrun),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_linux_transmit),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
