/* The serial server's protocol: plain mode, framed mode, hostile input. */
#include "serial_mux.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define HELLO MUX_HELLO_HOST
#define HELLO_SIZE (sizeof(MUX_HELLO_HOST) - 1)

struct client {
	_Alignas(64) uint8_t pages[CHANNEL_BYTES];
	struct ring out, in;
};

static struct serial_mux mux;
static struct client client[MUX_CHANNELS];
static char wire[1 << 20];
static size_t wire_size;

static void add(uint32_t channel, const char *name)
{
	struct client *c = &client[channel];

	memset(c, 0, sizeof(*c));
	ring_attach(&c->out, c->pages + CHANNEL_OUT_OFFSET, CHANNEL_OUT_SIZE,
		    true);
	ring_attach(&c->in, c->pages + CHANNEL_IN_OFFSET, CHANNEL_IN_SIZE,
		    false);
	assert_true(serial_mux_add(&mux, channel, name, c->pages));
}

static int setup(void **state)
{
	(void)state;
	serial_mux_init(&mux);
	add(MUX_CH_LOG, "log");
	add(2, "vm0");
	add(3, "vm1");
	wire_size = 0;
	return 0;
}

static void pump(void)
{
	bool more;

	do {
		more = serial_mux_pump(&mux);
		wire_size += serial_mux_tx(&mux, (uint8_t *)wire + wire_size,
					   (uint32_t)(sizeof(wire) -
						      wire_size));
	} while (more);
}

static void say(uint32_t channel, const char *text)
{
	uint32_t n = (uint32_t)strlen(text);

	assert_int_equal(ring_put(&client[channel].out, text, n), n);
	pump();
}

static void type(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		serial_mux_rx(&mux, (uint8_t)bytes[i]);
	pump();
}

static void expect_wire(const char *text)
{
	wire[wire_size] = '\0';
	assert_string_equal(wire, text);
	wire_size = 0;
}

static void expect_input(uint32_t channel, const char *text)
{
	char got[CHANNEL_IN_SIZE];
	uint32_t n = ring_get(&client[channel].in, got, sizeof(got));

	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, n);
}

static void test_plain_lines(void **state)
{
	(void)state;
	say(3, "hello\r\nwor");
	expect_wire("vm1| hello\r\n");
	say(MUX_CH_LOG, "[1] x\n");
	expect_wire("log| [1] x\r\n");
	say(3, "ld\n\n");
	expect_wire("vm1| world\r\nvm1| \r\n");
}

/* The console in focus shows each character; a line that another channel
 * cuts is shown again when it goes on. */
static void test_plain_prompt(void **state)
{
	(void)state;
	say(2, "/ # ");
	expect_wire("vm0| / # ");
	say(MUX_CH_LOG, "up\n");
	expect_wire("\r\nlog| up\r\n");
	say(2, "l");
	expect_wire("vm0| / # l");
	say(2, "s\r\n");
	expect_wire("s\r\n");
}

static void test_plain_tick(void **state)
{
	(void)state;
	assert_false(serial_mux_wants_tick(&mux));
	say(3, "login: ");
	expect_wire("");
	assert_true(serial_mux_wants_tick(&mux));
	serial_mux_tick(&mux); /* output came since the last tick */
	pump();
	expect_wire("");
	serial_mux_tick(&mux);
	pump();
	expect_wire("vm1| login: ");
	assert_false(serial_mux_wants_tick(&mux));
}

static void test_plain_long_line(void **state)
{
	char text[3 * SERIAL_LINE + 2];
	char line[sizeof(text) + 8] = "vm1| ";

	(void)state;
	memset(text, 'a', sizeof(text) - 2);
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = '\0';
	memset(line + 5, 'a', sizeof(text) - 2);
	memcpy(line + 5 + sizeof(text) - 2, "\r\n", 3);
	say(3, text);
	expect_wire(line);
}

/* A debugger's bytes wait until a host takes frames, and no key reaches it. */
static void test_debug_channels_are_not_for_people(void **state)
{
	(void)state;
	add(MUX_CH_FIRST_DEBUG, "vm0");
	say(MUX_CH_FIRST_DEBUG, "$OK#9a\n");
	expect_wire("");
	assert_false(serial_mux_wants_tick(&mux));
	for (unsigned i = 0; i < 3; i++) {
		type("\x1d", 1);
		serial_mux_tick(&mux);
		assert_true(mux.focus < MUX_CH_FIRST_DEBUG);
	}
	assert_true(serial_mux_remove(&mux, 2) && serial_mux_remove(&mux, 3));
	assert_int_equal(mux.focus, SERIAL_NO_CHANNEL);
	assert_int_equal(ring_room(&client[MUX_CH_FIRST_DEBUG].out), CHANNEL_OUT_SIZE - 7);
	type(MUX_HELLO_HOST, sizeof(MUX_HELLO_HOST) - 1);
	assert_int_equal(mux.mode, SERIAL_FRAMED);
	assert_int_equal(ring_room(&client[MUX_CH_FIRST_DEBUG].out), CHANNEL_OUT_SIZE);
	wire_size = 0;
}

