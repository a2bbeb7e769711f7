#include "merge.h"

#include <selvage/base.h>
#include <selvage/clock_scale.h>
#include <selvage/fmt.h>
#include <string.h>

bool log_merge_add(struct log_merge *m, uint64_t client, const char *name,
		   void *ring)
{
	struct log_client *c;

	if (client >= LOG_CLIENTS || m->client[client].used)
		return false;
	c = &m->client[client];
	c->used = true;
	c->has_record = false;
	fmt_print(c->name, sizeof(c->name), "%s", name);
	logring_open(&c->reader, ring);
	if (client >= m->top)
		m->top = (uint32_t)client + 1;
	return true;
}

static void keep(struct log_merge *m, const struct log_client *from)
{
	for (uint32_t i = 0; i < LOG_GONE; i++) {
		struct log_client *c = &m->client[LOG_CLIENTS + i];

		if (c->used)
			continue;
		memcpy(&m->gone[i], from->reader.ring, sizeof(m->gone[i]));
		*c = *from;
		c->reader.ring = &m->gone[i];
		return;
	}
}

static void lower_top(struct log_merge *m)
{
	m->top = ARRAY_SIZE(m->client);
	while (m->top && !m->client[m->top - 1].used)
		m->top--;
}

bool log_merge_remove(struct log_merge *m, uint64_t client)
{
	if (client >= LOG_CLIENTS || !m->client[client].used)
		return false;
	keep(m, &m->client[client]);
	m->client[client].used = false;
	lower_top(m);
	return true;
}

/* After its waiting records, a client's losses are a record of their own,
 * with the time of the last one that was written. */
static bool fetch_lost(struct log_client *c)
{
	uint64_t lost = logring_lost(&c->reader);

	if (!lost)
		return false;
	c->record.level = LOG_LEVEL_WARNING;
	c->record.size = (uint32_t)fmt_print(
		c->record.text, LOG_TEXT, "%llu log records lost",
		(unsigned long long)lost);
	return true;
}

static bool fetch(struct log_client *c)
{
	if (!c->used)
		return false;
	if (!c->has_record)
		c->has_record = logring_get(&c->reader, &c->record) ||
				fetch_lost(c);
	return c->has_record;
}

static bool had_its_turn(const struct log_merge *m, const struct log_client *c)
{
	return c == &m->client[m->last] && m->in_turn >= LOG_IN_TURN;
}

static bool goes_before(const struct log_merge *m, const struct log_client *a,
			const struct log_client *b)
{
	if (had_its_turn(m, a) || had_its_turn(m, b))
		return had_its_turn(m, b);
	return a->record.stamp < b->record.stamp;
}

size_t log_merge_next(struct log_merge *m, uint64_t hz,
		      char out[LOG_FORMATTED_MAX])
{
	struct log_client *oldest = NULL;
	uint32_t whose;

	for (uint32_t i = 0; i < m->top; i++) {
		struct log_client *c = &m->client[i];

		if (!fetch(c))
			c->used = c->used && i < LOG_CLIENTS;
		else if (!oldest || goes_before(m, c, oldest))
			oldest = c;
	}
	if (!oldest) {
		lower_top(m);
		return 0;
	}
	whose = (uint32_t)(oldest - m->client);
	m->in_turn = whose == m->last ? m->in_turn + 1 : 1;
	m->last = whose;
	oldest->has_record = false;
	return log_format(out, oldest->name,
			  clock_scale(oldest->record.stamp, hz,
				      CLOCK_US_PER_S),
			  &oldest->record);
}
