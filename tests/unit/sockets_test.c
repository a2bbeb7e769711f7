/* servers/net: socket devices and their connections, with a clock of the test's. The driver's
 * side of a connection is played here, as link.h says it. */
#include "sockets.h"

#include <selvage/base.h>
#include <selvage/vqueue.h>
#include <string.h>

#include "unit.h"

#define NODES 3u
#define SIZE 8u
#define MEMORY 0x40000u
#define RING(q) (0x1000u * (q))
#define BUFFER(q, i) (0x4000u + 0x8000u * (q) + 0x1000u * (i))
#define CID(n) (SOCKET_FIRST_CID + (n))
enum { RX,
       TX,
       EVENT,
       QUEUES };

static uint64_t clock_us, step_us;
static struct node {
	struct link_page page;
	_Alignas(64) uint8_t memory[MEMORY];
	struct vqueue queue[QUEUES];
	unsigned given[QUEUES], interrupts;
} nodes[NODES];

static uint64_t now(void) { return clock_us += step_us; }
static void interrupt(unsigned n) { nodes[n].interrupts++; }
static void event(unsigned n) { (void)n; }

static void publish(unsigned n, unsigned q)
{
	if (vqueue_publish(&nodes[n].queue[q]))
		sockets_kicked(n);
}

static void give(unsigned n, unsigned q, unsigned count)
{
	struct node *p = &nodes[n];

	for (; count > 0; count--) {
		struct vqueue_segment s = { BUFFER(q, p->given[q] % SIZE), 0x1000 };

		assert_true(vqueue_add(&p->queue[q], &s, 0, 1, p->given[q]++ % SIZE));
	}
	publish(n, q);
}

static void request_state(unsigned n)
{
	struct link_driver_half *d = &nodes[n].page.driver;

	d->version = LINK_VERSION;
	d->kind = LINK_STATE;
	link_release(&d->request, d->request + 1);
	sockets_kicked(n);
	assert_int_equal(nodes[n].page.server.ack, d->request);
	assert_int_equal(nodes[n].page.server.needs_reset, 0);
}

static void boot(unsigned n)
{
	struct link_driver_half *d = &nodes[n].page.driver;

	d->epoch++;
	d->status = 15;
	d->flags = LINK_F_DIRECT;
	d->features = VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX;
	d->n_windows = 1;
	d->window[0] = (struct link_window){ 0, MEMORY, 0 };
	for (unsigned i = 0; i < QUEUES; i++) {
		struct vqueue *q = &nodes[n].queue[i];

		vqueue_init(q, SIZE, nodes[n].memory + RING(i), RING(i), true);
		nodes[n].given[i] = 0;
		d->queue[i] = (struct link_queue){ q->desc_at, q->avail_at, q->used_at, SIZE, 1 };
	}
	request_state(n);
}

static void add_all(void)
{
	for (unsigned n = 0; n < NODES; n++) {
		const struct socket_spec spec = { .page = &nodes[n].page,
						  .memory = nodes[n].memory,
						  .bytes = MEMORY,
						  .allowed = n == 2 ? 1 : ~0u };

		assert_true(sockets_add(n, &spec));
	}
}

static void serve(void)
{
	const struct sockets_env env = { now, 1, interrupt, event };

	clock_us += 1000000;
	sockets_init(&env);
	add_all();
}

static int setup(void **state)
{
	(void)state;
	memset(nodes, 0, sizeof(nodes));
	step_us = 0;
	serve();
	for (unsigned n = 0; n < NODES; n++) {
		boot(n);
		give(n, RX, n == 1 ? 2 : SIZE);
		give(n, EVENT, 1);
	}
	return 0;
}

static void say(unsigned from, unsigned to, enum vsock_op op, uint32_t bytes)
{
	struct node *p = &nodes[from];
	const unsigned slot = p->given[TX]++ % SIZE;
	uint8_t *b = p->memory + BUFFER(TX, slot);
	struct vqueue_segment s = { BUFFER(TX, slot), VSOCK_HEADER_BYTES + bytes };

	memset(b, 0, VSOCK_HEADER_BYTES);
	store_le64(b, CID(from));
	store_le64(b + 8, CID(to));
	store_le32(b + 16, 70);
	store_le32(b + 20, 70);
	store_le32(b + 24, bytes);
	store_le16(b + 28, VSOCK_STREAM);
	store_le16(b + 30, (uint16_t)op);
	store_le32(b + 36, 0x10000);
	assert_true(vqueue_add(&p->queue[TX], &s, 1, 0, slot));
	publish(from, TX);
}

