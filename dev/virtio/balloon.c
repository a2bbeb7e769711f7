#include <dev/virtio/balloon.h>

#include <selvage/base.h>
#include <string.h>

enum { INFLATE,
       DEFLATE,
       QUEUES };

/* Pages are not used again before the device was told. */
#define F_MUST_TELL_HOST (1ull << 0)
#define CONFIG_ASKED 0u
#define CONFIG_ACTUAL 4u
#define NUMBER_BYTES VIRTIO_BALLOON_NUMBER

static uint64_t page_at(const uint8_t *numbers, uint32_t i)
{
	return (uint64_t)load_le32(numbers + i * NUMBER_BYTES) * VIRTIO_BALLOON_PAGE;
}

static bool too_many(struct virtio_balloon *b, uint32_t bytes)
{
	if (bytes / NUMBER_BYTES <= VIRTIO_BALLOON_PAGES)
		return false;
	virtio_break(&b->v, "a request of too many pages");
	return true;
}

static bool give(struct virtio_balloon *b, struct virtq *q)
{
	const bool tells = (b->v.features & F_MUST_TELL_HOST) != 0;
	struct virtq_cursor out = virtq_out(&b->v.chain);
	uint8_t numbers[64];

	if (too_many(b, out.left))
		return false;
	while (out.left >= NUMBER_BYTES) {
		uint32_t n = min_u32(out.left, sizeof(numbers)) / NUMBER_BYTES;

		if (!virtq_read(q, &out, numbers, n * NUMBER_BYTES))
			return false;
		for (uint32_t i = 0; i < n; i++) {
			if (b->io.give(b->io.opaque, page_at(numbers, i), tells))
				continue;
			virtio_break(&b->v, "a page that is no memory");
			return false;
		}
	}
	return true;
}

static void inflate(struct virtio_balloon *b, struct virtq *q)
{
	while (virtq_pop(q, &b->v.chain) && give(b, q))
		virtq_push(q, &b->v.chain, 0);
}

/* The numbers are read once: what comes back is what was fetched. */
static bool take(struct virtio_balloon *b, struct virtq *q)
{
	struct virtq_cursor out;

	if (!virtq_pop(q, &b->v.chain))
		return false;
	out = virtq_out(&b->v.chain);
	if (too_many(b, out.left))
		return false;
	b->request = (struct virtq_used){ b->v.chain.id, b->v.chain.slots, 0 };
	b->n = out.left / NUMBER_BYTES;
	return virtq_read(q, &out, b->numbers, b->n * NUMBER_BYTES);
}

static bool fetch(struct virtio_balloon *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (!b->io.fetch(b->io.opaque, page_at(b->numbers, i)))
			return false;
	return true;
}

/* All pages of a request, or none: one for which there is no memory waits. */
static void deflate(struct virtio_balloon *b, struct virtq *q)
{
	while (b->waits || take(b, q)) {
		b->waits = !fetch(b);
		if (b->waits)
			return;
		for (uint32_t i = 0; i < b->n; i++)
			b->io.back(b->io.opaque, page_at(b->numbers, i));
		virtq_push_all(q, &b->request, 1);
	}
}

static void kick(struct virtio *v, unsigned queue)
{
	struct virtio_balloon *b = CONTAINER_OF(v, struct virtio_balloon, v);

	if (queue == INFLATE)
		inflate(b, &v->queue[queue]);
	else
		deflate(b, &v->queue[queue]);
}

static void stopped(struct virtio *v, unsigned queue)
{
	struct virtio_balloon *b = CONTAINER_OF(v, struct virtio_balloon, v);

	if (queue == DEFLATE)
		b->waits = false;
	else
		b->io.reset(b->io.opaque);
}

void virtio_balloon_service(struct virtio_balloon *b)
{
	if (!b->waits || !virtio_live(&b->v))
		return;
	deflate(b, &b->v.queue[DEFLATE]);
	virtio_settle(&b->v, DEFLATE);
}

/* `actual`, at any width: a legacy driver writes bytes. */
static bool config_write(struct virtio *v, uint32_t offset, uint64_t value, uint32_t bytes)
{
	struct virtio_balloon *b = CONTAINER_OF(v, struct virtio_balloon, v);

	if (offset < CONFIG_ACTUAL)
		return false;
	for (uint32_t i = 0; i < bytes; i++)
		b->config[offset + i] = (uint8_t)(value >> (8 * i));
	b->io.actual(b->io.opaque, load_le32(b->config + CONFIG_ACTUAL));
	return true;
}

static const struct virtio_class class = {
	.name = "virtio-balloon",
	.id = 5,
	.features = F_MUST_TELL_HOST,
	.n_queues = QUEUES,
	.queue_size = 64,
	.config_bytes = VIRTIO_BALLOON_CONFIG_BYTES,
	.legacy = true,
	.kick = kick,
	.stopped = stopped,
	.config_write = config_write,
};

void virtio_balloon_init(struct virtio_balloon *b, const struct virtio_env *env,
			 const struct virtio_balloon_env *io)
{
	memset(b, 0, sizeof(*b));
	virtio_init(&b->v, &class, env, b->config);
	b->io = *io;
}

void virtio_balloon_ask(struct virtio_balloon *b, uint32_t pages)
{
	if (pages == virtio_balloon_asked(b))
		return;
	store_le32(b->config + CONFIG_ASKED, pages);
	b->v.generation++;
	if (virtio_live(&b->v))
		b->v.transport.interrupt(b->v.transport.opaque, VIRTIO_CONFIG_CHANGED);
}

uint32_t virtio_balloon_asked(const struct virtio_balloon *b)
{
	return load_le32(b->config + CONFIG_ASKED);
}
