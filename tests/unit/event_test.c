/*
 * The event loop against simple models: timers against an array that is
 * searched for the earliest, chains against a sorted list, and a simulated
 * machine whose time only moves when the loop waits.
 */
#include "random.h"
#include "unit.h"

#include <selvage/event.h>
#include <string.h>

#define TIMERS 60
#define TASKS 20
#define MAX_FIRED 10000

struct machine {
	struct event_loop loop;
	struct random random;
	uint64_t now;
	uint64_t armed;
	uint64_t bits; /* that the next wait or poll returns */
	unsigned arms, waits;
	bool waited_for_ever;
};

static uint64_t env_now(void *ctx)
{
	return ((struct machine *)ctx)->now;
}

static void env_arm(void *ctx, uint64_t deadline)
{
	struct machine *m = ctx;

	m->armed = deadline;
	m->arms++;
}

static uint64_t env_poll(void *ctx)
{
	struct machine *m = ctx;
	uint64_t bits = m->bits;

	m->bits = 0;
	return bits;
}

static uint64_t env_wait(void *ctx)
{
	struct machine *m = ctx;

	m->waits++;
	if (m->bits) /* they come some time before the deadline */
		m->now += m->armed > m->now ? (m->armed - m->now) / 2 % 100 : 0;
	else if (m->armed == EVENT_NEVER)
		m->waited_for_ever = true;
	else {
		if (m->armed > m->now)
			m->now = m->armed;
		m->armed = EVENT_NEVER; /* it comes once */
	}
	return env_poll(ctx);
}

static const struct event_env env = { env_now, env_arm, env_wait, env_poll };

static void machine_init(struct machine *m)
{
	*m = (struct machine){ .random = { 3 }, .armed = EVENT_NEVER };
	event_loop_init(&m->loop, &env, m);
}

/* Timers */

struct model_timer {
	struct event_timer t;
	uint64_t deadline, period, token; /* what should be; token 0: idle */
	unsigned fired;
};

struct timers {
	struct machine m;
	struct model_timer timer[TIMERS];
	uint64_t last_deadline, last_token; /* of the last firing */
	uint64_t dead_token[64];            /* cancelled or fired */
	unsigned n_dead;
	bool mischief; /* callbacks arm and cancel */
};

static struct timers timers;

static void bury(uint64_t token)
{
	timers.dead_token[timers.n_dead++ % ARRAY_SIZE(timers.dead_token)] = token;
}

static void arm(struct model_timer *x, uint64_t deadline, uint64_t period)
{
	uint64_t token = event_timer_arm(&timers.m.loop, &x->t, deadline, period);

	assert_true(token > x->token);
	if (x->token)
		bury(x->token);
	x->token = token;
	x->deadline = deadline;
	x->period = period;
}

static void cancel(struct model_timer *x)
{
	uint64_t token = x->token;

	assert_int_equal(event_timer_cancel(&timers.m.loop, token), token != 0);
	assert_false(event_timer_armed(&x->t));
	if (token)
		bury(token);
	x->token = 0;
}

static void random_timer_action(void)
{
	struct random *r = &timers.m.random;
	struct model_timer *x = &timers.timer[random_below(r, TIMERS)];
	uint64_t deadline = timers.m.now + random_below(r, 2000);

	switch (random_below(r, 5)) {
	case 0:
		cancel(x);
		break;
	case 1:
		arm(x, deadline, 1 + random_below(r, 300));
		break;
	case 2:
		arm(x, random_below(r, 8) ? deadline / 2 : EVENT_NEVER, 0);
		break;
	default:
		arm(x, deadline, 0);
	}
}

static struct model_timer *earliest(void)
{
	struct model_timer *best = NULL;

	for (size_t i = 0; i < TIMERS; i++) {
		struct model_timer *x = &timers.timer[i];

		if (x->token && (!best || x->deadline < best->deadline ||
				 (x->deadline == best->deadline &&
				  x->token < best->token)))
			best = x;
	}
	return best;
}

static void on_fire(struct event_timer *t, uint64_t now)
{
	struct model_timer *x = CONTAINER_OF(t, struct model_timer, t);

	/* It is this one's turn, and time has come. */
	assert_ptr_equal(earliest(), x);
	assert_true(x->deadline <= now);
	assert_int_equal(now, timers.m.now);
	x->fired++;
	if (x->period) {
		uint64_t missed = 0;

		while ((x->deadline += x->period) <= now)
			missed++;
		assert_int_equal(t->missed, missed);
		assert_int_equal(t->token, x->token);
		assert_int_equal(t->deadline, x->deadline);
	} else {
		bury(x->token);
		x->token = 0;
		assert_false(event_timer_armed(t));
	}
	if (timers.mischief && random_below(&timers.m.random, 3) == 0)
		random_timer_action();
	timers.m.now += random_below(&timers.m.random, 3) ? 0 : 1;
	timers.m.now -= timers.m.now > now;
}

