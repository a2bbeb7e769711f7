/* vmm/console: when the serial server is signalled, and what it gets. */
#include "console.h"

#include "unit.h"

#include <selvage/sel4.h>
#include <string.h>

static unsigned signals;

uint64_t sel4_arch_trap_bare(int64_t number, uint64_t cap, uint64_t info)
{
	(void)info;
	assert_int_equal(number, ABI_SYS_SEND);
	assert_int_equal(cap, 42);
	signals++;
	return 0;
}

void sel4_arch_trap(int64_t number, struct sel4_trap *t)
{
	(void)number;
	(void)t;
	fail();
}

_Thread_local struct abi_ipcbuf *sel4_ipcbuf;

static _Alignas(64) uint8_t pages[CHANNEL_BYTES];
static struct console console;
static struct ring server_in, server_out;

static void attach(void)
{
	memset(pages, 0, sizeof(pages));
	signals = 0;
	console_init(&console, pages, 42);
	ring_attach(&server_in, pages + CHANNEL_OUT_OFFSET, CHANNEL_OUT_SIZE, false);
	ring_attach(&server_out, pages + CHANNEL_IN_OFFSET, CHANNEL_IN_SIZE, true);
}

static void put(const char *text)
{
	for (; *text != '\0'; text++)
		assert_true(console_put(&console, (uint8_t)*text));
}

static void lines_are_told_at_once(void **state)
{
	char got[16] = "";

	(void)state;
	attach();
	put("hello");
	assert_int_equal(signals, 0);
	put("\n");
	assert_int_equal(signals, 1);
	assert_int_equal(ring_get(&server_in, got, sizeof(got)), 6);
	assert_string_equal(got, "hello\n");
}

static void prompts_are_told_when_the_guest_pauses(void **state)
{
	(void)state;
	attach();
	put("# ");
	console_flush(&console);
	assert_int_equal(signals, 1);
	console_flush(&console);
	assert_int_equal(signals, 1);
}

static void long_lines_are_told_in_pieces(void **state)
{
	(void)state;
	attach();
	for (unsigned i = 0; i < 640; i++)
		put("x");
	assert_int_equal(signals, 10);
}

static void a_full_ring_asks_for_room(void **state)
{
	char bytes[CHANNEL_OUT_SIZE];
	unsigned before;

	(void)state;
	attach();
	for (unsigned i = 0; i < CHANNEL_OUT_SIZE; i++)
		put("x");
	before = signals;
	assert_false(console_put(&console, 'y'));
	assert_int_equal(signals, before + 1);
	assert_int_equal(ring_get(&server_in, bytes, sizeof(bytes)), CHANNEL_OUT_SIZE);
	assert_true(console_put(&console, 'y'));
}

static void input_arrives(void **state)
{
	uint8_t byte;

	(void)state;
	attach();
	assert_false(console_get(&console, &byte));
	assert_int_equal(ring_put(&server_out, "k", 1), 1);
	assert_true(console_get(&console, &byte));
	assert_int_equal(byte, 'k');
	console_taken(&console);
	assert_int_equal(signals, 1);
}

static void without_a_channel_output_vanishes(void **state)
{
	uint8_t byte;

	(void)state;
	signals = 0;
	console_init(&console, NULL, 42);
	put("nobody hears this\n");
	console_flush(&console);
	console_taken(&console);
	assert_false(console_get(&console, &byte));
	assert_int_equal(signals, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_told_at_once),
		cmocka_unit_test(prompts_are_told_when_the_guest_pauses),
		cmocka_unit_test(long_lines_are_told_in_pieces),
		cmocka_unit_test(a_full_ring_asks_for_room),
		cmocka_unit_test(input_arrives),
		cmocka_unit_test(without_a_channel_output_vanishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
