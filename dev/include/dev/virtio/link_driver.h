/*
 * The driver's end of a connection (link.h), in the monitor of the driver VM: a
 * struct virtio for a transport to stand in front of, whose work is done by the
 * server at the other end. One caller at a time, but for `wait`.
 */
#pragma once

#include <dev/virtio/device.h>
#include <dev/virtio/link_shadow.h>
#include <selvage/link.h>

struct link_driver_env {
	void *opaque;
	struct link_page *page;
	uint32_t device;   /* its id, whatever the server says */
	uint64_t features; /* of the transport, which the server does not see */
	uint32_t flags;    /* of link_driver_half */
	unsigned n_windows;
	const struct link_window *window; /* stays */
	/* Of what is shared with a pool; NULL: all of the driver's memory is. Made by
	 * link_shadow_init, in the pool that window[0] is of. */
	struct link_shadow *shadow;
	/* Whether kicks of the guest may go to the server without us. NULL: they never
	 * do. */
	void (*bypass)(void *opaque, bool may);
	/* Signals the server. */
	void (*kick)(void *opaque);
	/* Lets others run; `turn` counts up from 0. False: it has been long enough.
	 * Others may call functions of this file in the meantime. */
	bool (*wait)(void *opaque, unsigned turn);
};

/* Private; here so that owners can embed it. */
struct link_driver {
	struct virtio v;
	struct virtio_class class;
	struct link_driver_env env;
	uint8_t config[LINK_CONFIG_BYTES];
	char reason[LINK_REASON]; /* for the log: what the server said last */
	uint32_t request, epoch;
	uint32_t up;         /* of the server that has, or will have, the state */
	uint32_t generation; /* of the configuration that was read last */
	uint32_t seen[LINK_QUEUES];
	unsigned resets; /* that wait for the server */
	bool owed;       /* one ends when the server has answered after all, or is no more */
	bool shadowed;   /* the driver does not keep to the pool: copies are made */
	bool published;  /* the server may be at work in the driver's memory */
};

/* Both are copied. The device works once a server is up. */
void link_driver_init(struct link_driver *d, const struct virtio_env *virtio,
		      const struct link_driver_env *env);
/* After an event: interrupts and changes that the server told of go to the
 * transport; a server that is gone or new makes the device need a reset, or is waited
 * for and goes on (LINK_S_RESUMES). */
void link_driver_event(struct link_driver *d);