static void timers_fire_in_order(void **state)
{
	struct event_loop *loop = &timers.m.loop;

	(void)state;
	for (int mischief = 0; mischief < 2; mischief++) {
		memset(&timers, 0, sizeof(timers));
		machine_init(&timers.m);
		timers.mischief = mischief;
		for (size_t i = 0; i < TIMERS; i++)
			event_timer_init(&timers.timer[i].t, on_fire);
		for (int i = 0; i < 20000; i++) {
			struct model_timer *x;

			random_timer_action();
			timers.m.now += random_below(&timers.m.random, 50);
			if (random_below(&timers.m.random, 3) == 0)
				event_loop_run_once(loop);
			x = earliest();
			assert_int_equal(event_loop_deadline(loop),
					 x ? x->deadline : EVENT_NEVER);
			assert_true(tree_sound(&loop->timers));
			assert_true(tree_sound(&loop->tokens));
			assert_int_equal(loop->timers.count, loop->tokens.count);
			/* A token of the past does nothing. */
			assert_false(event_timer_cancel(
				loop, timers.dead_token[i % 64]));
		}
		assert_true(loop->stats.fired > 3000);
		assert_true(loop->stats.missed > 100);
	}
}

static unsigned simple_fired;

static void count_firing(struct event_timer *t, uint64_t now)
{
	(void)t;
	(void)now;
	simple_fired++;
}

static void end_of_time_is_never(void **state)
{
	struct machine m;
	struct event_timer t;

	(void)state;
	machine_init(&m);
	event_timer_init(&t, count_firing);
	simple_fired = 0;
	m.now = UINT64_MAX - 10;
	event_timer_arm(&m.loop, &t, UINT64_MAX - 20, 15);
	event_loop_run_once(&m.loop);
	assert_int_equal(simple_fired, 1);
	assert_int_equal(t.deadline, UINT64_MAX - 5);
	event_loop_run_once(&m.loop);
	assert_int_equal(simple_fired, 2);
	assert_int_equal(t.deadline, EVENT_NEVER);
	m.now = UINT64_MAX;
	event_loop_run_once(&m.loop);
	assert_int_equal(simple_fired, 2);
	assert_true(m.waited_for_ever);
}

static void rearm_always(struct event_timer *t, uint64_t now)
{
	simple_fired++;
	event_timer_arm(t->loop, t, now, 0);
}

static void a_round_ends_whatever_callbacks_arm(void **state)
{
	struct machine m;
	struct event_timer t;

	(void)state;
	machine_init(&m);
	event_timer_init(&t, rearm_always);
	simple_fired = 0;
	event_timer_arm(&m.loop, &t, 0, 0);
	event_loop_run_once(&m.loop);
	assert_int_equal(simple_fired, 1);
	event_loop_run_once(&m.loop);
	assert_int_equal(simple_fired, 2);
	assert_int_equal(m.waits, 0);
}

/* The hardware timer is told only what is new, and again if it was early. */
static void hardware_is_armed_when_needed(void **state)
{
	struct machine m;
	struct event_timer t;

	(void)state;
	machine_init(&m);
	event_timer_init(&t, count_firing);
	event_timer_arm(&m.loop, &t, 1000, 0);
	for (int i = 0; i < 5; i++) {
		m.bits = 1;
		event_loop_run_once(&m.loop);
	}
	assert_int_equal(m.arms, 1);
	assert_int_equal(m.loop.stats.stray_bits, 5);
	m.armed = 500; /* a hardware timer that comes early */
	event_loop_run_once(&m.loop);
	assert_int_equal(m.now, 500);
	event_loop_run_once(&m.loop);
	assert_int_equal(m.arms, 2);
	assert_int_equal(m.now, 1000);
}

/* Tasks */

struct model_task {
	struct event_task t;
	bool ready;
	uint64_t until; /* EVENT_NEVER: does not sleep */
	uint64_t since; /* which of the sleepers it is */
	unsigned ran;
};

