#include "switch.h"

#include <selvage/base.h>
#include <string.h>

#define NONE 0u /* in a bucket; else entry + 1 */

const char *switch_drop_name(unsigned reason)
{
	static const char *const names[SWITCH_DROPS] = {
		[SWITCH_SPOOFED] = "spoofed",
		[SWITCH_FORBIDDEN] = "forbidden",
		[SWITCH_RESERVED] = "reserved",
		[SWITCH_UNKNOWN] = "unknown",
		[SWITCH_NO_ROOM] = "no_room",
		[SWITCH_DOWN] = "down",
	};

	return reason < SWITCH_DROPS ? names[reason] : NULL;
}

/* --- Addresses --------------------------------------------------------------------- */

static bool is_group(const uint8_t *mac) { return mac[0] & 1; }

static bool same(const uint8_t *a, const uint8_t *b)
{
	return load_le32(a) == load_le32(b) && load_le16(a + 4) == load_le16(b + 4);
}

static unsigned hash(const uint8_t *mac)
{
	uint32_t h = (load_le32(mac + 2) ^ load_le16(mac)) * 0x9e3779b1u;

	return h >> 24;
}
_Static_assert(SWITCH_BUCKETS == 256, "8 bits of the hash");

static struct switch_entry *first_of(struct switch_fabric *s, unsigned port)
{
	return &s->entry[port * SWITCH_PER_PORT];
}

/* At most as many steps as there are entries. */
static const struct switch_entry *find(const struct switch_fabric *s, const uint8_t *mac)
{
	for (unsigned i = s->bucket[hash(mac)]; i != NONE; i = s->entry[i - 1].next)
		if (same(s->entry[i - 1].mac, mac))
			return &s->entry[i - 1];
	return NULL;
}

static void forget(struct switch_fabric *s, struct switch_entry *e)
{
	uint16_t *link = &s->bucket[hash(e->mac)];
	uint16_t self = (uint16_t)(e - s->entry + 1);

	if (!e->used)
		return;
	while (*link != self)
		link = &s->entry[*link - 1].next;
	*link = e->next;
	e->used = false;
}

static void remember(struct switch_fabric *s, struct switch_entry *e, const uint8_t *mac,
		     unsigned port, uint32_t now_s)
{
	uint16_t *bucket = &s->bucket[hash(mac)];

	memcpy(e->mac, mac, SWITCH_MAC);
	e->port = (uint8_t)port;
	e->used = true;
	e->seen_s = now_s;
	e->next = *bucket;
	*bucket = (uint16_t)(e - s->entry + 1);
}

static bool is_own(const struct switch_fabric *s, const struct switch_entry *e)
{
	return (unsigned)(e - s->entry) % SWITCH_PER_PORT == 0;
}

/* An entry for one more address behind the port: a free one, or the oldest. */
static struct switch_entry *place_for(struct switch_fabric *s, unsigned port)
{
	struct switch_entry *e = first_of(s, port) + 1, *oldest = e;

	for (unsigned i = 0; i < SWITCH_LEARNED; i++, e++) {
		if (!e->used)
			return e;
		if (e->seen_s < oldest->seen_s)
			oldest = e;
	}
	return oldest;
}

/* False: the address is another's. */
static bool learn(struct switch_fabric *s, unsigned port, const uint8_t *mac, uint32_t now_s)
{
	struct switch_entry *e = (struct switch_entry *)find(s, mac);

	if (e != NULL && e->port == port) {
		e->seen_s = now_s;
		return true;
	}
	if (e != NULL && is_own(s, e))
		return false;
	if (e != NULL) /* it has moved */
		forget(s, e);
	e = place_for(s, port);
	forget(s, e);
	remember(s, e, mac, port, now_s);
	return true;
}

unsigned switch_find(const struct switch_fabric *s, const uint8_t mac[SWITCH_MAC], uint32_t now_s)
{
	const struct switch_entry *e = find(s, mac);

	if (e == NULL || (!is_own(s, e) && now_s - e->seen_s > SWITCH_AGE_S))
		return SWITCH_PORTS;
	return e->port;
}

/* --- Ports ------------------------------------------------------------------------- */

void switch_init(struct switch_fabric *s) { memset(s, 0, sizeof(*s)); }

