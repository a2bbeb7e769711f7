/* Keyboard controller and keyboard against IBM's PC/AT reference, 6183355. */
#include <dev/pc/i8042.h>
#include <dev/pc/keyboard_us.h>

#include "dev_pc.h"

struct fixture {
	struct i8042 kbc;
	bool irq[2];
	unsigned rises[2], resets;
};

static void set_irq(void *opaque, unsigned line, bool level)
{
	struct fixture *f = opaque;

	assert_int_not_equal(f->irq[line], level);
	f->irq[line] = level;
	f->rises[line] += level;
}

static void reset(void *opaque)
{
	((struct fixture *)opaque)->resets++;
}

static struct fixture *fresh(void)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	i8042_init(&f.kbc, &(struct i8042_env){ &f, set_irq, reset });
	return &f;
}

static uint8_t in(struct fixture *f, unsigned port)
{
	return (uint8_t)RD(i8042_access, &f->kbc, port - 0x60, 1);
}

static void out(struct fixture *f, unsigned port, uint8_t value)
{
	WR(i8042_access, &f->kbc, port - 0x60, 1, value);
}

static void expect(struct fixture *f, uint8_t byte)
{
	assert_true(in(f, 0x64) & 1);
	assert_int_equal(in(f, 0x60), byte);
}

static void expect_nothing(struct fixture *f)
{
	assert_int_equal(in(f, 0x64) & 1, 0);
	assert_false(f->irq[0]);
	assert_false(f->irq[1]);
}

static uint8_t ask(struct fixture *f, uint8_t command)
{
	out(f, 0x64, command);
	assert_true(in(f, 0x64) & 1);
	return in(f, 0x60);
}

static void test_controller(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	assert_int_equal(in(f, 0x64), 0x14);
	assert_int_equal(ask(f, 0xaa), 0x55);
	assert_int_equal(in(f, 0x64), 0x1c); /* the last write was a command */
	assert_int_equal(ask(f, 0xab), 0);
	assert_int_equal(ask(f, 0xa9), 0);
	assert_int_equal(ask(f, 0xc0), 0x80);
	assert_int_equal(ask(f, 0x20), 0x45);
	out(f, 0x64, 0xad);
	assert_int_equal(ask(f, 0x20), 0x55);
	out(f, 0x64, 0xa7);
	assert_int_equal(ask(f, 0x20), 0x75);
	out(f, 0x64, 0xae);
	out(f, 0x64, 0xa8);
	assert_int_equal(ask(f, 0x20), 0x45);
	out(f, 0x64, 0x60);
	out(f, 0x60, 0x40);
	assert_int_equal(in(f, 0x64), 0x10);
	assert_int_equal(ask(f, 0x20), 0x40);
	out(f, 0x64, 0x7f);
	out(f, 0x60, 0xa5);
	assert_int_equal(ask(f, 0x3f), 0xa5);
	out(f, 0x64, 0x00); /* nothing known */
	expect_nothing(f);
	i8042_reset(&f->kbc);
	assert_int_equal(ask(f, 0x20), 0x45);
}

static void test_reset_and_a20(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	assert_true(i8042_a20(&f->kbc));
	out(f, 0x64, 0xdd);
	assert_false(i8042_a20(&f->kbc));
	out(f, 0x64, 0xd1);
	out(f, 0x60, 0xdf);
	assert_true(i8042_a20(&f->kbc));
	assert_int_equal(ask(f, 0xd0), 0xcf);
	WR(i8042_port92_access, &f->kbc, 0, 1, 0);
	assert_false(i8042_a20(&f->kbc));
	assert_int_equal(RD(i8042_port92_access, &f->kbc, 0, 1), 0);
	WR(i8042_port92_access, &f->kbc, 0, 1, 2);
	assert_true(i8042_a20(&f->kbc));
	assert_int_equal(f->resets, 0);
	out(f, 0x64, 0xfe);
	assert_int_equal(f->resets, 1);
	out(f, 0x64, 0xff); /* pulses nothing */
	assert_int_equal(f->resets, 1);
	WR(i8042_port92_access, &f->kbc, 0, 1, 3);
	assert_int_equal(f->resets, 2);
	out(f, 0x64, 0xd1);
	out(f, 0x60, 0x02);
	assert_int_equal(f->resets, 3);
	/* Output port: who has filled the buffer. */
	out(f, 0x64, 0xd2);
	out(f, 0x60, 1);
	assert_int_equal(ask(f, 0xd0), 0x13);
}

