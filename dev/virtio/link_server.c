#include <dev/virtio/link_server.h>

#include <selvage/base.h>
#include <selvage/virtio_abi.h>
#include <string.h>

/* Of the features, those that are no transport's. */
#define INITIAL (VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER)

_Static_assert(sizeof(struct virtq_journal) == sizeof(((struct link_page *)0)->server.journal),
	       "a journal has its room in the page");

/* --- Memory ------------------------------------------------------------------------ */

/* Windows' offsets and sizes have been checked. */
static void *begin(const struct link_server *s, uint64_t at, size_t bytes, size_t *n)
{
	for (unsigned i = 0; i < s->n_windows; i++) {
		const struct link_window *w = &s->window[i];

		if (at - w->address < w->bytes) {
			*n = (size_t)min_u64(bytes, w->bytes - (at - w->address));
			return s->env.memory + w->offset + (at - w->address);
		}
	}
	return NULL;
}

/* Most of what a device reaches is in the window that it was in before. */
static void find_recent(struct link_server *s, uint64_t at)
{
	for (unsigned i = 0; i < s->n_windows; i++) {
		const struct link_window *w = &s->window[i];

		if (at - w->address < w->bytes)
			s->device->env.mem.window = (struct virtio_window){
				w->address, w->bytes, s->env.memory + w->offset
			};
	}
}

/* Where windows meet, a range goes on in the next. */
static bool all_there(struct link_server *s, uint64_t at, size_t bytes)
{
	find_recent(s, at);
	for (size_t n = 0; bytes > 0; at += n, bytes -= n)
		if (begin(s, at, bytes, &n) == NULL)
			return false;
	return true;
}

static bool mem_read(void *opaque, uint64_t at, void *data, size_t bytes)
{
	struct link_server *s = opaque;
	uint8_t *to = data;

	if (!all_there(s, at, bytes))
		return false;
	for (size_t n = 0; bytes > 0; to += n, at += n, bytes -= n) {
		const void *from = begin(s, at, bytes, &n);

		memcpy(to, from, n);
	}
	return true;
}

static bool mem_write(void *opaque, uint64_t at, const void *data, size_t bytes)
{
	struct link_server *s = opaque;
	const uint8_t *from = data;

	if (!all_there(s, at, bytes))
		return false;
	for (size_t n = 0; bytes > 0; from += n, at += n, bytes -= n) {
		void *to = begin(s, at, bytes, &n);

		memcpy(to, from, n);
	}
	return true;
}

static uint16_t *word(struct link_server *s, uint64_t at)
{
	size_t n = 0;
	void *p = begin(s, at, sizeof(uint16_t), &n);

	find_recent(s, at);
	return is_aligned_u64(at, sizeof(uint16_t)) && n == sizeof(uint16_t) ? p : NULL;
}

static bool mem_load(void *opaque, uint64_t at, uint16_t *value)
{
	const uint16_t *p = word(opaque, at);

	if (p != NULL)
		*value = __atomic_load_n(p, __ATOMIC_RELAXED);
	return p != NULL;
}

static bool mem_store(void *opaque, uint64_t at, uint16_t value)
{
	uint16_t *p = word(opaque, at);

	if (p != NULL)
		__atomic_store_n(p, value, __ATOMIC_RELAXED);
	return p != NULL;
}

/* --- To the driver's side ------------------------------------------------------------ */

static void interrupt(void *opaque, int queue)
{
	struct link_server *s = opaque;

	if (queue == VIRTIO_CONFIG_CHANGED) {
		s->owes_event = true;
		return;
	}
	link_release(&s->env.page->server.interrupts[queue], ++s->interrupts[queue]);
	if (s->flags & LINK_F_DIRECT)
		s->owes_interrupt = true;
	else
		s->owes_event = true;
}

static void broken(void *opaque, const char *why)
{
	struct link_server *s = opaque;
	struct link_server_half *half = &s->env.page->server;

	memcpy(half->reason, why, min_u64(strlen(why) + 1, sizeof(half->reason)));
	link_release(&half->needs_reset, 1);
	s->owes_event = true;
}

/* For those who watch. */
static void tell_counts(struct link_server *s)
{
	uint64_t requests = 0, bytes = 0;

	for (unsigned i = 0; i < s->device->class->n_queues; i++) {
		requests += s->device->queue[i].requests;
		bytes += s->device->queue[i].bytes;
	}
	link_store64(&s->env.page->server.requests, requests);
	link_store64(&s->env.page->server.bytes, bytes);
}

void link_server_flush(struct link_server *s)
{
	bool is_interrupt = s->owes_interrupt, is_event = s->owes_event;

	s->owes_interrupt = s->owes_event = false;
	tell_counts(s);
	if (is_interrupt)
		s->env.interrupt(s->env.opaque);
	if (is_event)
		s->env.event(s->env.opaque);
}