/* The operation of the next packet that the node got; 0: none. */
static unsigned heard(unsigned n)
{
	uint32_t token, written;

	if (!vqueue_take(&nodes[n].queue[RX], &token, &written))
		return 0;
	assert_true(written >= VSOCK_HEADER_BYTES);
	return load_le16(nodes[n].memory + BUFFER(RX, token) + 30);
}

static unsigned sent(unsigned n)
{
	uint32_t token, written;
	unsigned count = 0;

	while (vqueue_take(&nodes[n].queue[TX], &token, &written))
		count++;
	return count;
}

static void connect(void)
{
	say(0, 1, VSOCK_REQUEST, 0);
	assert_int_equal(heard(1), VSOCK_REQUEST);
	say(1, 0, VSOCK_RESPONSE, 0);
	assert_int_equal(heard(0), VSOCK_RESPONSE);
	assert_int_equal(sent(0) + sent(1), 2);
}

static void passes_packets(void **state)
{
	(void)state;
	assert_int_equal(load_le64(nodes[1].page.server.config), CID(1));
	connect();
	assert_int_not_equal(nodes[0].interrupts, 0);
	say(0, 1, VSOCK_RW, 100);
	assert_int_equal(heard(1), VSOCK_RW);
	assert_int_equal(sockets_counters(0)->bytes, 100);
	assert_false(sockets_wait());
	/* The third one may talk to the first one only, and that is what counts for both. */
	say(1, 2, VSOCK_REQUEST, 0);
	assert_int_equal(heard(1), 0);
	give(1, RX, 1);
	assert_int_equal(heard(1), VSOCK_RST);
	assert_int_equal(sockets_counters(1)->refused, 1);
	say(2, 0, VSOCK_REQUEST, 0);
	assert_int_equal(heard(0), VSOCK_REQUEST);
	/* One that goes. */
	sockets_remove(0);
	assert_int_equal(heard(2), VSOCK_RST);
	assert_false(sockets_add(1, NULL));
	assert_false(sockets_add(VSOCK_GUESTS, NULL));
}

static void limits_floods(void **state)
{
	(void)state;
	connect();
	give(1, RX, 6);
	clock_us += SOCKET_PERIOD_US; /* what came before does not count */
	step_us = SOCKET_TIME_US / 2;
	say(0, 1, VSOCK_RW, 3 * VSOCK_PIECE);
	assert_int_equal(sent(0), 0);
	assert_true(sockets_wait());
	step_us = 0;
	sockets_tick();
	assert_int_equal(sent(0), 0);
	clock_us += SOCKET_PERIOD_US;
	sockets_tick();
	assert_int_equal(sent(0), 1);
	assert_false(sockets_wait());
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(heard(1), VSOCK_RW);
}

static void does_not_wait_for_ever(void **state)
{
	(void)state;
	connect();
	for (unsigned i = 0; i < 3; i++)
		say(0, 1, VSOCK_RW, 10);
	assert_int_equal(sent(0), 1);
	assert_true(sockets_wait());
	sockets_tick();
	clock_us += SOCKET_DEAF_US / 2;
	sockets_tick();
	assert_int_equal(sent(0), 0);
	/* Behind it wait those for others, no longer than that. */
	say(0, 2, VSOCK_REQUEST, 0);
	assert_int_equal(heard(2), 0);
	clock_us += SOCKET_DEAF_US;
	sockets_tick();
	sockets_tick();
	assert_int_equal(heard(0), VSOCK_RST);
	assert_int_equal(heard(2), VSOCK_REQUEST);
	assert_int_equal(sent(0), 3);
	give(1, RX, 4);
	assert_int_equal(heard(1), VSOCK_RW);
	assert_int_equal(heard(1), VSOCK_RST);
}

