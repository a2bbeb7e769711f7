/* Socket devices and the switch between them (virtio 1.2, 5.10). */
#include <dev/virtio/mmio.h>
#include <dev/virtio/vsock_switch.h>
#include <selvage/base.h>
#include <string.h>

#include "unit.h"
#include "virtio_driver.h"

#define GUESTS 3u
#define SIZE 8u
#define QUEUE(q) (0x1000u + 0x1000u * (q))
#define RX 0u
#define TX 1u
#define CID(guest) (3u + (guest))
#define PORT 1000u

static struct {
	struct vd d;
	struct virtio_mmio t;
	struct virtio_vsock device;
	unsigned number, breaks;
	const char *why;
	unsigned received; /* packets that were looked at */
	unsigned time;     /* pieces that it may send */
} guest[GUESTS];
static struct vsock_switch hub;

static void set_irq(void *opaque, bool level)
{
	(void)opaque, (void)level;
}

static void broken(void *opaque, const char *why)
{
	unsigned i = *(unsigned *)opaque;

	guest[i].breaks++;
	guest[i].why = why;
}

static bool packet(void *opaque, const struct vsock_header *h, const uint8_t *data)
{
	return vsock_switch_packet(&hub, *(unsigned *)opaque, h, data);
}

static bool may_send(void *opaque)
{
	return guest[*(unsigned *)opaque].time-- != 0;
}

static void room(void *opaque)
{
	vsock_switch_room(&hub, *(unsigned *)opaque);
}

static void stopped(void *opaque)
{
	vsock_switch_stopped(&hub, *(unsigned *)opaque);
}

static void wr(unsigned g, uint64_t offset, uint32_t value)
{
	struct mmio m = { .offset = offset, .size = 4, .write = true, .value = value };

	assert_int_not_equal(virtio_mmio_access(&guest[g].t, &m), MMIO_FAULT);
}

static void start(unsigned g)
{
	memset(guest[g].d.ram, 0, VD_BYTES);
	guest[g].received = 0;
	wr(g, 0x70, 0);
	wr(g, 0x70, 3);
	wr(g, 0x24, 1);
	wr(g, 0x20, 1);
	wr(g, 0x24, 0);
	wr(g, 0x20, (uint32_t)VIRTIO_F_INDIRECT_DESC);
	wr(g, 0x70, 11);
	for (unsigned q = 0; q < 3; q++) {
		wr(g, 0x30, q);
		wr(g, 0x38, SIZE);
		wr(g, 0x80, QUEUE(q));
		wr(g, 0x90, QUEUE(q) + 0x400);
		wr(g, 0xa0, QUEUE(q) + 0x800);
		wr(g, 0x44, 1);
	}
	wr(g, 0x70, 15);
}

static int setup(void **state)
{
	(void)state;
	memset(&hub, 0, sizeof(hub));
	memset(guest, 0, sizeof(guest));
	for (unsigned g = 0; g < GUESTS; g++) {
		const struct virtio_mmio_env mmio = { NULL, set_irq };
		const struct virtio_vsock_env io = { &guest[g].number, packet, may_send, room,
						     stopped };
		struct virtio_env env;

		guest[g].number = g;
		vd_init(&guest[g].d);
		env = (struct virtio_env){ &guest[g].number, guest[g].d.mem, broken };
		virtio_vsock_init(&guest[g].device, &env, &io, CID(g));
		virtio_mmio_init(&guest[g].t, &guest[g].device.v, &mmio);
		guest[g].time = 1000;
		/* The third one may talk to nobody, though the first one would. */
		vsock_switch_add(&hub, g, &guest[g].device, g == 2 ? 0 : g == 0 ? 7
										: 3);
	}
	for (unsigned g = 0; g < GUESTS; g++)
		start(g);
	return 0;
}

static unsigned used(unsigned g, unsigned queue)
{
	return vd_get16(&guest[g].d, QUEUE(queue) + 0x802);
}

/* Without a kick. */
static void add(unsigned g, unsigned queue, uint64_t at, uint32_t bytes, unsigned flags)
{
	struct vd *d = &guest[g].d;
	unsigned n = vd_get16(d, QUEUE(queue) + 0x402);

	vd_split(d, QUEUE(queue), n % SIZE, at, bytes, flags, 0);
	vd_put16(d, QUEUE(queue) + 0x404 + 2 * (n % SIZE), (uint16_t)(n % SIZE));
	vd_put16(d, QUEUE(queue) + 0x402, (uint16_t)(n + 1));
}

