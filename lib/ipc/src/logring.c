#include <selvage/logring.h>

#include <selvage/base.h>
#include <string.h>

static struct logring_slot *slot_of(struct logring *ring, uint64_t position)
{
	return &ring->slot[position % LOGRING_SLOTS];
}

static uint64_t free_turn(uint64_t position)
{
	return position / LOGRING_SLOTS * 2;
}

/*
 * Takes the next position for this producer. The retries are bounded by the
 * other producers' successes: each failed exchange means that one of them
 * took a position.
 */
static bool reserve(struct logring *ring, uint64_t *position)
{
	uint64_t at = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);
	uint64_t turn, now;

	for (;;) {
		turn = __atomic_load_n(&slot_of(ring, at)->turn,
				       __ATOMIC_ACQUIRE);
		if (turn == free_turn(at)) {
			if (__atomic_compare_exchange_n(&ring->head, &at,
							at + 1, true,
							__ATOMIC_RELAXED,
							__ATOMIC_RELAXED))
				break;
			continue;
		}
		now = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);
		if (now == at)
			return false;
		at = now;
	}
	*position = at;
	return true;
}

bool logring_put(struct logring *ring, uint64_t stamp, enum log_level level,
		 const char *text, size_t size)
{
	struct logring_slot *slot;
	uint64_t position;

	if (!reserve(ring, &position)) {
		__atomic_fetch_add(&ring->lost, 1, __ATOMIC_RELAXED);
		return false;
	}
	slot = slot_of(ring, position);
	slot->stamp = stamp;
	slot->level = (uint32_t)level;
	slot->size = (uint32_t)min_size(size, LOG_TEXT);
	memcpy(slot->text, text, slot->size);
	__atomic_store_n(&slot->turn, free_turn(position) + 1,
			 __ATOMIC_RELEASE);
	return true;
}

/* The oldest of the last lap's positions, up to `head`, that no reader has
 * given back. */
static uint64_t first_unread(const struct logring *ring, uint64_t head)
{
	uint64_t at = head > LOGRING_SLOTS ? head - LOGRING_SLOTS : 0;

	while (at != head && __atomic_load_n(&ring->slot[at % LOGRING_SLOTS].turn,
					     __ATOMIC_ACQUIRE) == free_turn(at) + 2)
		at++;
	return at;
}

static uint64_t head_of(const struct logring *ring)
{
	return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
}

bool logring_is_read(const struct logring *ring)
{
	uint64_t head = head_of(ring);

	return first_unread(ring, head) == head;
}

void logring_open(struct logring_reader *r, void *pages)
{
	r->ring = pages;
	r->next = first_unread(pages, head_of(pages));
	r->lost_seen = 0;
}

/* The producer may write the slot while it is read: copy each field once,
 * then check the copies. */
static void copy_record(const struct logring_slot *slot, struct log_record *out)
{
	uint32_t level = __atomic_load_n(&slot->level, __ATOMIC_RELAXED);
	uint32_t size = __atomic_load_n(&slot->size, __ATOMIC_RELAXED);

	out->stamp = __atomic_load_n(&slot->stamp, __ATOMIC_RELAXED);
	out->level = min_u32(level, LOG_LEVEL_DEBUG);
	out->size = min_u32(size, LOG_TEXT);
	memcpy(out->text, slot->text, out->size);
}

bool logring_get(struct logring_reader *r, struct log_record *out)
{
	struct logring_slot *slot = slot_of(r->ring, r->next);
	uint64_t turn = __atomic_load_n(&slot->turn, __ATOMIC_ACQUIRE);

	if (turn != free_turn(r->next) + 1)
		return false;
	copy_record(slot, out);
	__atomic_store_n(&slot->turn, turn + 1, __ATOMIC_RELEASE);
	r->next++;
	return true;
}

uint64_t logring_lost(struct logring_reader *r)
{
	uint64_t lost = __atomic_load_n(&r->ring->lost, __ATOMIC_RELAXED);
	uint64_t new = lost - r->lost_seen;

	r->lost_seen = lost;
	return new;
}
