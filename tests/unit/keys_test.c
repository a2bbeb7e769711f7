/* Scan codes of a PC's keyboard as what a terminal sends. The codes come from the
 * keyboard controller's model, which has another part of the tables to itself. */
#include "keys.h"
#include "unit.h"

#include <dev/pc/i8042.h>
#include <dev/pc/keyboard_us.h>
#include <string.h>

static struct keys keys;
static struct i8042 kbc;

static void nothing_irq(void *opaque, unsigned line, bool level)
{
	(void)opaque;
	(void)line;
	(void)level;
}

static void nothing_reset(void *opaque) { (void)opaque; }

static void begin(void)
{
	i8042_init(&kbc, &(struct i8042_env){ NULL, nothing_irq, nothing_reset });
	keys_init(&keys);
}

/* What these codes of set 1 make, one after the other. */
static const char *made(const uint8_t *codes, size_t n)
{
	static char text[64];
	struct key key;
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		if (!keys_take(&keys, codes[i], &key))
			continue;
		assert_true(key.n > 0 || key.view > 0 || key.scroll > 0);
		assert_true(at + key.n < sizeof(text) && key.n <= KEY_TEXT);
		memcpy(text + at, key.text, key.n);
		at += key.n;
	}
	text[at] = '\0';
	return text;
}
#define MADE(...) made((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void stroke(uint8_t code, bool down)
{
	assert_true(i8042_key(&kbc, code, false, down));
}

/* A character by the model's keyboard, and what comes of it here. */
static const char *typed(char c)
{
	struct key_stroke s;
	uint8_t codes[16];
	size_t n = 0;

	assert_true(keyboard_us(c, &s));
	if (s.shift || s.control)
		stroke(s.shift ? KEY_SHIFT : KEY_CONTROL, true);
	stroke(s.code, true);
	stroke(s.code, false);
	if (s.shift || s.control)
		stroke(s.shift ? KEY_SHIFT : KEY_CONTROL, false);
	for (;;) {
		struct mmio m = { .offset = 4, .size = 1 };

		assert_int_equal(i8042_access(&kbc, &m), MMIO_HANDLED);
		if (!(m.value & 1))
			break;
		m = (struct mmio){ .offset = 0, .size = 1 };
		assert_int_equal(i8042_access(&kbc, &m), MMIO_HANDLED);
		assert_true(n < sizeof(codes));
		codes[n++] = (uint8_t)m.value;
	}
	return made(codes, n);
}

static void every_character(void **state)
{
	(void)state;
	begin();
	for (char c = ' '; c <= '~'; c++) {
		const char wanted[] = { c, '\0' };

		assert_string_equal(typed(c), wanted);
	}
	assert_string_equal(typed('\n'), "\r");
	assert_string_equal(typed('\t'), "\t");
	assert_string_equal(typed('\b'), "\177");
	assert_string_equal(typed(3), "\3"); /* Ctrl-C */
	assert_string_equal(typed(0x15), "\x15");
}

static void modifiers(void **state)
{
	(void)state;
	begin();
	assert_string_equal(MADE(0x2a, 0x1e, 0x36, 0xaa, 0x1e, 0xb6, 0x1e), "AAa");
	assert_string_equal(MADE(0x3a, 0xba, 0x1e, 0x02, 0x2a, 0x1e, 0x02, 0xaa), "A1a!");
	assert_string_equal(MADE(0x3a, 0xba, 0x1e), "a");
	assert_string_equal(MADE(0xe0, 0x1d, 0x1e, 0xe0, 0x9d, 0x1e), "\1a");
	assert_string_equal(MADE(0x38, 0x1e, 0xb8, 0x1e), "a"); /* Alt and a letter: nothing */
	assert_string_equal(MADE(0xe0, 0x2a, 0xe0, 0x48, 0xe0, 0xaa, 0x1e), "\033[Aa");
}

static void cursor_keys(void **state)
{
	(void)state;
	begin();
	assert_string_equal(MADE(0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0x50, 0xe0, 0x4d, 0xe0, 0x4b),
			    "\033[A\033[B\033[C\033[D");
	assert_string_equal(MADE(0xe0, 0x47, 0xe0, 0x4f, 0xe0, 0x53), "\033[H\033[F\033[3~");
	assert_string_equal(MADE(0x48, 0x4a, 0x4e, 0x37), "\033[A-+*");
	assert_string_equal(MADE(0xe0, 0x35, 0xe0, 0x1c), "/\r");
	assert_string_equal(MADE(0xe0, 0x5b, 0xe0, 0x37, 0x3b, 0x45, 0x57), "");
	assert_string_equal(MADE(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, 0x1e), "a"); /* Pause */
}

static void the_screen(void **state)
{
	struct key key;

	(void)state;
	begin();
	assert_false(keys_take(&keys, 0x38, &key));
	assert_true(keys_take(&keys, 0x3b, &key));
	assert_int_equal(key.view, 1);
	assert_true(keys_take(&keys, 0x3c, &key));
	assert_int_equal(key.view, 2);
	assert_false(keys_take(&keys, 0x3d, &key));
	assert_false(keys_take(&keys, 0xb8, &key));
	assert_false(keys_take(&keys, 0x3b, &key));
	assert_false(keys_take(&keys, 0x2a, &key));
	assert_false(keys_take(&keys, 0xe0, &key));
	assert_true(keys_take(&keys, 0x49, &key));
	assert_int_equal(key.scroll, 1);
	assert_int_equal(key.n, 0);
	assert_true(keys_take(&keys, 0x51, &key));
	assert_int_equal(key.scroll, 2);
}

/* Answers to commands, overruns, self tests. */
static void no_keys(void **state)
{
	(void)state;
	begin();
	assert_string_equal(MADE(0xfa, 0xfe, 0xaa, 0xee, 0x00, 0xff, 0xfc, 0x7f, 0x1e), "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_character),
		cmocka_unit_test(modifiers),
		cmocka_unit_test(cursor_keys),
		cmocka_unit_test(the_screen),
		cmocka_unit_test(no_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
