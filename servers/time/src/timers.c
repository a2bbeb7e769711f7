#include "timers.h"

#include <selvage/servers.h>

static void fire(struct event_timer *timer, uint64_t now)
{
	struct timers *t = CONTAINER_OF(timer->loop, struct timers, loop);

	(void)now;
	t->signal((uint32_t)(timer - t->timer));
}

void timers_init(struct timers *t, bool available, uint64_t min_period,
		 void (*signal)(uint32_t id))
{
	*t = (struct timers){
		.available = available,
		.min_period = min_period,
		.signal = signal,
	};
	event_loop_init(&t->loop, NULL, NULL);
	for (uint32_t id = 0; id < TIMERS; id++)
		event_timer_init(&t->timer[id], fire);
}

static void cancel_timer(struct timers *t, uint64_t id)
{
	if (event_timer_armed(&t->timer[id]))
		event_timer_cancel(&t->loop, t->timer[id].token);
}

static uint64_t arm(struct timers *t, uint64_t client, const uint64_t *mr)
{
	uint64_t timer = mr[0], deadline = mr[1], period = mr[2];

	if (!t->available)
		return TIME_UNAVAILABLE;
	if (timer >= TIME_TIMERS || (period && period < t->min_period))
		return TIME_BAD_ARGUMENT;
	event_timer_arm(&t->loop, &t->timer[client * TIME_TIMERS + timer],
			deadline, period);
	return TIME_OK;
}

static uint64_t cancel(struct timers *t, uint64_t client, const uint64_t *mr)
{
	if (!t->available)
		return TIME_UNAVAILABLE;
	if (mr[0] >= TIME_TIMERS)
		return TIME_BAD_ARGUMENT;
	cancel_timer(t, client * TIME_TIMERS + mr[0]);
	return TIME_OK;
}

static uint64_t client_request(struct timers *t, uint64_t client,
			       uint64_t label, unsigned words,
			       const uint64_t *mr)
{
	if (client >= TIME_CLIENTS || !t->known[client])
		return TIME_BAD_REQUEST;
	switch (label) {
	case TIME_ARM:
		return words < 3 ? TIME_BAD_ARGUMENT : arm(t, client, mr);
	case TIME_CANCEL:
		return words < 1 ? TIME_BAD_ARGUMENT : cancel(t, client, mr);
	default:
		return TIME_BAD_REQUEST;
	}
}

static uint64_t init_request(struct timers *t, uint64_t label, unsigned words,
			     const uint64_t *mr)
{
	if (label != SERVER_ADD_CLIENT && label != SERVER_REMOVE_CLIENT)
		return SERVER_BAD_REQUEST;
	if (words < 1 || mr[0] >= TIME_CLIENTS ||
	    t->known[mr[0]] == (label == SERVER_ADD_CLIENT))
		return SERVER_BAD_ARGUMENT;
	t->known[mr[0]] = label == SERVER_ADD_CLIENT;
	for (uint64_t i = 0; i < TIME_TIMERS; i++) {
		uint64_t id = mr[0] * TIME_TIMERS + i;

		/* What a client armed before this server was started again
		 * is gone: let it look. */
		if (t->known[mr[0]])
			t->signal((uint32_t)id);
		else
			cancel_timer(t, id);
	}
	return SERVER_OK;
}

uint64_t timers_request(struct timers *t, uint64_t badge, uint64_t label,
			unsigned words, const uint64_t *mr)
{
	if (badge == SERVER_BADGE_INIT)
		return init_request(t, label, words, mr);
	return client_request(t, badge - 1, label, words, mr);
}

uint64_t timers_expire(struct timers *t, uint64_t now)
{
	event_loop_fire(&t->loop, now);
	return event_loop_deadline(&t->loop);
}
