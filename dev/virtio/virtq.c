#include <dev/virtio/virtq.h>

#include <selvage/base.h>
#include <selvage/virtio_abi.h>

/* Packed (2.8.13). */
#define PACKED_F_AVAIL (1u << 7)
#define PACKED_F_USED (1u << 15)
#define PACKED_FLAGS 14u /* offset; what comes before it is read apart */

/* Packed: event suppression structures (2.8.14). */
#define EVENT_OFF_WRAP 0u
#define EVENT_FLAGS 2u
#define EVENT_F_DISABLE 1u
#define EVENT_F_DESC 2u

struct desc {
	uint64_t at;
	uint32_t bytes;
	uint16_t flags;
	uint16_t other; /* split: next; packed: id */
};

static bool fail(struct virtq *q, const char *error)
{
	if (q->error == NULL)
		q->error = error;
	return false;
}

static bool load(struct virtq *q, uint64_t at, uint16_t *value)
{
	return virtio_mem_load(q->mem, at, value) || fail(q, "a ring is not in memory");
}

static inline bool store(struct virtq *q, uint64_t at, uint16_t value)
{
	return virtio_mem_store(q->mem, at, value) || fail(q, "a ring is not in memory");
}

/* --- Chains ------------------------------------------------------------------ */

static inline bool add_segment(struct virtq *q, struct virtq_chain *c, const struct desc *d)
{
	bool in = (d->flags & VRING_DESC_F_WRITE) != 0;
	uint32_t *sum = in ? &c->in_bytes : &c->out_bytes;
	unsigned n = c->n_out + c->n_in;

	if (n == VIRTQ_MAX_SIZE)
		return fail(q, "a chain is too long");
	if (!in && c->n_in != 0)
		return fail(q, "a chain has bytes to read behind those to write");
	if (d->bytes > UINT32_MAX - c->in_bytes - c->out_bytes)
		return fail(q, "a chain has more than 4 GiB");
	*sum += d->bytes;
	c->segment[n] = (struct virtq_segment){ d->at, d->bytes };
	if (in)
		c->n_in++;
	else
		c->n_out++;
	return true;
}

/* A descriptor that only the driver writes, and not while we own it, or so it
 * should be: one copy, and the ring is not looked at again. */
static inline bool read_desc(struct virtq *q, uint64_t table, uint32_t i, struct desc *d)
{
	uint8_t b[VRING_DESC_BYTES];

	if (!virtio_mem_read(q->mem, table + (uint64_t)i * VRING_DESC_BYTES, b, sizeof(b)))
		return fail(q, "a descriptor is not in memory");
	d->at = load_le64(b);
	d->bytes = load_le32(b + 8);
	d->flags = load_le16(b + (q->packed ? 14 : 12));
	d->other = load_le16(b + (q->packed ? 12 : 14));
	return true;
}

static bool table_sound(struct virtq *q, const struct desc *d)
{
	if (!q->indirect)
		return fail(q, "an indirect table, which was not negotiated");
	if (d->flags & VRING_DESC_F_NEXT)
		return fail(q, "an indirect table in the middle of a chain");
	if (d->bytes == 0 || d->bytes % VRING_DESC_BYTES != 0 ||
	    d->bytes / VRING_DESC_BYTES > VIRTQ_MAX_SIZE || d->at + d->bytes - 1 < d->at)
		return fail(q, "an indirect table of a wrong size");
	return true;
}

/* Packed (2.8.7): all entries, in order; of their flags WRITE alone counts. */
static bool walk_packed_table(struct virtq *q, struct virtq_chain *c, const struct desc *table)
{
	struct desc d;

	if (!table_sound(q, table))
		return false;
	for (uint32_t i = 0; i < table->bytes / VRING_DESC_BYTES; i++) {
		if (!read_desc(q, table->at, i, &d))
			return false;
		if (!add_segment(q, c, &d))
			return false;
	}
	return true;
}

/* Split (2.7.5): a linked list, in the queue's table and then perhaps in an
 * indirect one, each entry at most once. */
