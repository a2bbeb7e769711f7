#include <dev/virtio/vsock_switch.h>

#include <selvage/base.h>

static bool is_live(const struct vsock_switch *s, unsigned guest)
{
	return s->guest[guest].device != NULL && virtio_vsock_live(s->guest[guest].device);
}

static bool may_talk(const struct vsock_switch *s, unsigned a, unsigned b)
{
	return (s->guest[a].allow >> b & 1) && (s->guest[b].allow >> a & 1);
}

/* VSOCK_GUESTS: there is none that works, or none that `from` may talk to. */
static unsigned find_guest(const struct vsock_switch *s, unsigned from, uint64_t cid)
{
	for (unsigned i = 0; i < VSOCK_GUESTS; i++)
		if (s->guest[i].device != NULL && s->guest[i].cid == cid)
			return may_talk(s, from, i) && is_live(s, i) ? i : VSOCK_GUESTS;
	return VSOCK_GUESTS;
}

/* Of those that `opener` has opened, the one that goes from `from`, which is its end `me`;
 * or one of which a reset is owed, if there is no other. */
static struct vsock_connection *find_opened(struct vsock_switch *s, unsigned opener, unsigned me,
					    unsigned from, unsigned to,
					    const struct vsock_header *h)
{
	struct vsock_connection *over = NULL;

	for (unsigned i = 0; i < VSOCK_OPENED; i++) {
		struct vsock_connection *c = &s->connection[opener][i];
		const struct vsock_end *mine = &c->end[me], *other = &c->end[1 - me];

		if (!c->used || mine->guest != from || mine->port != h->src_port ||
		    other->guest != to || other->port != h->dst_port)
			continue;
		if (!c->over)
			return c;
		over = c;
	}
	return over;
}

/* `*end`: which of its ends the sender is. */
static struct vsock_connection *find(struct vsock_switch *s, unsigned from, unsigned to,
				     const struct vsock_header *h, unsigned *end)
{
	struct vsock_connection *mine = find_opened(s, from, 0, from, to, h);
	struct vsock_connection *its = find_opened(s, to, 1, from, to, h);

	*end = mine == NULL || (mine->over && its != NULL);
	return *end ? its : mine;
}

/* To a guest that works. False: it has no room, and the sender waits. */
static bool deliver(struct vsock_switch *s, unsigned to, const struct vsock_header *h,
		    const uint8_t *data)
{
	if (virtio_vsock_deliver(s->guest[to].device, h, data)) {
		s->guest[to].taken++;
		return true;
	}
	s->full |= 1u << to;
	return false;
}

/* --- Ends ----------------------------------------------------------------------------- */

/* Tells a guest that a connection is no more, in the other side's name. */
static bool send_rst(struct vsock_switch *s, unsigned to, uint32_t port, uint64_t other,
		     uint32_t other_port)
{
	const struct vsock_header h = {
		.src_cid = other,
		.dst_cid = s->guest[to].cid,
		.src_port = other_port,
		.dst_port = port,
		.type = VSOCK_STREAM,
		.op = VSOCK_RST,
	};

	return is_live(s, to) && virtio_vsock_deliver(s->guest[to].device, &h, NULL);
}

/* What is owed, as far as there is room; a guest that works no more is owed
 * nothing. */
