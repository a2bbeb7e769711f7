/* Console device (virtio 1.2, 5.3) with one port. */
#pragma once

#include <dev/virtio/device.h>

#define VIRTIO_CONSOLE_PIECE 64u

struct virtio_console_env {
	void *opaque;
	/* Takes as many bytes as there is room for; returns how many. Less than
	 * all: virtio_console_service when there is room. */
	size_t (*transmit)(void *opaque, const uint8_t *from, size_t bytes);
	/* Gives up to `room` bytes of input; returns how many. */
	size_t (*input)(void *opaque, uint8_t *to, size_t room);
};

struct virtio_console {
	struct virtio v;
	struct virtio_console_env io;
	/* Input that was taken and has no buffer yet. */
	uint8_t input[VIRTIO_CONSOLE_PIECE];
	uint32_t input_at, input_end;
	/* Output under way: what transmit did not take yet. */
	bool sending;
	struct virtq_chain chain;
	struct virtq_cursor cursor;
	uint8_t output[VIRTIO_CONSOLE_PIECE];
	uint32_t output_at, output_end;
};

/* Both are copied. */
void virtio_console_init(struct virtio_console *c, const struct virtio_env *env,
			 const struct virtio_console_env *io);
/* Input has come, or there is room for output. */
void virtio_console_service(struct virtio_console *c);
/* Whether its driver works: has input a place to go? */
bool virtio_console_live(const struct virtio_console *c);
