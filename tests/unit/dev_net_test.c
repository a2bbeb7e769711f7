/* The network device (virtio 1.2, 5.1) over MMIO, driven by lib/virtio. */
#include <dev/virtio/net.h>
#include <selvage/base.h>
#include <selvage/vmmio.h>
#include <string.h>

#include "unit.h"
#include "virtio_driver.h"

#define SIZE 64u
#define RX_RING 0x0u
#define TX_RING 0x1000u
#define HDR VIRTIO_NET_HDR_BYTES

static struct vd d;
static struct virtio_net net;
static struct virtio_mmio mmio;
static struct vmmio t;
static struct vqueue rx, tx;
static const uint8_t mac[] = { 2, 0x53, 0x56, 0, 0, 9 };

static struct {
	unsigned frames, kicks, breaks;
	uint32_t bytes;
	uint8_t frame[NET_FRAME_MAX];
	bool irq, later;
} world;

static void set_irq(void *opaque, bool level)
{
	(void)opaque;
	world.irq = level;
}

static void broken(void *opaque, const char *why)
{
	(void)opaque, (void)why;
	world.breaks++;
}

static bool transmit(void *opaque, const uint8_t *frame, uint32_t bytes)
{
	(void)opaque;
	if (world.later)
		return false;
	world.frames++;
	world.bytes = bytes;
	memcpy(world.frame, frame, bytes);
	return true;
}

static void kicked(void *opaque)
{
	(void)opaque;
	world.kicks++;
}

static void plug(void)
{
	static const struct virtio_mmio_env irq = { NULL, set_irq };
	static const struct virtio_net_env io = { NULL, transmit, kicked };
	struct virtio_env env = { NULL, { 0 }, broken };

	vd_init(&d);
	memset(&world, 0, sizeof(world));
	env.mem = d.mem;
	virtio_net_init(&net, &env, &io, mac);
	virtio_mmio_init(&mmio, &net.v, &irq);
}

static void drive(uint64_t features)
{
	const struct vmmio_regs regs = vd_regs(&mmio);

	assert_null(vmmio_begin(&t, &regs, VIRTIO_ID_NET, features, features));
	vqueue_init(&rx, SIZE, d.ram + RX_RING, RX_RING, false);
	vqueue_init(&tx, SIZE, d.ram + TX_RING, TX_RING, false);
	assert_null(vmmio_queue(&t, 0, &rx));
	assert_null(vmmio_queue(&t, 1, &tx));
	assert_null(vmmio_go(&t));
}

static void start(uint64_t features)
{
	plug();
	drive(features);
}

static void queue_frame(uint32_t bytes)
{
	struct vqueue_segment s[] = { { VD_DATA, HDR }, { VD_DATA + HDR, bytes } };

	assert_true(vqueue_add(&tx, s, 2, 0, bytes));
}

/* A frame that counts upwards, sent and polled for. */
static void send(uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		d.ram[VD_DATA + HDR + i] = (uint8_t)i;
	queue_frame(bytes);
	assert_true(vqueue_publish(&tx));
	vmmio_kick(&t, 1);
	assert_int_equal(virtio_net_poll(&net, 9), 1);
	virtio_net_settle(&net);
}

static void sent(uint32_t bytes)
{
	uint32_t token, written;

	assert_true(vqueue_take(&tx, &token, &written));
	assert_int_equal(token, bytes);
	assert_int_equal(written, 0);
}

static void configuration(void **state)
{
	uint8_t read_mac[6], words[6];

	(void)state;
	start(VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MTU);
	assert_true(vmmio_config(&t, 0, read_mac, 1, 6));
	assert_memory_equal(read_mac, mac, 6);
	assert_true(vmmio_config(&t, 6, words, 2, 3));
	assert_int_equal(load_le16(words), VIRTIO_NET_S_LINK_UP);
	assert_int_equal(load_le16(words + 2), 1);
	assert_int_equal(load_le16(words + 4), 1500);
	assert_int_equal(vmmio_queue_max(&t, 1), 256);
	assert_int_equal(vmmio_queue_max(&t, 2), 0);
}