static void offer(unsigned g, unsigned queue, uint64_t at, uint32_t bytes, unsigned flags)
{
	add(g, queue, at, bytes, flags);
	wr(g, 0x50, queue);
}

/* Where the n-th packet for a guest goes. */
static uint64_t buffer(unsigned n)
{
	return 0x8000 + 0x1000 * (n % SIZE);
}

static void give_room(unsigned g, unsigned n)
{
	for (; n > 0; n--)
		offer(g, RX, buffer(vd_get16(&guest[g].d, QUEUE(RX) + 0x402)), 0x1000, VD_WRITE);
}

static struct vsock_header to(unsigned from, unsigned dst, enum vsock_op op)
{
	return (struct vsock_header){
		.src_cid = CID(from),
		.dst_cid = CID(dst),
		.src_port = PORT + from,
		.dst_port = PORT + dst,
		.type = VSOCK_STREAM,
		.op = (uint16_t)op,
		.buf_alloc = 0x10000,
	};
}

static void put(unsigned g, const struct vsock_header *h, uint32_t bytes)
{
	uint8_t *b = guest[g].d.ram + 0x10000;

	store_le64(b, h->src_cid);
	store_le64(b + 8, h->dst_cid);
	store_le32(b + 16, h->src_port);
	store_le32(b + 20, h->dst_port);
	store_le32(b + 24, h->len);
	store_le16(b + 28, h->type);
	store_le16(b + 30, h->op);
	store_le32(b + 32, h->flags);
	store_le32(b + 36, h->buf_alloc);
	store_le32(b + 40, h->fwd_cnt);
	offer(g, TX, 0x10000, bytes, 0);
}

static void say(unsigned from, unsigned dst, enum vsock_op op)
{
	const struct vsock_header h = to(from, dst, op);

	put(from, &h, VSOCK_HEADER_BYTES);
}

static void say_bytes(unsigned from, unsigned dst, uint32_t bytes)
{
	struct vsock_header h = to(from, dst, VSOCK_RW);

	h.len = bytes;
	for (uint32_t i = 0; i < bytes; i++)
		guest[from].d.ram[0x10000 + VSOCK_HEADER_BYTES + i] = (uint8_t)(i * 7);
	put(from, &h, VSOCK_HEADER_BYTES + bytes);
}

/* The next packet that the guest got; NULL: none. */
static const uint8_t *heard(unsigned g, unsigned from, enum vsock_op op)
{
	const uint8_t *b = guest[g].d.ram + buffer(guest[g].received);

	if (used(g, RX) == guest[g].received)
		return NULL;
	guest[g].received++;
	assert_int_equal(load_le64(b), CID(from));
	assert_int_equal(load_le64(b + 8), CID(g));
	assert_int_equal(load_le16(b + 30), op);
	return b;
}

static unsigned connections(void)
{
	unsigned n = 0;

	for (unsigned g = 0; g < VSOCK_GUESTS; g++)
		for (unsigned i = 0; i < VSOCK_OPENED; i++)
			n += hub.connection[g][i].used;
	return n;
}

static void connect(void)
{
	give_room(0, 4);
	give_room(1, 4);
	say(0, 1, VSOCK_REQUEST);
	assert_non_null(heard(1, 0, VSOCK_REQUEST));
	say(1, 0, VSOCK_RESPONSE);
	assert_non_null(heard(0, 1, VSOCK_RESPONSE));
	assert_int_equal(connections(), 1);
}

