/* servers/net: the switch, against small scenes and a plain model. */
#include "switch.h"

#include <selvage/base.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define ALL ~0ull

static struct switch_fabric s;
static unsigned got[SWITCH_PORTS]; /* frames that came out */
static enum switch_drop answer;
static bool was_single;

static enum switch_drop deliver(void *opaque, const uint8_t *frame, uint32_t bytes, bool single)
{
	(void)frame, (void)bytes;
	was_single = single;
	if (answer == SWITCH_HOLD && !single)
		return SWITCH_NO_ROOM;
	if (answer == SWITCH_DROPS)
		got[(uintptr_t)opaque]++;
	return answer;
}

static const uint8_t *mac_of(unsigned n)
{
	static uint8_t mac[8][SWITCH_MAC];
	static unsigned turn;
	uint8_t *m = mac[turn++ % 8];

	memset(m, 0, SWITCH_MAC);
	m[0] = 2;
	store_be32(m + 2, n);
	return m;
}

static bool add_port(unsigned port, bool open, uint64_t allowed)
{
	struct switch_port_spec spec = { .open = open,
					 .allowed = allowed,
					 .opaque = (void *)(uintptr_t)port,
					 .deliver = deliver };

	memcpy(spec.mac, mac_of(port), SWITCH_MAC);
	return switch_add(&s, port, &spec);
}

static void start(void)
{
	switch_init(&s);
	answer = SWITCH_DROPS;
}

/* How many ports got it; which ones is in got[]. */
static unsigned send_from(unsigned port, const uint8_t *src, const uint8_t *dst, uint32_t now)
{
	uint8_t frame[60] = { 0 };
	unsigned n = 0;

	memcpy(frame, dst, SWITCH_MAC);
	memcpy(frame + SWITCH_MAC, src, SWITCH_MAC);
	memset(got, 0, sizeof(got));
	assert_int_equal(switch_frame(&s, port, frame, sizeof(frame), now),
			 answer != SWITCH_HOLD || (frame[0] & 1));
	for (unsigned i = 0; i < SWITCH_PORTS; i++) {
		assert_true(got[i] <= 1);
		n += got[i];
	}
	assert_int_equal(got[port], 0);
	return n;
}