static void publish_config(struct link_server *s)
{
	struct link_server_half *half = &s->env.page->server;

	link_release(&half->generation, ++s->generation);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy(half->config, s->device->config, s->device->class->config_bytes);
	link_release(&half->generation, ++s->generation);
}

void link_server_config(struct link_server *s)
{
	s->device->generation++;
	publish_config(s);
	s->owes_event = true;
	link_server_flush(s);
}

/* --- Requests -------------------------------------------------------------------------- */

/* What the driver's side has written: each word read once. */
struct state {
	uint32_t epoch, status, flags;
	struct virtq_layout layout[VIRTIO_MAX_QUEUES];
	bool ready[VIRTIO_MAX_QUEUES];
};

static void read_queues(const struct link_server *s, struct state *t)
{
	for (unsigned i = 0; i < s->device->class->n_queues; i++) {
		const struct link_queue *q = &s->env.page->driver.queue[i];

		t->ready[i] = link_load32(&q->ready) != 0;
		t->layout[i] = (struct virtq_layout){
			.desc = link_load64(&q->desc),
			.driver = link_load64(&q->driver),
			.device = link_load64(&q->device),
			.size = link_load32(&q->size),
		};
	}
}

static void forget_windows(struct link_server *s)
{
	s->n_windows = 0;
	s->device->env.mem.window.bytes = 0;
}

static bool is_there(const struct link_server *s, const struct link_window *w)
{
	const struct link_piece *p = s->env.piece;

	for (unsigned i = 0; i < s->env.n_pieces; i++)
		if (range_within_u64(w->offset, w->bytes, p[i].page * LINK_PIECE_BYTES,
				     p[i].pages * LINK_PIECE_BYTES))
			return true;
	return s->env.n_pieces == 0 && range_within_u64(w->offset, w->bytes, 0, s->env.bytes);
}

/* NULL, or what is wrong with them. */
static const char *take_windows(struct link_server *s)
{
	const struct link_driver_half *half = &s->env.page->driver;
	uint32_t n = link_load32(&half->n_windows);

	if (n > LINK_WINDOWS)
		return "more windows than there can be";
	forget_windows(s);
	for (uint32_t i = 0; i < n; i++) {
		struct link_window *w = &s->window[i];

		w->address = link_load64(&half->window[i].address);
		w->bytes = link_load64(&half->window[i].bytes);
		w->offset = link_load64(&half->window[i].offset);
		if (!is_there(s, w) || w->offset % 16 != w->address % 16)
			return "a window that is not within the shared memory";
	}
	s->n_windows = n;
	return NULL;
}

/* The queue was started now: from its beginning, or where a server before this one had
 * come to with it. */
static const char *find_place(struct link_server *s, unsigned i)
{
	struct link_place *p = &s->env.page->server.place[i];
	const char *wrong = NULL;

	if (s->env.resumes && link_acquire(&p->epoch) == s->epoch) {
		wrong = virtq_resume(&s->device->queue[i]);
		interrupt(s, (int)i); /* that one may have been about to */
	} else {
		link_store32(&p->place, VIRTQ_PLACE_START);
		link_release(&p->epoch, s->epoch);
	}
	return wrong;
}

static const char *start_queues(struct link_server *s, const struct state *t)
{
	const char *wrong = NULL;

	for (unsigned i = 0; i < s->device->class->n_queues && wrong == NULL; i++) {
		struct virtq *q = virtio_queue(s->device, i);

		if (q->ready && !t->ready[i])
			virtio_queue_stop(s->device, q);
		if (!t->ready[i])
			link_store32(&s->env.page->server.place[i].epoch, s->epoch - 1);
		if (q->ready || !t->ready[i])
			continue;
		q->at = t->layout[i];
		wrong = virtio_queue_start(s->device, q);
		if (wrong == NULL && q->ready)
			wrong = find_place(s, i);
	}
	return wrong;
}

/* From a reset to where it works. A driver of before virtio 1.0 has no FEATURES_OK. */
static const char *come_up(struct link_server *s, const struct state *t)
{
	struct virtio *v = s->device;
	const uint64_t features = link_load64(&s->env.page->driver.features);
	const bool legacy = !(features & VIRTIO_F_VERSION_1);
	const uint32_t agreed = INITIAL | (legacy ? 0 : VIRTIO_STATUS_FEATURES_OK);
	const char *wrong = take_windows(s);

	s->flags = t->flags;
	if (wrong == NULL && legacy)
		wrong = virtio_make_legacy(v);
	if (wrong == NULL)
		wrong = virtio_set_status(v, INITIAL);
	if (wrong == NULL)
		wrong = virtio_take_features(v, features);
	if (wrong == NULL)
		wrong = virtio_set_status(v, agreed);
	if (wrong == NULL)
		wrong = start_queues(s, t);
	if (wrong == NULL)
		wrong = virtio_set_status(v, agreed | VIRTIO_STATUS_DRIVER_OK);
	return wrong;
}