static bool walk_split(struct virtq *q, struct virtq_chain *c, uint16_t head)
{
	uint64_t table = q->at.desc;
	uint32_t entries = q->at.size, i = head;
	bool indirect = false;
	struct desc d;

	for (uint32_t n = 0; n < entries;) {
		if (i >= entries)
			return fail(q, "a descriptor's number is out of range");
		if (!read_desc(q, table, i, &d))
			return false;
		if (d.flags & VRING_DESC_F_INDIRECT) {
			if (indirect)
				return fail(q, "an indirect table in an indirect table");
			if (!table_sound(q, &d))
				return false;
			indirect = true;
			table = d.at;
			entries = d.bytes / VRING_DESC_BYTES;
			i = n = 0;
			continue;
		}
		if (!add_segment(q, c, &d))
			return false;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return true;
		i = d.other;
		n++;
	}
	return fail(q, "a chain goes in a circle");
}

static uint64_t desc_at(const struct virtq *q, uint32_t slot)
{
	return q->at.desc + (uint64_t)slot * VRING_DESC_BYTES;
}

/* The rest of a packed descriptor, whose flags have been read. */
static bool read_slot(struct virtq *q, uint32_t slot, struct desc *d)
{
	uint8_t b[PACKED_FLAGS];

	if (!virtio_mem_read(q->mem, desc_at(q, slot), b, sizeof(b)))
		return fail(q, "a descriptor is not in memory");
	d->at = load_le64(b);
	d->bytes = load_le32(b + 8);
	d->other = load_le16(b + 12);
	return true;
}

/* Packed (2.8.6): neighbours in the ring. The last one has the buffer's id. */
static bool walk_packed(struct virtq *q, struct virtq_chain *c, uint16_t flags)
{
	uint32_t slot = q->next;
	struct desc d = { .flags = flags };

	for (;;) {
		if (!read_slot(q, slot, &d))
			return false;
		c->slots++;
		c->id = d.other;
		if (d.flags & VRING_DESC_F_INDIRECT)
			return walk_packed_table(q, c, &d);
		if (!add_segment(q, c, &d))
			return false;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return true;
		if (c->slots == q->at.size)
			return fail(q, "a chain goes in a circle");
		slot = slot + 1 == q->at.size ? 0 : slot + 1;
		if (!load(q, desc_at(q, slot) + PACKED_FLAGS, &d.flags))
			return false;
	}
}

static uint64_t used_at(const struct virtq *q, uint32_t entry)
{
	return q->at.device + VRING_USED_RING + (uint64_t)entry * VRING_USED_ENTRY;
}

/* --- Available --------------------------------------------------------------- */

/* Whether there is one; `what`: its head's number, or flags. */
static bool available_split(struct virtq *q, uint16_t *what)
{
	uint16_t waiting;

	if (q->seen == q->next) {
		if (!load(q, q->at.driver + VRING_AVAIL_IDX, &q->seen))
			return false;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	}
	waiting = (uint16_t)(q->seen - q->next);
	if (waiting == 0)
		return false;
	if (waiting > q->at.size)
		return fail(q, "the available index jumps");
	return load(q, q->at.driver + VRING_AVAIL_RING + 2ull * (q->next % q->at.size), what);
}

static bool available_packed(struct virtq *q, uint16_t *what)
{
	bool avail, used;

	if (!load(q, desc_at(q, q->next) + PACKED_FLAGS, what))
		return false;
	avail = (*what & PACKED_F_AVAIL) != 0;
	used = (*what & PACKED_F_USED) != 0;
	if (avail != q->next_wrap || used == avail)
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return true;
}

static bool available(struct virtq *q, uint16_t *what)
{
	return q->packed ? available_packed(q, what) : available_split(q, what);
}

