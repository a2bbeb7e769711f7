#include <dev/virtio/vsock_switch.h>

#include <selvage/base.h>

static uint64_t cid_of(const struct vsock_switch *s, unsigned guest)
{
	return virtio_vsock_cid(s->guest[guest].device);
}

/* VSOCK_GUESTS: there is none that works, or none that `from` may talk to. */
static unsigned find_guest(const struct vsock_switch *s, unsigned from, uint64_t cid)
{
	for (unsigned i = 0; i < VSOCK_GUESTS; i++)
		if ((s->guest[from].allow >> i & 1) && s->guest[i].device != NULL &&
		    cid_of(s, i) == cid)
			return virtio_vsock_live(s->guest[i].device) ? i : VSOCK_GUESTS;
	return VSOCK_GUESTS;
}

/* `*end`: which of its ends the sender is. */
static struct vsock_connection *find(struct vsock_switch *s, unsigned from, unsigned to,
				     const struct vsock_header *h, unsigned *end)
{
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_connection *c = &s->connection[i];

		for (*end = 0; c->used && !c->over && *end < 2; ++*end) {
			const struct vsock_end *me = &c->end[*end], *other = &c->end[1 - *end];

			if (me->guest == from && me->port == h->src_port &&
			    other->guest == to && other->port == h->dst_port)
				return c;
		}
	}
	return NULL;
}

/* --- Ends ----------------------------------------------------------------------------- */

/* Tells a guest that a connection is no more, in the other side's name. */
static bool send_rst(struct vsock_switch *s, unsigned to, uint32_t port, uint64_t other,
		     uint32_t other_port)
{
	const struct vsock_header h = {
		.src_cid = other,
		.dst_cid = cid_of(s, to),
		.src_port = other_port,
		.dst_port = port,
		.type = VSOCK_STREAM,
		.op = VSOCK_RST,
	};

	return virtio_vsock_deliver(s->guest[to].device, &h, NULL);
}

/* What is owed, as far as there is room; a guest that works no more is owed
 * nothing. */
static void settle(struct vsock_switch *s, struct vsock_connection *c)
{
	for (unsigned i = 0; i < 2; i++) {
		struct vsock_end *e = &c->end[i], *other = &c->end[1 - i];

		if (e->owed && (!virtio_vsock_live(s->guest[e->guest].device) ||
				send_rst(s, e->guest, e->port, cid_of(s, other->guest),
					 other->port)))
			e->owed = false;
	}
	if (c->over && !c->end[0].owed && !c->end[1].owed)
		c->used = false;
}

static void end(struct vsock_switch *s, struct vsock_connection *c, bool owed0, bool owed1)
{
	c->over = true;
	c->end[0].owed = owed0;
	c->end[1].owed = owed1;
	settle(s, c);
}

/* Nothing there for it; a reset of nothing needs no answer. */
static bool refuse(struct vsock_switch *s, unsigned from, const struct vsock_header *h)
{
	if (h->op == VSOCK_RST)
		return true;
	if (!send_rst(s, from, h->src_port, h->dst_cid, h->dst_port))
		return !virtio_vsock_live(s->guest[from].device);
	s->refused++;
	return true;
}

static bool reset_both(struct vsock_switch *s, struct vsock_connection *c)
{
	s->refused++;
	end(s, c, true, true);
	return true;
}

/* --- Packets ---------------------------------------------------------------------------- */

static bool open(struct vsock_switch *s, unsigned from, unsigned to, const struct vsock_header *h)
{
	struct vsock_connection *c = NULL;

	for (unsigned i = 0; i < VSOCK_CONNECTIONS && c == NULL; i++)
		if (!s->connection[i].used)
			c = &s->connection[i];
	if (c == NULL)
		return refuse(s, from, h);
	if (!virtio_vsock_deliver(s->guest[to].device, h, NULL))
		return false;
	*c = (struct vsock_connection){
		.used = true,
		.end = { { .guest = (uint8_t)from,
			   .port = h->src_port,
			   .alloc = h->buf_alloc,
			   .fwd = h->fwd_cnt },
			 { .guest = (uint8_t)to, .port = h->dst_port } },
	};
	return true;
}

static bool has_credit(const struct vsock_end *to, uint32_t bytes)
{
	uint32_t under_way = to->sent - to->fwd;

	return under_way <= to->alloc && bytes <= to->alloc - under_way;
}

bool vsock_switch_packet(struct vsock_switch *s, unsigned from, const struct vsock_header *h,
			 const uint8_t *data)
{
	unsigned to = find_guest(s, from, h->dst_cid), i;
	struct vsock_connection *c;

	if (to == VSOCK_GUESTS || h->type != VSOCK_STREAM)
		return refuse(s, from, h);
	c = find(s, from, to, h, &i);
	if (c == NULL)
		return h->op == VSOCK_REQUEST ? open(s, from, to, h) : refuse(s, from, h);
	if (h->op == VSOCK_RST) {
		end(s, c, i == 1, i == 0);
		return true;
	}
	if (h->op < VSOCK_RESPONSE || h->op > VSOCK_CREDIT_REQUEST)
		return reset_both(s, c);
	c->end[i].alloc = h->buf_alloc;
	c->end[i].fwd = h->fwd_cnt;
	if (!has_credit(&c->end[1 - i], h->len))
		return reset_both(s, c);
	if (!virtio_vsock_deliver(s->guest[to].device, h, data))
		return false;
	c->end[1 - i].sent += h->len;
	return true;
}

void vsock_switch_room(struct vsock_switch *s)
{
	if (s->serving)
		return;
	s->serving = true;
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++)
		if (s->connection[i].used)
			settle(s, &s->connection[i]);
	for (unsigned i = 0; i < VSOCK_GUESTS; i++)
		if (s->guest[i].device != NULL)
			virtio_vsock_service(s->guest[i].device);
	s->serving = false;
}

void vsock_switch_stopped(struct vsock_switch *s, unsigned guest)
{
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_connection *c = &s->connection[i];

		if (!c->used || (c->end[0].guest != guest && c->end[1].guest != guest))
			continue;
		end(s, c, c->end[0].guest != guest, c->end[1].guest != guest);
	}
}