static void sends(void **state)
{
	static const uint32_t good[] = { 14, 60, 1514, 1518 }, bad[] = { 0, 1, 13, 1519, 3000 };

	(void)state;
	start(0);
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		send(good[i]);
		sent(good[i]);
		assert_int_equal(world.frames, i + 1);
		assert_int_equal(world.bytes, good[i]);
		for (uint32_t k = 0; k < good[i]; k++)
			assert_int_equal(world.frame[k], k & 0xff);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		send(bad[i]);
		sent(bad[i]);
	}
	assert_int_equal(world.frames, ARRAY_SIZE(good));
	assert_int_equal(net.sent_bad, ARRAY_SIZE(bad));
	/* A header that asks for what was not agreed on. */
	for (unsigned at = 0; at < 2; at++) {
		d.ram[VD_DATA + at] = 1;
		send(60);
		sent(60);
		d.ram[VD_DATA + at] = 0;
	}
	assert_int_equal(net.sent_bad, ARRAY_SIZE(bad) + 2);
	/* Flags that mean nothing to us. */
	d.ram[VD_DATA] = 0xfe;
	send(60);
	d.ram[VD_DATA] = 0;
	assert_int_equal(net.sent_bad, ARRAY_SIZE(bad) + 2);
	assert_int_equal(world.frames, ARRAY_SIZE(good) + 1);
	assert_true(world.irq);
	assert_int_equal(world.breaks, 0);
}

/* No more at a time than its owner wants. */
static void sends_in_portions(void **state)
{
	(void)state;
	start(0);
	for (unsigned i = 0; i < 10; i++)
		queue_frame(60);
	(void)vqueue_publish(&tx);
	assert_false(net.waiting);
	vmmio_kick(&t, 1);
	assert_int_equal(world.kicks, 1);
	assert_int_equal(world.frames, 0);
	assert_int_equal(virtio_net_poll(&net, 4), 4);
	assert_true(net.waiting);
	assert_int_equal(virtio_net_poll(&net, 6), 6);
	assert_true(net.waiting);
	assert_int_equal(virtio_net_poll(&net, 6), 0);
	assert_false(net.waiting);
	assert_int_equal(world.frames, 10);
	/* One that cannot go now stays, and those behind it. */
	queue_frame(61);
	queue_frame(62);
	(void)vqueue_publish(&tx);
	vmmio_kick(&t, 1);
	world.later = true;
	assert_int_equal(virtio_net_poll(&net, 6), 0);
	assert_int_equal(virtio_net_poll(&net, 6), 0);
	assert_true(net.waiting);
	world.later = false;
	assert_int_equal(virtio_net_poll(&net, 1), 1);
	assert_int_equal(world.bytes, 61);
	assert_int_equal(virtio_net_poll(&net, 6), 1);
	assert_int_equal(world.frames, 12);
	for (unsigned i = 0; i < 10; i++)
		sent(60);
	sent(61);
	sent(62);
	queue_frame(60);
	(void)vqueue_publish(&tx);
	vmmio_kick(&t, 1);
	assert_true(net.waiting);
	vmmio_reset(&t);
	assert_false(net.waiting);
	assert_int_equal(virtio_net_poll(&net, 6), 0);
	assert_int_equal(world.frames, 12);
}

/* A frame that is nowhere: the device is of no more use, and has nothing to do. */
static void broken_has_nothing_to_do(void **state)
{
	struct vqueue_segment s = { 1ull << 40, 100 };

	(void)state;
	start(0);
	assert_true(vqueue_add(&tx, &s, 1, 0, 7));
	(void)vqueue_publish(&tx);
	vmmio_kick(&t, 1);
	assert_true(net.waiting);
	assert_int_equal(virtio_net_poll(&net, 4), 0);
	assert_false(net.waiting);
	virtio_settle(&net.v, 1);
	vmmio_kick(&t, 1);
	assert_int_equal(virtio_net_poll(&net, 4), 0);
	assert_false(net.waiting);
}

static void give(uint32_t at, uint32_t bytes, uint32_t token)
{
	struct vqueue_segment s = { at, bytes };

	assert_true(vqueue_add(&rx, &s, 0, 1, token));
	(void)vqueue_publish(&rx);
}

static void expect(uint32_t token, uint32_t written)
{
	uint32_t got, bytes;

	assert_true(vqueue_take(&rx, &got, &bytes));
	assert_int_equal(got, token);
	assert_int_equal(bytes, written);
}

static uint8_t frame[NET_FRAME_MAX];

static enum virtio_net_result receive(uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		frame[i] = (uint8_t)(i * 7);
	return virtio_net_receive(&net, frame, bytes);
}

