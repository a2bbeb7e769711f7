/*
 * Console device (virtio 1.2, 5.3): port 0 is the console; more ports, each
 * with a name, for a driver that takes VIRTIO_CONSOLE_F_MULTIPORT.
 */
#pragma once

#include <dev/virtio/device.h>

#define VIRTIO_CONSOLE_PIECE 64u
/* Two queues each, and two for control. */
#define VIRTIO_CONSOLE_PORTS (VIRTIO_MAX_QUEUES / 2u - 1u)

struct virtio_console_env {
	void *opaque;
	/* Takes as many bytes as there is room for; returns how many. Less than
	 * all: virtio_console_service when there is room. Of what one kick or service
	 * brings, the first 4 MiB are sent. */
	size_t (*transmit)(void *opaque, const uint8_t *from, size_t bytes);
	/* Gives up to `room` bytes of input; returns how many. */
	size_t (*input)(void *opaque, uint8_t *to, size_t room);
};

/* Private to the model. */
struct virtio_console_port {
	struct virtio_console_env io;
	const char *name;
	/* What the driver is to be told of it (5.3.6.2), a bit for each event; whether it was
	 * told, or will be, that there is the port; and whether somebody has it open there. */
	uint8_t news;
	bool added, open;
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

#define VIRTIO_CONSOLE_CONFIG_BYTES 12u
struct virtio_console {
	struct virtio v;
	struct virtio_class class;
	unsigned n_ports;
	struct virtio_console_port port[VIRTIO_CONSOLE_PORTS];
	uint8_t config[VIRTIO_CONSOLE_CONFIG_BYTES];
};

/* Both are copied. */
void virtio_console_init(struct virtio_console *c, const struct virtio_env *env,
			 const struct virtio_console_env *io);
/* Another port, before a transport takes the device; `name` stays. False: there
 * are as many as there can be. */
bool virtio_console_add_port(struct virtio_console *c, const char *name,
			     const struct virtio_console_env *io);
/* Input has come, or there is room for output, on any port. */
void virtio_console_service(struct virtio_console *c);
/* Whether somebody in the guest has port `port` open; ports are numbered as they were added,
 * from 1 on. */
bool virtio_console_is_open(const struct virtio_console *c, unsigned port);
/* Whether its driver works: has input a place to go? */
bool virtio_console_live(const struct virtio_console *c);
