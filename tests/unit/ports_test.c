/* servers/net: ports from guest driver to guest driver, over connections, with a clock of
 * the test's. */
#include "ports.h"

#include <dev/virtio/link_driver.h>
#include <selvage/base.h>
#include <string.h>

#include "unit.h"
#include "virtio_driver.h"

#define NODES 3u
#define SIZE 64u
#define MEMORY 0x40000u
#define RX_RING 0x0u
#define TX_RING 0x1000u
#define TX_BUFFERS 0x4000u
#define RX_BUFFERS 0x20000u
#define BUFFER 0x800u
#define HDR VIRTIO_NET_HDR_BYTES

static uint64_t clock_us, step_us; /* each look at it takes a while */

static struct node {
	struct link_page page;
	_Alignas(64) uint8_t memory[MEMORY];
	struct link_window window;
	struct link_driver driver;
	struct virtio_mmio mmio;
	struct vmmio t;
	struct vqueue rx, tx;
	unsigned sent, received, next_seen; /* frames are numbered */
} nodes[NODES];

/* --- The driver VMs ---------------------------------------------------------------------- */

static bool n_read(void *opaque, uint64_t at, void *to, size_t bytes)
{
	if (!range_within_u64(at, bytes, 0, MEMORY))
		return false;
	memcpy(to, ((struct node *)opaque)->memory + at, bytes);
	return true;
}

static bool n_write(void *opaque, uint64_t at, const void *from, size_t bytes)
{
	if (!range_within_u64(at, bytes, 0, MEMORY))
		return false;
	memcpy(((struct node *)opaque)->memory + at, from, bytes);
	return true;
}

static bool n_load(void *opaque, uint64_t at, uint16_t *value)
{
	return n_read(opaque, at, value, 2);
}

static bool n_store(void *opaque, uint64_t at, uint16_t value)
{
	return n_write(opaque, at, &value, 2);
}

static unsigned number_of(const struct node *n) { return (unsigned)(n - nodes); }
static void kick(void *opaque) { ports_kicked(number_of(opaque)); }

static bool wait(void *opaque, unsigned turn)
{
	(void)opaque;
	return turn < 4;
}

static void set_irq(void *opaque, bool level) { (void)opaque, (void)level; }
static void broken(void *opaque, const char *why) { (void)opaque, (void)why; }

static void event(unsigned port)
{
	if (nodes[port].driver.env.page != NULL) /* its monitor is there */
		link_driver_event(&nodes[port].driver);
}

static uint64_t now(void) { return clock_us += step_us; }

static void make_mac(uint8_t mac[6], unsigned n)
{
	const uint8_t from[6] = { 2, 0, 0, 0, 0, (uint8_t)(n + 1) };

	memcpy(mac, from, 6);
}

static void give_buffer(struct node *n, uint32_t i)
{
	struct vqueue_segment s = { RX_BUFFERS + i * BUFFER, BUFFER };

	assert_true(vqueue_add(&n->rx, &s, 0, 1, i));
	if (vqueue_publish(&n->rx))
		vmmio_kick(&n->t, 0);
}

static void boot(struct node *n, unsigned buffers)
{
	const struct virtio_env virtio = {
		n, { n, n_read, n_write, n_load, n_store, { 0 } }, broken
	};
	const struct virtio_mmio_env irq = { NULL, set_irq };
	const struct link_driver_env env = { .opaque = n,
					     .page = &n->page,
					     .device = VIRTIO_ID_NET,
					     .n_windows = 1,
					     .window = &n->window,
					     .kick = kick,
					     .wait = wait };
	struct vmmio_regs regs = vd_regs(&n->mmio);

	n->window = (struct link_window){ 0, MEMORY, 0 };
	link_driver_init(&n->driver, &virtio, &env);
	virtio_mmio_init(&n->mmio, &n->driver.v, &irq);
	assert_null(vmmio_begin(&n->t, &regs, VIRTIO_ID_NET, VIRTIO_F_EVENT_IDX, 0));
	vqueue_init(&n->rx, SIZE, n->memory + RX_RING, RX_RING, true);
	vqueue_init(&n->tx, SIZE, n->memory + TX_RING, TX_RING, true);
	assert_null(vmmio_queue(&n->t, 0, &n->rx));
	assert_null(vmmio_queue(&n->t, 1, &n->tx));
	assert_null(vmmio_go(&n->t));
	for (uint32_t i = 0; i < buffers; i++)
		give_buffer(n, i);
}