static void receives(void **state)
{
	uint32_t token, written;

	(void)state;
	plug();
	assert_int_equal(receive(60), VIRTIO_NET_OFF);
	drive(0);
	assert_int_equal(receive(60), VIRTIO_NET_NO_ROOM);
	give(VD_DATA, HDR + 1518, 1);
	give(VD_DATA + 0x1000, HDR + 100, 2);
	memset(d.ram + VD_DATA, 0xff, HDR);
	assert_int_equal(receive(1518), VIRTIO_NET_OK);
	expect(1, HDR + 1518);
	assert_memory_equal(d.ram + VD_DATA + HDR, frame, 1518);
	assert_memory_equal(d.ram + VD_DATA, "\0\0\0\0\0\0\0\0\0\0\1\0", HDR);
	/* Without mergeable buffers a frame fits into one, or is lost with it. */
	assert_int_equal(receive(101), VIRTIO_NET_TOO_LONG);
	expect(2, 0);
	assert_false(vqueue_take(&rx, &token, &written));
	assert_int_equal(receive(60), VIRTIO_NET_NO_ROOM);
	give(VD_DATA, HDR + 100, 3);
	assert_int_equal(receive(100), VIRTIO_NET_OK);
	expect(3, HDR + 100);
	virtio_net_settle(&net);
	assert_true(world.irq);
	vmmio_reset(&t);
	assert_int_equal(receive(60), VIRTIO_NET_OFF);
}

static void merges(void **state)
{
	(void)state;
	start(VIRTIO_NET_F_MRG_RXBUF);
	give(VD_DATA, 100, 1);
	give(VD_DATA + 0x100, 100, 2);
	/* There are not enough: none is used, and the next frame gets them. */
	assert_int_equal(receive(300), VIRTIO_NET_NO_ROOM);
	give(VD_DATA + 0x200, 200, 3);
	assert_int_equal(receive(300), VIRTIO_NET_OK);
	expect(1, 100);
	expect(2, 100);
	expect(3, 300 + HDR - 200);
	assert_memory_equal(d.ram + VD_DATA, "\0\0\0\0\0\0\0\0\0\0\3\0", HDR);
	assert_memory_equal(d.ram + VD_DATA + HDR, frame, 88);
	assert_memory_equal(d.ram + VD_DATA + 0x100, frame + 88, 100);
	assert_memory_equal(d.ram + VD_DATA + 0x200, frame + 188, 112);
	/* Buffers of a few bytes: as many as are allowed, and one more. */
	for (unsigned i = 0; i < VIRTIO_NET_MERGE; i++)
		give(VD_DATA + 0x10 * i, 14, i);
	assert_int_equal(receive(14 * VIRTIO_NET_MERGE - HDR + 1), VIRTIO_NET_TOO_LONG);
	expect(0, 0);
	give(VD_DATA, 14, 99);
	assert_int_equal(receive(14 * VIRTIO_NET_MERGE - HDR), VIRTIO_NET_OK);
	for (unsigned i = 1; i < VIRTIO_NET_MERGE; i++)
		expect(i, 14);
	expect(99, 14);
	/* No room for the header. */
	give(VD_DATA, HDR - 1, 5);
	assert_int_equal(receive(60), VIRTIO_NET_TOO_LONG);
	expect(5, 0);
	assert_int_equal(world.breaks, 0);
}

/* A buffer of several segments, of which the last one takes `last` bytes. */
static void give_table(unsigned segments, uint32_t bytes, uint32_t last, uint32_t token)
{
	uint64_t at = VD_DATA + 0x1000u * token;
	uint16_t n = vd_get16(&d, rx.avail_at + 2), head;

	for (unsigned i = 0; i < segments; i++)
		vd_split(&d, at, i, VD_DATA, i + 1 < segments ? bytes : last,
			 VD_WRITE | (i + 1 < segments ? VD_NEXT : 0), i + 1);
	give((uint32_t)at, segments * 16, token);
	head = vd_get16(&d, rx.avail_at + 4 + 2 * (n % SIZE));
	vd_put16(&d, rx.desc_at + 16u * head + 12, VD_INDIRECT);
}

