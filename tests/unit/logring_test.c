/* The log ring: random sequences against a queue, and several producers. */
#include "unit.h"

#include <selvage/logring.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct logring ring;
static struct logring_reader reader;

static void reset(void)
{
	memset(&ring, 0, sizeof(ring));
	logring_open(&reader, &ring);
}

static void test_random(void **state)
{
	uint64_t put = 0, got = 0, lost = 0;
	struct log_record record;
	char text[LOG_TEXT];

	(void)state;
	reset();
	srand(2);
	for (int i = 0; i < 100000; i++) {
		if (rand() % 2) {
			int n = snprintf(text, sizeof(text), "record %llu",
					 (unsigned long long)put);
			bool room = put - got < LOGRING_SLOTS;

			assert_int_equal(logring_put(&ring, put,
						     LOG_LEVEL_INFO, text,
						     (size_t)n),
					 room);
			put += room;
			lost += !room;
		} else {
			bool there = logring_get(&reader, &record);

			assert_int_equal(there, got < put);
			if (there)
				assert_int_equal(record.stamp, got++);
		}
		assert_int_equal(logring_is_read(&ring), got == put);
		if (rand() % 100 == 0) {
			assert_int_equal(logring_lost(&reader), lost);
			lost = 0;
		}
	}
}

/* A reader that takes a ring over finds what the one before it left. */
static void test_second_reader(void **state)
{
	struct log_record record;

	(void)state;
	reset();
	for (uint64_t put = 0, got = 0; put < 5 * LOGRING_SLOTS; put++) {
		assert_true(logring_put(&ring, put, LOG_LEVEL_INFO, "x", 1));
		while (put - got >= put % 7 * 10) {
			logring_open(&reader, &ring);
			assert_true(logring_get(&reader, &record));
			assert_int_equal(record.stamp, got++);
			if (got > put)
				break;
		}
	}
}

static void test_text_is_cut(void **state)
{
	char text[LOG_TEXT * 2];
	struct log_record record;

	(void)state;
	reset();
	memset(text, 'x', sizeof(text));
	assert_true(logring_put(&ring, 1, LOG_LEVEL_ERROR, text, sizeof(text)));
	assert_true(logring_get(&reader, &record));
	assert_int_equal(record.size, LOG_TEXT);
	assert_int_equal(record.level, LOG_LEVEL_ERROR);
	assert_memory_equal(record.text, text, LOG_TEXT);
}

/* Whatever the process writes, the reader stays in its copy and ends. */
static void test_hostile_producer(void **state)
{
	uint8_t *bytes = (uint8_t *)&ring;
	struct log_record record;

	(void)state;
	reset();
	srand(3);
	for (int i = 0; i < 2000; i++) {
		unsigned n = 0;

		for (unsigned b = 0; b < sizeof(ring); b += 1 + (unsigned)rand() % 64)
			bytes[b] = (uint8_t)(rand() % 4);
		while (logring_get(&reader, &record)) {
			assert_true(record.size <= LOG_TEXT);
			assert_true(record.level <= LOG_LEVEL_DEBUG);
			assert_true(++n <= LOGRING_SLOTS);
		}
	}
}

#define PRODUCERS 4
#define RECORDS 20000u

static void *produce(void *arg)
{
	uint64_t id = (uint64_t)(uintptr_t)arg;
	char text[16];

	for (uint64_t i = 0; i < RECORDS; i++) {
		int n = snprintf(text, sizeof(text), "%llu",
				 (unsigned long long)i);

		logring_put(&ring, id << 32 | i, LOG_LEVEL_INFO, text,
			    (size_t)n);
	}
	return NULL;
}

/* Each producer's records come whole and in its order; none is counted
 * twice: received and lost ones add up. */
static void test_producers(void **state)
{
	uint64_t next[PRODUCERS] = { 0 };
	uint64_t total = 0;
	pthread_t thread[PRODUCERS];
	struct log_record r;

	(void)state;
	reset();
	for (uintptr_t i = 0; i < PRODUCERS; i++)
		pthread_create(&thread[i], NULL, produce, (void *)i);
	while (total < PRODUCERS * RECORDS) {
		if (!logring_get(&reader, &r)) {
			total += logring_lost(&reader);
			continue;
		}
		uint64_t id = r.stamp >> 32, i = r.stamp & 0xffffffff;

		assert_true(id < PRODUCERS && i >= next[id]);
		next[id] = i + 1;
		r.text[r.size] = '\0';
		assert_int_equal(strtoull(r.text, NULL, 10), i);
		total++;
	}
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(total, PRODUCERS * RECORDS);
	assert_false(logring_get(&reader, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_second_reader),
		cmocka_unit_test(test_text_is_cut),
		cmocka_unit_test(test_hostile_producer),
		cmocka_unit_test(test_producers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