static void add(struct node *n)
{
	struct port_spec spec = {
		.page = &n->page, .memory = n->memory, .bytes = MEMORY, .allowed = ~0ull
	};

	make_mac(spec.mac, number_of(n));
	assert_true(ports_add(number_of(n), &spec));
}

static void start(unsigned buffers_of_1)
{
	const struct ports_env env = { now, 1, event, event };

	for (unsigned i = 0; i < NODES; i++)
		ports_remove(i);
	memset(nodes, 0, sizeof(nodes));
	step_us = 0;
	clock_us += 1000000;
	ports_init(&env);
	for (unsigned i = 0; i < NODES; i++)
		add(&nodes[i]);
	for (unsigned i = 0; i < NODES; i++)
		boot(&nodes[i], i == 1 ? buffers_of_1 : SIZE);
}

/* Queues frames with numbers. */
static void send(unsigned from, unsigned to, unsigned frames)
{
	struct node *n = &nodes[from];
	uint32_t token, written;

	while (vqueue_take(&n->tx, &token, &written))
		continue;
	for (; frames > 0; frames--) {
		uint32_t at = TX_BUFFERS + n->sent % SIZE * 0x80;
		struct vqueue_segment s = { at, HDR + 60 };

		memset(n->memory + at, 0, HDR + 60);
		make_mac(n->memory + at + HDR, to);
		make_mac(n->memory + at + HDR + 6, from);
		store_le32(n->memory + at + HDR + 14, n->sent++);
		assert_true(vqueue_add(&n->tx, &s, 1, 0, 0));
	}
	(void)vqueue_publish(&n->tx);
	vmmio_kick(&n->t, 1);
}

/* Takes what came, which must be in order; with `again` the buffers go back. */
static unsigned take(unsigned node, bool again)
{
	struct node *n = &nodes[node];
	uint32_t token, written;
	unsigned taken = 0;

	for (; vqueue_take(&n->rx, &token, &written); taken++) {
		assert_int_equal(written, HDR + 60);
		assert_int_equal(load_le32(n->memory + RX_BUFFERS + token * BUFFER + HDR + 14),
				 n->next_seen++);
		if (again)
			give_buffer(n, token);
	}
	assert_null(n->rx.error);
	n->received += taken;
	return taken;
}

/* Takes whatever came, and gives the buffers back. */
static void drain(struct node *n)
{
	uint32_t token, written;

	while (vqueue_take(&n->rx, &token, &written))
		give_buffer(n, token);
}

static void run(void)
{
	for (unsigned i = 0; ports_turn(); i++)
		assert_true(i < 1000);
	ports_settle();
}

/* --- Tests --------------------------------------------------------------------------------- */

static void passes_frames(void **state)
{
	(void)state;
	start(SIZE);
	for (unsigned i = 0; i < 100; i++) {
		send(0, 1, i % SIZE);
		run();
		assert_int_equal(take(1, true), i % SIZE);
		assert_false(ports_wait());
	}
	assert_int_equal(ports_counters(0)->frames_in, nodes[0].sent);
	assert_int_equal(ports_counters(1)->frames_out, nodes[0].sent);
	assert_int_equal(ports_news(0), 0);
	assert_int_equal(ports_news(1), 0);
}

