#include <selvage/vqueue.h>

#include <selvage/base.h>
#include <selvage/dma_arch.h>
#include <selvage/virtio_abi.h>
#include <string.h>

static bool fail(struct vqueue *q, const char *error)
{
	if (q->error == NULL)
		q->error = error;
	return false;
}

/* One access each; the machine is little-endian, as virtio is. */
static uint16_t load(const uint8_t *at)
{
	return __atomic_load_n((const uint16_t *)(const void *)at, __ATOMIC_RELAXED);
}

static uint32_t load32(const uint8_t *at)
{
	return __atomic_load_n((const uint32_t *)(const void *)at, __ATOMIC_RELAXED);
}

static void store(uint8_t *at, uint16_t value)
{
	__atomic_store_n((uint16_t *)(void *)at, value, __ATOMIC_RELAXED);
}

/* --- Construction ------------------------------------------------------------- */

static size_t avail_offset(unsigned size)
{
	return (size_t)VRING_DESC_BYTES * size;
}

/* The used ring begins a cache line of its own: the other side writes it. */
static size_t used_offset(unsigned size)
{
	return align_up_u64(avail_offset(size) + VRING_AVAIL_RING + 2 * size + 2, VQUEUE_ALIGN);
}

size_t vqueue_bytes(unsigned size)
{
	return align_up_u64(used_offset(size) + VRING_USED_RING + (size_t)VRING_USED_ENTRY * size +
				    2,
			    VQUEUE_ALIGN);
}

void vqueue_init(struct vqueue *q, unsigned size, void *memory, uint64_t at, bool event_idx)
{
	memset(q, 0, sizeof(*q));
	memset(memory, 0, vqueue_bytes(size));
	q->size = (uint16_t)size;
	q->event_idx = event_idx;
	q->desc = memory;
	q->avail = q->desc + avail_offset(size);
	q->used = q->desc + used_offset(size);
	q->desc_at = at;
	q->avail_at = at + avail_offset(size);
	q->used_at = at + used_offset(size);
	q->n_free = q->size;
	for (unsigned i = 0; i < size; i++)
		q->slot[i].next = (uint16_t)(i + 1);
}

/* --- Available ------------------------------------------------------------------ */

static void write_desc(struct vqueue *q, unsigned i, const struct vqueue_segment *s,
		       unsigned flags)
{
	uint8_t *d = q->desc + (size_t)VRING_DESC_BYTES * i;

	store_le64(d, s->at);
	store_le32(d + 8, s->bytes);
	store_le16(d + 12, (uint16_t)flags);
	store_le16(d + 14, q->slot[i].next);
}

bool vqueue_add(struct vqueue *q, const struct vqueue_segment *segments, unsigned n_out,
		unsigned n_in, uint32_t token)
{
	unsigned n = n_out + n_in, i = q->free;
	struct vqueue_slot *head = &q->slot[i];
	uint64_t in_bytes = 0;

	if (q->error != NULL || n == 0 || n > q->n_free)
		return false;
	for (unsigned k = 0; k < n; k++) {
		unsigned flags = k < n_out ? 0 : VRING_DESC_F_WRITE;

		in_bytes += k < n_out ? 0 : segments[k].bytes;
		write_desc(q, i, &segments[k], flags | (k + 1 < n ? VRING_DESC_F_NEXT : 0));
		i = q->slot[i].next;
	}
	head->entries = (uint16_t)n;
	head->in_bytes = (uint32_t)min_u64(in_bytes, UINT32_MAX);
	head->token = token;
	store(q->avail + VRING_AVAIL_RING + (size_t)2 * (q->made % q->size), q->free);
	q->free = (uint16_t)i;
	q->n_free = (uint16_t)(q->n_free - n);
	q->made++;
	return true;
}

/* Whether `event` is among those from `old` up to before `now` (2.7.10). */
static bool passed(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

bool vqueue_publish(struct vqueue *q)
{
	uint16_t old = q->told;

	if (q->error != NULL || q->made == old)
		return false;
	/* Descriptors and ring are there before the index says so. */
	dma_write_barrier();
	store(q->avail + VRING_AVAIL_IDX, q->made);
	q->told = q->made;
	/* It is before we look whether the device wants to hear of it. */
	dma_barrier();
	if (!q->event_idx)
		return !(load(q->used + VRING_USED_FLAGS) & VRING_USED_F_NO_NOTIFY);
	return passed(load(q->used + VRING_USED_RING + (size_t)VRING_USED_ENTRY * q->size), q->made,
		      old);
}

/* --- Used ------------------------------------------------------------------------- */

static void release(struct vqueue *q, unsigned head)
{
	unsigned last = head;

	for (unsigned k = 1; k < q->slot[head].entries; k++)
		last = q->slot[last].next;
	q->slot[last].next = q->free;
	q->free = (uint16_t)head;
	q->n_free = (uint16_t)(q->n_free + q->slot[head].entries);
	q->slot[head].entries = 0;
}

bool vqueue_take(struct vqueue *q, uint32_t *token, uint32_t *written)
{
	const uint8_t *entry;
	uint32_t id, bytes;
	uint16_t waiting;

	if (q->error != NULL)
		return false;
	waiting = (uint16_t)(load(q->used + VRING_USED_IDX) - q->taken);
	if (waiting == 0)
		return false;
	if (waiting > vqueue_outstanding(q))
		return fail(q, "the used index jumps");
	/* The entry is read after the index that announces it. */
	dma_read_barrier();
	entry = q->used + VRING_USED_RING + (size_t)VRING_USED_ENTRY * (q->taken % q->size);
	id = load32(entry);
	bytes = load32(entry + 4);
	if (id >= q->size || q->slot[id].entries == 0)
		return fail(q, "a used buffer that the device was not given");
	if (bytes > q->slot[id].in_bytes)
		return fail(q, "a used buffer that is longer than what was given");
	*token = q->slot[id].token;
	*written = bytes;
	release(q, id);
	q->taken++;
	return true;
}

bool vqueue_listen(struct vqueue *q)
{
	if (q->event_idx)
		store(q->avail + VRING_AVAIL_RING + (size_t)2 * q->size, q->taken);
	else
		store(q->avail + VRING_AVAIL_FLAGS, 0);
	/* Before we look again, so that one of us sees the other. */
	dma_barrier();
	return q->error == NULL && load(q->used + VRING_USED_IDX) != q->taken;
}

void vqueue_mute(struct vqueue *q)
{
	if (q->event_idx) /* as far away as can be */
		store(q->avail + VRING_AVAIL_RING + (size_t)2 * q->size, (uint16_t)(q->taken - 1));
	else
		store(q->avail + VRING_AVAIL_FLAGS, VRING_AVAIL_F_NO_INTERRUPT);
}
