#include <dev/virtio/rng.h>

#include <selvage/base.h>

/* A driver that gave more gets this much of it, which is allowed (5.4.6). */
#define MOST 1024u

static void kick(struct virtio *v, unsigned queue)
{
	struct virtio_rng *r = CONTAINER_OF(v, struct virtio_rng, v);
	struct virtq *q = &v->queue[queue];
	uint8_t bytes[64];

	while (virtq_pop(q, &v->chain)) {
		struct virtq_cursor in = virtq_in(&v->chain);
		uint32_t n = min_u32(in.left, MOST);

		for (uint32_t left = n; left > 0;) {
			uint32_t piece = min_u32(left, sizeof(bytes));

			r->rng.random(r->rng.opaque, bytes, piece);
			if (!virtq_write(q, &in, bytes, piece))
				break;
			left -= piece;
		}
		virtq_push(q, &v->chain, n);
	}
}

static const struct virtio_class class = {
	.name = "virtio-rng",
	.id = 4,
	.n_queues = 1,
	.queue_size = 64,
	.legacy = true,
	.kick = kick,
};

void virtio_rng_init(struct virtio_rng *r, const struct virtio_env *env,
		     const struct virtio_rng_env *rng)
{
	virtio_init(&r->v, &class, env, NULL);
	r->rng = *rng;
}