/* One that has much to send gets its turns, and no more time than is its. */
static void limits_floods(void **state)
{
	(void)state;
	start(SIZE);
	step_us = 250; /* of our time for a turn */
	send(0, 1, SIZE);
	send(2, 1, 1); /* behind it, and served in the same round */
	(void)ports_turn();
	assert_int_equal(ports_counters(0)->frames_in, PORT_TURN);
	assert_int_equal(ports_counters(2)->frames_in, 1);
	for (unsigned before = 0; before != ports_counters(0)->frames_in;) {
		before = (unsigned)ports_counters(0)->frames_in;
		drain(&nodes[1]);
		send(0, 1, 0); /* what was sent is ours again */
		send(0, 1, SIZE - vqueue_outstanding(&nodes[0].tx));
		(void)ports_turn();
	}
	/* Its time is over: there is more, and it is not served... */
	assert_int_equal(ports_counters(0)->frames_in, PORT_TURN * PORT_TIME_US / 250);
	step_us = 0;
	assert_false(ports_turn());
	assert_true(ports_wait());
	/* ... while another is, ... */
	send(2, 1, 1);
	run();
	assert_int_equal(ports_counters(2)->frames_in, 2);
	assert_true(ports_wait());
	/* ... until the period ends. */
	drain(&nodes[1]);
	clock_us += PORT_PERIOD_US;
	run();
	assert_false(ports_wait());
}

static void waits_for_receivers(void **state)
{
	(void)state;
	start(10);
	send(0, 1, 40);
	run();
	assert_int_equal(ports_counters(1)->frames_out, 10);
	assert_true(ports_wait());
	for (unsigned i = 0; i < 3; i++) { /* none is lost, and all are in order */
		clock_us += 1000;
		assert_int_equal(take(1, true), 10);
		ports_tick();
		run();
	}
	assert_int_equal(take(1, true), 10);
	assert_false(ports_wait());
	assert_int_equal(ports_counters(1)->dropped[SWITCH_NO_ROOM], 0);
	assert_int_equal(nodes[1].received, 40);
	/* A group's frames wait for nobody. */
	assert_int_equal(ports_counters(0)->frames_in, 40);
}

/* A receiver that takes nothing: the senders go on in the end. */
static void does_not_wait_for_ever(void **state)
{
	(void)state;
	start(0);
	send(0, 1, 20);
	run();
	assert_true(ports_wait());
	assert_int_equal(ports_counters(0)->frames_in, 0);
	/* A machine that was away counts as one step. */
	for (unsigned us = PORT_HOLD_STEP_US; us < PORT_HOLD_US; us += PORT_HOLD_STEP_US) {
		clock_us += us == PORT_HOLD_STEP_US ? PORT_HOLD_PERIOD_US / 2 : PORT_HOLD_STEP_US;
		ports_tick();
		run();
		assert_true(ports_wait());
	}
	clock_us += PORT_HOLD_STEP_US;
	ports_tick();
	run();
	assert_false(ports_wait());
	assert_int_equal(ports_counters(1)->dropped[SWITCH_NO_ROOM], 20);
	assert_int_equal(ports_news(1), 1u << SWITCH_NO_ROOM);
	assert_int_equal(ports_news(1), 0);
	/* In the same period nobody waits for it again; others are reached. */
	send(0, 1, 5);
	run();
	assert_false(ports_wait());
	send(0, 2, 5);
	nodes[2].next_seen = 25;
	run();
	assert_int_equal(take(2, true), 5);
	clock_us += PORT_HOLD_PERIOD_US;
	send(0, 1, 1);
	run();
	assert_true(ports_wait());
	/* It goes away. */
	ports_remove(1);
	run();
	assert_false(ports_wait());
	assert_int_equal(ports_counters(0)->dropped[SWITCH_UNKNOWN], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_frames),
		cmocka_unit_test(limits_floods),
		cmocka_unit_test(waits_for_receivers),
		cmocka_unit_test(does_not_wait_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
