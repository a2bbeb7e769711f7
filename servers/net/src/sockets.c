#include "sockets.h"

#include <selvage/base.h>

static struct sockets_env env;
static struct vsock_switch hub;
static uint32_t used;

static struct socket {
	unsigned number;
	struct link_server link;
	struct virtio_vsock device;
	uint64_t period, spent; /* of our time, ticks */
	uint64_t full_since;    /* others wait for it to make room; 0: nobody does */
	uint64_t waited;        /* that they did, ticks, less what it took since */
	uint64_t taken;         /* packets of hub.guest[number].taken that are in that */
} sockets[VSOCK_GUESTS];

/* Whose packets are being handed on, and since when. */
static struct socket *running;
static uint64_t run_since;

static uint64_t ticks(uint64_t us) { return us * env.ticks_per_us; }

/* --- Time ----------------------------------------------------------------------------- */

/* Devices are served within each other's calls: time is the last one's that asked. */
static void run(struct socket *p, uint64_t now)
{
	if (running != NULL)
		running->spent += now - run_since;
	running = p;
	run_since = now;
}

static bool may_send(void *opaque)
{
	struct socket *p = opaque;
	const uint64_t now = env.now();

	run(p, now);
	if (now - p->period >= ticks(SOCKET_PERIOD_US)) {
		p->period = now;
		p->spent = 0;
	}
	return p->spent < ticks(SOCKET_TIME_US);
}

/* What others waited for it up to now; each packet that it takes makes good for some. */
static void add_wait(struct socket *p, uint64_t now)
{
	const uint64_t taken = hub.guest[p->number].taken - p->taken;

	if (p->full_since != 0)
		p->waited += now - p->full_since;
	p->full_since = 0;
	p->taken += taken;
	p->waited -= min_u64(p->waited, taken * ticks(SOCKET_PACKET_US));
}

/* Who has no room for others' packets, and for how long. */
static void look_for_the_deaf(void)
{
	for (uint32_t left = used; left != 0; left &= left - 1) {
		const unsigned i = bit_lowest_u64(left);
		struct socket *p = &sockets[i];
		const uint64_t now = env.now() | 1;

		add_wait(p, now);
		if (!(hub.full >> i & 1))
			continue;
		p->full_since = now;
		if (p->waited >= ticks(SOCKET_DEAF_US))
			hub.guest[i].deaf = true;
	}
}

/* --- Packets ---------------------------------------------------------------------------- */

static bool packet(void *opaque, const struct vsock_header *h, const uint8_t *data)
{
	return vsock_switch_packet(&hub, ((const struct socket *)opaque)->number, h, data);
}

static void room(void *opaque)
{
	struct socket *p = opaque;

	hub.full &= ~(1u << p->number);
	add_wait(p, env.now() | 1);
	vsock_switch_room(&hub, p->number);
}

static void stopped(void *opaque)
{
	vsock_switch_stopped(&hub, ((const struct socket *)opaque)->number);
}

/* Interrupts and events that are owed, to whomever. */
static void settle(void)
{
	run(NULL, env.now());
	for (uint32_t left = used; left != 0; left &= left - 1)
		link_server_flush(&sockets[bit_lowest_u64(left)].link);
}

void sockets_kicked(unsigned socket)
{
	if (socket >= VSOCK_GUESTS || !(used >> socket & 1))
		return;
	link_server_attend(&sockets[socket].link);
	settle();
}

bool sockets_wait(void)
{
	bool later = hub.full != 0;

	for (uint32_t left = used; left != 0; left &= left - 1)
		later = sockets[bit_lowest_u64(left)].device.later || later;
	return later;
}

void sockets_tick(void)
{
	if (!sockets_wait())
		return;
	look_for_the_deaf();
	hub.full = 0;
	vsock_switch_retry(&hub);
	settle();
}

/* --- Devices ------------------------------------------------------------------------------ */

static void interrupt(void *opaque) { env.interrupt(((struct socket *)opaque)->number); }
static void event(void *opaque) { env.event(((struct socket *)opaque)->number); }

void sockets_init(const struct sockets_env *e)
{
	env = *e;
	used = 0;
	running = NULL;
	hub = (struct vsock_switch){ 0 };
}

/* A server before us had the driver's packets, and its connections went with it. */
static bool was_served(const struct link_page *page)
{
	return (link_load32(&page->driver.status) & VIRTIO_STATUS_DRIVER_OK) != 0 &&
	       link_load32(&page->server.place[0].epoch) == link_load32(&page->driver.epoch);
}

static bool start_device(struct socket *p, const struct socket_spec *spec)
{
	const struct virtio_vsock_env io = { p, packet, may_send, room, stopped };
	const bool lost = was_served(spec->page);
	const struct link_server_env link = {
		.opaque = p,
		.page = spec->page,
		.memory = spec->memory,
		.bytes = spec->bytes,
		.piece = spec->piece,
		.n_pieces = spec->n_pieces,
		.up = (uint32_t)env.now() | 1u,
		.resumes = true,
		.interrupt = interrupt,
		.event = event,
	};
	struct virtio_env virtio;

	link_server_init(&p->link, &link);
	virtio = link_server_virtio(&p->link);
	virtio_vsock_init(&p->device, &virtio, &io, SOCKET_FIRST_CID + p->number);
	if (lost)
		virtio_vsock_lost(&p->device);
	return link_server_start(&p->link, &p->device.v);
}

bool sockets_add(unsigned socket, const struct socket_spec *spec)
{
	struct socket *p = &sockets[socket];

	if (socket >= VSOCK_GUESTS || (used >> socket & 1))
		return false;
	p->number = socket;
	p->period = p->spent = p->full_since = p->waited = p->taken = 0;
	if (!start_device(p, spec))
		return false;
	vsock_switch_add(&hub, socket, &p->device, spec->allowed);
	used |= 1u << socket;
	return true;
}

void sockets_remove(unsigned socket)
{
	if (socket >= VSOCK_GUESTS || !(used >> socket & 1))
		return;
	vsock_switch_remove(&hub, socket);
	used &= ~(1u << socket);
	hub.full &= ~(1u << socket);
	vsock_switch_retry(&hub); /* those that waited for it */
	settle();
}

const struct vsock_guest *sockets_counters(unsigned socket) { return &hub.guest[socket]; }