static void test_focus(void **state)
{
	(void)state;
	type("a", 1);
	expect_input(2, "a");
	type("\x1d", 1);
	assert_true(serial_mux_wants_tick(&mux));
	type("b", 1);
	expect_wire("serial| input goes to vm1\r\n");
	expect_input(3, "b");
	type("\x1d", 1);
	serial_mux_tick(&mux);
	pump();
	expect_wire("serial| input goes to vm0\r\n");
	type("c", 1);
	expect_input(2, "c");
	assert_true(serial_mux_remove(&mux, 2));
	type("d", 1);
	expect_input(3, "d");
}

static void test_not_quite_hello(void **state)
{
	(void)state;
	type("\x1d\x1dsel", 5);
	expect_input(2, "");
	type("x", 1);
	expect_input(2, "selx");
	assert_int_equal(mux.mode, SERIAL_PLAIN);
}

static unsigned frames(struct mux_frame *out, unsigned max)
{
	struct mux_decoder d;
	struct mux_frame f;
	uint8_t text[MUX_MAX_FRAME];
	size_t text_size;
	unsigned n = 0;

	mux_decoder_reset(&d);
	for (size_t i = 0; i < wire_size; i++) {
		if (mux_decode(&d, (uint8_t)wire[i], &f, text, &text_size) ==
		    MUX_FRAME) {
			assert_true(n < max);
			out[n++] = f;
		}
	}
	wire_size = 0;
	return n;
}

static void send_frame(enum mux_type kind, uint8_t channel, const void *payload,
		       size_t size)
{
	uint8_t bytes[MUX_MAX_FRAME];
	size_t n = mux_encode(bytes, kind, channel, payload, size);

	type((const char *)bytes, n);
}

static void test_hello(void **state)
{
	struct mux_frame f[16];
	int focus = mux.focus;

	(void)state;
	say(3, "prompt> ");
	/* A tick in the middle makes the escapes act; they are undone. */
	type(HELLO, 5);
	serial_mux_tick(&mux);
	type(&HELLO[5], HELLO_SIZE - 5);
	assert_int_equal(mux.mode, SERIAL_FRAMED);
	assert_int_equal(mux.focus, focus);
	assert_int_equal(frames(f, 16), 5);
	assert_int_equal(f[0].type, MUX_HELLO);
	assert_int_equal(f[0].payload[0], MUX_VERSION);
	assert_int_equal(f[1].type, MUX_NAME);
	assert_memory_equal(f[1].payload, "log", 3);
	assert_int_equal(f[4].type, MUX_DATA);
	assert_int_equal(f[4].channel, 3);
	assert_memory_equal(f[4].payload, "prompt> ", 8);
	/* Again, as a host does that was started anew. */
	type(HELLO, HELLO_SIZE);
	assert_int_equal(frames(f, 16), 4);
	assert_int_equal(f[0].type, MUX_HELLO);
	send_frame(MUX_BYE, 0, NULL, 0);
	assert_int_equal(mux.mode, SERIAL_PLAIN);
	say(2, "plain\n");
	expect_wire("vm0| plain\r\n");
}

/* The first byte may be lost while the UART is set up. */
static void test_cut_hello(void **state)
{
	struct mux_frame f[16];

	(void)state;
	type(&HELLO[1], HELLO_SIZE - 1);
	assert_int_equal(mux.mode, SERIAL_FRAMED);
	assert_int_equal(frames(f, 16), 4);
	expect_input(2, "");
	send_frame(MUX_BYE, 0, NULL, 0);
	type("\x1dso", 3);
	expect_wire("serial| input goes to vm1\r\n");
	expect_input(3, "so");
}

static void test_data_and_credit(void **state)
{
	struct mux_frame f[64];
	char big[CHANNEL_OUT_SIZE];
	uint32_t total = 0;
	unsigned n;

	(void)state;
	type(HELLO, HELLO_SIZE);
	frames(f, 64);
	memset(big, 'x', sizeof(big));
	assert_int_equal(ring_put(&client[2].out, big, sizeof(big)),
			 sizeof(big));
	pump();
	n = frames(f, 64);
	for (unsigned i = 0; i < n; i++)
		total += f[i].size;
	assert_int_equal(total, MUX_INITIAL_CREDIT);
	say(3, "other"); /* has its own credit */
	assert_int_equal(frames(f, 64), 1);
	send_frame(MUX_CREDIT, 2, "\x00\x20", 2); /* 8192 */
	n = frames(f, 64);
	for (unsigned i = 0; i < n; i++)
		total += f[i].size;
	assert_int_equal(total, sizeof(big));
	/* The client waited for room and is signalled. */
	assert_int_equal(serial_mux_take_notify(&mux), 2);
}

/* The host may send what the client's ring takes; more is dropped, and room
 * comes back as credit when the client reads. */
