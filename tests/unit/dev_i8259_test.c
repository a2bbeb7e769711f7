/* 8259A against Intel 231468: a pair as a PC programs it. */
#include <dev/pc/i8259.h>

#include "dev_pc.h"

static bool intr;

static void set_intr(void *opaque, bool level)
{
	(void)opaque;
	assert_int_not_equal(intr, level);
	intr = level;
}

static void out(struct i8259 *p, unsigned port, uint8_t value)
{
	struct mmio m = { .offset = port & 1, .size = 1, .write = true, .value = value };

	assert_int_equal(i8259_access(p, port >= 0xa0, &m), MMIO_HANDLED);
	assert_int_equal(intr, i8259_intr(p));
}

static uint8_t in(struct i8259 *p, unsigned port)
{
	struct mmio m = { .offset = port & 1, .size = 1 };

	assert_int_equal(i8259_access(p, port >= 0xa0, &m), MMIO_HANDLED);
	assert_int_equal(intr, i8259_intr(p));
	return (uint8_t)m.value;
}

static struct i8259 *powered(void)
{
	static struct i8259 p;

	intr = false;
	i8259_init(&p, &(struct i8259_env){ NULL, set_intr });
	return &p;
}

/* Vectors 0x20 and 0x28, nothing masked; icw4: of the first chip. */
static struct i8259 *programmed(uint8_t icw4)
{
	struct i8259 *p = powered();

	out(p, 0x20, 0x11);
	out(p, 0x21, 0x20);
	out(p, 0x21, 0x04);
	out(p, 0x21, icw4);
	out(p, 0xa0, 0x11);
	out(p, 0xa1, 0x28);
	out(p, 0xa1, 0x02);
	out(p, 0xa1, 0x01);
	return p;
}

static void edge(struct i8259 *p, unsigned line)
{
	i8259_set_line(p, line, false);
	i8259_set_line(p, line, true);
}

static void test_reset(void **state)
{
	struct i8259 *p = powered();

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		edge(p, i);
	assert_false(intr); /* masked */
	assert_int_equal(in(p, 0x21), 0xff);
	assert_int_equal(in(p, 0x20), 0xfb); /* IRR; there is no line 2 */
	out(p, 0x20, 0x11);
	assert_int_equal(in(p, 0x21), 0); /* ICW1 clears the mask */
	assert_int_equal(in(p, 0x20), 0); /* and the edges */
	assert_false(intr);               /* not before it is initialised */
}

static void test_edge_and_priority(void **state)
{
	struct i8259 *p = programmed(1);

	(void)state;
	edge(p, 5);
	edge(p, 3);
	assert_true(intr);
	assert_int_equal(in(p, 0x20), 0x28);
	assert_int_equal(i8259_acknowledge(p), 0x23);
	assert_false(intr); /* 5 is below 3 */
	edge(p, 1);
	assert_true(intr); /* 1 is above */
	assert_int_equal(i8259_acknowledge(p), 0x21);
	out(p, 0x20, 0x0b);
	assert_int_equal(in(p, 0x20), 0x0a); /* ISR */
	out(p, 0x20, 0x20);                  /* ends 1 */
	assert_int_equal(in(p, 0x20), 0x08);
	out(p, 0x20, 0x63); /* ends 3 by its name */
	assert_true(intr);
	assert_int_equal(i8259_acknowledge(p), 0x25);
	out(p, 0x20, 0x20);
	out(p, 0x20, 0x0a);
	assert_int_equal(in(p, 0x20), 0);
	i8259_set_line(p, 3, true); /* no change: no edge */
	assert_false(intr);
}

static void test_cascade(void **state)
{
	struct i8259 *p = programmed(1);

	(void)state;
	edge(p, 12);
	edge(p, 8);
	assert_int_equal(i8259_acknowledge(p), 0x28);
	assert_false(intr);
	out(p, 0xa0, 0x20);
	assert_false(intr); /* IR2 of the first is in service */
	out(p, 0x20, 0x20);
	assert_true(intr);
	assert_int_equal(i8259_acknowledge(p), 0x2c);
	edge(p, 9); /* within the second chip: only if nested specially */
	assert_false(intr);
	edge(p, 0);
	assert_int_equal(i8259_acknowledge(p), 0x20);
}

