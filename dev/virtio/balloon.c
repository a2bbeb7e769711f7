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
/* Of one request; Linux sends up to 256. */
#define MOST_PAGES 4096u
#define NUMBER_BYTES 4u

/* What is done with each page. */
enum step { GIVE,
	    FETCH,
	    BACK };

static bool one(struct virtio_balloon *b, uint64_t at, enum step step)
{
	const bool tells = (b->v.features & F_MUST_TELL_HOST) != 0;

	if (step == FETCH)
		return b->io.fetch(b->io.opaque, at);
	if (step == BACK)
		b->io.back(b->io.opaque, at);
	else if (!b->io.give(b->io.opaque, at, tells))
		virtio_break(&b->v, "a page that is no memory");
	return virtio_live(&b->v);
}

/* The pages of a request, whose numbers it has. False: broken, or not all were fetched. */
static bool each(struct virtio_balloon *b, struct virtq *q, struct virtq_chain *chain,
		 enum step step)
{
	struct virtq_cursor out = virtq_out(chain);
	uint8_t numbers[64];

	if (out.left / NUMBER_BYTES > MOST_PAGES) {
		virtio_break(&b->v, "a request of too many pages");
		return false;
	}
	while (out.left >= NUMBER_BYTES) {
		uint32_t n = min_u32(out.left, sizeof(numbers)) / NUMBER_BYTES;

		if (!virtq_read(q, &out, numbers, n * NUMBER_BYTES))
			return false;
		for (uint32_t i = 0; i < n; i++) {
			uint64_t page = load_le32(numbers + i * NUMBER_BYTES);

			if (!one(b, page * VIRTIO_BALLOON_PAGE, step))
				return false;
		}
	}
	return true;
}

static void inflate(struct virtio_balloon *b, struct virtq *q)
{
	while (virtq_pop(q, &b->v.chain) && each(b, q, &b->v.chain, GIVE))
		virtq_push(q, &b->v.chain, 0);
}

/* All pages of a request, or none: one for which there is no memory waits. */
static void deflate(struct virtio_balloon *b, struct virtq *q)
{
	while (virtio_live(&b->v) && (b->waits || virtq_pop(q, &b->chain))) {
		b->waits = !each(b, q, &b->chain, FETCH) && virtio_live(&b->v) && !q->error;
		if (b->waits || !each(b, q, &b->chain, BACK))
			return;
		virtq_push(q, &b->chain, 0);
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