static void test_keyboard_commands(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	out(f, 0x64, 0x60);
	out(f, 0x60, 0x05); /* no translation */
	out(f, 0x60, 0xff);
	assert_true(f->irq[0]);
	expect(f, 0xfa);
	assert_true(f->irq[0]); /* fell and rose: an edge for each byte */
	assert_int_equal(f->rises[0], 2);
	expect(f, 0xaa);
	expect_nothing(f);
	out(f, 0x60, 0xf2);
	expect(f, 0xfa);
	expect(f, 0xab);
	expect(f, 0x83);
	out(f, 0x60, 0xee);
	expect(f, 0xee);
	out(f, 0x60, 0xed);
	expect(f, 0xfa);
	out(f, 0x60, 0x05);
	expect(f, 0xfa);
	assert_int_equal(i8042_leds(&f->kbc), 5);
	out(f, 0x60, 0xf0);
	expect(f, 0xfa);
	out(f, 0x60, 0);
	expect(f, 0xfa);
	expect(f, 2);
	out(f, 0x60, 0xfe); /* the last again */
	expect(f, 2);
	out(f, 0x60, 0xf3); /* a command in place of its byte is a command */
	expect(f, 0xfa);
	out(f, 0x60, 0xf2);
	expect(f, 0xfa);
	expect(f, 0xab);
	expect(f, 0x83);
	out(f, 0x60, 0x42);
	expect(f, 0xfe);
	out(f, 0x60, 0xf5);
	expect(f, 0xfa);
	assert_false(i8042_key(&f->kbc, 0x1c, false, true));
	out(f, 0x60, 0xf4);
	expect(f, 0xfa);
	assert_true(i8042_key(&f->kbc, 0x1c, false, true));
	expect(f, 0x1c);
	/* With translation replies go through it too. */
	out(f, 0x64, 0x60);
	out(f, 0x60, 0x45);
	out(f, 0x60, 0xf2);
	expect(f, 0xfa);
	expect(f, 0xab);
	expect(f, 0x41);
}

static void test_keys(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	i8042_key(&f->kbc, 0x1c, false, true); /* a */
	expect(f, 0x1e);
	i8042_key(&f->kbc, 0x1c, false, false);
	expect(f, 0x9e);
	i8042_key(&f->kbc, 0x75, true, true); /* up */
	expect(f, 0xe0);
	expect(f, 0x48);
	i8042_key(&f->kbc, 0x75, true, false);
	expect(f, 0xe0);
	expect(f, 0xc8);
	i8042_key(&f->kbc, 0x83, false, true); /* F7 */
	expect(f, 0x41);
	i8042_key(&f->kbc, 0x84, false, true); /* SysRq */
	expect(f, 0x54);
	expect_nothing(f);
	out(f, 0x64, 0xad); /* held back while it is disabled */
	i8042_key(&f->kbc, 0x1c, false, true);
	expect_nothing(f);
	out(f, 0x64, 0xae);
	expect(f, 0x1e);
	out(f, 0x64, 0x60);
	out(f, 0x60, 0x05);
	i8042_key(&f->kbc, 0x75, true, false);
	expect(f, 0xe0);
	expect(f, 0xf0);
	expect(f, 0x75);
	/* Full: a whole key is lost, and there is room for an answer. */
	for (unsigned i = 0; i < 100; i++)
		i8042_key(&f->kbc, 0x1c, false, true);
	assert_false(i8042_key(&f->kbc, 0x1c, false, true));
	out(f, 0x60, 0xf4);
	for (unsigned n = 0; in(f, 0x64) & 1; n++) {
		assert_true(n < 40);
		assert_true(in(f, 0x60) == ((in(f, 0x64) & 1) ? 0x1c : 0xfa));
	}
	/* The keyboard's own set 1. */
	out(f, 0x60, 0xf0);
	expect(f, 0xfa);
	out(f, 0x60, 1);
	expect(f, 0xfa);
	i8042_key(&f->kbc, 0x1c, false, false);
	expect(f, 0x9e);
	expect_nothing(f);
}

