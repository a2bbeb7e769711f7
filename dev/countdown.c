#include <dev/countdown.h>

void countdown_init(struct countdown *c, uint64_t tick_ns, uint64_t value)
{
	*c = (struct countdown){ .tick_ns = tick_ns, .value = value };
}

static uint64_t counts(const struct countdown *c, uint64_t now_ns)
{
	/* The owner's clock may have been read by another core before. */
	return now_ns > c->start_ns ? (now_ns - c->start_ns) / c->tick_ns : 0;
}

uint32_t countdown_value(const struct countdown *c, uint64_t now_ns, uint32_t reload)
{
	uint64_t n = c->running ? counts(c, now_ns) : 0;

	if (n < c->value)
		return (uint32_t)(c->value - n);
	if (!c->running || c->period == 0)
		return 0;
	n = (n - c->value) % c->period;
	/* With a period of reload + 1 it shows zero for one count, else none. */
	if (n == 0)
		return c->period > reload ? 0 : reload;
	return (uint32_t)(c->period - n);
}

void countdown_start(struct countdown *c, uint64_t now_ns, uint64_t value, uint64_t period)
{
	c->start_ns = now_ns;
	c->value = value;
	c->period = period;
	c->zeros = 0;
	c->running = true;
}

void countdown_set_period(struct countdown *c, uint64_t now_ns, uint32_t reload, uint64_t period)
{
	uint64_t n = counts(c, now_ns);

	c->value = countdown_value(c, now_ns, reload);
	c->start_ns += n * c->tick_ns;
	c->zeros = 0;
	c->period = period;
}

bool countdown_passed(struct countdown *c, uint64_t now_ns)
{
	uint64_t n = counts(c, now_ns), zeros;

	if (!c->running || n < c->value)
		return false;
	zeros = 1 + (c->period ? (n - c->value) / c->period : 0);
	if (zeros == c->zeros)
		return false;
	c->zeros = zeros;
	return true;
}

uint64_t countdown_next(const struct countdown *c)
{
	uint64_t at;

	if (!c->running || (c->zeros && c->period == 0))
		return COUNTDOWN_NEVER;
	if (__builtin_mul_overflow(c->value + c->zeros * c->period, c->tick_ns, &at) ||
	    __builtin_add_overflow(at, c->start_ns, &at))
		return COUNTDOWN_NEVER;
	return at;
}