static void bytes_go_across(void **state)
{
	const uint8_t *b;
	struct mmio m = { .offset = 0x100, .size = 8 };

	(void)state;
	assert_int_equal(virtio_mmio_access(&guest[1].t, &m), MMIO_HANDLED);
	assert_int_equal(m.value, CID(1));
	connect();
	/* More than a piece: as two packets, in order. */
	say_bytes(0, 1, VSOCK_PIECE + 100);
	b = heard(1, 0, VSOCK_RW);
	assert_non_null(b);
	assert_int_equal(load_le32(b + 24), VSOCK_PIECE);
	assert_int_equal(b[VSOCK_HEADER_BYTES + 9], 63);
	b = heard(1, 0, VSOCK_RW);
	assert_non_null(b);
	assert_int_equal(load_le32(b + 24), 100);
	assert_int_equal(b[VSOCK_HEADER_BYTES + 1], (uint8_t)((VSOCK_PIECE + 1) * 7));
	assert_int_equal(used(0, TX), 2);
	/* No room: it waits, and goes on when there is. */
	say_bytes(0, 1, 10);
	assert_non_null(heard(1, 0, VSOCK_RW));
	say_bytes(0, 1, 20);
	assert_int_equal(used(0, TX), 3);
	give_room(1, 1);
	assert_int_equal(used(0, TX), 4);
	b = heard(1, 0, VSOCK_RW);
	assert_non_null(b);
	assert_int_equal(load_le32(b + 24), 20);
	say(1, 0, VSOCK_RST);
	assert_non_null(heard(0, 1, VSOCK_RST));
	assert_int_equal(connections(), 0);
	assert_int_equal(guest[0].breaks + guest[1].breaks, 0);
}

static void give_small(unsigned g, unsigned n, uint32_t bytes)
{
	for (; n > 0; n--)
		offer(g, RX, buffer(vd_get16(&guest[g].d, QUEUE(RX) + 0x402)), bytes, VD_WRITE);
}

/* A driver whose buffers are smaller than a piece gets it as several packets, or none yet. */
static void small_buffers(void **state)
{
	static const uint32_t length[] = { 468, 468, 468, 468, VSOCK_PIECE - 4 * 468 };
	uint32_t at = 0;

	(void)state;
	connect();
	for (unsigned i = 0; i < 3; i++) { /* what connect left */
		say_bytes(0, 1, 1);
		assert_non_null(heard(1, 0, VSOCK_RW));
	}
	give_small(1, 4, 512);
	say_bytes(0, 1, VSOCK_PIECE);
	assert_null(heard(1, 0, VSOCK_RW));
	assert_int_equal(used(0, TX), 4);
	give_small(1, 1, 512);
	assert_int_equal(used(0, TX), 5);
	for (unsigned i = 0; i < ARRAY_SIZE(length); i++) {
		const uint8_t *b = heard(1, 0, VSOCK_RW);

		assert_non_null(b);
		assert_int_equal(load_le32(b + 24), length[i]);
		for (uint32_t k = 0; k < length[i]; k++)
			assert_int_equal(b[VSOCK_HEADER_BYTES + k], (uint8_t)(at++ * 7));
	}
	assert_null(heard(1, 0, VSOCK_RW));
	assert_int_equal(at, VSOCK_PIECE);
	/* The header alone will do for what has no data. */
	give_small(1, 2, VSOCK_HEADER_BYTES);
	say(0, 1, VSOCK_CREDIT_UPDATE);
	assert_non_null(heard(1, 0, VSOCK_CREDIT_UPDATE));
	assert_int_equal(guest[0].breaks + guest[1].breaks, 0);
	say_bytes(0, 1, 1);
	assert_string_equal(guest[1].why, "a buffer that is too small for a packet");
}

/* Buffers that are cut up for no reason do not keep others busy. */
static void buffers_in_pieces(void **state)
{
	uint64_t before;

	(void)state;
	connect();
	for (unsigned i = 0; i < 3; i++) {
		say_bytes(0, 1, 1);
		assert_non_null(heard(1, 0, VSOCK_RW));
	}
	for (unsigned i = 0; i < 64; i++)
		vd_split(&guest[1].d, 0x5000, i, 0x6000, i < 63 ? 0 : 45, VD_WRITE | VD_NEXT,
			 i + 1);
	vd_split(&guest[1].d, 0x5000, 64, 0x6000, 0, VD_WRITE, 0);
	for (unsigned i = 0; i < 6; i++)
		add(1, RX, 0x5000, 65 * 16, VD_INDIRECT);
	before = guest[1].d.accesses;
	say_bytes(0, 1, 100);
	assert_in_range(guest[1].d.accesses - before, 65, 100);
	assert_string_equal(guest[1].why, "buffers that are too small for a packet");
}

