/*
 * A virtio-net driver (vdev.h) for benchmarks, one of two: `net-source` sends,
 * `net-sink` receives. (`net-flood` sends to nobody and kicks without end.)
 * For frames of 64 and of 1,500 bytes, first one frame under
 * way at a time, which the sink sends back, then a stream of frames with up to
 * 64 under way. It drives the device as Linux does: event index, an interrupt
 * that is looked at and acknowledged, all there is taken before the next one, and
 * of what was sent an interrupt at three quarters.
 *
 * The sink gives a mark (`hint #93`) for each frame that says so: MARKS for each
 * kind, a group of frames apart. At the end it prints what came.
 *
 * The other one's address is the own one with the last bit changed.
 */
#include "micro.h"
#include "vdev.h"

/* The pool, or memory like any other (tests/bench/load.py). */
#define POOL 0x40400000ull

#define NEXT 1u
#define WRITE 2u
#define VERSION_1 (1ull << 32)
#define ACCESS_PLATFORM (1ull << 33)
#define EVENT_IDX (1ull << 29)
#define MAC (1ull << 5)

#define SIZE 256u /* entries of a queue */
#define BUFFER 2048u
#define HEADER 12u
#define DEPTH 64u
/* Frames between two marks, and before the first. */
#define PING_GROUP 128u
#define STREAM_GROUP 512u
#define MARKS 9u
#define FRAMES(group) (MARKS * (group) + 1)
#define TYPE 0xb588u /* of frames in local experiments, as memory has it */
#define PATIENCE_US 20000u

enum { RX,
       TX };
enum { HELLO = 1,
       PING,
       STREAM,
       END };

struct ring {
	struct {
		uint64_t at;
		uint32_t bytes;
		uint16_t flags, next;
	} desc[SIZE];
	uint16_t avail_flags, avail, avail_ring[SIZE], used_event;
	uint8_t pad[4096 - 6 - 2 * SIZE];
	uint16_t used_flags, used;
	struct {
		uint32_t id, bytes;
	} used_ring[SIZE];
	uint16_t avail_event;
	uint8_t pad2[4096 - 6 - 8 * SIZE];
};

struct memory {
	struct ring ring[2];
	uint8_t rx[SIZE][BUFFER], tx[DEPTH][BUFFER];
};

/* What follows the Ethernet header. */
struct payload {
	uint16_t type;
	uint32_t kind, mark, number;
};

static struct memory *const m = (struct memory *)POOL;
static uint8_t mac[6];
static uint16_t taken[2];
static uint16_t free_tx[DEPTH];
static unsigned n_free;
static uint64_t received, bytes, lost;
static uint32_t expected;
static uint64_t worst_us; /* round trip */

#define LOAD(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define STORE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELEASE)

static void barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* --- Device ---------------------------------------------------------------------- */

static void start_queue(unsigned n)
{
	struct ring *r = &m->ring[n];

	vdev_queue(n, SIZE, r->desc, &r->avail_flags, &r->used_flags);
}

static void start(void)
{
	const uint64_t got = vdev_start(VERSION_1 | ACCESS_PLATFORM | EVENT_IDX | MAC);

	vdev_set_up_interrupts();
	start_queue(RX);
	start_queue(TX);
	if (!vdev_go() || !(got & EVENT_IDX))
		micro_print("net: WRONG: the device does not start\n");
	for (unsigned i = 0; i < 6; i++)
		mac[i] = vdev_config(i);
}

/* Until there is an interrupt, which is taken as Linux takes it. */
static void wait(void)
{
	__asm__ volatile("dsb sy\n\twfi" ::
				 : "memory");
	(void)vdev_take_interrupt();
}

static void mark(void)
{
	__asm__ volatile("hint #93" ::
				 : "memory");
}

/* --- Queues ------------------------------------------------------------------------ */

/* Offers what was put into the ring since `old`. */
static void publish(unsigned n, uint16_t old, uint16_t now)
{
	struct ring *r = &m->ring[n];

	if (old == now)
		return;
	STORE(r->avail, now);
	barrier();
	if ((uint16_t)(now - LOAD(r->avail_event) - 1) < (uint16_t)(now - old))
		vdev_kick(n);
}

static void set_desc(struct ring *r, unsigned i, const void *at, uint32_t n, uint16_t flags)
{
	r->desc[i].at = (uint64_t)at;
	r->desc[i].bytes = n;
	r->desc[i].flags = flags;
}

/* Has the device interrupt once `more` buffers are used. True: they are already. */
static int listen(unsigned n, uint16_t more)
{
	struct ring *r = &m->ring[n];

	STORE(r->used_event, (uint16_t)(taken[n] + more - 1));
	barrier();
	return (uint16_t)(LOAD(r->used) - taken[n]) >= more;
}

static void reclaim(void)
{
	struct ring *r = &m->ring[TX];

	while (LOAD(r->used) != taken[TX])
		free_tx[n_free++] = (uint16_t)r->used_ring[taken[TX]++ % SIZE].id;
}

/* Puts a frame into the ring, which has room for it. */
static void add(uint32_t size, uint32_t kind, uint32_t number, uint32_t marked, uint16_t *made)
{
	struct ring *r = &m->ring[TX];
	unsigned i = free_tx[--n_free];
	uint8_t *frame = m->tx[i] + HEADER;
	struct payload *p = (void *)(frame + 12);

	for (unsigned k = 0; k < 6; k++)
		frame[k] = frame[6 + k] = mac[k];
	frame[5] ^= 1;
	p->type = TYPE;
	p->kind = kind;
	p->mark = marked;
	p->number = number;
	set_desc(r, i, m->tx[i], HEADER + size, 0);
	r->avail_ring[(*made)++ % SIZE] = (uint16_t)i;
}

