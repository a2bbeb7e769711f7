#include "ports.h"

#include <selvage/base.h>

static struct ports_env env;
static struct switch_fabric fabric;
static uint64_t now; /* of the turn that is being made */
/* Ports: that there are; to be settled; that wait for a receiver. */
static uint64_t used, dirty, held;

static struct port {
	unsigned number;
	struct link_server link;
	struct virtio_net net;
	uint64_t period, spent;     /* of our time, ticks */
	uint64_t hold_period, hold; /* that others waited for it, ticks */
	uint64_t hold_seen;         /* that somebody waits for it; 0: nobody does */
	unsigned told;              /* reasons for losses that were news already */
} ports[PORTS];

static uint64_t ticks(uint64_t us) { return us * env.ticks_per_us; }

static uint32_t seconds(void) { return (uint32_t)(now / ticks(1000000)); }

/* --- Frames to a port ------------------------------------------------------------------ */

/* Time that passes while nobody looks is not all the receiver's: it need not have run. */
static void count_hold(struct port *p)
{
	if (p->hold_seen != 0)
		p->hold += min_u64(now - p->hold_seen, ticks(PORT_HOLD_STEP_US));
}

/* Whether senders wait for it, which has no buffer. */
static bool may_hold(struct port *p)
{
	if (now - p->hold_period >= ticks(PORT_HOLD_PERIOD_US)) {
		p->hold_period = now;
		p->hold = 0;
		p->hold_seen = 0;
	}
	count_hold(p);
	p->hold_seen = now;
	return p->hold < ticks(PORT_HOLD_US);
}

static void end_hold(struct port *p)
{
	count_hold(p);
	p->hold_seen = 0;
}

static enum switch_drop deliver(void *opaque, const uint8_t *frame, uint32_t bytes, bool single)
{
	struct port *p = opaque;

	dirty |= bit_u64(p->number);
	switch (virtio_net_receive(&p->net, frame, bytes)) {
	case VIRTIO_NET_OK:
		end_hold(p);
		return SWITCH_DROPS;
	case VIRTIO_NET_NO_ROOM:
		return single && may_hold(p) ? SWITCH_HOLD : SWITCH_NO_ROOM;
	case VIRTIO_NET_TOO_LONG:
		return SWITCH_NO_ROOM;
	default:
		return SWITCH_DOWN;
	}
}

/* --- Frames from a port ---------------------------------------------------------------- */

static bool transmit(void *opaque, const uint8_t *frame, uint32_t bytes)
{
	struct port *p = opaque;

	if (switch_frame(&fabric, p->number, frame, bytes, seconds()))
		return true;
	held |= bit_u64(p->number);
	return false;
}

static void kicked(void *opaque) { (void)opaque; }

static bool may_run(struct port *p)
{
	if (now - p->period >= ticks(PORT_PERIOD_US)) {
		p->period = now;
		p->spent = 0;
	}
	return p->spent < ticks(PORT_TIME_US);
}

/* Whether it can have another turn at once. */
static bool take_turn(struct port *p)
{
	uint64_t start = env.now();

	now = start;
	if (!may_run(p))
		return false;
	(void)virtio_net_poll(&p->net, PORT_TURN);
	dirty |= bit_u64(p->number);
	now = env.now();
	p->spent += now - start;
	return p->net.waiting && !(held >> p->number & 1);
}

bool ports_turn(void)
{
	bool more = false;

	for (uint64_t left = used; left != 0; left &= left - 1) {
		const unsigned i = bit_lowest_u64(left);

		if (ports[i].net.waiting && !(held >> i & 1) && take_turn(&ports[i]))
			more = true;
	}
	return more;
}

void ports_kicked(unsigned port)
{
	if (port >= PORTS || !(used >> port & 1))
		return;
	link_server_attend(&ports[port].link);
	held = 0; /* it may have buffers now: they try again */
}

void ports_settle(void)
{
	for (dirty &= used; dirty != 0; dirty &= dirty - 1) {
		struct port *p = &ports[bit_lowest_u64(dirty)];

		virtio_net_settle(&p->net);
		link_server_flush(&p->link);
	}
}

bool ports_wait(void)
{
	for (uint64_t left = used; left != 0; left &= left - 1)
		if (ports[bit_lowest_u64(left)].net.waiting)
			return true;
	return false;
}

void ports_tick(void) { held = 0; }

/* --- Ports ------------------------------------------------------------------------------ */

static void interrupt(void *opaque) { env.interrupt(((struct port *)opaque)->number); }
static void event(void *opaque) { env.event(((struct port *)opaque)->number); }

void ports_init(const struct ports_env *e)
{
	env = *e;
	used = dirty = held = 0;
	switch_init(&fabric);
}

static bool start_device(struct port *p, const struct port_spec *spec)
{
	const struct virtio_net_env io = { p, transmit, kicked };
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
	virtio_net_init(&p->net, &virtio, &io, spec->mac);
	return link_server_start(&p->link, &p->net.v);
}

bool ports_add(unsigned port, const struct port_spec *spec)
{
	struct switch_port_spec s = { .open = spec->open,
				      .allowed = spec->allowed,
				      .deliver = deliver };
	struct port *p = &ports[port];

	if (port >= PORTS || (used >> port & 1))
		return false;
	p->number = port;
	p->period = p->spent = p->hold_period = p->hold = p->hold_seen = 0;
	p->told = 0;
	s.opaque = p;
	for (unsigned i = 0; i < NET_MAC_BYTES; i++)
		s.mac[i] = spec->mac[i];
	if (!switch_add(&fabric, port, &s))
		return false;
	if (!start_device(p, spec)) {
		switch_remove(&fabric, port);
		return false;
	}
	used |= bit_u64(port);
	return true;
}

void ports_remove(unsigned port)
{
	if (port >= PORTS || !(used >> port & 1))
		return;
	switch_remove(&fabric, port);
	used &= ~bit_u64(port);
	held = 0;
}

bool ports_add_uplink(const uint8_t mac[NET_MAC_BYTES],
		      enum switch_drop (*to)(void *opaque, const uint8_t *frame, uint32_t bytes,
					     bool single))
{
	struct switch_port_spec s = {
		.open = true, .once = true, .allowed = ~0ull, .deliver = to
	};

	for (unsigned i = 0; i < NET_MAC_BYTES; i++)
		s.mac[i] = mac[i];
	return switch_add(&fabric, PORT_UPLINK, &s);
}

void ports_from_uplink(const uint8_t *frame, uint32_t bytes)
{
	now = env.now();
	(void)switch_frame(&fabric, PORT_UPLINK, frame, bytes, seconds());
}

const struct switch_counters *ports_counters(unsigned port) { return &fabric.port[port].count; }

bool ports_have_news(void)
{
	bool news = fabric.lossy;

	fabric.lossy = false;
	return news;
}

unsigned ports_news(unsigned port)
{
	unsigned lost = 0, told = ports[port].told;

	for (unsigned i = 0; i < SWITCH_DROPS; i++)
		lost |= fabric.port[port].count.dropped[i] != 0 ? 1u << i : 0;
	ports[port].told = lost;
	return lost & ~told;
}
