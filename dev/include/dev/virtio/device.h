/*
 * A virtio device (virtio 1.2, 2), apart from its transport: status, features,
 * queues, configuration. A kind of device is a struct virtio_class; a
 * transport calls the functions below and is told of interrupts.
 *
 * One caller at a time. The work that a kick asks for is done within it, on
 * the time of whoever kicked.
 */
#pragma once

#include <dev/virtio/virtq.h>
#include <selvage/virtio_abi.h>

#define VIRTIO_MAX_QUEUES 10u

struct virtio;

struct virtio_class {
	const char *name;
	uint32_t id;       /* virtio 1.2, 5 */
	uint64_t features; /* and packed rings; those of every device come to it */
	unsigned n_queues;
	uint16_t queue_size;   /* at most */
	uint32_t config_bytes; /* of virtio.config */
	/* The driver has made buffers available in a queue that works. */
	void (*kick)(struct virtio *v, unsigned queue);
	/* The queue, which worked, works no more: forget its buffers. NULL: none
	 * is ever kept. */
	void (*stopped)(struct virtio *v, unsigned queue);
	/* Status or readiness of queues have changed, for those whose device is
	 * elsewhere; NULL: it does not matter. */
	void (*changed)(struct virtio *v);
	/* Whether buffers were given back that no call of the transport's interrupt
	 * told of. NULL: there are none such. */
	bool (*poll)(struct virtio *v);
	/* False: nothing there can be written. NULL: nothing at all. */
	bool (*config_write)(struct virtio *v, uint32_t offset, uint64_t value, uint32_t bytes);
	/* A driver of before virtio 1.0 can use it too: for such ones requests and
	 * configuration are the same. */
	bool legacy;
};

struct virtio_env {
	void *opaque;
	struct virtio_mem mem;
	/* The driver has broken a rule, and the device needs a reset: once for
	 * each time that it gets there. */
	void (*broken)(void *opaque, const char *why);
};

/* The driver kicks; buffers came back, of which it wants to know; a reset. */
enum virtio_seen { VIRTIO_SEEN_KICK,
		   VIRTIO_SEEN_DONE,
		   VIRTIO_SEEN_RESET };

#define VIRTIO_CONFIG_CHANGED (-1)
struct virtio_transport {
	void *opaque;
	/* Buffers of the queue were given back, or VIRTIO_CONFIG_CHANGED. */
	void (*interrupt)(void *opaque, int queue);
	/* By another way to the same device it was reset: nothing is pending any more. NULL:
	 * there is no other way. */
	void (*reset)(void *opaque);
};

/* Private to device and transport; here so that owners can embed it. */
struct virtio {
	/* For those who watch; set after virtio_init. NULL: nobody. */
	void (*seen)(const struct virtio *v, enum virtio_seen what, unsigned queue);
	const struct virtio_class *class;
	struct virtio_env env;
	struct virtio_transport transport;
	uint64_t features; /* that the driver has taken */
	uint8_t status;
	uint8_t live;        /* bits of the status that virtio_live looks at */
	bool legacy;         /* its driver is one of before virtio 1.0 */
	uint32_t beyond;     /* words of features behind the first two of which it wants some */
	uint32_t generation; /* of the configuration (2.5) */
	uint64_t breaks;     /* how often the device came to need a reset */
	const void *config;
	struct virtq queue[VIRTIO_MAX_QUEUES];
	struct virtq_chain chain; /* for classes that keep none */
};

/* For classes. `config`: class->config_bytes, little-endian, which stay. */
void virtio_init(struct virtio *v, const struct virtio_class *class,
		 const struct virtio_env *env, const void *config);
/* Whether the driver may use it: after DRIVER_OK, or DRIVER will do if it is one of before
 * virtio 1.0 (3.1.2); and not while it needs a reset, which is the highest bit of `live`. */
static inline bool virtio_live(const struct virtio *v)
{
	return (unsigned)(v->status & v->live) - 1 < VIRTIO_STATUS_NEEDS_RESET - 1;
}
/* Ends a run of pops and pushes: an interrupt if the driver wants one, or the
 * device needs a reset if the queue is in error. */
void virtio_settle(struct virtio *v, unsigned queue);
/* A chain that the class cannot take. */
void virtio_break(struct virtio *v, const char *why);

static inline void virtio_tell(const struct virtio *v, enum virtio_seen what, unsigned queue)
{
	if (v->seen != NULL)
		v->seen(v, what, queue);
}

/* For transports. Those that return a text have ignored the request, for that
 * reason; NULL: it was done. */
uint64_t virtio_offered(const struct virtio *v);
const char *virtio_take_features(struct virtio *v, uint64_t features);
/* The same by words of 32 bits, of which there are two. */
uint32_t virtio_offered_word(const struct virtio *v, uint32_t word);
const char *virtio_take_features_word(struct virtio *v, uint32_t word, uint32_t value);
/* Until the next reset the driver is one that knows nothing of virtio 1.0: it
 * agrees on no features, may take others while it uses the device, and those not
 * offered do not count. NULL, or why it cannot be. */
const char *virtio_make_legacy(struct virtio *v);
const char *virtio_set_status(struct virtio *v, uint32_t status);
/* NULL: no such queue. Its layout may be written while virtio_queue_open. */
struct virtq *virtio_queue(struct virtio *v, uint32_t queue);
bool virtio_queue_open(const struct virtio *v, const struct virtq *q);
const char *virtio_queue_start(struct virtio *v, struct virtq *q);
void virtio_queue_stop(struct virtio *v, struct virtq *q);
const char *virtio_kick(struct virtio *v, uint32_t queue);
/* Before a driver reads what interrupts are for: true, there was one that did not
 * come by way of the transport. */
static inline bool virtio_poll(struct virtio *v)
{
	return v->class->poll != NULL && v->class->poll(v);
}
/* `bytes` is 1, 2, 4 or 8. */
const char *virtio_config_read(const struct virtio *v, uint64_t offset, uint32_t bytes,
			       uint64_t *value);
const char *virtio_config_write(struct virtio *v, uint64_t offset, uint32_t bytes,
				uint64_t value);