static void test_special_fully_nested(void **state)
{
	struct i8259 *p = programmed(0x11);

	(void)state;
	edge(p, 12);
	assert_int_equal(i8259_acknowledge(p), 0x2c);
	edge(p, 9);
	assert_true(intr);
	assert_int_equal(i8259_acknowledge(p), 0x29);
	edge(p, 10);
	assert_false(intr);
}

static void test_auto_eoi_and_rotation(void **state)
{
	struct i8259 *p = programmed(3);

	(void)state;
	out(p, 0x20, 0x80); /* rotate */
	edge(p, 4);
	edge(p, 6);
	assert_int_equal(i8259_acknowledge(p), 0x24);
	edge(p, 4);
	assert_int_equal(i8259_acknowledge(p), 0x26); /* 4 is lowest now */
	assert_int_equal(i8259_acknowledge(p), 0x24);
	out(p, 0x20, 0x0b);
	assert_int_equal(in(p, 0x20), 0);

	p = programmed(1);
	out(p, 0x20, 0xc4); /* 4 lowest: 5 is the highest */
	edge(p, 0);
	edge(p, 5);
	assert_int_equal(i8259_acknowledge(p), 0x25);
	out(p, 0x20, 0xa0); /* ends 5 and rotates it to the bottom */
	edge(p, 5);
	assert_int_equal(i8259_acknowledge(p), 0x20);
	assert_false(intr);
	out(p, 0x20, 0xe0); /* ends 0, lowest from now on */
	edge(p, 0);
	assert_int_equal(i8259_acknowledge(p), 0x25);
}

static void test_special_mask(void **state)
{
	struct i8259 *p = programmed(1);

	(void)state;
	edge(p, 3);
	assert_int_equal(i8259_acknowledge(p), 0x23);
	edge(p, 6);
	assert_false(intr);
	out(p, 0x21, 0x08);
	out(p, 0x20, 0x68); /* what is masked blocks nobody */
	assert_true(intr);
	assert_int_equal(i8259_acknowledge(p), 0x26);
	out(p, 0x20, 0x20); /* ends 6, not 3, which is masked */
	out(p, 0x20, 0x0b);
	assert_int_equal(in(p, 0x20), 0x08);
	out(p, 0x20, 0x48);
	edge(p, 6);
	assert_false(intr);
}

static void test_poll(void **state)
{
	struct i8259 *p = programmed(1);

	(void)state;
	out(p, 0x20, 0x0c);
	assert_int_equal(in(p, 0x20), 0);
	edge(p, 5);
	out(p, 0x20, 0x0c);
	assert_int_equal(in(p, 0x20), 0x85);
	assert_false(intr); /* in service */
	out(p, 0x20, 0x0b);
	assert_int_equal(in(p, 0x20), 0x20);
}

static void test_level_and_spurious(void **state)
{
	struct i8259 *p = programmed(1);

	(void)state;
	WR(i8259_elcr_access, p, 0, 2, 0xffff);
	assert_int_equal(RD(i8259_elcr_access, p, 0, 2), 0xdef8);
	i8259_set_line(p, 11, true);
	assert_int_equal(i8259_acknowledge(p), 0x2b);
	out(p, 0xa0, 0x20);
	out(p, 0x20, 0x20);
	assert_true(intr); /* still up: again */
	i8259_set_line(p, 11, false);
	assert_false(intr);
	/* INTA for what has gone: IR7, and nothing in service. */
	assert_int_equal(i8259_acknowledge(p), 0x27);
	out(p, 0x20, 0x0b);
	assert_int_equal(in(p, 0x20), 0);
	/* An edge that falls before INTA is kept. */
	edge(p, 1);
	i8259_set_line(p, 1, false);
	assert_int_equal(i8259_acknowledge(p), 0x21);
}

static void test_spurious_second(void **state)
{
	struct i8259 *p = programmed(1);

	(void)state;
	edge(p, 14);
	out(p, 0xa1, 0x40); /* masked between INTR and INTA: the first chip's IR7 */
	assert_int_equal(i8259_acknowledge(p), 0x27);
	out(p, 0xa1, 0);
	assert_int_equal(i8259_acknowledge(p), 0x2e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_edge_and_priority),
		cmocka_unit_test(test_cascade),
		cmocka_unit_test(test_special_fully_nested),
		cmocka_unit_test(test_auto_eoi_and_rotation),
		cmocka_unit_test(test_special_mask),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_level_and_spurious),
		cmocka_unit_test(test_spurious_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
