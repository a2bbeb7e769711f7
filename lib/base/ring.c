#include <selvage/ring.h>

/*
 * The peer may change anything in the shared part at any moment, so its
 * index is loaded once per call. Acquire pairs with the release in which the
 * peer published the bytes (or gave the room back).
 */
static uint32_t load_index(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void publish_index(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

/* How many of n bytes from index `at` lie before the buffer's end. */
static uint32_t first_part(const struct ring *r, uint32_t at, uint32_t n)
{
	uint32_t to_end = r->size - (at & (r->size - 1));

	return n < to_end ? n : to_end;
}

void ring_attach(struct ring *r, void *shared, uint32_t size, bool producer)
{
	r->shared = shared;
	r->size = size;
	r->mine = producer ? load_index(&r->shared->head)
			   : load_index(&r->shared->tail);
}

uint32_t ring_room(const struct ring *r)
{
	uint32_t used = r->mine - load_index(&r->shared->tail);

	return used > r->size ? 0 : r->size - used;
}

uint32_t ring_put(struct ring *r, const void *bytes, uint32_t n)
{
	uint32_t room = ring_room(r);
	uint32_t first;

	if (n > room)
		n = room;
	if (!n)
		return 0;
	first = first_part(r, r->mine, n);
	__builtin_memcpy(&r->shared->data[r->mine & (r->size - 1)], bytes, first);
	__builtin_memcpy(r->shared->data, (const uint8_t *)bytes + first,
			 n - first);
	r->mine += n;
	publish_index(&r->shared->head, r->mine);
	return n;
}

uint32_t ring_waiting(const struct ring *r)
{
	uint32_t n = load_index(&r->shared->head) - r->mine;

	return n > r->size ? 0 : n;
}

bool ring_is_taken(const struct ring_shared *shared)
{
	return load_index(&shared->head) == load_index(&shared->tail);
}

uint32_t ring_get(struct ring *r, void *bytes, uint32_t n)
{
	uint32_t waiting = ring_waiting(r);
	uint32_t first;

	if (n > waiting)
		n = waiting;
	if (!n)
		return 0;
	first = first_part(r, r->mine, n);
	__builtin_memcpy(bytes, &r->shared->data[r->mine & (r->size - 1)], first);
	__builtin_memcpy((uint8_t *)bytes + first, r->shared->data, n - first);
	r->mine += n;
	publish_index(&r->shared->tail, r->mine);
	return n;
}
