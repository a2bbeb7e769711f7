#include <dev/virtio/device.h>

#include <string.h>

#define COMMON_FEATURES \
	(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)
/* What the driver may set (2.1). */
#define DRIVER_BITS                                                                   \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_DRIVER_OK | \
	 VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_FAILED)
#define AGREED "features have been agreed on already"
#define LIVE (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET)
#define LIVE_LEGACY (LIVE | VIRTIO_STATUS_DRIVER)

void virtio_init(struct virtio *v, const struct virtio_class *class,
		 const struct virtio_env *env, const void *config)
{
	memset(v, 0, sizeof(*v));
	v->class = class;
	v->env = *env;
	v->config = config;
	v->live = LIVE;
	for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
		v->queue[i].mem = &v->env.mem;
}

void virtio_break(struct virtio *v, const char *why)
{
	const bool live = virtio_live(v);

	if (v->status & VIRTIO_STATUS_NEEDS_RESET)
		return;
	v->breaks++;
	v->status |= VIRTIO_STATUS_NEEDS_RESET;
	v->env.broken(v->env.opaque, why);
	if (live)
		v->transport.interrupt(v->transport.opaque, VIRTIO_CONFIG_CHANGED);
}

void virtio_settle(struct virtio *v, unsigned queue)
{
	struct virtq *q = &v->queue[queue];

	if (virtio_live(v) && virtq_interrupts(q)) {
		virtio_tell(v, VIRTIO_SEEN_DONE, queue);
		v->transport.interrupt(v->transport.opaque, (int)queue);
	}
	if (q->error != NULL)
		virtio_break(v, q->error);
}

/* --- Features and status (2.1, 2.2, 3.1) ----------------------------------------- */

uint64_t virtio_offered(const struct virtio *v)
{
	uint64_t features = v->class->features | COMMON_FEATURES;

	return v->legacy ? (uint32_t)features : features;
}

uint32_t virtio_offered_word(const struct virtio *v, uint32_t word)
{
	return word > 1 ? 0 : (uint32_t)(virtio_offered(v) >> (word * 32));
}

static void changed(struct virtio *v)
{
	if (v->class->changed != NULL)
		v->class->changed(v);
}

static void set_features(const struct virtio *v, struct virtq *q)
{
	q->packed = (v->features & VIRTIO_F_RING_PACKED) != 0;
	q->event_idx = (v->features & VIRTIO_F_EVENT_IDX) != 0;
	q->indirect = (v->features & VIRTIO_F_INDIRECT_DESC) != 0;
}

/* A driver of before virtio 1.0 may have queues that work by then (3.1.2). */
const char *virtio_take_features(struct virtio *v, uint64_t features)
{
	const uint64_t before = v->features;

	if (v->status & VIRTIO_STATUS_FEATURES_OK)
		return AGREED;
	v->features = v->legacy ? features & virtio_offered(v) : features;
	for (unsigned i = 0; v->legacy && i < v->class->n_queues; i++)
		set_features(v, &v->queue[i]);
	if (virtio_live(v) && v->features != before)
		changed(v);
	return NULL;
}

/* Words behind 64 bits: nothing is offered there. Those that no virtio will have are one. */
static const char *want_beyond(struct virtio *v, uint32_t word, uint32_t value)
{
	const uint32_t bit = 1u << (word < 31 ? word : 31);

	if (v->status & VIRTIO_STATUS_FEATURES_OK)
		return AGREED;
	v->beyond = value != 0 ? v->beyond | bit : v->beyond & ~bit;
	return value != 0 ? "features that were not offered" : NULL;
}

const char *virtio_take_features_word(struct virtio *v, uint32_t word, uint32_t value)
{
	unsigned shift = word * 32 % 64;
	uint64_t rest = v->features & ~(0xffffffffull << shift);

	return word > 1 ? want_beyond(v, word, value)
			: virtio_take_features(v, rest | (uint64_t)value << shift);
}

const char *virtio_make_legacy(struct virtio *v)
{
	if (!v->class->legacy)
		return "a device without a legacy interface";
	if (!v->legacy && v->status != 0)
		return "the legacy interface, while the driver uses the other one";
	if (!v->legacy) /* what may have been written by way of the other one */
		v->features = 0;
	v->legacy = true;
	v->live = LIVE_LEGACY;
	return NULL;
}

static void stop(struct virtio *v, struct virtq *q)
{
	if (q->ready && v->class->stopped != NULL)
		v->class->stopped(v, (unsigned)(q - v->queue));
	virtq_reset(q);
}