static void nobody_there(void **state)
{
	struct vsock_header h;

	(void)state;
	give_room(0, 8);
	/* No such guest, one that is not allowed, no such connection, datagrams. */
	h = to(0, 1, VSOCK_REQUEST);
	h.dst_cid = 99;
	put(0, &h, VSOCK_HEADER_BYTES);
	assert_int_equal(load_le16(guest[0].d.ram + buffer(0) + 30), VSOCK_RST);
	assert_int_equal(load_le64(guest[0].d.ram + buffer(0)), 99);
	guest[0].received++;
	say(0, 2, VSOCK_REQUEST);
	assert_non_null(heard(0, 2, VSOCK_RST));
	say_bytes(0, 1, 5);
	assert_non_null(heard(0, 1, VSOCK_RST));
	h = to(0, 1, VSOCK_REQUEST);
	h.type = 2;
	put(0, &h, VSOCK_HEADER_BYTES);
	assert_non_null(heard(0, 1, VSOCK_RST));
	say(0, 1, VSOCK_RST); /* no answer */
	assert_null(heard(0, 1, VSOCK_RST));
	give_room(2, 1);
	say(2, 0, VSOCK_REQUEST);
	assert_non_null(heard(2, 0, VSOCK_RST));
	assert_int_equal(connections(), 0);
	assert_int_equal(used(1, RX), 0);
	assert_int_equal(hub.guest[0].refused, 4);
	assert_int_equal(hub.guest[2].refused, 1);
}

/* The receiver takes so much. */
static void connect_with(uint32_t alloc)
{
	struct vsock_header h = to(1, 0, VSOCK_RESPONSE);

	give_room(0, 4);
	give_room(1, 4);
	say(0, 1, VSOCK_REQUEST);
	assert_non_null(heard(1, 0, VSOCK_REQUEST));
	h.buf_alloc = alloc;
	put(1, &h, VSOCK_HEADER_BYTES);
	assert_non_null(heard(0, 1, VSOCK_RESPONSE));
}

/* More than the other side takes: for both, that was it. */
static void credit(void **state)
{
	struct vsock_header h;

	(void)state;
	connect_with(100);
	h = to(1, 0, VSOCK_CREDIT_UPDATE);
	h.buf_alloc = 100;
	say_bytes(0, 1, 60);
	assert_non_null(heard(1, 0, VSOCK_RW));
	h.fwd_cnt = 60;
	put(1, &h, VSOCK_HEADER_BYTES);
	say_bytes(0, 1, 100);
	assert_non_null(heard(1, 0, VSOCK_RW));
	assert_int_equal(connections(), 1);
	say_bytes(0, 1, 1);
	assert_non_null(heard(0, 1, VSOCK_CREDIT_UPDATE));
	assert_non_null(heard(0, 1, VSOCK_RST));
	/* One of them had no room, and hears of it later. */
	give_room(1, 1);
	assert_non_null(heard(1, 0, VSOCK_RST));
	assert_int_equal(connections(), 0);
	assert_int_equal(hub.guest[0].refused, 1);
}

/* What was sent under a larger allowance than there is now passes too, and so does what has
 * no data. */
static void a_smaller_buffer(void **state)
{
	struct vsock_header h = to(1, 0, VSOCK_CREDIT_UPDATE);

	(void)state;
	connect_with(100);
	say_bytes(0, 1, 60);
	assert_non_null(heard(1, 0, VSOCK_RW));
	h.buf_alloc = 10;
	put(1, &h, VSOCK_HEADER_BYTES);
	assert_non_null(heard(0, 1, VSOCK_CREDIT_UPDATE));
	say(0, 1, VSOCK_CREDIT_REQUEST);
	assert_non_null(heard(1, 0, VSOCK_CREDIT_REQUEST));
	say_bytes(0, 1, 40);
	assert_non_null(heard(1, 0, VSOCK_RW));
	assert_int_equal(connections(), 1);
	/* No more than that, until it has come to the old edge with the new buffer. */
	h.fwd_cnt = 91;
	put(1, &h, VSOCK_HEADER_BYTES);
	assert_non_null(heard(0, 1, VSOCK_CREDIT_UPDATE));
	give_room(1, 4);
	say_bytes(0, 1, 1);
	assert_non_null(heard(1, 0, VSOCK_RW));
	assert_int_equal(connections(), 1);
	say_bytes(0, 1, 1);
	assert_int_equal(connections(), 0);
}