/* IBM 6183355, 4-23: set 1 and set 2 of the 84 keys' main block. */
static void test_translation(void **state)
{
	static const uint8_t set2[0x54] = {
		0, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55,
		0x66, 0x0d, 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b,
		0x5a, 0x14, 0x1c, 0x1b, 0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e,
		0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a, 0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c,
		0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03, 0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77,
		0x7e, 0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69, 0x72, 0x7a, 0x70, 0x71
	};
	struct fixture *f = fresh();
	bool seen[0x80] = { false };
	uint8_t byte;

	(void)state;
	for (uint8_t code = 1; code < sizeof(set2); code++) {
		assert_true(i8042_key(&f->kbc, set2[code], false, true));
		expect(f, code);
		assert_true(i8042_key(&f->kbc, set2[code], false, false));
		expect(f, code | 0x80);
	}
	/* No two of them are one. */
	for (unsigned code = 1; code < 0x80; code++) {
		i8042_key(&f->kbc, (uint8_t)code, false, true);
		assert_int_not_equal(in(f, 0x64) & 1, 0);
		byte = in(f, 0x60);
		assert_true(byte < 0x80 && !seen[byte]);
		seen[byte] = true;
	}
}

static void test_aux(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	out(f, 0x64, 0x60);
	out(f, 0x60, 0x47);
	out(f, 0x64, 0xd3); /* loop, as Linux looks for the port */
	out(f, 0x60, 0x5a);
	assert_true(f->irq[1]);
	assert_false(f->irq[0]);
	assert_int_equal(in(f, 0x64) & 0x21, 0x21);
	expect(f, 0x5a);
	expect_nothing(f);
	out(f, 0x64, 0xd4); /* nobody there */
	out(f, 0x60, 0xf2);
	assert_int_equal(in(f, 0x64) & 0x61, 0x61);
	expect(f, 0xfe);
	assert_int_equal(in(f, 0x64) & 0x61, 0);
}

static void test_us_layout(void **state)
{
	static const char text[] = "aZ09 \n~|\"?";
	static const struct key_stroke want[] = {
		{ .code = 0x1c },
		{ .code = 0x1a, .shift = true },
		{ .code = 0x45 },
		{ .code = 0x46 },
		{ .code = 0x29 },
		{ .code = 0x5a },
		{ .code = 0x0e, .shift = true },
		{ .code = 0x5d, .shift = true },
		{ .code = 0x52, .shift = true },
		{ .code = 0x4a, .shift = true },
	};
	struct key_stroke s;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_true(keyboard_us(text[i], &s));
		assert_int_equal(s.code, want[i].code);
		assert_int_equal(s.shift, want[i].shift);
		assert_false(s.control);
	}
	for (unsigned c = ' '; c < 0x7f; c++)
		assert_true(keyboard_us((char)c, &s));
	assert_true(keyboard_us(3, &s)); /* control C */
	assert_true(s.control);
	assert_int_equal(s.code, 0x21);
	assert_false(keyboard_us(0, &s));
	assert_false(keyboard_us((char)0xe4, &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_controller),
		cmocka_unit_test(test_reset_and_a20),
		cmocka_unit_test(test_keyboard_commands),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_translation),
		cmocka_unit_test(test_aux),
		cmocka_unit_test(test_us_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
