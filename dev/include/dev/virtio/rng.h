/* Entropy device (virtio 1.2, 5.4): one queue of buffers to fill. */
#pragma once

#include <dev/virtio/device.h>

struct virtio_rng_env {
	void *opaque;
	void (*random)(void *opaque, void *to, size_t bytes);
};

struct virtio_rng {
	struct virtio v;
	struct virtio_rng_env rng;
};

/* Both are copied. */
void virtio_rng_init(struct virtio_rng *r, const struct virtio_env *env,
		     const struct virtio_rng_env *rng);