static void reset(struct virtio *v)
{
	virtio_tell(v, VIRTIO_SEEN_RESET, 0);
	for (unsigned i = 0; i < v->class->n_queues; i++)
		stop(v, &v->queue[i]);
	v->status = 0;
	v->features = 0;
	v->legacy = false;
	v->beyond = 0;
	v->live = LIVE;
	changed(v);
}

/* The driver reads the status back to see whether its features will do. */
static bool features_do(const struct virtio *v)
{
	return v->beyond == 0 && (v->features & ~virtio_offered(v)) == 0 &&
	       (v->features & VIRTIO_F_VERSION_1);
}

const char *virtio_set_status(struct virtio *v, uint32_t status)
{
	const uint32_t all = status | v->status;
	const bool live = virtio_live(v);
	const bool clears = (v->status & DRIVER_BITS & ~status) != 0;
	uint32_t more = status & ~(uint32_t)v->status;

	if (status == 0) {
		reset(v);
		return NULL;
	}
	if (more & ~(v->legacy ? DRIVER_BITS & ~VIRTIO_STATUS_FEATURES_OK : DRIVER_BITS))
		return "a bit of the status that a driver cannot set";
	if ((more & VIRTIO_STATUS_FEATURES_OK) && !features_do(v)) {
		more &= ~(VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK);
		v->status |= (uint8_t)more;
		return "features that were not offered, or no VIRTIO_F_VERSION_1";
	}
	if ((more & VIRTIO_STATUS_DRIVER_OK) && !v->legacy && !(all & VIRTIO_STATUS_FEATURES_OK))
		return "DRIVER_OK without FEATURES_OK";
	v->status |= (uint8_t)more;
	if (!live && virtio_live(v))
		changed(v);
	/* There are drivers that write each bit alone, and mean that the others stay (2.1.1
	 * has them write all). */
	return clears ? "a bit of the status that was set is cleared: it stays" : NULL;
}

/* --- Queues ------------------------------------------------------------------------ */

struct virtq *virtio_queue(struct virtio *v, uint32_t queue)
{
	return queue < v->class->n_queues ? &v->queue[queue] : NULL;
}

bool virtio_queue_open(const struct virtio *v, const struct virtq *q)
{
	return !q->ready && !(v->status & VIRTIO_STATUS_NEEDS_RESET);
}

const char *virtio_queue_start(struct virtio *v, struct virtq *q)
{
	const char *wrong;

	if (!virtio_queue_open(v, q))
		return "the queue is ready already, or the device needs a reset";
	if (!v->legacy && !(v->status & VIRTIO_STATUS_FEATURES_OK))
		return "a queue before FEATURES_OK";
	set_features(v, q);
	wrong = q->at.size > v->class->queue_size ? "a queue size that is not possible"
						  : virtq_enable(q);
	if (wrong != NULL)
		virtio_break(v, wrong);
	else if (virtio_live(v))
		changed(v);
	return NULL;
}

void virtio_queue_stop(struct virtio *v, struct virtq *q)
{
	bool worked = q->ready;

	stop(v, q);
	if (worked && virtio_live(v))
		changed(v);
}

const char *virtio_kick(struct virtio *v, uint32_t queue)
{
	const struct virtq *q = virtio_queue(v, queue);

	if (q == NULL)
		return "a kick of a queue that the device does not have";
	if (!virtio_live(v) || !q->ready)
		return "a kick of a queue that does not work";
	virtio_tell(v, VIRTIO_SEEN_KICK, queue);
	v->class->kick(v, queue);
	virtio_settle(v, queue);
	return NULL;
}

/* --- Configuration (2.5) -------------------------------------------------------------- */

const char *virtio_config_read(const struct virtio *v, uint64_t offset, uint32_t bytes,
			       uint64_t *value)
{
	*value = 0;
	if (offset > v->class->config_bytes || bytes > v->class->config_bytes - offset)
		return "nothing of the configuration is there";
	memcpy(value, (const char *)v->config + offset, bytes);
	return NULL;
}

const char *virtio_config_write(struct virtio *v, uint64_t offset, uint32_t bytes,
				uint64_t value)
{
	if (v->class->config_write == NULL || offset > v->class->config_bytes ||
	    bytes > v->class->config_bytes - offset ||
	    !v->class->config_write(v, (uint32_t)offset, value, bytes))
		return "nothing of the configuration can be written there";
	return NULL;
}