/* Buffers that are cut up for no reason: whoever sends frames does not pay for them. */
static void buffers_in_pieces(void **state)
{
	uint64_t before;

	(void)state;
	start(VIRTIO_NET_F_MRG_RXBUF | VIRTIO_F_INDIRECT_DESC);
	give_table(65, 1, 1, 1);
	give_table(256, 1, 1, 2);
	for (uint32_t i = 3; i < 10; i++)
		give_table(256, 0, 1, i);
	assert_int_equal(receive(65 - HDR), VIRTIO_NET_OK);
	expect(1, 65);
	assert_int_equal(receive(256 - HDR), VIRTIO_NET_OK);
	expect(2, 256);
	for (uint32_t i = 3; i < 10; i++) {
		before = d.accesses;
		assert_int_equal(receive(60), VIRTIO_NET_TOO_LONG);
		assert_in_range(d.accesses - before, 256, 300);
		expect(i, 0);
	}
	assert_int_equal(world.breaks, 0);
	/* It would never have room. */
	give(VD_DATA, 20, 1);
	for (uint32_t i = 2; i < 9; i++)
		give_table(256, 0, 0, i);
	before = d.accesses;
	assert_int_equal(receive(60), VIRTIO_NET_OFF);
	assert_in_range(d.accesses - before, 256, 300);
	assert_int_equal(world.breaks, 1);
	assert_true(vmmio_broken(&t));
}

static void breaks(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		start(VIRTIO_NET_F_MRG_RXBUF);
		if (i == 0) {
			struct vqueue_segment s[] = { { VD_BYTES - HDR, HDR }, { VD_BYTES, 60 } };

			assert_true(vqueue_add(&tx, s, 2, 0, 0));
			(void)vqueue_publish(&tx);
			vmmio_kick(&t, 1);
			assert_int_equal(virtio_net_poll(&net, 4), 0);
		} else {
			give(i == 1 ? VD_BYTES : VD_BYTES - HDR, 1600, 0);
			assert_int_equal(receive(60), VIRTIO_NET_OFF);
		}
		virtio_net_settle(&net);
		assert_int_equal(world.breaks, 1);
		assert_true(vmmio_broken(&t));
		assert_int_equal(receive(60), VIRTIO_NET_OFF);
		assert_int_equal(world.frames, 0);
		drive(0);
		send(60);
		assert_int_equal(world.frames, 1);
	}
}

static void place(unsigned queue, struct vqueue *q, uint32_t at)
{
	vqueue_init(q, SIZE, d.ram + at, at, false);
	net.v.queue[queue].at =
		(struct virtq_layout){ q->desc_at, q->avail_at, q->used_at, SIZE };
	assert_null(virtio_queue_start(&net.v, &net.v.queue[queue]));
}

/* A driver of before virtio 1.0: a header without the number of buffers, unless it takes
 * mergeable ones. */
static void legacy(void **state)
{
	(void)state;
	for (unsigned merge = 0; merge < 2; merge++) {
		const uint32_t header = merge ? HDR : HDR - 2;
		struct vqueue_segment s = { VD_DATA, header + 60 };

		plug();
		assert_null(virtio_make_legacy(&net.v));
		assert_null(virtio_set_status(&net.v, 3));
		assert_null(virtio_take_features(&net.v, merge ? VIRTIO_NET_F_MRG_RXBUF : 0));
		place(0, &rx, RX_RING);
		place(1, &tx, TX_RING);
		assert_null(virtio_set_status(&net.v, 7));
		for (uint32_t i = 0; i < 60; i++)
			d.ram[VD_DATA + header + i] = (uint8_t)i;
		assert_true(vqueue_add(&tx, &s, 1, 0, 60));
		(void)vqueue_publish(&tx);
		assert_null(virtio_kick(&net.v, 1));
		assert_int_equal(virtio_net_poll(&net, 9), 1);
		sent(60);
		assert_int_equal(world.bytes, 60);
		for (uint32_t i = 0; i < 60; i++)
			assert_int_equal(world.frame[i], i);
		give(VD_DATA, 1600, 1);
		d.ram[VD_DATA + header + 100] = 0xee;
		assert_int_equal(receive(100), VIRTIO_NET_OK);
		expect(1, header + 100);
		assert_memory_equal(d.ram + VD_DATA, "\0\0\0\0\0\0\0\0\0\0\1\0", header);
		assert_memory_equal(d.ram + VD_DATA + header, frame, 100);
		assert_int_equal(d.ram[VD_DATA + header + 100], 0xee);
		assert_int_equal(world.breaks, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configuration),
		cmocka_unit_test(sends),
		cmocka_unit_test(sends_in_portions),
		cmocka_unit_test(broken_has_nothing_to_do),
		cmocka_unit_test(receives),
		cmocka_unit_test(merges),
		cmocka_unit_test(buffers_in_pieces),
		cmocka_unit_test(breaks),
		cmocka_unit_test(legacy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