static const uint8_t everyone[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void one_gets_it(void **state)
{
	(void)state;
	start();
	for (unsigned i = 0; i < 4; i++)
		assert_true(add_port(i, false, ALL));
	assert_int_equal(send_from(0, mac_of(0), mac_of(2), 1), 1);
	assert_int_equal(got[2], 1);
	assert_int_equal(send_from(3, mac_of(3), everyone, 1), 3);
	assert_int_equal(s.port[0].count.frames_in, 1);
	assert_int_equal(s.port[0].count.bytes_in, 60);
	assert_int_equal(s.port[2].count.frames_out, 2);
	assert_int_equal(s.port[2].count.bytes_out, 120);
	/* To itself, and to an address that nobody can have: no port is open. */
	assert_int_equal(send_from(0, mac_of(0), mac_of(0), 1), 0);
	assert_int_equal(send_from(0, mac_of(0), mac_of(99), 1), 0);
	assert_int_equal(s.port[0].count.dropped[SWITCH_UNKNOWN], 1);
}

static void nobody_spoofs(void **state)
{
	static const uint8_t group[] = { 3, 0, 0, 0, 0, 0 };

	(void)state;
	start();
	for (unsigned i = 0; i < 3; i++)
		assert_true(add_port(i, i == 2, ALL));
	assert_int_equal(send_from(0, mac_of(1), everyone, 1), 0);
	assert_int_equal(send_from(0, mac_of(77), everyone, 1), 0);
	assert_int_equal(send_from(0, everyone, mac_of(1), 1), 0);
	assert_int_equal(s.port[0].count.dropped[SWITCH_SPOOFED], 3);
	/* An open port neither: not an address that is a port's own. */
	assert_int_equal(send_from(2, mac_of(1), mac_of(0), 1), 0);
	assert_int_equal(send_from(2, group, mac_of(0), 1), 0);
	assert_int_equal(s.port[2].count.dropped[SWITCH_SPOOFED], 2);
	assert_int_equal(send_from(2, mac_of(77), mac_of(0), 1), 1);
	/* What is between bridges stays there. */
	for (unsigned i = 0; i < 16; i++) {
		uint8_t bridge[] = { 1, 0x80, 0xc2, 0, 0, (uint8_t)i };

		assert_int_equal(send_from(0, mac_of(0), bridge, 1), 0);
		assert_int_equal(s.port[0].count.dropped[SWITCH_RESERVED], i + 1);
	}
	assert_int_equal(send_from(0, mac_of(0), (uint8_t[]){ 1, 0x80, 0xc2, 0, 0, 16 }, 1), 2);
}

static void allowed_only(void **state)
{
	(void)state;
	start();
	assert_true(add_port(0, false, 1u << 1));
	assert_true(add_port(1, false, ALL));
	assert_true(add_port(2, false, ALL));
	assert_int_equal(send_from(0, mac_of(0), mac_of(1), 1), 1);
	assert_int_equal(send_from(1, mac_of(1), mac_of(0), 1), 1);
	assert_int_equal(send_from(0, mac_of(0), mac_of(2), 1), 0);
	assert_int_equal(send_from(2, mac_of(2), mac_of(0), 1), 0);
	assert_int_equal(s.port[0].count.dropped[SWITCH_FORBIDDEN], 1);
	assert_int_equal(s.port[2].count.dropped[SWITCH_FORBIDDEN], 1);
	assert_int_equal(send_from(0, mac_of(0), everyone, 1), 1);
	assert_int_equal(got[1], 1);
	assert_int_equal(send_from(2, mac_of(2), everyone, 1), 1);
	assert_int_equal(got[1], 1);
}

static void learns_and_forgets(void **state)
{
	(void)state;
	start();
	assert_true(add_port(0, false, ALL));
	assert_true(add_port(1, true, ALL));
	assert_true(add_port(2, true, ALL));
	assert_int_equal(send_from(0, mac_of(0), mac_of(50), 10), 2); /* unknown: open ports */
	assert_int_equal(send_from(1, mac_of(50), everyone, 10), 2);
	assert_int_equal(switch_find(&s, mac_of(50), 10), 1);
	assert_int_equal(send_from(0, mac_of(0), mac_of(50), 10 + SWITCH_AGE_S), 1);
	assert_int_equal(got[1], 1);
	assert_int_equal(send_from(0, mac_of(0), mac_of(50), 11 + SWITCH_AGE_S), 2);
	/* It moves. */
	assert_int_equal(send_from(2, mac_of(50), mac_of(0), 400), 1);
	assert_int_equal(switch_find(&s, mac_of(50), 400), 2);
	/* Two behind the same port talk without us. */
	assert_int_equal(send_from(2, mac_of(51), mac_of(50), 400), 0);
	/* A port that is made has its address whoever was seen with it. */
	assert_int_equal(send_from(2, mac_of(3), mac_of(0), 400), 1);
	assert_int_equal(switch_find(&s, mac_of(3), 400), 2);
	assert_true(add_port(3, false, ALL));
	assert_int_equal(switch_find(&s, mac_of(3), 400), 3);
	assert_int_equal(send_from(2, mac_of(3), mac_of(0), 400), 0);
	switch_remove(&s, 2);
	assert_int_equal(switch_find(&s, mac_of(50), 400), SWITCH_PORTS);
	assert_int_equal(switch_find(&s, mac_of(2), 400), SWITCH_PORTS);
	assert_true(add_port(2, true, ALL));
	assert_int_equal(s.port[2].count.frames_in, 0);
}

/* One that invents addresses keeps its own share of the table, and no more. */
static void nobody_crowds_out(void **state)
{
	(void)state;
	start();
	assert_true(add_port(0, true, ALL));
	assert_true(add_port(1, true, ALL));
	assert_int_equal(send_from(1, mac_of(500), mac_of(0), 1), 1);
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(send_from(0, mac_of(1000 + i), mac_of(1), 2 + i), 1);
	assert_int_equal(switch_find(&s, mac_of(500), 2), 1);
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(switch_find(&s, mac_of(1000 + i), 5002),
				 i < 5000 - SWITCH_LEARNED ? SWITCH_PORTS : 0);
}

static void counts_what_is_lost(void **state)
{
	(void)state;
	start();
	assert_true(add_port(0, false, ALL));
	assert_true(add_port(1, false, ALL));
	answer = SWITCH_NO_ROOM;
	assert_int_equal(send_from(0, mac_of(0), mac_of(1), 1), 0);
	answer = SWITCH_DOWN;
	assert_int_equal(send_from(0, mac_of(0), everyone, 1), 0);
	assert_int_equal(s.port[1].count.dropped[SWITCH_NO_ROOM], 1);
	assert_int_equal(s.port[1].count.dropped[SWITCH_DOWN], 1);
	assert_int_equal(s.port[1].count.frames_out, 0);
	assert_int_equal(s.port[0].count.frames_in, 2);
	/* A receiver that wants it later: only if it is the only one. */
	answer = SWITCH_HOLD;
	assert_int_equal(send_from(0, mac_of(0), mac_of(1), 1), 0);
	assert_int_equal(s.port[0].count.frames_in, 2);
	assert_int_equal(s.port[1].count.dropped[SWITCH_NO_ROOM], 1);
	assert_int_equal(send_from(0, mac_of(0), everyone, 1), 0);
	assert_int_equal(s.port[0].count.frames_in, 3);
	assert_int_equal(s.port[1].count.dropped[SWITCH_NO_ROOM], 2);
	/* Nor if its sender, an uplink, does not try again. */
	s.port[0].spec.once = true;
	answer = SWITCH_NO_ROOM; /* deliver() sees to it that nobody is asked to hold */
	assert_int_equal(send_from(0, mac_of(0), mac_of(1), 1), 0);
	assert_false(was_single);
	assert_int_equal(s.port[0].count.frames_in, 4);
	assert_int_equal(s.port[1].count.dropped[SWITCH_NO_ROOM], 3);
	for (unsigned i = 0; i < SWITCH_DROPS; i++)
		assert_non_null(switch_drop_name(i));
	assert_null(switch_drop_name(SWITCH_DROPS));
}

static void refuses_ports(void **state)
{
	struct switch_port_spec spec = { .mac = { 2, 0, 0, 0, 0, 0 }, .deliver = deliver };

	(void)state;
	start();
	assert_true(add_port(0, false, ALL)); /* its address is 02:00:00:00:00:00 */
	assert_false(add_port(0, false, ALL));
	assert_false(switch_add(&s, 1, &spec)); /* the same address */
	spec.mac[0] = 3;
	assert_false(switch_add(&s, 1, &spec));
	spec.mac[0] = 0;
	assert_false(switch_add(&s, 1, &spec));
	spec.mac[0] = 4;
	assert_false(switch_add(&s, SWITCH_PORTS, &spec));
	assert_true(switch_add(&s, SWITCH_PORTS - 1, &spec));
	switch_remove(&s, SWITCH_PORTS);
	switch_remove(&s, 7);
}

/* Random traffic beside a plain list of who was seen where. */
#define HOSTS 200u
static void like_a_model(void **state)
{
	static unsigned where[HOSTS];
	unsigned known = 0;

	(void)state;
	start();
	srand(3);
	for (unsigned i = 0; i < 6; i++)
		assert_true(add_port(i, true, ALL));
	for (unsigned i = 0; i < HOSTS; i++)
		where[i] = SWITCH_PORTS;
	for (unsigned n = 0; n < 20000; n++) {
		unsigned port = (unsigned)rand() % 6;
		unsigned src = port * 30 + (unsigned)rand() % 30, dst = (unsigned)rand() % 180;
		unsigned to = where[dst], sent;

		sent = send_from(port, mac_of(1000 + src), mac_of(1000 + dst), n / 200);
		where[src] = port;
		if (src == dst)
			to = port;
		if (to == SWITCH_PORTS)
			assert_int_equal(sent, 5);
		else if (to == port)
			assert_int_equal(sent, 0);
		else
			assert_int_equal(got[to], 1);
		known += to != SWITCH_PORTS;
	}
	assert_true(known > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_gets_it),
		cmocka_unit_test(nobody_spoofs),
		cmocka_unit_test(allowed_only),
		cmocka_unit_test(learns_and_forgets),
		cmocka_unit_test(nobody_crowds_out),
		cmocka_unit_test(counts_what_is_lost),
		cmocka_unit_test(refuses_ports),
		cmocka_unit_test(like_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
