#include <dev/virtio/vsock.h>

#include <selvage/base.h>
#include <string.h>

enum { RX,
       TX,
       EVENT,
       QUEUES };
#define EVENT_BYTES 4u
#define EVENT_TRANSPORT_RESET 0u
/* That are looked at for the buffers of one piece, but for those of the last one. */
#define SEGMENTS 64u

static void unpack(const uint8_t b[VSOCK_HEADER_BYTES], struct vsock_header *h)
{
	*h = (struct vsock_header){
		.src_cid = load_le64(b),
		.dst_cid = load_le64(b + 8),
		.src_port = load_le32(b + 16),
		.dst_port = load_le32(b + 20),
		.len = load_le32(b + 24),
		.type = load_le16(b + 28),
		.op = load_le16(b + 30),
		.flags = load_le32(b + 32),
		.buf_alloc = load_le32(b + 36),
		.fwd_cnt = load_le32(b + 40),
	};
}

static void pack(const struct vsock_header *h, uint8_t b[VSOCK_HEADER_BYTES])
{
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
}

uint64_t virtio_vsock_cid(const struct virtio_vsock *s)
{
	return load_le64(s->config);
}

bool virtio_vsock_live(const struct virtio_vsock *s)
{
	return virtio_live(&s->v) && s->v.queue[RX].ready && s->v.queue[TX].ready;
}

/* --- From the driver ------------------------------------------------------------------ */

static bool refuse(struct virtio_vsock *s, const char *why)
{
	virtio_break(&s->v, why);
	return false;
}

/* The next packet's header. */
static bool begin(struct virtio_vsock *s, struct virtq *q)
{
	uint8_t header[VSOCK_HEADER_BYTES];

	if (!virtq_pop(q, &s->chain))
		return false;
	s->cursor = virtq_out(&s->chain);
	if (s->cursor.left < sizeof(header))
		return refuse(s, "a packet without a header");
	if (!virtq_read(q, &s->cursor, header, sizeof(header)))
		return false;
	unpack(header, &s->header);
	if (s->header.src_cid != virtio_vsock_cid(s))
		return refuse(s, "a packet in another's name");
	if (s->header.len > s->cursor.left)
		return refuse(s, "a packet that is longer than its buffer");
	s->left = s->header.op == VSOCK_RW ? s->header.len : 0;
	s->header.len = 0;
	s->sending = true;
	s->waiting = false;
	return true;
}

static bool may_send(struct virtio_vsock *s)
{
	s->later = s->io.may_send != NULL && !s->io.may_send(s->io.opaque);
	return !s->later;
}

/* All of the packet that can go now, piece by piece. */
static bool finish(struct virtio_vsock *s, struct virtq *q)
{
	do {
		uint32_t n = min_u32(s->left, sizeof(s->piece));

		if (!may_send(s))
			return false;
		if (!s->waiting && !virtq_read(q, &s->cursor, s->piece, n))
			return false;
		s->header.len = n;
		s->waiting = !s->io.packet(s->io.opaque, &s->header, s->piece);
		/* It may have been reset by what came of it. */
		if (s->waiting || !s->sending)
			return false;
		s->left -= n;
	} while (s->left != 0);
	return true;
}

static void send(struct virtio_vsock *s)
{
	struct virtq *q = &s->v.queue[TX];

	while (virtio_live(&s->v) && (s->sending || begin(s, q)) && finish(s, q)) {
		s->sending = false;
		virtq_push(q, &s->chain, 0);
	}
	virtio_settle(&s->v, TX);
}

static void tell_reset(struct virtio_vsock *s)
{
	static const uint8_t event[EVENT_BYTES] = { EVENT_TRANSPORT_RESET };
	struct virtq *q = &s->v.queue[EVENT];
	struct virtq_cursor in;

	if (!s->owes_reset || !q->ready)
		return;
	if (virtq_pop(q, &s->v.chain)) {
		in = virtq_in(&s->v.chain);
		s->owes_reset = false;
		if (in.left < EVENT_BYTES)
			virtio_break(&s->v, "a buffer that is too small for an event");
		else if (virtq_write(q, &in, event, EVENT_BYTES))
			virtq_push(q, &s->v.chain, EVENT_BYTES);
	}
	virtio_settle(&s->v, EVENT);
}

