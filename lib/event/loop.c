#include <selvage/event.h>

#include "event_impl.h"

/* Tasks */

static void wake_from_sleep(struct event_timer *timer, uint64_t now)
{
	(void)now;
	event_task_wake(CONTAINER_OF(timer, struct event_task, timer));
}

void event_task_init(struct event_loop *loop, struct event_task *t,
		     void (*run)(struct event_task *t))
{
	*t = (struct event_task){ .run = run, .loop = loop };
	list_init(&t->link);
	event_timer_init(&t->timer, wake_from_sleep);
}

static void stop_sleeping(struct event_task *t)
{
	if (event_timer_armed(&t->timer))
		event_timer_cancel(t->loop, t->timer.token);
}

void event_task_wake(struct event_task *t)
{
	stop_sleeping(t);
	if (list_empty(&t->link))
		list_push_back(&t->loop->ready, &t->link);
}

void event_task_sleep(struct event_task *t, uint64_t until)
{
	if (list_empty(&t->link))
		event_timer_arm(t->loop, &t->timer, until, 0);
}

void event_task_cancel(struct event_task *t)
{
	stop_sleeping(t);
	list_remove(&t->link);
}

/* A task that wakes another (or itself) queues it behind the mark. */
static void run_ready(struct event_loop *loop)
{
	struct list_node mark;
	struct list_node *n;

	list_push_back(&loop->ready, &mark);
	while ((n = list_pop_front(&loop->ready)) != &mark) {
		struct event_task *t = CONTAINER_OF(n, struct event_task, link);

		loop->stats.ran++;
		t->run(t);
	}
}

/* Bits */

void event_bit_set(struct event_loop *loop, unsigned bit, event_bit_fn fn,
		   void *ctx)
{
	if (bit < EVENT_BITS)
		loop->bit[bit] = (struct event_bit){ fn, ctx };
}

void event_loop_dispatch(struct event_loop *loop, uint64_t bits)
{
	for (; bits; bits &= bits - 1) {
		unsigned bit = bit_lowest_u64(bits);
		const struct event_bit b = loop->bit[bit];

		if (!b.fn) {
			loop->stats.stray_bits++;
			continue;
		}
		loop->stats.bits++;
		b.fn(b.ctx, bit);
	}
}

/* The loop */

void event_loop_init(struct event_loop *loop, const struct event_env *env,
		     void *ctx)
{
	*loop = (struct event_loop){ .env = env, .ctx = ctx };
	loop->armed = EVENT_NEVER;
	list_init(&loop->ready);
	event_timers_init(loop);
}

static bool idle(const struct event_loop *loop, uint64_t deadline)
{
	return list_empty(&loop->ready) && !loop->stop &&
	       (deadline == EVENT_NEVER ||
		deadline > loop->env->now(loop->ctx));
}

static uint64_t collect_bits(struct event_loop *loop)
{
	uint64_t deadline = event_loop_deadline(loop);
	uint64_t bits;

	if (!idle(loop, deadline))
		return loop->env->poll ? loop->env->poll(loop->ctx) : 0;
	if (deadline != loop->armed) {
		loop->env->arm(loop->ctx, deadline);
		loop->armed = deadline;
	}
	loop->stats.waits++;
	bits = loop->env->wait(loop->ctx);
	/* Woken by the time, if only nearly: it must be armed anew. */
	if (!bits)
		loop->armed = EVENT_NEVER;
	return bits;
}

void event_loop_run_once(struct event_loop *loop)
{
	loop->stats.rounds++;
	event_loop_fire(loop, loop->env->now(loop->ctx));
	run_ready(loop);
	event_loop_dispatch(loop, collect_bits(loop));
}

void event_loop_run(struct event_loop *loop)
{
	loop->stop = false;
	while (!loop->stop)
		event_loop_run_once(loop);
}

void event_loop_stop(struct event_loop *loop)
{
	loop->stop = true;
}
