#include <selvage/event.h>

#include "event_impl.h"

struct time_key {
	uint64_t deadline, token;
};

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static struct event_timer *by_time(const struct tree_node *n)
{
	return n ? CONTAINER_OF(n, struct event_timer, by_time) : NULL;
}

static struct event_timer *by_token(const struct tree_node *n)
{
	return n ? CONTAINER_OF(n, struct event_timer, by_token) : NULL;
}

static int compare_time(const void *key, const struct tree_node *n)
{
	const struct time_key *k = key;
	const struct event_timer *t = by_time(n);
	int c = compare_u64(k->deadline, t->deadline);

	return c ? c : compare_u64(k->token, t->token);
}

static int compare_token(const void *key, const struct tree_node *n)
{
	return compare_u64(*(const uint64_t *)key, by_token(n)->token);
}

void event_timers_init(struct event_loop *loop)
{
	tree_init(&loop->timers, compare_time);
	tree_init(&loop->tokens, compare_token);
	loop->next_token = 1;
}

static void sort_in(struct event_timer *t)
{
	struct time_key k = { t->deadline, t->token };

	tree_insert(&t->loop->timers, &t->by_time, &k);
}

static void disarm(struct event_timer *t)
{
	tree_remove(&t->loop->timers, &t->by_time);
	tree_remove(&t->loop->tokens, &t->by_token);
	t->token = 0;
}

void event_timer_init(struct event_timer *t,
		      void (*fire)(struct event_timer *t, uint64_t now))
{
	*t = (struct event_timer){ .fire = fire };
}

uint64_t event_timer_arm(struct event_loop *loop, struct event_timer *t,
			 uint64_t deadline, uint64_t period)
{
	if (t->token)
		disarm(t);
	t->loop = loop;
	t->deadline = deadline;
	t->period = period;
	t->missed = 0;
	t->token = loop->next_token++;
	sort_in(t);
	tree_insert(&loop->tokens, &t->by_token, &t->token);
	return t->token;
}

bool event_timer_cancel(struct event_loop *loop, uint64_t token)
{
	struct event_timer *t = by_token(tree_find(&loop->tokens, &token));

	if (!t)
		return false;
	disarm(t);
	return true;
}

uint64_t event_loop_deadline(const struct event_loop *loop)
{
	const struct event_timer *t = by_time(tree_first(&loop->timers));

	return t ? t->deadline : EVENT_NEVER;
}

/* To the first time after now that is a whole number of periods on; one that
 * lies beyond the end of time is never. */
static void advance(struct event_timer *t, uint64_t now)
{
	uint64_t periods = (now - t->deadline) / t->period;
	uint64_t at = t->deadline + periods * t->period;

	tree_remove(&t->loop->timers, &t->by_time);
	t->deadline = at > UINT64_MAX - t->period ? EVENT_NEVER : at + t->period;
	t->missed = periods;
	t->loop->stats.missed += periods;
	sort_in(t);
}

static void fire(struct event_timer *t, uint64_t now)
{
	t->loop->stats.fired++;
	if (t->period)
		advance(t, now);
	else
		disarm(t);
	t->fire(t, now);
}

void event_loop_fire(struct event_loop *loop, uint64_t now)
{
	for (size_t n = loop->timers.count; n; n--) {
		struct event_timer *t = by_time(tree_first(&loop->timers));

		if (!t || t->deadline > now || t->deadline == EVENT_NEVER)
			return;
		fire(t, now);
	}
}