static void settle(struct vsock_switch *s, struct vsock_connection *c)
{
	for (unsigned i = 0; i < 2; i++) {
		struct vsock_end *e = &c->end[i], *other = &c->end[1 - i];

		if (e->owed && (!is_live(s, e->guest) ||
				send_rst(s, e->guest, e->port, s->guest[other->guest].cid,
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
	if (!send_rst(s, from, h->src_port, h->dst_cid, h->dst_port) && is_live(s, from))
		return false; /* its own packets wait for its own room */
	s->guest[from].refused++;
	return true;
}

static bool reset_both(struct vsock_switch *s, unsigned from, struct vsock_connection *c)
{
	s->guest[from].refused++;
	end(s, c, true, true);
	return true;
}

/* --- Packets ---------------------------------------------------------------------------- */

/* How long a connection is kept from its opener's next one; of those that had no answer, the
 * oldest goes first. */
static uint64_t keep(const struct vsock_connection *c)
{
	if (!c->used || c->over)
		return c->used;
	return c->answered ? UINT64_MAX : 2 + c->since;
}

/* NULL: a guest has opened as many as it may. */
static struct vsock_connection *find_slot(struct vsock_switch *s, unsigned from)
{
	struct vsock_connection *found = NULL;
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < VSOCK_OPENED; i++) {
		struct vsock_connection *c = &s->connection[from][i];

		if (keep(c) < least) {
			least = keep(c);
			found = c;
		}
	}
	return found;
}

/* False: its slot is not free yet, since one is still to be told. */
static bool make_way(struct vsock_switch *s, struct vsock_connection *c)
{
	struct vsock_end *other = &c->end[1];

	if (!c->used)
		return true;
	if (c->over)
		settle(s, c);
	else
		(void)reset_both(s, c->end[0].guest, c);
	if (other->owed && s->guest[other->guest].deaf) {
		other->owed = false;
		settle(s, c);
	}
	if (other->owed)
		s->full |= 1u << other->guest;
	return !c->used;
}

/* What an end takes by its own word (5.10.6.3). Who makes its buffer smaller takes what was
 * sent in the larger one. Its count is one of the last 2^32. */
static void note_credit(struct vsock_end *e, const struct vsock_header *h)
{
	const uint32_t under_way = (uint32_t)e->sent - h->fwd_cnt;
	const int64_t limit = e->sent - under_way + h->buf_alloc;

	if (limit > e->limit)
		e->limit = limit;
}

static bool open(struct vsock_switch *s, unsigned from, unsigned to, const struct vsock_header *h)
{
	struct vsock_connection *c = find_slot(s, from);

	if (c == NULL)
		return refuse(s, from, h);
	if (!make_way(s, c))
		return false;
	if (!deliver(s, to, h, NULL))
		return s->guest[to].deaf && refuse(s, from, h);
	*c = (struct vsock_connection){
		.used = true,
		.since = s->guest[from].packets,
		.end = { { .guest = (uint8_t)from, .port = h->src_port },
			 { .guest = (uint8_t)to, .port = h->dst_port } },
	};
	note_credit(&c->end[0], h);
	return true;
}

/* A reset that is owed would be taken for one of the connection that has its ports next. */
static bool open_after(struct vsock_switch *s, unsigned from, unsigned to,
		       struct vsock_connection *c, const struct vsock_header *h)
{
	settle(s, c);
	if (!c->used)
		return open(s, from, to, h);
	if (c->end[c->end[0].guest == to ? 0 : 1].owed)
		s->full |= 1u << to;
	return s->guest[to].deaf && refuse(s, from, h);
}

/* False: it waits for room. */
static bool pass_on(struct vsock_switch *s, unsigned from, const struct vsock_header *h,
		    const uint8_t *data)
{
	unsigned to = find_guest(s, from, h->dst_cid), i;
	struct vsock_connection *c;

	if (to == VSOCK_GUESTS || h->type != VSOCK_STREAM)
		return refuse(s, from, h);
	c = find(s, from, to, h, &i);
	if (c != NULL && c->over && h->op == VSOCK_REQUEST)
		return open_after(s, from, to, c, h);
	if (c == NULL || c->over)
		return h->op == VSOCK_REQUEST ? open(s, from, to, h) : refuse(s, from, h);
	if (h->op == VSOCK_RST) {
		end(s, c, i == 1, i == 0);
		return true;
	}
	if (h->op < VSOCK_RESPONSE || h->op > VSOCK_CREDIT_REQUEST)
		return reset_both(s, from, c);
	note_credit(&c->end[i], h);
	if (h->len > c->end[1 - i].limit - c->end[1 - i].sent)
		return reset_both(s, from, c);
	if (!deliver(s, to, h, data))
		return s->guest[to].deaf && reset_both(s, from, c);
	c->end[1 - i].sent += h->len;
	c->answered = c->answered || (i == 1 && h->op == VSOCK_RESPONSE);
	return true;
}

bool vsock_switch_packet(struct vsock_switch *s, unsigned from, const struct vsock_header *h,
			 const uint8_t *data)
{
	if (!pass_on(s, from, h, data))
		return false;
	s->guest[from].packets++;
	s->guest[from].bytes += h->len;
	return true;
}

void vsock_switch_retry(struct vsock_switch *s)
{
	if (s->serving)
		return;
	s->serving = true;
	for (unsigned g = 0; g < VSOCK_GUESTS; g++)
		for (unsigned i = 0; i < VSOCK_OPENED; i++)
			if (s->connection[g][i].used)
				settle(s, &s->connection[g][i]);
	for (unsigned g = 0; g < VSOCK_GUESTS; g++)
		if (s->guest[g].device != NULL)
			virtio_vsock_service(s->guest[g].device);
	s->serving = false;
}

void vsock_switch_room(struct vsock_switch *s, unsigned guest)
{
	s->guest[guest].deaf = false;
	vsock_switch_retry(s);
}

/* --- Guests ------------------------------------------------------------------------------- */

void vsock_switch_stopped(struct vsock_switch *s, unsigned guest)
{
	for (unsigned g = 0; g < VSOCK_GUESTS; g++)
		for (unsigned i = 0; i < VSOCK_OPENED; i++) {
			struct vsock_connection *c = &s->connection[g][i];
			const bool is0 = c->end[0].guest == guest, is1 = c->end[1].guest == guest;

			if (c->used && (is0 || is1))
				end(s, c, !is0 && (!c->over || c->end[0].owed),
				    !is1 && (!c->over || c->end[1].owed));
		}
}

void vsock_switch_add(struct vsock_switch *s, unsigned guest, struct virtio_vsock *device,
		      uint32_t allow)
{
	s->guest[guest] = (struct vsock_guest){
		.device = device,
		.cid = virtio_vsock_cid(device),
		.allow = allow,
	};
}

void vsock_switch_remove(struct vsock_switch *s, unsigned guest)
{
	vsock_switch_stopped(s, guest);
	s->guest[guest].device = NULL;
}