/* All that a word can say; counts go round; a count of what was never sent is no allowance. */
static void credit_goes_round(void **state)
{
	struct vsock_header h = to(1, 0, VSOCK_CREDIT_UPDATE);
	struct vsock_end *e = &hub.connection[0][0].end[1];

	(void)state;
	connect_with(0xffffffff);
	give_room(1, 4);
	say_bytes(0, 1, 10);
	assert_non_null(heard(1, 0, VSOCK_RW));
	assert_int_equal(e->limit, 0xffffffff);
	e->sent = e->limit = 0xfffffffa;
	h.fwd_cnt = 0xfffffff0;
	h.buf_alloc = 20;
	put(1, &h, VSOCK_HEADER_BYTES);
	say_bytes(0, 1, 10);
	assert_int_equal(e->sent, 0x100000004);
	h.fwd_cnt = 2;
	put(1, &h, VSOCK_HEADER_BYTES);
	assert_int_equal(e->limit, 0x100000016);
	h.fwd_cnt = 5;
	give_room(0, 4);
	put(1, &h, VSOCK_HEADER_BYTES);
	assert_int_equal(e->limit, 0x100000016);
	assert_int_equal(connections(), 1);
}

/* Who goes without a word: the other side hears of it. */
static void a_reset_ends_connections(void **state)
{
	(void)state;
	connect();
	wr(0, 0x70, 0);
	assert_non_null(heard(1, 0, VSOCK_RST));
	assert_int_equal(connections(), 0);
	start(0);
	connect();
}

/* A reset that is owed comes before the next connection of the same ports. */
static void ports_are_used_again(void **state)
{
	(void)state;
	connect();
	for (unsigned i = 0; i < 3; i++) {
		say_bytes(0, 1, 10);
		assert_non_null(heard(1, 0, VSOCK_RW));
	}
	say(0, 1, VSOCK_RST); /* there is no room for it */
	assert_int_equal(connections(), 1);
	say(0, 1, VSOCK_REQUEST);
	assert_int_equal(hub.full, 1u << 1);
	assert_null(heard(1, 0, VSOCK_RST));
	hub.guest[1].deaf = true;
	vsock_switch_retry(&hub);
	assert_non_null(heard(0, 1, VSOCK_RST)); /* the request is refused */
	hub.guest[1].deaf = false;
	for (unsigned i = 0; i < 2; i++)
		add(1, RX, buffer(guest[1].received + i), 0x1000, VD_WRITE);
	say(0, 1, VSOCK_REQUEST);
	assert_non_null(heard(1, 0, VSOCK_RST));
	assert_non_null(heard(1, 0, VSOCK_REQUEST));
	assert_int_equal(connections(), 1);
}

static void mistakes(void **state)
{
	struct vsock_header h = to(0, 1, VSOCK_REQUEST);

	(void)state;
	put(0, &h, 20);
	assert_string_equal(guest[0].why, "a packet without a header");
	start(0);
	h.src_cid = CID(1);
	put(0, &h, VSOCK_HEADER_BYTES);
	assert_string_equal(guest[0].why, "a packet in another's name");
	start(0);
	h = to(0, 1, VSOCK_RW);
	h.len = 0xffffffff;
	put(0, &h, VSOCK_HEADER_BYTES + 10);
	assert_string_equal(guest[0].why, "a packet that is longer than its buffer");
	start(0);
	/* A buffer for packets that takes none. */
	offer(1, RX, 0x8000, 10, VD_WRITE);
	give_room(0, 1);
	say(0, 1, VSOCK_REQUEST);
	assert_string_equal(guest[1].why, "a buffer that is too small for a packet");
	assert_int_equal(connections(), 0);
	/* A second request for what is there, and an operation that is none. */
	start(1);
	start(0);
	connect();
	say(0, 1, VSOCK_REQUEST);
	assert_int_equal(connections(), 0);
	assert_non_null(heard(0, 1, VSOCK_RST));
	assert_non_null(heard(1, 0, VSOCK_RST));
	connect();
	say(0, 1, (enum vsock_op)77);
	assert_int_equal(connections(), 0);
}

/* A request from a port of its own. */
static void ask(unsigned from, unsigned dst, uint32_t port)
{
	struct vsock_header h = to(from, dst, VSOCK_REQUEST);

	h.src_port = port;
	put(from, &h, VSOCK_HEADER_BYTES);
}