static void send(uint32_t size, uint32_t kind, uint32_t number, uint32_t marked)
{
	uint16_t made = m->ring[TX].avail;

	reclaim();
	add(size, kind, number, marked, &made);
	publish(TX, (uint16_t)(made - 1), made);
}

/* --- Receiving ----------------------------------------------------------------------- */

/* The kind of a frame, 0 of somebody else's. */
static uint32_t look_at(const uint8_t *frame, uint32_t size)
{
	const struct payload *p = (const void *)(frame + 12);

	if (p->type != TYPE)
		return 0;
	received++;
	bytes += size;
	if (p->kind == PING || p->kind == STREAM) {
		lost += p->number != (p->number == 0 ? 0 : expected);
		expected = p->number + 1;
	}
	return p->kind;
}

/* Takes all there is; the kind of the other guest's last one, or 0. The sink answers and marks. */
static uint32_t receive(int is_sink)
{
	struct ring *r = &m->ring[RX];
	uint16_t old = r->avail, made = old;
	uint32_t last = 0;

	while (LOAD(r->used) != taken[RX]) {
		unsigned i = r->used_ring[taken[RX] % SIZE].id % SIZE;
		uint32_t size = r->used_ring[taken[RX]++ % SIZE].bytes - HEADER;
		const struct payload *p = (const void *)(m->rx[i] + HEADER + 12);
		uint32_t kind = look_at(m->rx[i] + HEADER, size);

		if (kind != 0)
			last = kind;
		if (is_sink && (kind == HELLO || kind == PING))
			send(size, kind, p->number, 0);
		if (is_sink && kind != 0 && p->mark)
			mark();
		r->avail_ring[made++ % SIZE] = (uint16_t)i;
	}
	publish(RX, old, made);
	return last;
}

static void sink(void)
{
	while (receive(1) != END)
		if (!listen(RX, 1))
			wait();
	micro_print("net: received ");
	micro_print_number(received);
	micro_print(" bytes ");
	micro_print_number(bytes);
	micro_print(" lost ");
	micro_print_number(lost);
	micro_print("\nbench done\n");
}

/* --- Sending --------------------------------------------------------------------------- */

static uint32_t is_marked(uint32_t number, uint32_t group)
{
	return number != 0 && number % group == 0;
}

/* One at a time: there and back are two frames. */
static void ping(uint32_t size)
{
	for (uint32_t i = 0; i < FRAMES(PING_GROUP); i += 2) {
		const uint64_t start = micro_us();
		uint64_t took;

		send(size, PING, i / 2, is_marked(i, PING_GROUP));
		while (receive(0) != PING)
			if (!listen(RX, 1))
				wait();
		took = micro_us() - start;
		worst_us = took > worst_us ? took : worst_us;
	}
}

static void stream(uint32_t size)
{
	for (uint32_t i = 0; i < FRAMES(STREAM_GROUP);) {
		uint16_t old = m->ring[TX].avail, made = old;

		reclaim();
		for (; n_free > 0 && i < FRAMES(STREAM_GROUP); i++)
			add(size, STREAM, i, is_marked(i, STREAM_GROUP), &made);
		publish(TX, old, made);
		if (i < FRAMES(STREAM_GROUP) && !listen(TX, DEPTH * 3 / 4))
			wait();
	}
	while (n_free < DEPTH)
		reclaim();
}

static void source(void)
{
	static const uint32_t sizes[] = { 64, 1500 };
	uint64_t start;

	for (uint32_t kind = 0; kind != HELLO;) {
		uint64_t until = micro_us() + PATIENCE_US;

		send(64, HELLO, 0, 0);
		while (kind != HELLO && micro_us() < until)
			kind = receive(0);
	}
	start = micro_us();
	for (unsigned i = 0; i < 2; i++) {
		ping(sizes[i]);
		stream(sizes[i]);
	}
	send(64, END, 0, 0);
	while (n_free < DEPTH)
		reclaim();
	micro_print("net: took ");
	micro_print_number(micro_us() - start);
	micro_print(" us, worst round trip ");
	micro_print_number(worst_us);
	micro_print(" us\n");
}

static void flood(void)
{
	for (uint16_t made = 0;;) {
		reclaim();
		while (n_free > 0)
			add(64, HELLO, 0, 0, &made);
		STORE(m->ring[TX].avail, made);
		vdev_kick(TX);
	}
}

void micro_main(void)
{
	__asm__ volatile("msr daifset, #15");
	for (unsigned i = 0; i < sizeof(m->ring) / 8; i++)
		((volatile uint64_t *)m->ring)[i] = 0;
	if (!vdev_find(1)) {
		micro_print("net: WRONG: no device\n");
		micro_power_off();
	}
	start();
	for (unsigned i = 0; i < DEPTH; i++)
		free_tx[n_free++] = (uint16_t)i;
	for (unsigned i = 0; i < SIZE; i++) {
		set_desc(&m->ring[RX], i, m->rx[i], BUFFER, WRITE);
		m->ring[RX].avail_ring[i] = (uint16_t)i;
	}
	publish(RX, 0, SIZE);
	if (micro_told("net-flood"))
		flood();
	else if (micro_told("net-sink"))
		sink();
	else
		source();
	micro_power_off();
}