struct tasks {
	struct machine m;
	struct model_task task[TASKS];
	struct model_task *queue[TASKS]; /* in order of becoming ready */
	unsigned n_queue;
	uint64_t sleeps;
};

static struct tasks tasks;

static void dequeue(struct model_task *x)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < tasks.n_queue; i++)
		if (tasks.queue[i] != x)
			tasks.queue[kept++] = tasks.queue[i];
	tasks.n_queue = kept;
}

static void enqueue(struct model_task *x)
{
	if (!x->ready)
		tasks.queue[tasks.n_queue++] = x;
	x->ready = true;
	x->until = EVENT_NEVER;
}

static void random_task_action(void)
{
	struct random *r = &tasks.m.random;
	struct model_task *x = &tasks.task[random_below(r, TASKS)];
	uint64_t until = tasks.m.now + 1 + random_below(r, 500);

	switch (random_below(r, 4)) {
	case 0:
		event_task_wake(&x->t);
		enqueue(x);
		break;
	case 1:
		event_task_cancel(&x->t);
		dequeue(x);
		x->ready = false;
		x->until = EVENT_NEVER;
		break;
	default:
		event_task_sleep(&x->t, until);
		if (!x->ready) {
			x->until = until;
			x->since = tasks.sleeps++;
		}
	}
}

/* What the loop does first in a round: sleepers whose time has come. */
static void wake_sleepers(void)
{
	for (;;) {
		struct model_task *first = NULL;

		for (size_t i = 0; i < TASKS; i++) {
			struct model_task *x = &tasks.task[i];

			if (x->until > tasks.m.now)
				continue;
			if (!first || x->until < first->until ||
			    (x->until == first->until && x->since < first->since))
				first = x;
		}
		if (!first)
			return;
		enqueue(first);
	}
}

static void on_run(struct event_task *t)
{
	struct model_task *x = CONTAINER_OF(t, struct model_task, t);

	assert_true(x->ready);
	assert_ptr_equal(tasks.queue[0], x);
	x->ready = false;
	dequeue(x);
	x->ran++;
	if (random_below(&tasks.m.random, 2))
		random_task_action();
}

static void tasks_run_once_per_wake(void **state)
{
	struct event_loop *loop = &tasks.m.loop;
	uint64_t sum = 0;

	(void)state;
	memset(&tasks, 0, sizeof(tasks));
	machine_init(&tasks.m);
	for (size_t i = 0; i < TASKS; i++) {
		tasks.task[i].until = EVENT_NEVER;
		event_task_init(loop, &tasks.task[i].t, on_run);
	}
	for (int i = 0; i < 20000; i++) {
		random_task_action();
		if (random_below(&tasks.m.random, 2))
			continue;
		wake_sleepers();
		event_loop_run_once(loop);
		/* Nobody is left over whose time had come before. */
		for (size_t k = 0; k < TASKS; k++) {
			struct model_task *x = &tasks.task[k];

			assert_int_equal(event_timer_armed(&x->t.timer),
					 x->until != EVENT_NEVER);
			assert_int_equal(!list_empty(&x->t.link), x->ready);
		}
	}
	for (size_t i = 0; i < TASKS; i++) {
		assert_true(tasks.task[i].ran > 10);
		sum += tasks.task[i].ran;
	}
	assert_int_equal(sum, loop->stats.ran);
}

static char order[32];

static void log_run(struct event_task *t)
{
	static const char *const names = "abcdef";
	size_t i = (size_t)(CONTAINER_OF(t, struct model_task, t) - tasks.task);

	order[strlen(order)] = names[i];
	if (names[i] == 'a')
		event_task_wake(t); /* for the next round */
}

static void tasks_run_first_ready_first(void **state)
{
	struct event_loop *loop = &tasks.m.loop;

	(void)state;
	memset(order, 0, sizeof(order));
	machine_init(&tasks.m);
	for (size_t i = 0; i < 4; i++)
		event_task_init(loop, &tasks.task[i].t, log_run);
	event_task_wake(&tasks.task[2].t);
	event_task_wake(&tasks.task[0].t);
	event_task_wake(&tasks.task[2].t);
	event_task_wake(&tasks.task[1].t);
	event_task_sleep(&tasks.task[3].t, 0);
	event_loop_run_once(loop);
	event_task_cancel(&tasks.task[0].t);
	event_loop_run_once(loop);
	assert_string_equal(order, "cabd");
}

/* Bits */

static uint64_t seen_bits;
static unsigned last_bit;

