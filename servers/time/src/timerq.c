#include "timerq.h"

static bool earlier(const struct timerq *q, uint32_t a, uint32_t b)
{
	uint64_t da = q->timer[a].deadline, db = q->timer[b].deadline;

	return da < db || (da == db && a < b);
}

static void put_at(struct timerq *q, uint32_t place, uint32_t id)
{
	q->heap[place] = (uint16_t)id;
	q->timer[id].place = place + 1;
}

static void sift_up(struct timerq *q, uint32_t place)
{
	uint32_t id = q->heap[place];

	while (place > 0) {
		uint32_t parent = (place - 1) / 2;

		if (!earlier(q, id, q->heap[parent]))
			break;
		put_at(q, place, q->heap[parent]);
		place = parent;
	}
	put_at(q, place, id);
}

static void sift_down(struct timerq *q, uint32_t place)
{
	uint32_t id = q->heap[place];

	for (;;) {
		uint32_t child = 2 * place + 1;

		if (child >= q->count)
			break;
		if (child + 1 < q->count &&
		    earlier(q, q->heap[child + 1], q->heap[child]))
			child++;
		if (!earlier(q, q->heap[child], id))
			break;
		put_at(q, place, q->heap[child]);
		place = child;
	}
	put_at(q, place, id);
}

void timerq_arm(struct timerq *q, uint32_t id, uint64_t deadline,
		uint64_t period)
{
	timerq_cancel(q, id);
	q->timer[id].deadline = deadline;
	q->timer[id].period = period;
	put_at(q, q->count, id);
	q->count++;
	sift_up(q, q->count - 1);
}

void timerq_cancel(struct timerq *q, uint32_t id)
{
	uint32_t place = q->timer[id].place;

	if (!place)
		return;
	place--;
	q->timer[id].place = 0;
	q->count--;
	if (place == q->count)
		return;
	/* The last one fills the gap; it may belong above or below it. */
	put_at(q, place, q->heap[q->count]);
	if (place > 0 && earlier(q, q->heap[place], q->heap[(place - 1) / 2]))
		sift_up(q, place);
	else
		sift_down(q, place);
}

bool timerq_next(const struct timerq *q, uint64_t *deadline)
{
	if (!q->count)
		return false;
	*deadline = q->timer[q->heap[0]].deadline;
	return true;
}

/* The first deadline after `now` on the timer's grid; false past the end of
 * time. */
static bool next_period(const struct timerq_timer *t, uint64_t now,
			uint64_t *deadline)
{
	uint64_t late = (now - t->deadline) % t->period;

	return !__builtin_add_overflow(now, t->period - late, deadline);
}

bool timerq_expire(struct timerq *q, uint64_t now, uint32_t *id)
{
	struct timerq_timer *t;
	uint64_t deadline;

	if (!q->count)
		return false;
	*id = q->heap[0];
	t = &q->timer[*id];
	if (t->deadline > now)
		return false;
	if (t->period && next_period(t, now, &deadline)) {
		t->deadline = deadline;
		sift_down(q, 0);
	} else {
		timerq_cancel(q, *id);
	}
	return true;
}