static void test_input_credit(void **state)
{
	uint8_t payload[MUX_MAX_PAYLOAD] = { 'i' };
	struct mux_frame f[16];
	char got[CHANNEL_IN_SIZE];

	(void)state;
	type(HELLO, HELLO_SIZE);
	frames(f, 16);
	for (int i = 0; i < 6; i++)
		send_frame(MUX_DATA, 2, payload, sizeof(payload));
	assert_int_equal(ring_waiting(&client[2].in), MUX_INITIAL_CREDIT);
	assert_int_equal(mux.stats.dropped_in,
			 6 * MUX_MAX_PAYLOAD - MUX_INITIAL_CREDIT);
	assert_int_equal(frames(f, 16), 0);
	ring_get(&client[2].in, got, 1000);
	pump();
	assert_int_equal(frames(f, 16), 1);
	assert_int_equal(f[0].type, MUX_CREDIT);
	assert_int_equal(f[0].payload[0] | f[0].payload[1] << 8, 1000);
}

static void test_channels_come_and_go(void **state)
{
	struct mux_frame f[16];

	(void)state;
	type(HELLO, HELLO_SIZE);
	frames(f, 16);
	add(4, "vm2");
	pump();
	assert_int_equal(frames(f, 16), 1);
	assert_int_equal(f[0].type, MUX_NAME);
	assert_memory_equal(f[0].payload, "vm2", 3);
	assert_true(serial_mux_remove(&mux, 4));
	assert_false(serial_mux_remove(&mux, 4));
	pump();
	assert_int_equal(frames(f, 16), 1);
	assert_int_equal(f[0].type, MUX_NAME);
	assert_int_equal(f[0].size, 0);
	send_frame(MUX_DATA, 4, "x", 1);
	send_frame(MUX_DATA, 200, "x", 1);
	assert_false(serial_mux_add(&mux, MUX_CHANNELS, "far", client[0].pages));
	assert_false(serial_mux_add(&mux, 3, "again", client[3].pages));
}

/* Garbage and cut frames do not keep the next whole frame from arriving. */
static void test_resynchronisation(void **state)
{
	uint8_t bytes[MUX_MAX_FRAME];
	size_t n;

	(void)state;
	srand(5);
	type(HELLO, HELLO_SIZE);
	for (int i = 0; i < 500; i++) {
		char got[CHANNEL_IN_SIZE];

		n = mux_encode(bytes, MUX_DATA, 2, "lost", 4);
		type((char *)bytes, (size_t)rand() % n);
		for (int k = rand() % 40; k > 0; k--) {
			char c = (char)rand();

			type(&c, 1);
		}
		type("\0", 1);
		ring_get(&client[2].in, got, sizeof(got));
		pump();
		send_frame(MUX_DATA, 2, "whole", 5);
		expect_input(2, "whole");
		wire_size = 0;
	}
}

/* Every byte of every channel arrives once and in order, however the turns
 * fall, and no channel waits for another. */
static void test_fairness(void **state)
{
	struct mux_frame f[64];
	char block[4096];
	unsigned n, other = 0;

	(void)state;
	type(HELLO, HELLO_SIZE);
	frames(f, 64);
	memset(block, 'a', sizeof(block));
	ring_put(&client[2].out, block, sizeof(block));
	ring_put(&client[3].out, block, 300);
	pump();
	n = frames(f, 64);
	for (unsigned i = 0; i < n; i++) {
		if (f[i].channel == 3)
			other = i;
	}
	assert_true(other < 5);
}

/* A client that scribbles over its rings cannot lead the server out of them,
 * and others' output goes on. */
static void test_hostile_client(void **state)
{
	(void)state;
	srand(6);
	for (int i = 0; i < 2000; i++) {
		struct ring_shared *out = (void *)client[3].pages;
		struct ring_shared *in =
			(void *)(client[3].pages + CHANNEL_IN_OFFSET);

		out->head = (uint32_t)rand() * 3u;
		out->tail = (uint32_t)rand();
		in->head = (uint32_t)rand();
		in->tail = (uint32_t)rand() * 3u;
		pump();
		type("\x1dkeys\x1dkeys", 10);
		if (i == 1000)
			type(HELLO, HELLO_SIZE);
		say(MUX_CH_LOG, "l\n");
		wire_size = 0;
		assert_int_equal(ring_waiting(&mux.channel[1].out), 0);
		send_frame(MUX_CREDIT, 1, "\x10", 2);
		wire_size = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plain_lines, setup),
		cmocka_unit_test_setup(test_plain_prompt, setup),
		cmocka_unit_test_setup(test_plain_tick, setup),
		cmocka_unit_test_setup(test_plain_long_line, setup),
		cmocka_unit_test_setup(test_debug_channels_are_not_for_people, setup),
		cmocka_unit_test_setup(test_focus, setup),
		cmocka_unit_test_setup(test_not_quite_hello, setup),
		cmocka_unit_test_setup(test_hello, setup),
		cmocka_unit_test_setup(test_cut_hello, setup),
		cmocka_unit_test_setup(test_data_and_credit, setup),
		cmocka_unit_test_setup(test_input_credit, setup),
		cmocka_unit_test_setup(test_channels_come_and_go, setup),
		cmocka_unit_test_setup(test_resynchronisation, setup),
		cmocka_unit_test_setup(test_fairness, setup),
		cmocka_unit_test_setup(test_hostile_client, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
