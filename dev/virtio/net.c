#include <dev/virtio/net.h>

#include <selvage/base.h>
#include <string.h>

enum { RX,
       TX,
       QUEUES };

#define MTU 1500u
/* Segments that are looked at for the buffers of one frame, but for those of the last one. */
#define SEGMENTS 64u
/* struct virtio_net_config (5.1.4): offsets; the MAC is at 0. */
#define CONFIG_STATUS 6
#define CONFIG_PAIRS 8
#define CONFIG_MTU 10
/* struct virtio_net_hdr (5.1.6). */
#define HDR_FLAGS 0
#define HDR_F_NEEDS_CSUM 1u
#define HDR_GSO_TYPE 1
#define HDR_BUFFERS 10
#define HDR_LEGACY_BYTES HDR_BUFFERS /* without mergeable buffers it ends there (5.1.6.1) */

static uint32_t header_bytes(const struct virtio_net *n)
{
	return n->v.legacy && !(n->v.features & VIRTIO_NET_F_MRG_RXBUF) ? HDR_LEGACY_BYTES
									: VIRTIO_NET_HDR_BYTES;
}

/* --- Sending ------------------------------------------------------------------------- */

/* Nothing of the header was agreed on; other flags than the one mean nothing (5.1.6.2.2). */
static bool asks_for_nothing(const uint8_t *header)
{
	return !(header[HDR_FLAGS] & HDR_F_NEEDS_CSUM) && header[HDR_GSO_TYPE] == 0;
}

/* False: the chain has not been dealt with, or the queue is in error. */
static bool send_chain(struct virtio_net *n, struct virtq *q, const struct virtq_chain *c)
{
	struct virtq_cursor out = virtq_out(c);
	uint32_t header = header_bytes(n), bytes = out.left - header;

	if (out.left < header + NET_FRAME_MIN || bytes > NET_FRAME_MAX) {
		n->sent_bad++;
		return true;
	}
	if (!virtq_read(q, &out, n->packet, out.left))
		return false;
	if (asks_for_nothing(n->packet))
		return n->io.transmit(n->io.opaque, n->packet + header, bytes);
	n->sent_bad++;
	return true;
}

unsigned virtio_net_poll(struct virtio_net *n, unsigned most)
{
	struct virtq *q = &n->v.queue[TX];
	unsigned taken = 0;

	if (!virtio_live(&n->v) || !q->ready) {
		n->waiting = false;
		return 0;
	}
	for (; taken < most; taken++) {
		struct virtq_mark mark = virtq_mark(q);

		if (!virtq_pop(q, &n->v.chain)) {
			n->waiting = false;
			break;
		}
		/* transmit may give this device a frame: the chain is then another's. */
		struct virtq_used used = { n->v.chain.id, n->v.chain.slots, 0 };

		if (!send_chain(n, q, &n->v.chain)) {
			virtq_rewind(q, mark);
			break;
		}
		virtq_push_all(q, &used, 1);
	}
	n->waiting = n->waiting && q->error == NULL;
	return taken;
}

/* --- Receiving ------------------------------------------------------------------------- */

struct reception {
	struct virtq_used used[VIRTIO_NET_MERGE];
	unsigned n, segments;
	const uint8_t *frame;
	uint32_t bytes, done;           /* of the frame */
	uint32_t header;                /* in the first buffer */
	struct virtq_mark start, first; /* before and behind the first buffer */
};

/* Fills a buffer; in the first one, the header's room is left alone for now. */
static bool fill(struct virtio_net *n, struct virtq *q, const struct virtq_chain *c,
		 struct reception *r)
{
	struct virtq_cursor in = virtq_in(c);
	uint32_t header = r->n == 0 ? r->header : 0;
	uint32_t piece;

	if (r->n != 0 && in.left == 0)
		virtio_break(&n->v, "a buffer for frames that takes nothing");
	if (in.left < header || !virtio_live(&n->v))
		return false;
	virtq_skip(&in, header);
	piece = min_u32(in.left, r->bytes - r->done);
	if (!virtq_write(q, &in, r->frame + r->done, piece))
		return false;
	r->done += piece;
	r->used[r->n++] = (struct virtq_used){ c->id, c->slots, header + piece };
	return true;
}

/* Buffers until the frame is in them. */
static enum virtio_net_result gather(struct virtio_net *n, struct virtq *q, struct reception *r)
{
	bool merge = n->v.features & VIRTIO_NET_F_MRG_RXBUF;