/* Of a driver of before virtio 1.0 features may come behind queues. */
static const char *go_on(struct link_server *s, const struct state *t)
{
	struct virtio *v = s->device;

	if (v->legacy)
		(void)virtio_take_features(v, link_load64(&s->env.page->driver.features));
	return start_queues(s, t);
}

static void take_state(struct link_server *s)
{
	const struct link_driver_half *half = &s->env.page->driver;
	struct state t = { .epoch = link_load32(&half->epoch),
			   .status = link_load32(&half->status),
			   .flags = link_load32(&half->flags) };
	const bool works = (t.status & VIRTIO_STATUS_DRIVER_OK) != 0;
	const char *wrong = NULL;

	if (t.epoch != s->epoch || !works) {
		(void)virtio_set_status(s->device, 0);
		s->epoch = t.epoch;
		forget_windows(s);
		link_store32(&s->env.page->server.needs_reset, 0);
	}
	if (!works || (s->device->status & VIRTIO_STATUS_NEEDS_RESET))
		return;
	read_queues(s, &t);
	wrong = virtio_live(s->device) ? go_on(s, &t) : come_up(s, &t);
	if (wrong != NULL)
		virtio_break(s->device, wrong);
}

static void take_config(struct link_server *s)
{
	const struct link_driver_half *half = &s->env.page->driver;
	uint32_t bytes = link_load32(&half->config_bytes);

	if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
		return;
	if (virtio_config_write(s->device, link_load32(&half->config_offset), bytes,
				link_load64(&half->config_value)) == NULL)
		publish_config(s);
}

static void take_request(struct link_server *s, uint32_t request)
{
	uint32_t kind = link_load32(&s->env.page->driver.kind);

	if (kind == LINK_STATE) {
		take_state(s);
		s->owes_event = true; /* who asked may have given up waiting */
	} else if (kind == LINK_CONFIG) {
		take_config(s);
	}
	s->handled = request;
	link_release(&s->env.page->server.ack, request);
}

void link_server_attend(struct link_server *s)
{
	uint32_t request = link_acquire(&s->env.page->driver.request);

	if (request != s->handled)
		take_request(s, request);
	for (unsigned i = 0; i < s->device->class->n_queues && virtio_live(s->device); i++)
		if (s->device->queue[i].ready)
			(void)virtio_kick(s->device, i);
	link_server_flush(s);
}

/* --- Construction ----------------------------------------------------------------------- */

void link_server_init(struct link_server *s, const struct link_server_env *env)
{
	memset(s, 0, sizeof(*s));
	s->env = *env;
}

uint64_t link_server_room(const struct link_server *s)
{
	uint64_t bytes = s->env.n_pieces != 0 ? 0 : s->env.bytes;

	for (unsigned i = 0; i < s->env.n_pieces; i++)
		bytes += s->env.piece[i].pages * LINK_PIECE_BYTES;
	return bytes;
}

struct virtio_env link_server_virtio(struct link_server *s)
{
	return (struct virtio_env){
		.opaque = s,
		.mem = { s, mem_read, mem_write, mem_load, mem_store, { 0 } },
		.broken = broken,
	};
}

bool link_server_start(struct link_server *s, struct virtio *device)
{
	struct link_server_half *half = &s->env.page->server;
	const struct virtio_class *class = device->class;

	if (class->n_queues > LINK_QUEUES || class->config_bytes > LINK_CONFIG_BYTES)
		return false;
	s->device = device;
	device->transport = (struct virtio_transport){ s, interrupt, NULL };
	/* What a server before this one had been asked for is not for this one: the
	 * driver's side asks again, or tells its driver to reset the device. */
	s->handled = link_load32(&s->env.page->driver.request);
	s->epoch = link_load32(&s->env.page->driver.epoch);
	s->generation = link_load32(&half->generation) & ~1u;
	for (unsigned i = 0; i < class->n_queues; i++) {
		s->interrupts[i] = link_load32(&half->interrupts[i]);
		device->queue[i].place = &half->place[i].place;
		device->queue[i].journal = (struct virtq_journal *)half->journal;
	}
	half->version = LINK_VERSION;
	half->flags = s->env.resumes ? LINK_S_RESUMES : 0;
	half->device = class->id;
	half->features = class->features;
	half->n_queues = class->n_queues;
	half->queue_size = class->queue_size;
	half->config_bytes = class->config_bytes;
	half->needs_reset = 0;
	publish_config(s);
	link_release(&half->ack, s->handled);
	link_release(&half->up, s->env.up);
	s->env.event(s->env.opaque);
	return true;
}