static void on_bit(void *ctx, unsigned bit)
{
	struct machine *m = ctx;

	assert_true(!seen_bits || bit > last_bit);
	seen_bits |= bit_u64(bit);
	last_bit = bit;
	if (bit == 63)
		event_loop_stop(&m->loop);
}

static void bits_reach_their_handlers(void **state)
{
	struct machine m;
	uint64_t handled = 0;
	struct random r = { 8 };

	(void)state;
	machine_init(&m);
	for (unsigned bit = 0; bit < EVENT_BITS; bit += 3) {
		event_bit_set(&m.loop, bit, on_bit, &m);
		handled |= bit_u64(bit);
	}
	event_bit_set(&m.loop, EVENT_BITS, on_bit, &m); /* refused */
	for (int i = 0; i < 1000; i++) {
		uint64_t bits = random_u64(&r) & random_u64(&r);
		uint64_t stray = m.loop.stats.stray_bits;

		m.bits = bits;
		seen_bits = 0;
		event_loop_run_once(&m.loop);
		assert_int_equal(seen_bits, bits & handled);
		assert_int_equal(m.loop.stats.stray_bits - stray,
				 bit_count_u64(bits & ~handled));
	}
	m.bits = bit_u64(63);
	seen_bits = 0;
	event_loop_run(&m.loop);
	assert_int_equal(seen_bits, bit_u64(63));
}

/* Chains */

#define HANDLERS 30

struct model_handler {
	struct event_handler h;
	bool in, takes, removes_itself, asked;
	uint64_t age;
};

static struct model_handler handlers[HANDLERS];
static struct event_chain chain;
static int last_asked;

static bool before(const struct model_handler *a, const struct model_handler *b)
{
	if (a->h.priority != b->h.priority)
		return a->h.priority > b->h.priority;
	return a->age < b->age;
}

static bool on_offer(struct event_handler *h, void *what)
{
	struct model_handler *x = CONTAINER_OF(h, struct model_handler, h);

	assert_ptr_equal(what, handlers);
	assert_true(x->in && !x->asked);
	assert_true(last_asked < 0 || before(&handlers[last_asked], x));
	last_asked = (int)(x - handlers);
	x->asked = true;
	if (x->removes_itself) {
		assert_true(event_chain_remove(&chain, h));
		x->in = false;
	}
	return x->takes;
}

static struct model_handler *first_taker(void)
{
	struct model_handler *best = NULL;

	for (size_t i = 0; i < HANDLERS; i++)
		if (handlers[i].in && handlers[i].takes &&
		    (!best || before(&handlers[i], best)))
			best = &handlers[i];
	return best;
}

static void chain_asks_by_priority(void **state)
{
	struct random r = { 9 };
	uint64_t age = 0;

	(void)state;
	event_chain_init(&chain);
	for (size_t i = 0; i < HANDLERS; i++)
		event_handler_init(&handlers[i].h, (uint8_t)random_u64(&r) & 0x87,
				   on_offer);
	for (int i = 0; i < 20000; i++) {
		struct model_handler *x = &handlers[random_below(&r, HANDLERS)];
		struct model_handler *want;

		if (random_below(&r, 2)) {
			assert_int_equal(event_chain_add(&chain, &x->h), !x->in);
			if (!x->in)
				x->age = age++;
			x->in = true;
		} else {
			assert_int_equal(event_chain_remove(&chain, &x->h), x->in);
			x->in = false;
		}
		for (size_t k = 0; k < HANDLERS; k++) {
			handlers[k].takes = random_below(&r, 8) == 0;
			handlers[k].removes_itself = random_below(&r, 20) == 0;
			handlers[k].asked = false;
		}
		last_asked = -1;
		want = first_taker();
		assert_ptr_equal(event_chain_dispatch(&chain, handlers),
				 want ? &want->h : NULL);
		/* All before the taker were asked, none after it. */
		for (size_t k = 0; k < HANDLERS; k++)
			if (handlers[k].in && &handlers[k] != want)
				assert_int_equal(handlers[k].asked,
						 !want || before(&handlers[k], want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order),
		cmocka_unit_test(end_of_time_is_never),
		cmocka_unit_test(a_round_ends_whatever_callbacks_arm),
		cmocka_unit_test(hardware_is_armed_when_needed),
		cmocka_unit_test(tasks_run_once_per_wake),
		cmocka_unit_test(tasks_run_first_ready_first),
		cmocka_unit_test(bits_reach_their_handlers),
		cmocka_unit_test(chain_asks_by_priority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