/* Has the driver tell of the next buffer (2.7.10, 2.8.10). */
static bool ask_for_kick(struct virtq *q)
{
	uint16_t off_wrap = (uint16_t)(q->next | (q->next_wrap ? 1u << 15 : 0));
	bool ok;

	if (!q->event_idx)
		return false;
	if (q->packed)
		ok = store(q, q->at.device + EVENT_OFF_WRAP, off_wrap) &&
		     store(q, q->at.device + EVENT_FLAGS, EVENT_F_DESC);
	else
		ok = store(q, used_at(q, q->at.size), q->next);
	/* Before we look again, so that one of us sees the other. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ok;
}

static void advance_packed(const struct virtq *q, uint16_t *place, bool *wrap, uint16_t by)
{
	uint32_t to = (uint32_t)*place + by;

	if (to >= q->at.size) {
		to -= q->at.size;
		*wrap = !*wrap;
	}
	*place = (uint16_t)to;
}

bool virtq_pop(struct virtq *q, struct virtq_chain *c)
{
	uint16_t what;

	if (!q->ready || q->error != NULL)
		return false;
	if (!available(q, &what) &&
	    (q->error != NULL || !ask_for_kick(q) || !available(q, &what)))
		return false;
	c->id = what;
	c->slots = c->n_out = c->n_in = 0;
	c->out_bytes = c->in_bytes = 0;
	if (!(q->packed ? walk_packed(q, c, what) : walk_split(q, c, what)))
		return false;
	if (q->packed)
		advance_packed(q, &q->next, &q->next_wrap, c->slots);
	else
		q->next++;
	return true;
}

/* --- Used --------------------------------------------------------------------- */

static void push_split(struct virtq *q, const struct virtq_used *used, unsigned n)
{
	uint8_t entry[VRING_USED_ENTRY];

	for (unsigned i = 0; i < n; i++) {
		uint64_t at = used_at(q, (uint16_t)(q->used + i) % q->at.size);

		store_le32(entry, used[i].id);
		store_le32(entry + 4, used[i].written);
		if (!virtio_mem_write(q->mem, at, entry, sizeof(entry))) {
			(void)fail(q, "a ring is not in memory");
			return;
		}
	}
	__atomic_thread_fence(__ATOMIC_RELEASE);
	q->used = (uint16_t)(q->used + n);
	(void)store(q, q->at.device + VRING_USED_IDX, q->used);
}

/* All of a used descriptor but its flags, which are returned. */
static bool put_packed(struct virtq *q, const struct virtq_used *used, uint16_t *flags)
{
	uint8_t entry[6];

	store_le32(entry, used->written);
	store_le16(entry + 4, used->id);
	*flags = q->used_wrap ? PACKED_F_AVAIL | PACKED_F_USED : 0;
	if (used->written != 0)
		*flags |= VRING_DESC_F_WRITE;
	return virtio_mem_write(q->mem, desc_at(q, q->used) + 8, entry, sizeof(entry)) ||
	       fail(q, "a ring is not in memory");
}

static void note_place(struct virtq *q, uint32_t before, uint32_t behind)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(q->place, before | behind << 16, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

/* Before the ring is touched. */
static void note_push(struct virtq *q, const struct virtq_used *used, unsigned n)
{
	const uint32_t before = VIRTQ_PLACE(q->used, q->used_wrap);
	uint16_t place = q->used;
	bool wrap = q->used_wrap;

	for (unsigned i = 0; i < n; i++) {
		advance_packed(q, &place, &wrap, used[i].slots);
		q->journal->used[i] = used[i];
	}
	q->journal->n = n;
	note_place(q, before, VIRTQ_PLACE(place, wrap));
}

/* The first one's flags come last: until then the driver sees none of them. */
static void push_packed(struct virtq *q, const struct virtq_used *used, unsigned n)
{
	uint64_t first_at = desc_at(q, q->used) + PACKED_FLAGS;
	uint16_t first = 0;

	if (q->place != NULL)
		note_push(q, used, n);
	for (unsigned i = 0; i < n; i++) {
		uint16_t flags;
		bool wrap = q->used_wrap;

		if (!put_packed(q, &used[i], &flags))
			return;
		if (i == 0)
			first = flags;
		else if (!store(q, desc_at(q, q->used) + PACKED_FLAGS, flags))
			return;
		advance_packed(q, &q->used, &q->used_wrap, used[i].slots);
		if (wrap != q->used_wrap)
			q->signalled = (uint16_t)(q->signalled - q->at.size);
	}
	__atomic_thread_fence(__ATOMIC_RELEASE);
	(void)store(q, first_at, first);
	if (q->place != NULL)
		note_place(q, VIRTQ_PLACE(q->used, q->used_wrap),
			   VIRTQ_PLACE(q->used, q->used_wrap));
}

void virtq_push_all(struct virtq *q, const struct virtq_used *used, unsigned n)
{
	if (!q->ready || q->error != NULL || n == 0 || n > VIRTQ_TOGETHER)
		return;
	q->requests += n;
	if (q->packed)
		push_packed(q, used, n);
	else
		push_split(q, used, n);
}

void virtq_push(struct virtq *q, const struct virtq_chain *c, uint32_t written)
{
	struct virtq_used used = { c->id, c->slots, written };

	virtq_push_all(q, &used, 1);
}

/* Whether `event` is among those from `old` up to before `now` (2.7.10). */
static bool passed(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

static bool wants_split(struct virtq *q)
{
	uint16_t word;

	if (!q->event_idx)
		return load(q, q->at.driver + VRING_AVAIL_FLAGS, &word) &&
		       !(word & VRING_AVAIL_F_NO_INTERRUPT);
	return load(q, q->at.driver + VRING_AVAIL_RING + 2ull * q->at.size, &word) &&
	       passed(word, q->used, q->signalled);
}

static bool wants_packed(struct virtq *q)
{
	uint16_t flags, word;

	if (!load(q, q->at.driver + EVENT_FLAGS, &flags))
		return false;
	if (!q->event_idx || (flags & 3) != EVENT_F_DESC)
		return (flags & 3) != EVENT_F_DISABLE;
	if (!load(q, q->at.driver + EVENT_OFF_WRAP, &word))
		return false;
	if ((word >> 15 != 0) != q->used_wrap)
		return passed((uint16_t)((word & 0x7fff) - q->at.size), q->used, q->signalled);
	return passed(word & 0x7fff, q->used, q->signalled);
}

bool virtq_interrupts(struct virtq *q)
{
	bool wants;

	if (!q->ready || q->error != NULL || q->used == q->signalled)
		return false;
	/* What was given back is there before we ask whether to tell. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	wants = q->packed ? wants_packed(q) : wants_split(q);
	q->signalled = q->used;
	return wants;
}

/* --- Construction --------------------------------------------------------------- */

/* All of the areas is there now. What becomes of them later, each access sees. */
static bool in_memory(const struct virtq *q, uint64_t at, uint64_t bytes)
{
	uint8_t byte;

	return at + bytes - 1 >= at && virtio_mem_read(q->mem, at, &byte, 1) &&
	       virtio_mem_read(q->mem, at + bytes - 1, &byte, 1);
}

const char *virtq_enable(struct virtq *q)
{
	const struct virtq_layout *at = &q->at;
	uint64_t driver = q->packed ? 4 : 6 + 2ull * at->size;
	uint64_t device = q->packed ? 4 : 6 + (uint64_t)VRING_USED_ENTRY * at->size;

	if (at->size == 0 || at->size > VIRTQ_MAX_SIZE || (!q->packed && !is_pow2_u64(at->size)))
		return "a queue size that is not possible";
	if (!is_aligned_u64(at->desc, 16) || !is_aligned_u64(at->driver, q->packed ? 4 : 2) ||
	    !is_aligned_u64(at->device, 4))
		return "a ring that is not aligned";
	if (!in_memory(q, at->desc, (uint64_t)VRING_DESC_BYTES * at->size) ||
	    !in_memory(q, at->driver, driver) || !in_memory(q, at->device, device))
		return "a ring that is not in memory";
	q->next_wrap = q->used_wrap = true;
	q->ready = true;
	return NULL;
}

void virtq_reset(struct virtq *q)
{
	*q = (struct virtq){ .mem = q->mem,
			     .place = q->place,
			     .journal = q->journal,
			     .requests = q->requests,
			     .bytes = q->bytes };
}

static const char *resume_split(struct virtq *q)
{
	uint16_t used;

	if (!load(q, q->at.device + VRING_USED_IDX, &used))
		return q->error;
	q->next = q->seen = q->used = q->signalled = used;
	return NULL;
}

/* Whether the driver has back what was made available there, in the lap of `place`: it
 * may have made it available again, in the next one. */
static bool is_used(struct virtq *q, uint32_t place)
{
	const bool wrap = (place >> 15 & 1) != 0;
	uint16_t flags;

	return load(q, desc_at(q, place & 0x7fff) + PACKED_FLAGS, &flags) &&
	       (((flags & PACKED_F_AVAIL) != 0) != wrap || ((flags & PACKED_F_USED) != 0) == wrap);
}

/* What was written down and may be in the ring in part. */
static bool push_again(struct virtq *q)
{
	const struct virtq_journal j = *q->journal;

	__asm__ volatile(""
			 :
			 : "r"(&j)
			 : "memory"); /* it is read from there once */
	if (j.n == 0 || j.n > VIRTQ_TOGETHER)
		return false;
	for (unsigned i = 0; i < j.n; i++)
		if (j.used[i].slots == 0 || j.used[i].slots > q->at.size)
			return false;
	push_packed(q, j.used, j.n);
	return true;
}

static void go_to(struct virtq *q, uint32_t place)
{
	q->next = q->used = q->signalled = place & 0x7fff;
	q->next_wrap = q->used_wrap = (place >> 15 & 1) != 0;
}

static const char *resume_packed(struct virtq *q)
{
	const uint32_t place = __atomic_load_n(q->place, __ATOMIC_RELAXED);
	const uint32_t before = place & 0xffff, behind = place >> 16;

	if ((before & 0x7fff) >= q->at.size || (behind & 0x7fff) >= q->at.size)
		return "a queue was left where it has no place";
	go_to(q, before);
	if (before != behind && !is_used(q, before) && !push_again(q))
		return "a queue was left as none can be";
	go_to(q, behind);
	note_place(q, behind, behind);
	return q->error;
}

const char *virtq_resume(struct virtq *q)
{
	return q->packed ? resume_packed(q) : resume_split(q);
}

/* --- Bytes ------------------------------------------------------------------------ */

struct virtq_cursor virtq_out(const struct virtq_chain *c)
{
	return (struct virtq_cursor){ c->segment, 0, c->out_bytes };
}

struct virtq_cursor virtq_in(const struct virtq_chain *c)
{
	return (struct virtq_cursor){ c->segment + c->n_out, 0, c->in_bytes };
}

/* The next piece, of at most `bytes`, which are left; empty segments are
 * passed over. */
static inline uint32_t piece(struct virtq_cursor *c, uint32_t bytes, uint64_t *at)
{
	uint32_t n;

	while (c->offset == c->segment->bytes) {
		c->segment++;
		c->offset = 0;
	}
	n = min_u32(bytes, c->segment->bytes - c->offset);
	*at = c->segment->at + c->offset;
	c->offset += n;
	c->left -= n;
	return n;
}

bool virtq_read(struct virtq *q, struct virtq_cursor *from, void *to, uint32_t bytes)
{
	q->bytes += bytes;
	for (uint8_t *p = to; bytes > 0;) {
		uint64_t at;
		uint32_t n = piece(from, bytes, &at);

		if (!virtio_mem_read(q->mem, at, p, n))
			return fail(q, "a buffer is not in memory");
		p += n;
		bytes -= n;
	}
	return true;
}

bool virtq_write(struct virtq *q, struct virtq_cursor *to, const void *from, uint32_t bytes)
{
	q->bytes += bytes;
	for (const uint8_t *p = from; bytes > 0;) {
		uint64_t at;
		uint32_t n = piece(to, bytes, &at);

		if (!virtio_mem_write(q->mem, at, p, n))
			return fail(q, "a buffer is not in memory");
		p += n;
		bytes -= n;
	}
	return true;
}

void virtq_skip(struct virtq_cursor *c, uint32_t bytes)
{
	while (bytes > 0) {
		uint64_t at;

		bytes -= piece(c, bytes, &at);
	}
}
