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

/* The numbers of pages that come, or go back: of the latter nothing has to be
 * done, since they never left the guest. */
static bool serve(struct virtio_balloon *b, struct virtq *q, bool inflate)
{
	struct virtq_cursor out = virtq_out(&b->v.chain);
	uint8_t numbers[64];

	if (out.left / NUMBER_BYTES > MOST_PAGES) {
		virtio_break(&b->v, "a request of too many pages");
		return false;
	}
	while (inflate && out.left >= NUMBER_BYTES) {
		uint32_t n = min_u32(out.left, sizeof(numbers)) / NUMBER_BYTES;

		if (!virtq_read(q, &out, numbers, n * NUMBER_BYTES))
			return false;
		for (uint32_t i = 0; i < n; i++) {
			uint64_t page = load_le32(numbers + i * NUMBER_BYTES);

			if (b->io.give(b->io.opaque, page * VIRTIO_BALLOON_PAGE))
				continue;
			virtio_break(&b->v, "a page that is no memory");
			return false;
		}
	}
	virtq_push(q, &b->v.chain, 0);
	return true;
}

static void kick(struct virtio *v, unsigned queue)
{
	struct virtio_balloon *b = CONTAINER_OF(v, struct virtio_balloon, v);
	struct virtq *q = &v->queue[queue];

	while (virtq_pop(q, &v->chain) && serve(b, q, queue == INFLATE))
		;
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