bool switch_add(struct switch_fabric *s, unsigned port, const struct switch_port_spec *spec)
{
	static const uint8_t nobody[SWITCH_MAC];
	struct switch_entry *e;

	if (port >= SWITCH_PORTS || s->port[port].used || is_group(spec->mac) ||
	    same(spec->mac, nobody))
		return false;
	e = (struct switch_entry *)find(s, spec->mac);
	if (e != NULL && is_own(s, e))
		return false;
	if (e != NULL)
		forget(s, e);
	s->port[port] = (struct switch_port){ .used = true, .spec = *spec };
	remember(s, first_of(s, port), spec->mac, port, 0);
	return true;
}

void switch_remove(struct switch_fabric *s, unsigned port)
{
	if (port >= SWITCH_PORTS || !s->port[port].used)
		return;
	for (unsigned i = 0; i < SWITCH_PER_PORT; i++)
		forget(s, first_of(s, port) + i);
	s->port[port].used = false;
}

/* --- Frames ------------------------------------------------------------------------ */

static bool may_talk(const struct switch_fabric *s, unsigned a, unsigned b)
{
	return (s->port[a].spec.allowed >> b & 1) && (s->port[b].spec.allowed >> a & 1);
}

static bool may_send_from(struct switch_fabric *s, unsigned port, const uint8_t *mac,
			  uint32_t now_s)
{
	const struct switch_port_spec *spec = &s->port[port].spec;

	if (!spec->open)
		return same(mac, spec->mac);
	return !is_group(mac) && learn(s, port, mac, now_s);
}

/* False: it is to be tried again. */
static bool deliver(struct switch_fabric *s, unsigned to, const uint8_t *frame, uint32_t bytes,
		    bool single)
{
	struct switch_port *p = &s->port[to];
	enum switch_drop result = p->spec.deliver(p->spec.opaque, frame, bytes, single);

	if (result == SWITCH_HOLD)
		return false;
	if (result != SWITCH_DROPS) {
		p->count.dropped[result]++;
		s->lossy = true;
		return true;
	}
	p->count.frames_out++;
	p->count.bytes_out += bytes;
	return true;
}

/* To all that may have it: of a single receiver's address that nobody is known to have,
 * those behind which it can be. */
static bool flood(struct switch_fabric *s, unsigned from, const uint8_t *frame, uint32_t bytes)
{
	bool any = false;

	for (unsigned i = 0; i < SWITCH_PORTS; i++) {
		if (!s->port[i].used || i == from || !may_talk(s, from, i) ||
		    (!is_group(frame) && !s->port[i].spec.open))
			continue;
		(void)deliver(s, i, frame, bytes, false);
		any = true;
	}
	return any;
}

/* 01:80:c2:00:00:00 to 0f. */
static bool is_reserved(const uint8_t *mac)
{
	return load_be32(mac) == 0x0180c200 && mac[4] == 0 && mac[5] < 0x10;
}

/* Why it is dropped; SWITCH_DROPS: it is not; SWITCH_HOLD. */
static enum switch_drop pass_on(struct switch_fabric *s, unsigned port, const uint8_t *frame,
				uint32_t bytes, uint32_t now_s)
{
	unsigned to;

	if (!may_send_from(s, port, frame + SWITCH_MAC, now_s))
		return SWITCH_SPOOFED;
	if (is_reserved(frame))
		return SWITCH_RESERVED;
	to = is_group(frame) ? SWITCH_PORTS : switch_find(s, frame, now_s);
	if (to == port) /* they are on the same side of it */
		return SWITCH_DROPS;
	if (to == SWITCH_PORTS)
		return flood(s, port, frame, bytes) ? SWITCH_DROPS : SWITCH_UNKNOWN;
	if (!may_talk(s, port, to))
		return SWITCH_FORBIDDEN;
	return deliver(s, to, frame, bytes, !s->port[port].spec.once) ? SWITCH_DROPS
								      : SWITCH_HOLD;
}

bool switch_frame(struct switch_fabric *s, unsigned port, const uint8_t *frame, uint32_t bytes,
		  uint32_t now_s)
{
	struct switch_counters *count = &s->port[port].count;
	enum switch_drop result = pass_on(s, port, frame, bytes, now_s);

	if (result == SWITCH_HOLD)
		return false;
	count->frames_in++;
	count->bytes_in += bytes;
	if (result < SWITCH_DROPS) {
		count->dropped[result]++;
		s->lossy = true;
	}
	return true;
}