static void answer(unsigned from, unsigned dst, enum vsock_op op, uint32_t port)
{
	struct vsock_header h = to(from, dst, op);

	h.dst_port = port;
	put(from, &h, VSOCK_HEADER_BYTES);
}

/* From ports 0 and on. */
static void open_all(bool answered)
{
	for (unsigned i = 0; i < VSOCK_OPENED; i++) {
		give_room(1, 1);
		ask(0, 1, i);
		assert_non_null(heard(1, 0, VSOCK_REQUEST));
		if (!answered)
			continue;
		give_room(0, 1);
		answer(1, 0, VSOCK_RESPONSE, i);
		assert_non_null(heard(0, 1, VSOCK_RESPONSE));
	}
	assert_int_equal(connections(), VSOCK_OPENED);
}

/* Who opens all that it may takes nothing from others. */
static void a_limit_for_each(void **state)
{
	(void)state;
	open_all(true);
	give_room(1, 1);
	ask(0, 1, VSOCK_OPENED);
	assert_int_equal(connections(), VSOCK_OPENED);
	assert_null(heard(1, 0, VSOCK_REQUEST));
	give_room(0, 1);
	assert_non_null(heard(0, 1, VSOCK_RST));
	give_room(0, 1);
	say(1, 0, VSOCK_REQUEST);
	assert_non_null(heard(0, 1, VSOCK_REQUEST));
	assert_int_equal(connections(), VSOCK_OPENED + 1);
	wr(1, 0x70, 0);
	assert_int_equal(hub.guest[0].refused, 1);
	give_room(0, 6);
	assert_int_equal(connections(), VSOCK_OPENED + 1 - 6);
	/* It goes while others are still to be told of it. */
	vsock_switch_remove(&hub, 1);
	give_room(0, 6);
	vsock_switch_remove(&hub, 0);
	assert_int_equal(connections(), 0);
}

static void expect_rst(unsigned g, unsigned from, uint32_t port)
{
	const uint8_t *b = heard(g, from, VSOCK_RST);

	assert_non_null(b);
	assert_int_equal(load_le32(b + (g == 0 ? 20 : 16)), port);
}

/* Who never answers takes no connections from those who ask. */
static void no_answer(void **state)
{
	(void)state;
	open_all(false);
	give_room(0, 2);
	answer(1, 0, VSOCK_RESPONSE, 0);
	assert_non_null(heard(0, 1, VSOCK_RESPONSE));
	/* Of the others, the oldest one makes way: both sides hear it. */
	give_room(1, 2);
	ask(0, 1, VSOCK_OPENED);
	expect_rst(0, 1, 1);
	expect_rst(1, 0, 1);
	assert_non_null(heard(1, 0, VSOCK_REQUEST));
	assert_int_equal(connections(), VSOCK_OPENED);
	assert_int_equal(hub.guest[0].refused, 1);
	/* An answer that comes after that is one to nothing. */
	give_room(1, 1);
	answer(1, 0, VSOCK_RESPONSE, 1);
	expect_rst(1, 0, 1);
	/* A guest's own are others than those opened to it. */
	give_room(0, 1);
	say(1, 0, VSOCK_REQUEST);
	assert_non_null(heard(0, 1, VSOCK_REQUEST));
	assert_int_equal(connections(), VSOCK_OPENED + 1);
	/* One at a time, however often it is tried. */
	give_room(1, 1);
	ask(0, 1, VSOCK_OPENED + 1);
	vsock_switch_retry(&hub);
	give_room(1, 1);
	assert_int_equal(hub.guest[0].refused, 2);
	assert_int_equal(connections(), VSOCK_OPENED + 1);
	give_room(0, 1);
	expect_rst(0, 1, 2);
	expect_rst(1, 0, 2);
	assert_non_null(heard(1, 0, VSOCK_REQUEST));
	assert_int_equal(hub.guest[0].refused, 2);
}