	do {
		struct virtq_chain *c = r->n == 0 ? &n->first : &n->v.chain;

		if (r->n == (merge ? VIRTIO_NET_MERGE : 1) || r->segments > SEGMENTS)
			return VIRTIO_NET_TOO_LONG;
		if (!virtq_pop(q, c))
			return VIRTIO_NET_NO_ROOM;
		if (r->n == 0)
			r->first = virtq_mark(q);
		if (!fill(n, q, c, r))
			return VIRTIO_NET_TOO_LONG;
		r->segments += c->n_out + c->n_in;
	} while (r->done < r->bytes);
	return VIRTIO_NET_OK;
}

static bool write_header(struct virtio_net *n, struct virtq *q, unsigned buffers)
{
	struct virtq_cursor in = virtq_in(&n->first);
	uint8_t header[VIRTIO_NET_HDR_BYTES] = { 0 };

	store_le16(header + HDR_BUFFERS, (uint16_t)buffers);
	return virtq_write(q, &in, header, header_bytes(n));
}

/* Buffers that no frame fits into go back empty, one for each frame that is lost: they
 * would be there for ever. */
static enum virtio_net_result give_up(struct virtio_net *n, struct virtq *q,
				      const struct reception *r, enum virtio_net_result why)
{
	if (q->error != NULL || !virtio_live(&n->v))
		return VIRTIO_NET_OFF;
	virtq_rewind(q, why == VIRTIO_NET_TOO_LONG ? r->first : r->start);
	if (why == VIRTIO_NET_TOO_LONG)
		virtq_push(q, &n->first, 0);
	return why;
}

enum virtio_net_result virtio_net_receive(struct virtio_net *n, const uint8_t *frame,
					  uint32_t bytes)
{
	struct virtq *q = &n->v.queue[RX];
	struct reception r;
	enum virtio_net_result result;

	if (!virtio_live(&n->v) || !q->ready)
		return VIRTIO_NET_OFF;
	if (bytes > NET_FRAME_MAX)
		return VIRTIO_NET_TOO_LONG;
	r.n = r.segments = 0;
	r.frame = frame;
	r.bytes = bytes;
	r.done = 0;
	r.header = header_bytes(n);
	r.start = virtq_mark(q);
	result = gather(n, q, &r);
	if (result != VIRTIO_NET_OK)
		return give_up(n, q, &r, result);
	if (!write_header(n, q, r.n))
		return VIRTIO_NET_OFF;
	virtq_push_all(q, r.used, r.n);
	return VIRTIO_NET_OK;
}

/* --- The device --------------------------------------------------------------------------- */

void virtio_net_settle(struct virtio_net *n)
{
	virtio_settle(&n->v, TX);
	virtio_settle(&n->v, RX);
}

static void kick(struct virtio *v, unsigned queue)
{
	struct virtio_net *n = CONTAINER_OF(v, struct virtio_net, v);

	n->waiting |= queue == TX;
	n->io.kicked(n->io.opaque);
}

static void stopped(struct virtio *v, unsigned queue)
{
	if (queue == TX)
		CONTAINER_OF(v, struct virtio_net, v)->waiting = false;
}

static const struct virtio_class class = {
	.name = "virtio-net",
	.id = VIRTIO_ID_NET,
	.features = VIRTIO_F_RING_PACKED | VIRTIO_NET_F_MTU | VIRTIO_NET_F_MAC |
		    VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS,
	.n_queues = QUEUES,
	.queue_size = 256,
	.config_bytes = VIRTIO_NET_CONFIG_BYTES,
	.kick = kick,
	.stopped = stopped,
	.legacy = true,
};

void virtio_net_init(struct virtio_net *n, const struct virtio_env *env,
		     const struct virtio_net_env *io, const uint8_t mac[NET_MAC_BYTES])
{
	n->io = *io;
	n->waiting = false;
	n->sent_bad = 0;
	memset(n->config, 0, sizeof(n->config));
	memcpy(n->config, mac, NET_MAC_BYTES);
	store_le16(n->config + CONFIG_STATUS, VIRTIO_NET_S_LINK_UP);
	store_le16(n->config + CONFIG_PAIRS, 1);
	store_le16(n->config + CONFIG_MTU, MTU);
	virtio_init(&n->v, &class, env, n->config);
}
