#include <dev/virtio/link_driver.h>

#include <selvage/base.h>
#include <string.h>

/* What a server may offer: the device's own bits, and packed rings. */
#define DEVICE_FEATURES (0xffffffull | VIRTIO_F_RING_PACKED)
#define RING_FEATURES (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)
/* A configuration that changes so often while it is read is taken as it is. */
#define CONFIG_READS 4u

static struct link_driver *of(const struct virtio *v)
{
	return CONTAINER_OF(v, struct link_driver, v);
}

/* --- What the server says ---------------------------------------------------------- */

static void read_config(struct link_driver *d)
{
	const struct link_server_half *half = &d->env.page->server;
	uint32_t before, after = 0;

	for (unsigned i = 0; i < CONFIG_READS; i++) {
		before = link_acquire(&half->generation);
		for (unsigned j = 0; j < LINK_CONFIG_BYTES; j++)
			d->config[j] = __atomic_load_n(&half->config[j], __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = link_load32(&half->generation);
		if (before == after && after % 2 == 0)
			break;
	}
	d->generation = after;
	d->v.generation++;
}

static bool resumes(const struct link_driver *d)
{
	return link_load32(&d->env.page->server.flags) & LINK_S_RESUMES;
}

/* While the device is reset: nothing of it is in use. */
static void get_acquainted(struct link_driver *d)
{
	const struct link_server_half *half = &d->env.page->server;
	const uint32_t up = link_acquire(&half->up);
	uint32_t version;

	if (up == 0 && d->up != 0 && resumes(d))
		return; /* another one comes: follow() */
	d->up = up;
	version = link_load32(&half->version);
	if (d->up == 0 || version != LINK_VERSION)
		return;
	d->class.features = (link_load64(&half->features) & DEVICE_FEATURES) | d->env.features;
	d->class.n_queues = min_u32(link_load32(&half->n_queues), VIRTIO_MAX_QUEUES);
	d->class.queue_size = (uint16_t)min_u32(link_load32(&half->queue_size), VIRTQ_MAX_SIZE);
	d->class.config_bytes = min_u32(link_load32(&half->config_bytes), LINK_CONFIG_BYTES);
	read_config(d);
	for (unsigned i = 0; i < LINK_QUEUES; i++)
		d->seen[i] = link_load32(&half->interrupts[i]);
}

static const char *copy_reason(struct link_driver *d)
{
	const char *from = d->env.page->server.reason;
	size_t i = 0;

	for (; i < LINK_REASON - 1; i++) {
		char c = __atomic_load_n(&from[i], __ATOMIC_RELAXED);

		if (c == '\0')
			break;
		d->reason[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	d->reason[i] = '\0';
	return i > 0 ? d->reason : "the server says so";
}

/* Whether the queue's counter moved on. */
static bool told(struct link_driver *d, unsigned queue)
{
	uint32_t now = link_acquire(&d->env.page->server.interrupts[queue]);
	bool moved = now != d->seen[queue];

	d->seen[queue] = now;
	if (moved)
		virtio_tell(&d->v, VIRTIO_SEEN_DONE, queue);
	return moved;
}

/* --- The shadow, of drivers that do not keep to the pool ------------------------------ */

static bool in_pool(const struct link_driver *d, const struct virtq *q)
{
	const struct link_window *pool = &d->env.window[0];

	return !q->ready || (q->at.desc - pool->address < pool->bytes &&
			     q->at.driver - pool->address < pool->bytes &&
			     q->at.device - pool->address < pool->bytes);
}

/* Linux with restricted DMA pools has its rings there as well as its buffers. */
static bool wants_shadow(const struct link_driver *d)
{
	if (d->env.shadow == NULL)
		return false;
	for (unsigned i = 0; i < d->class.n_queues; i++)
		if (!in_pool(d, &d->v.queue[i]))
			return true;
	return !(d->v.features & d->env.features);
}

static void set_shadowed(struct link_driver *d, bool shadowed)
{
	if (d->shadowed != shadowed && d->env.bypass != NULL)
		d->env.bypass(d->env.opaque, !shadowed);
	d->shadowed = shadowed;
}

static bool offer(struct link_driver *d, unsigned queue)
{
	bool wanted = link_shadow_offer(d->env.shadow, &d->v, queue);

	if (wanted)
		d->env.kick(d->env.opaque);
	return wanted;
}

/* --- Requests -------------------------------------------------------------------------- */

static void send(struct link_driver *d, enum link_kind kind)
{
	struct link_driver_half *half = &d->env.page->driver;

	link_store32(&half->version, LINK_VERSION);
	link_store32(&half->kind, kind);
	link_release(&half->request, ++d->request);
	d->env.kick(d->env.opaque);
}

/* False: the server is no more, or did not answer in time. */
static bool answered(struct link_driver *d)
{
	const struct link_server_half *half = &d->env.page->server;
	const uint32_t request = d->request;

	/* One who asked after us, while we waited, has the answer to ours. */
	for (unsigned turn = 0; link_acquire(&half->ack) - request > UINT32_MAX / 2; turn++)
		if (link_load32(&half->up) == 0 || !d->env.wait(d->env.opaque, turn))
			return false;
	return true;
}

/* Whether the server has taken the last one: there is room for one at a time, and a later
 * one that is no state would take the place of a state. */
static bool is_free(const struct link_driver *d)
{
	return link_acquire(&d->env.page->server.ack) - d->request <= UINT32_MAX / 2;
}

/* What the server is to work on: the driver's queue, or the shadow of it. */
static struct virtq_layout layout_of(struct link_driver *d, unsigned i)
{
	struct link_shadow *s = d->env.shadow;
	const struct virtq *q = &d->v.queue[i];
	struct virtq_layout at = q->at;

	if (!d->shadowed || !q->ready)
		return at;
	if (s->on[i])
		at = (struct virtq_layout){ s->queue[i].desc_at, s->queue[i].avail_at,
					    s->queue[i].used_at, s->queue[i].size };
	else if (!link_shadow_start(s, i, d->class.queue_size, &at))
		at.size = 0; /* the server will refuse it */
	return at;
}

static uint64_t features_of(const struct link_driver *d)
{
	uint64_t features = d->v.features & (DEVICE_FEATURES | RING_FEATURES) & ~d->env.features;

	if (d->shadowed)
		features = (features & ~(RING_FEATURES | VIRTIO_F_RING_PACKED)) |
			   VIRTIO_F_EVENT_IDX | (d->v.legacy ? 0 : VIRTIO_F_VERSION_1);
	return features;
}

static void send_state(struct link_driver *d)
{
	struct link_driver_half *half = &d->env.page->driver;
	/* A driver of before virtio 1.0 may be at work without it. */
	const uint32_t works = virtio_live(&d->v) ? VIRTIO_STATUS_DRIVER_OK : 0;

	link_store32(&half->epoch, d->epoch);
	link_store32(&half->status, d->v.status | works);
	link_store32(&half->flags, d->shadowed ? d->env.flags & ~LINK_F_DIRECT : d->env.flags);
	link_store64(&half->features, features_of(d));
	for (unsigned i = 0; i < d->class.n_queues; i++) {
		const struct virtq_layout at = layout_of(d, i);
		struct link_queue *to = &half->queue[i];

		link_store64(&to->desc, at.desc);
		link_store64(&to->driver, at.driver);
		link_store64(&to->device, at.device);
		link_store32(&to->size, at.size);
		link_store32(&to->ready, d->v.queue[i].ready);
	}
	for (unsigned i = 0; i < d->env.n_windows; i++) {
		link_store64(&half->window[i].address, d->env.window[i].address);
		link_store64(&half->window[i].bytes, d->env.window[i].bytes);
		link_store64(&half->window[i].offset, d->env.window[i].offset);
	}
	link_store32(&half->n_windows, d->env.n_windows);
	send(d, LINK_STATE);
}

/* --- Servers that come and go -------------------------------------------------------- */

/* Whether a server that is new can be in the place of the one that the driver has agreed
 * with. */
static bool is_alike(const struct link_driver *d)
{
	const struct link_server_half *half = &d->env.page->server;
	const uint64_t taken = d->v.features & DEVICE_FEATURES & ~d->env.features;

	return link_load32(&half->version) == LINK_VERSION &&
	       (taken & ~link_load64(&half->features)) == 0 &&
	       link_load32(&half->n_queues) == d->class.n_queues &&
	       link_load32(&half->queue_size) >= d->class.queue_size &&
	       link_load32(&half->config_bytes) == d->class.config_bytes;
}

/* The server is no more, and the one that goes on is not there yet. */
static bool is_awaited(const struct link_driver *d)
{
	return d->up != 0 && link_acquire(&d->env.page->server.up) == 0 && resumes(d);
}

/* Reads it; the driver is told of what is another one than before. */
static void take_config(struct link_driver *d)
{
	uint8_t before[LINK_CONFIG_BYTES];

	memcpy(before, d->config, sizeof(before));
	read_config(d);
	if (virtio_live(&d->v) && memcmp(before, d->config, sizeof(before)) != 0)
		d->v.transport.interrupt(d->v.transport.opaque, VIRTIO_CONFIG_CHANGED);
}

/* While the driver is at work: sees that the server is still the one, or has another one
 * go on. False: there is none now. */
static bool follow(struct link_driver *d)
{
	const uint32_t up = link_acquire(&d->env.page->server.up);

	if (up == d->up)
		return true;
	if (is_awaited(d))
		return false;
	if (up == 0 || !resumes(d) || !is_alike(d)) {
		virtio_break(&d->v, "its server has ended");
		return false;
	}
	d->up = up;
	take_config(d);
	if (d->published && virtio_live(&d->v))
		send_state(d);
	return true;
}

/* --- Reset --------------------------------------------------------------------------- */

static void break_reset(struct link_driver *d, const char *why)
{
	d->v.status &= (uint8_t)~VIRTIO_STATUS_NEEDS_RESET;
	virtio_break(&d->v, why);
}

/* The server has let go of the driver's memory. */
static void end_reset(struct link_driver *d)
{
	d->owed = d->published = false;
	for (unsigned i = 0; d->shadowed && i < VIRTIO_MAX_QUEUES; i++)
		link_shadow_stop(d->env.shadow, i);
	set_shadowed(d, false);
	d->v.status &= (uint8_t)~VIRTIO_STATUS_NEEDS_RESET;
	if ((d->v.status & ~VIRTIO_STATUS_ACKNOWLEDGE) != 0)
		virtio_break(&d->v, "it is used before its reset is over");
	else
		get_acquainted(d);
}

static bool is_gone(const struct link_driver *d)
{
	return link_load32(&d->env.page->server.up) != d->up;
}

/* The server that had the driver's memory must let go of it before the guest goes on; one
 * that is no more has. Until then the status is not 0, which says that the reset is over
 * (2.1.2), to whichever vCPU looks. */
static void was_reset(struct link_driver *d)
{
	const uint32_t epoch = d->epoch + 1;
	bool done;

	if (!d->published) {
		get_acquainted(d);
		return;
	}
	d->epoch = epoch;
	send_state(d);
	d->v.status = VIRTIO_STATUS_NEEDS_RESET;
	d->resets++;
	done = answered(d);
	d->resets--;
	if (d->epoch != epoch) {      /* another vCPU's, while we waited: it sees to the rest */
		link_driver_event(d); /* and to none that came meanwhile */
		return;
	}
	d->owed = !done && !is_gone(d);
	if (d->owed)
		break_reset(d, "its server does not answer");
	else
		end_reset(d);
}

/* --- Events ----------------------------------------------------------------------------- */

void link_driver_event(struct link_driver *d)
{
	const struct link_server_half *half = &d->env.page->server;

	if (d->resets != 0)
		return; /* was_reset() sees to it */
	if (d->owed && (is_free(d) || is_gone(d)))
		end_reset(d);
	if (!d->published && (d->v.status & ~VIRTIO_STATUS_ACKNOWLEDGE) == 0) {
		get_acquainted(d); /* nobody has looked at what it offers */
		return;
	}
	if (!follow(d))
		return;
	if (d->published && link_acquire(&half->needs_reset) != 0)
		virtio_break(&d->v, copy_reason(d));
	if (link_load32(&half->generation) != d->generation) {
		read_config(d);
		if (virtio_live(&d->v))
			d->v.transport.interrupt(d->v.transport.opaque, VIRTIO_CONFIG_CHANGED);
	}
	for (unsigned i = 0; i < d->class.n_queues && virtio_live(&d->v); i++) {
		if (d->shadowed) {
			if (link_shadow_return(d->env.shadow, &d->v, i))
				d->env.kick(d->env.opaque);
		} else if (!(d->env.flags & LINK_F_DIRECT) && told(d, i)) {
			d->v.transport.interrupt(d->v.transport.opaque, (int)i);
		}
	}
}

/* The one that was there, or one after it that will do. */
static bool find_server(struct link_driver *d)
{
	unsigned turn = 0;

	while (d->up != 0 && virtio_live(&d->v) && !follow(d))
		if (!d->env.wait(d->env.opaque, turn++))
			return false;
	return d->up != 0 && virtio_live(&d->v);
}

static void changed(struct virtio *v)
{
	struct link_driver *d = of(v);

	if (v->status == 0) {
		was_reset(d);
	} else if (virtio_live(v)) {
		if (!find_server(d)) {
			if (virtio_live(v))
				virtio_break(v, "nobody serves it");
			return;
		}
		if (!d->published)
			set_shadowed(d, wants_shadow(d));
		d->published = true;
		send_state(d);
		if (!answered(d) && virtio_live(v) && !is_awaited(d))
			virtio_break(v, "its server does not answer");
		for (unsigned i = 0; i < d->class.n_queues && d->shadowed; i++) {
			if (!v->queue[i].ready)
				link_shadow_stop(d->env.shadow, i);
			else
				(void)offer(d, i);
		}
	}
}

static void kick(struct virtio *v, unsigned queue)
{
	struct link_driver *d = of(v);

	if (d->shadowed)
		(void)offer(d, queue);
	else
		d->env.kick(d->env.opaque);
}

static bool poll(struct virtio *v)
{
	struct link_driver *d = of(v);
	bool any = false;

	if (!(d->env.flags & LINK_F_DIRECT) || d->shadowed || !virtio_live(v))
		return false;
	for (unsigned i = 0; i < d->class.n_queues; i++)
		any = told(d, i) || any;
	return any;
}

static bool config_write(struct virtio *v, uint32_t offset, uint64_t value, uint32_t bytes)
{
	struct link_driver *d = of(v);
	struct link_driver_half *half = &d->env.page->driver;

	/* A reset, of another vCPU's, comes first. */
	if (d->up == 0 || !answered(d) || !is_free(d) || d->resets != 0)
		return false;
	link_store32(&half->config_offset, offset);
	link_store32(&half->config_bytes, bytes);
	link_store64(&half->config_value, value);
	send(d, LINK_CONFIG);
	if (answered(d))
		read_config(d);
	return true;
}

void link_driver_init(struct link_driver *d, const struct virtio_env *virtio,
		      const struct link_driver_env *env)
{
	memset(d, 0, sizeof(*d));
	d->env = *env;
	d->class = (struct virtio_class){
		.name = "connection",
		.id = env->device,
		.kick = kick,
		.changed = changed,
		.poll = poll,
		.config_write = config_write,
		.legacy = env->device != VIRTIO_ID_VSOCK, /* which is younger */
	};
	/* One before us may have used the page. */
	d->request = link_load32(&env->page->driver.request);
	d->epoch = link_load32(&env->page->driver.epoch) + 1;
	virtio_init(&d->v, &d->class, virtio, d->config);
	get_acquainted(d);
}
