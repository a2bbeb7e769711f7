#include <dev/virtio/link_shadow.h>

#include <selvage/base.h>
#include <selvage/virtio_abi.h>
#include <string.h>

/* --- Pages of the pool -------------------------------------------------------------- */

static bool is_taken(const struct link_shadow *s, uint32_t page)
{
	return s->taken[page / 8] >> page % 8 & 1;
}

static void mark(struct link_shadow *s, uint32_t page, uint32_t n, bool taken)
{
	for (uint32_t i = page; i < page + n; i++) {
		s->taken[i / 8] &= (uint8_t) ~(1u << i % 8);
		s->taken[i / 8] |= (uint8_t)(taken << i % 8);
	}
}

static uint32_t pages_of(const struct link_shadow *s)
{
	return (uint32_t)min_u64(s->bytes / SHADOW_PAGE, SHADOW_PAGES);
}

/* The first gap that is large enough; the pool's end: there is none. Each queue has its share
 * of the pool, so that one whose buffers wait for long, as a receiver's, leaves room for the
 * others; a buffer that is larger than that may lie anywhere. */
static uint32_t find_pages(const struct link_shadow *s, unsigned n_queues, unsigned queue,
			   uint32_t n)
{
	const uint32_t all = pages_of(s), share = (all - s->rings) / max_u32(n_queues, 1);
	const uint32_t first = s->rings + (n > share ? 0 : queue * share);
	const uint32_t end = n > share ? all : first + share;
	uint32_t run = 0;

	for (uint32_t i = first; i < end; i++) {
		run = is_taken(s, i) ? 0 : run + 1;
		if (run == n)
			return i + 1 - n;
	}
	return all;
}

/* --- Buffers ------------------------------------------------------------------------ */

/* The same of what is known of them. */
static struct shadow_buffer *find_buffer(struct link_shadow *s, const struct virtio *v,
					 unsigned queue)
{
	if (s->under_way[queue] >= SHADOW_CHAINS / max_u32(v->class->n_queues, 1))
		return NULL;
	for (unsigned i = 0; i < SHADOW_CHAINS; i++)
		if (!s->buffer[i].used)
			return &s->buffer[i];
	return NULL;
}

static void take(struct link_shadow *s, struct shadow_buffer *b, unsigned queue)
{
	b->used = true;
	b->queue = (uint8_t)queue;
	s->under_way[queue]++;
	mark(s, b->page, b->pages, true);
}

static void release(struct link_shadow *s, struct shadow_buffer *b)
{
	b->used = false;
	s->under_way[b->queue]--;
	mark(s, b->page, b->pages, false);
}

static uint32_t bytes_of(const struct virtq_chain *c)
{
	return c->out_bytes + c->in_bytes; /* virtq_pop: no overflow */
}

/* What the driver wants to be read goes into the pool, what it wants to be written
 * comes behind it there. */
static bool copy_in(struct link_shadow *s, struct virtq *q, struct shadow_buffer *b,
		    unsigned queue)
{
	const uint64_t offset = (uint64_t)b->page * SHADOW_PAGE;
	struct virtq_cursor out = virtq_out(&b->chain);
	struct vqueue_segment segment[2];
	unsigned n = 0;

	if (b->chain.out_bytes != 0)
		segment[n++] = (struct vqueue_segment){ s->at + offset, b->chain.out_bytes };
	if (b->chain.in_bytes != 0)
		segment[n++] = (struct vqueue_segment){ s->at + offset + b->chain.out_bytes,
							b->chain.in_bytes };
	return n != 0 && virtq_read(q, &out, s->pool + offset, out.left) &&
	       vqueue_add(&s->queue[queue], segment, b->chain.out_bytes != 0,
			  b->chain.in_bytes != 0, (uint32_t)(b - s->buffer));
}

static bool is_disk(const struct virtio *v) { return v->class->id == VIRTIO_ID_BLOCK; }

/* Of a request to a disk it is the last byte (virtio 1.2, 5.2.6), however much of the others
 * is written. */
static bool put_status(struct virtq *q, const struct virtq_chain *c, const uint8_t *status)
{
	struct virtq_cursor in = virtq_in(c);

	if (c->in_bytes == 0)
		return true;
	virtq_skip(&in, c->in_bytes - 1);
	return virtq_write(q, &in, status, 1);
}