/* Nor does one who takes no resets. */
static void resets_not_taken(void **state)
{
	(void)state;
	open_all(true);
	for (unsigned i = 0; i < VSOCK_OPENED; i++) {
		struct vsock_header h = to(0, 1, VSOCK_RST);

		h.src_port = i;
		put(0, &h, VSOCK_HEADER_BYTES);
	}
	assert_int_equal(connections(), VSOCK_OPENED);
	hub.guest[0].allow = hub.guest[2].allow = 7;
	give_room(2, 1);
	ask(0, 2, 100);
	assert_null(heard(2, 0, VSOCK_REQUEST));
	assert_int_equal(hub.full, 1u << 1);
	give_room(1, 1);
	expect_rst(1, 0, 0);
	assert_non_null(heard(2, 0, VSOCK_REQUEST));
	/* It is not waited for when it is deaf: it hears when it sends. */
	give_room(2, 1);
	ask(0, 2, 101);
	assert_null(heard(2, 0, VSOCK_REQUEST));
	hub.guest[1].deaf = true;
	vsock_switch_retry(&hub);
	assert_non_null(heard(2, 0, VSOCK_REQUEST));
	assert_int_equal(connections(), VSOCK_OPENED);
	for (unsigned i = 2; i < VSOCK_OPENED; i++) {
		give_room(1, 1);
		expect_rst(1, 0, i);
	}
	assert_null(heard(1, 0, VSOCK_RST));
	give_room(1, 1);
	answer(1, 0, VSOCK_CREDIT_UPDATE, 1);
	expect_rst(1, 0, 1);
	assert_int_equal(connections(), 2);
}

/* Who takes nothing does not make others wait for ever. */
static void a_deaf_guest(void **state)
{
	(void)state;
	connect();
	for (unsigned i = 0; i < 4; i++)
		say_bytes(0, 1, 10);
	assert_int_equal(hub.full, 1u << 1);
	assert_int_equal(used(0, TX), 4);
	hub.guest[1].deaf = true;
	vsock_switch_retry(&hub);
	assert_int_equal(used(0, TX), 5);
	assert_non_null(heard(0, 1, VSOCK_RST));
	say(0, 1, VSOCK_REQUEST);
	assert_non_null(heard(0, 1, VSOCK_RST));
	give_room(1, 4);
	assert_false(hub.guest[1].deaf);
	assert_int_equal(connections(), 0);
	guest[1].received = 4;
	assert_non_null(heard(1, 0, VSOCK_RST));
	say(0, 1, VSOCK_REQUEST);
	assert_non_null(heard(1, 0, VSOCK_REQUEST));
}

static void time_is_short(void **state)
{
	(void)state;
	connect();
	guest[0].time = 1;
	say_bytes(0, 1, VSOCK_PIECE + 5);
	assert_non_null(heard(1, 0, VSOCK_RW));
	assert_null(heard(1, 0, VSOCK_RW));
	assert_true(guest[0].device.later);
	guest[0].time = 10;
	vsock_switch_retry(&hub);
	assert_non_null(heard(1, 0, VSOCK_RW));
	assert_false(guest[0].device.later);
	assert_int_equal(hub.guest[0].bytes, VSOCK_PIECE + 5);
	assert_int_equal(hub.guest[0].packets, 3);
}

/* What a server that was started again knows nothing of. */
static void a_lost_table(void **state)
{
	(void)state;
	virtio_vsock_lost(&guest[0].device);
	offer(0, 2, 0x8000, 4, VD_WRITE);
	assert_int_equal(used(0, 2), 1);
	offer(0, 2, 0x8000, 4, VD_WRITE);
	assert_int_equal(used(0, 2), 1);
	virtio_vsock_lost(&guest[0].device);
	virtio_vsock_service(&guest[0].device);
	assert_int_equal(used(0, 2), 2);
	virtio_vsock_lost(&guest[1].device);
	offer(1, 2, 0x8000, 3, VD_WRITE);
	assert_string_equal(guest[1].why, "a buffer that is too small for an event");
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_go_across),
		TEST(small_buffers),
		TEST(buffers_in_pieces),
		TEST(nobody_there),
		TEST(credit),
		TEST(a_smaller_buffer),
		TEST(credit_goes_round),
		TEST(a_reset_ends_connections),
		TEST(ports_are_used_again),
		TEST(mistakes),
		TEST(a_limit_for_each),
		TEST(no_answer),
		TEST(resets_not_taken),
		TEST(a_deaf_guest),
		TEST(time_is_short),
		TEST(a_lost_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
