/*
 * The server's end of a connection (link.h): a transport of dev/virtio, which
 * takes requests from the control page and drives a device with them, and the
 * memory that the device reaches. One caller at a time.
 */
#pragma once

#include <dev/virtio/device.h>
#include <selvage/link.h>

struct link_server_env {
	void *opaque;
	struct link_page *page;
	/* What is shared of the driver's memory, as the server sees it. */
	uint8_t *memory;
	uint64_t bytes;
	/* What there is of it, if it has holes; stays. None: all. */
	const struct link_piece *piece;
	unsigned n_pieces;
	uint32_t up; /* not 0, and another one at each start */
	/* LINK_S_RESUMES: buffers go back in order, and only when what was done outlives this
	 * server. */
	bool resumes;
	/* To the driver VM's guest, or to its monitor. */
	void (*interrupt)(void *opaque);
	void (*event)(void *opaque);
};

/* Private; here so that owners can embed it. */
struct link_server {
	struct link_server_env env;
	struct virtio *device;
	uint32_t handled; /* request */
	uint32_t epoch;
	uint32_t flags;
	uint32_t generation;
	uint32_t interrupts[LINK_QUEUES];
	bool owes_interrupt, owes_event;
	unsigned n_windows;
	struct link_window window[LINK_WINDOWS]; /* each within the memory */
};

/* Copies `env`. After that a device is made with link_server_env(), and given to
 * link_server_start(). */
void link_server_init(struct link_server *s, const struct link_server_env *env);
/* For the init function of the device's class: its memory, and who hears that it
 * was broken. */
struct virtio_env link_server_virtio(struct link_server *s);
/* Bytes of the driver's memory that are shared. */
uint64_t link_server_room(const struct link_server *s);
/* The driver's side may use the device from now on. False: more queues or a larger
 * configuration than a connection can have. */
bool link_server_start(struct link_server *s, struct virtio *device);

/* After a kick: takes a request if there is one, then what is in the queues. */
void link_server_attend(struct link_server *s);
/* After the class has given buffers back at another time than in its kick
 * (virtio_settle): the signals that are owed. */
void link_server_flush(struct link_server *s);
/* After a change of the device's configuration. */
void link_server_config(struct link_server *s);