/* There is never room for it: a disk says so, what others do has no such answer. */
static bool refuse(struct virtio *v, unsigned queue, const struct virtq_chain *c)
{
	static const uint8_t io_error = 1;
	struct virtq *q = &v->queue[queue];

	if (!is_disk(v) || !put_status(q, c, &io_error)) {
		virtio_break(v, "a buffer that is larger than the pool");
		return false;
	}
	virtq_push(q, c, 0);
	virtio_settle(v, queue);
	return true;
}

/* False: no more for now. */
static bool offer_one(struct link_shadow *s, struct virtio *v, unsigned queue)
{
	struct virtq *q = &v->queue[queue];
	struct shadow_buffer *b = find_buffer(s, v, queue);
	const struct virtq_mark before = virtq_mark(q);

	if (b == NULL || s->queue[queue].n_free < 2 || !virtq_pop(q, &b->chain))
		return false;
	b->pages = (uint32_t)(align_up_u64(max_u32(bytes_of(&b->chain), 1), SHADOW_PAGE) /
			      SHADOW_PAGE);
	if (b->pages > pages_of(s) - s->rings)
		return refuse(v, queue, &b->chain);
	b->page = find_pages(s, v->class->n_queues, queue, b->pages);
	if (b->page == pages_of(s)) {
		virtq_rewind(q, before); /* until others come back */
		return false;
	}
	take(s, b, queue);
	if (copy_in(s, q, b, queue))
		return true;
	release(s, b);
	virtio_break(v, q->error != NULL ? q->error : "an empty buffer");
	return false;
}

bool link_shadow_offer(struct link_shadow *s, struct virtio *v, unsigned queue)
{
	if (!s->on[queue])
		return false;
	while (virtio_live(v) && offer_one(s, v, queue))
		;
	return vqueue_publish(&s->queue[queue]);
}

static void give_back(struct link_shadow *s, struct virtio *v, struct shadow_buffer *b,
		      uint32_t written)
{
	struct virtq *q = &v->queue[b->queue];
	struct virtq_cursor in = virtq_in(&b->chain);
	const uint8_t *from = s->pool + (uint64_t)b->page * SHADOW_PAGE + b->chain.out_bytes;

	if (virtq_write(q, &in, from, written) &&
	    (!is_disk(v) || put_status(q, &b->chain, from + b->chain.in_bytes - 1)))
		virtq_push(q, &b->chain, written);
	release(s, b);
}

bool link_shadow_return(struct link_shadow *s, struct virtio *v, unsigned queue)
{
	struct vqueue *server = &s->queue[queue];
	uint32_t token, written;

	if (!s->on[queue])
		return false;
	do {
		while (vqueue_take(server, &token, &written))
			give_back(s, v, &s->buffer[token], written);
	} while (vqueue_listen(server));
	if (server->error != NULL) {
		virtio_break(v, server->error);
		return false;
	}
	virtio_settle(v, queue);
	return link_shadow_offer(s, v, queue);
}

/* --- Start and end --------------------------------------------------------------------- */

void link_shadow_init(struct link_shadow *s, uint8_t *pool, uint64_t at, uint64_t bytes)
{
	memset(s, 0, sizeof(*s));
	s->pool = pool;
	s->at = at;
	s->bytes = bytes;
}

/* Rings stay where they were at the first start: nothing is in between then. */
bool link_shadow_start(struct link_shadow *s, unsigned queue, uint32_t size,
		       struct virtq_layout *layout)
{
	const uint32_t pages =
		(uint32_t)(align_up_u64(vqueue_bytes(SHADOW_QUEUE), SHADOW_PAGE) / SHADOW_PAGE);
	const uint64_t offset = (uint64_t)queue * pages * SHADOW_PAGE;
	struct vqueue *q = &s->queue[queue];

	s->rings = VIRTIO_MAX_QUEUES * pages;
	if (pages_of(s) <= s->rings || size < 2)
		return false;
	size = min_u32(1u << (31 - __builtin_clz(size)), SHADOW_QUEUE);
	vqueue_init(q, size, s->pool + offset, s->at + offset, true);
	(void)vqueue_listen(q);
	*layout = (struct virtq_layout){ q->desc_at, q->avail_at, q->used_at, size };
	s->on[queue] = true;
	return true;
}

void link_shadow_stop(struct link_shadow *s, unsigned queue)
{
	for (unsigned i = 0; i < SHADOW_CHAINS; i++)
		if (s->buffer[i].used && s->buffer[i].queue == queue)
			release(s, &s->buffer[i]);
	s->on[queue] = false;
}