/* One that ends is waited for no more, and what was behind it goes on. */
static void does_not_wait_for_who_ended(void **state)
{
	(void)state;
	connect();
	for (unsigned i = 0; i < 2; i++)
		say(0, 1, VSOCK_RW, 10);
	say(0, 2, VSOCK_REQUEST, 0);
	assert_int_equal(sent(0), 1);
	assert_int_equal(heard(2), 0);
	sockets_remove(1);
	assert_int_equal(heard(0), VSOCK_RST);
	assert_int_equal(heard(2), VSOCK_REQUEST);
	assert_int_equal(sent(0), 2);
	assert_false(sockets_wait());
}

/* ... nor one whose driver resets it. */
static void does_not_wait_for_who_was_reset(void **state)
{
	struct link_driver_half *d = &nodes[1].page.driver;

	(void)state;
	connect();
	for (unsigned i = 0; i < 2; i++)
		say(0, 1, VSOCK_RW, 10);
	say(0, 2, VSOCK_REQUEST, 0);
	d->epoch++;
	d->status = 0;
	request_state(1);
	assert_true(sockets_wait());
	sockets_tick();
	assert_int_equal(heard(2), VSOCK_REQUEST);
	assert_int_equal(sent(0), 3);
	assert_false(sockets_wait());
}

/* What a packet costs when it is the only one is its sender's time, too. */
static void counts_all_time(void **state)
{
	unsigned count = 0;

	(void)state;
	connect();
	give(1, RX, 6);
	clock_us += SOCKET_PERIOD_US;
	step_us = SOCKET_TIME_US / 5;
	while (count < 7 && !sockets_wait()) {
		const uint64_t before = clock_us;

		say(0, 1, VSOCK_CREDIT_UPDATE, 0);
		count += sent(0);
		clock_us = before; /* the period does not end */
	}
	assert_in_range(count, 3, 6);
}

/* One that takes a packet now and then, and one that goes on. */
static void does_not_wait_for_the_slow(void **state)
{
	(void)state;
	connect();
	for (unsigned i = 0; i < 3; i++)
		say(0, 1, VSOCK_RW, 10);
	assert_int_equal(heard(1), VSOCK_RW);
	for (unsigned i = 0; i < 200; i++) {
		sockets_tick();
		clock_us += SOCKET_PACKET_US - 10;
		give(1, RX, 1);
		assert_int_equal(heard(1), VSOCK_RW);
		(void)sent(0);
		say(0, 1, VSOCK_RW, 10);
	}
	assert_int_equal(heard(0), 0);
	for (unsigned i = 0; i < 2; i++) {
		sockets_tick();
		clock_us += SOCKET_DEAF_US / 2 + SOCKET_PACKET_US;
		give(1, RX, 1);
		assert_int_equal(heard(1), VSOCK_RW);
		assert_int_equal(heard(0), 0);
	}
	say(0, 1, VSOCK_RW, 10);
	say(0, 1, VSOCK_RW, 10);
	sockets_tick();
	sockets_tick();
	assert_int_equal(heard(0), VSOCK_RST);
}

/* Another server: guests hear that connections are gone, and can make new ones. */
static void starts_again(void **state)
{
	uint32_t token, written;

	(void)state;
	connect();
	serve();
	for (unsigned n = 0; n < NODES; n++)
		request_state(n);
	assert_true(vqueue_take(&nodes[0].queue[EVENT], &token, &written));
	assert_int_equal(written, 4);
	give(0, EVENT, 1);
	assert_false(vqueue_take(&nodes[0].queue[EVENT], &token, &written));
	say(0, 1, VSOCK_RW, 10);
	assert_int_equal(heard(0), VSOCK_RST);
	assert_int_equal(sent(0), 1);
	give(1, RX, 2);
	connect();
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(passes_packets),
		TEST(limits_floods),
		TEST(does_not_wait_for_ever),
		TEST(does_not_wait_for_who_ended),
		TEST(does_not_wait_for_who_was_reset),
		TEST(counts_all_time),
		TEST(does_not_wait_for_the_slow),
		TEST(starts_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