void virtio_vsock_lost(struct virtio_vsock *s) { s->owes_reset = true; }

void virtio_vsock_service(struct virtio_vsock *s)
{
	if (!virtio_vsock_live(s))
		return;
	tell_reset(s);
	if (virtio_vsock_live(s))
		send(s);
}

/* --- To the driver ---------------------------------------------------------------------- */

/* Drivers may have buffers that are smaller than a piece: each takes a packet of its own,
 * with what fits of the data. */
struct delivery {
	struct vsock_header header; /* of the next packet */
	const uint8_t *data;
	uint32_t left;
	struct virtq_used used[VIRTQ_TOGETHER];
	unsigned n, segments;
};

static bool fill(struct virtio_vsock *s, struct virtq *q, struct delivery *d)
{
	struct virtq_cursor in = virtq_in(&s->v.chain);
	uint8_t header[VSOCK_HEADER_BYTES];
	uint32_t n;

	if (in.left < sizeof(header) + (d->left != 0))
		return refuse(s, "a buffer that is too small for a packet");
	n = min_u32(d->left, in.left - (uint32_t)sizeof(header));
	d->header.len = n;
	pack(&d->header, header);
	if (!virtq_write(q, &in, header, sizeof(header)) || !virtq_write(q, &in, d->data, n))
		return false;
	if (n != 0)
		d->data += n;
	d->left -= n;
	d->segments += s->v.chain.n_in + s->v.chain.n_out;
	d->used[d->n++] = (struct virtq_used){ s->v.chain.id, s->v.chain.slots,
					       (uint32_t)sizeof(header) + n };
	return true;
}

/* All of it, or nothing. */
static bool gather(struct virtio_vsock *s, struct virtq *q, struct delivery *d)
{
	do {
		if (d->n == VIRTQ_TOGETHER || d->segments > SEGMENTS)
			return refuse(s, "buffers that are too small for a packet");
		if (!virtq_pop(q, &s->v.chain) || !fill(s, q, d))
			return false;
	} while (d->left != 0);
	return true;
}

bool virtio_vsock_deliver(struct virtio_vsock *s, const struct vsock_header *h,
			  const uint8_t *data)
{
	struct virtq *q = &s->v.queue[RX];
	const struct virtq_mark start = virtq_mark(q);
	struct delivery d;
	bool done;

	d.header = *h;
	d.data = data;
	d.left = h->len;
	d.n = d.segments = 0;
	done = virtio_vsock_live(s) && gather(s, q, &d);
	if (done)
		virtq_push_all(q, d.used, d.n);
	else
		virtq_rewind(q, start);
	virtio_settle(&s->v, RX);
	return done;
}

/* --- The device --------------------------------------------------------------------------- */

static void kick(struct virtio *v, unsigned queue)
{
	struct virtio_vsock *s = CONTAINER_OF(v, struct virtio_vsock, v);

	if (queue != RX)
		virtio_vsock_service(s);
	else if (queue == RX)
		s->io.room(s->io.opaque);
}

static void stopped(struct virtio *v, unsigned queue)
{
	struct virtio_vsock *s = CONTAINER_OF(v, struct virtio_vsock, v);

	if (queue == EVENT)
		return;
	s->sending = s->waiting = s->later = false;
	s->owes_reset = false; /* it has none now */
	s->io.stopped(s->io.opaque);
}

static const struct virtio_class class = {
	.name = "virtio-vsock",
	.id = VIRTIO_ID_VSOCK,
	.n_queues = QUEUES,
	.queue_size = 128,
	.config_bytes = 8,
	.kick = kick,
	.stopped = stopped,
};

void virtio_vsock_init(struct virtio_vsock *s, const struct virtio_env *env,
		       const struct virtio_vsock_env *io, uint64_t cid)
{
	memset(s, 0, sizeof(*s));
	virtio_init(&s->v, &class, env, s->config);
	s->io = *io;
	store_le64(s->config, cid);
}
