/* lib/base against simple models. */
#include "random.h"
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <selvage/base.h>
#include <selvage/crc32.h>
#include <selvage/fmt.h>
#include <selvage/list.h>
#include <selvage/regions.h>
#include <selvage/ring.h>
#include <selvage/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Helpers of base.h */

static void helpers_agree_with_arithmetic(void **state)
{
	struct random r = { 1 };

	(void)state;
	assert_int_equal(log2_ceil_u64(0), 0);
	assert_int_equal(log2_ceil_u64(1), 0);
	assert_int_equal(log2_ceil_u64(3), 2);
	assert_int_equal(log2_ceil_u64(1ull << 63), 63);
	assert_int_equal(mask_u64(64), ~0ull);
	assert_int_equal(bits_get_u64(0xabcd, 4, 8), 0xbc);
	for (int i = 0; i < 20000; i++) {
		uint64_t x = random_u64(&r) >> random_below(&r, 64);
		uint64_t align = bit_u64(random_below(&r, 40));
		uint8_t bytes[9];

		assert_int_equal(align_down_u64(x, align), x - x % align);
		assert_true(is_aligned_u64(align_down_u64(x, align), align));
		assert_int_equal(bit_count_u64(x), __builtin_popcountll(x));
		store_le64(bytes + 1, x);
		assert_int_equal(load_le64(bytes + 1), x);
		assert_int_equal(load_be64(bytes + 1), __builtin_bswap64(x));
		store_be64(bytes, x);
		assert_int_equal(load_be32(bytes), x >> 32);
		assert_int_equal(load_be16(bytes), x >> 48);
		store_le32(bytes, (uint32_t)x);
		assert_int_equal(load_le16(bytes), x & 0xffff);
		store_be32(bytes, (uint32_t)x);
		assert_int_equal(bytes[3], x & 0xff);
	}
}

static void ranges_agree_with_bytewise_check(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6 * 6 * 6 * 6; i++) {
		uint64_t a = i % 6, n = i / 6 % 6, b = i / 36 % 6, m = i / 216;
		bool overlaps = false;
		bool within = a >= b && a + n <= b + m;

		for (uint64_t x = a; x < a + n; x++)
			overlaps |= x >= b && x < b + m;
		assert_int_equal(range_overlaps_u64(a, n, b, m), overlaps);
		assert_int_equal(range_within_u64(a, n, b, m), within);
	}
	assert_false(range_within_u64(~0ull, 2, 0, ~0ull));
	assert_true(range_within_u64(~0ull - 1, 1, 1, ~0ull - 1));
	assert_true(range_overlaps_u64(~0ull - 4, 100, ~0ull, 1));
}

/* CRC-32 */

static uint32_t crc32_bitwise(const uint8_t *p, size_t n)
{
	uint32_t c = ~0u;

	for (size_t i = 0; i < n; i++) {
		c ^= p[i];
		for (int b = 0; b < 8; b++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
	}
	return ~c;
}

static void crc32_is_the_standard_one(void **state)
{
	struct random r = { 2 };
	uint8_t bytes[300];

	(void)state;
	assert_int_equal(crc32_bytes("123456789", 9), 0xcbf43926u);
	assert_int_equal(crc32_bytes("", 0), 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random_u64(&r);
	for (size_t n = 0; n < sizeof(bytes) - 8; n++) {
		size_t cut = random_below(&r, (unsigned)n + 1);
		const uint8_t *p = bytes + n % 8;
		uint32_t c = crc32_bytes(p, cut);

		assert_int_equal(crc32_update(c, p + cut, n - cut),
				 crc32_bitwise(p, n));
	}
}

/* Formatter: the host's printf is the model. */

#define SAME(...)                                                          \
	do {                                                               \
		char want[200], got[200];                                  \
		snprintf(want, sizeof(want), __VA_ARGS__);                 \
		assert_int_equal(fmt_print(got, sizeof(got), __VA_ARGS__), \
				 strlen(want));                            \
		assert_string_equal(got, want);                            \
	} while (0)

static void fmt_prints_what_printf_prints(void **state)
{
	struct random r = { 3 };

	(void)state;
	SAME("plain 100%%");
	SAME("%s|%8s|%-8s|%.2s|%.*s|%c|%3c|%-3c|", "abc", "de", "fg", "hij", 2,
	     "klm", 'x', 'y', 'z');
	SAME("%d %i %d %lld", 0, -1, INT32_MIN, (long long)INT64_MIN);
	SAME("%*d|%-*d|%*d|", 5, 7, 5, 7, -5, 7);
	SAME("%#x %#08x %#X %#x", 0xabcu, 0xabcu, 0xabcu, 0u);
	SAME("%zu %jd %hhu %hd", (size_t)7, (intmax_t)-7, (unsigned char)8,
	     (short)-9);
	SAME("%p", (void *)state);
	for (int i = 0; i < 5000; i++) {
		uint64_t x = random_u64(&r) >> random_below(&r, 64);
		int w = (int)random_below(&r, 24);

		SAME("[%*llu][%-*llx][%016lx]", w, (unsigned long long)x, w,
		     (unsigned long long)x, (unsigned long)x);
		SAME("[%08d][%ld][%u][%04x]", (int)x, (long)x, (unsigned)x,
		     (unsigned)x);
	}
}

static void append(void *ctx, char c)
{
	char *text = ctx;

	text[strlen(text)] = c;
}

static void fmt_emits_to_a_sink(void **state)
{
	char text[40] = { 0 };

	(void)state;
	assert_int_equal(fmt_emit(append, text, "[%4u|%s]", 17u, "end"), 10);
	assert_string_equal(text, "[  17|end]");
}

static void fmt_cuts_at_the_buffers_end(void **state)
{
	char b[8];
	/* Not literals: what they do is not for the compiler to check. */
	const char *volatile unknown = "%q!";
	const char *volatile ends = "50%";
	const char *volatile huge = "%99999999d";
	const char *volatile null_arg = "%s";
	char wide[1200];

	(void)state;
	memset(b, 'x', sizeof(b));
	assert_int_equal(fmt_print(b, 0, "abc"), 0);
	assert_int_equal(b[0], 'x');
	assert_int_equal(fmt_print(b, 1, "abc"), 0);
	assert_string_equal(b, "");
	assert_int_equal(fmt_print(b, 5, "%s-%d", "abc", 123), 4);
	assert_string_equal(b, "abc-");
	assert_int_equal(b[5], 'x');
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	fmt_print(b, sizeof(b), unknown);
	assert_string_equal(b, "%q!");
	fmt_print(b, sizeof(b), ends);
	assert_string_equal(b, "50%");
	assert_int_equal(fmt_print(wide, sizeof(wide), huge, 1), 1000);
	fmt_print(b, sizeof(b), null_arg, NULL);
	assert_string_equal(b, "(null)");
#pragma GCC diagnostic pop
}

/* List */

struct item {
	int value;
	struct list_node link;
	struct tree_node node;
};

static void list_agrees_with_array(void **state)
{
	struct list_node head = LIST_INIT(head);
	struct item items[40];
	int model[40];
	int n = 0;
	struct random r = { 4 };

	(void)state;
	for (int i = 0; i < 40; i++) {
		items[i].value = i;
		list_init(&items[i].link);
	}
	for (int step = 0; step < 20000; step++) {
		int pick = (int)random_below(&r, 40);
		struct list_node *l = &items[pick].link;
		struct list_node *node;
		int at;

		for (at = 0; at < n && model[at] != pick; at++)
			;
		assert_int_equal(list_empty(l), at == n);
		if (at < n) {
			list_remove(l);
			list_remove(l);
			memmove(model + at, model + at + 1,
				(size_t)(--n - at) * sizeof(int));
		} else if (step & 1) {
			list_push_back(&head, l);
			model[n++] = pick;
		} else {
			list_push_front(&head, l);
			memmove(model + 1, model, (size_t)n++ * sizeof(int));
			model[0] = pick;
		}
		at = 0;
		LIST_FOR_EACH(node, &head)
			assert_int_equal(CONTAINER_OF(node, struct item,
						      link)
						 ->value,
					 model[at++]);
		assert_int_equal(at, n);
		assert_ptr_equal(list_first(&head),
				 n ? &items[model[0]].link : NULL);
		assert_ptr_equal(list_last(&head),
				 n ? &items[model[n - 1]].link : NULL);
	}
}

/* Tree */

static int compare_item(const void *key, const struct tree_node *n)
{
	return *(const int *)key - CONTAINER_OF_CONST(n, struct item, node)->value;
}

static int value_of(const struct tree_node *n)
{
	return n ? CONTAINER_OF_CONST(n, struct item, node)->value : -1;
}

static int model_seek(const bool *in, int from, int step, int n)
{
	for (; from >= 0 && from < n; from += step)
		if (in[from])
			return from;
	return -1;
}

#define TREE_ITEMS 200

static void check_tree_at(const struct tree *t, const bool *in, int key)
{
	struct tree_node *n = tree_find(t, &key);

	assert_int_equal(value_of(n), in[key] ? key : -1);
	assert_int_equal(value_of(tree_at_or_after(t, &key)),
			 model_seek(in, key, 1, TREE_ITEMS));
	assert_int_equal(value_of(tree_at_or_before(t, &key)),
			 model_seek(in, key, -1, TREE_ITEMS));
	if (!n)
		return;
	assert_int_equal(value_of(tree_next(n)),
			 model_seek(in, key + 1, 1, TREE_ITEMS));
	assert_int_equal(value_of(tree_prev(n)),
			 model_seek(in, key - 1, -1, TREE_ITEMS));
}

static void tree_agrees_with_bitmap(void **state)
{
	static struct item items[TREE_ITEMS];
	bool in[TREE_ITEMS] = { false };
	struct random r = { 5 };
	struct tree t;
	size_t count = 0;

	(void)state;
	tree_init(&t, compare_item);
	for (int step = 0; step < 60000; step++) {
		int key = (int)random_below(&r, TREE_ITEMS);
		bool grow = step / 5000 % 2 ? random_below(&r, 4) == 0
					    : random_below(&r, 4) != 0;
		struct item twin = { .value = key };

		if (in[key])
			assert_false(tree_insert(&t, &twin.node, &key));
		if (grow && !in[key]) {
			items[key].value = key;
			assert_true(tree_insert(&t, &items[key].node, &key));
			in[key] = true;
			count++;
		} else if (!grow && in[key]) {
			tree_remove(&t, &items[key].node);
			in[key] = false;
			count--;
		}
		check_tree_at(&t, in, (int)random_below(&r, TREE_ITEMS));
		assert_int_equal(t.count, count);
		assert_true(tree_sound(&t));
		assert_int_equal(value_of(tree_first(&t)),
				 model_seek(in, 0, 1, TREE_ITEMS));
		assert_int_equal(value_of(tree_last(&t)),
				 model_seek(in, TREE_ITEMS - 1, -1, TREE_ITEMS));
	}
}

static void tree_of_sorted_input_stays_low(void **state)
{
	static struct item items[4096];
	struct tree t;

	(void)state;
	tree_init(&t, compare_item);
	for (int i = 0; i < 4096; i++) {
		items[i].value = i;
		tree_insert(&t, &items[i].node, &i);
	}
	assert_true(tree_sound(&t));
	assert_true(t.root->height <= 17); /* 1.44 log2(4096) */
}

/* Ring */

static void ring_agrees_with_fifo(void **state)
{
	enum { SIZE = 64 };
	struct random r = { 6 };
	struct ring_shared *shared;
	struct ring in, out;
	uint8_t sent = 0, expected = 0;
	uint32_t fill = 0;

	(void)state;
	shared = aligned_alloc(64, sizeof(*shared) + SIZE);
	memset(shared, 0, sizeof(*shared) + SIZE);
	/* Start close to the wrap of the 32-bit indexes. */
	shared->head = shared->tail = UINT32_MAX - 1000;
	ring_attach(&in, shared, SIZE, true);
	ring_attach(&out, shared, SIZE, false);
	for (int step = 0; step < 50000; step++) {
		uint8_t bytes[100];
		uint32_t n = random_below(&r, sizeof(bytes)), done;

		if (random_below(&r, 2)) {
			for (uint32_t i = 0; i < n; i++)
				bytes[i] = (uint8_t)(sent + i);
			done = ring_put(&in, bytes, n);
			assert_int_equal(done, min_u32(n, SIZE - fill));
			fill += done;
			sent = (uint8_t)(sent + done);
		} else {
			done = ring_get(&out, bytes, n);
			assert_int_equal(done, min_u32(n, fill));
			for (uint32_t i = 0; i < done; i++)
				assert_int_equal(bytes[i], expected++);
			fill -= done;
		}
		assert_int_equal(ring_room(&in), SIZE - fill);
		assert_int_equal(ring_waiting(&out), fill);
		assert_int_equal(ring_is_taken(shared), fill == 0);
		if (random_below(&r, 1000) == 0) /* a side that restarts */
			ring_attach(&in, shared, SIZE, true);
	}
	free(shared);
}

static void ring_survives_a_lying_peer(void **state)
{
	enum { SIZE = 64 };
	struct random r = { 7 };
	struct ring_shared *shared;
	struct ring in, out;
	uint8_t bytes[200] = { 0 };

	(void)state;
	shared = aligned_alloc(64, sizeof(*shared) + SIZE);
	memset(shared, 0, sizeof(*shared) + SIZE);
	ring_attach(&in, shared, SIZE, true);
	ring_attach(&out, shared, SIZE, false);
	for (int step = 0; step < 20000; step++) {
		/* The sanitizer sees any byte outside the buffers. */
		shared->tail = (uint32_t)random_u64(&r);
		assert_true(ring_room(&in) <= SIZE);
		assert_true(ring_put(&in, bytes, sizeof(bytes)) <= SIZE);
		shared->head = (uint32_t)random_u64(&r);
		assert_true(ring_waiting(&out) <= SIZE);
		assert_true(ring_get(&out, bytes, sizeof(bytes)) <= SIZE);
	}
	free(shared);
}

#define STREAM_BYTES 300000u

static void *produce(void *arg)
{
	struct ring r;
	uint32_t sent = 0, got;

	ring_attach(&r, arg, 64, true);
	while (sent < STREAM_BYTES) {
		uint8_t bytes[37];

		for (uint32_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)((sent + i) * 7 >> 2);
		got = ring_put(&r, bytes, min_u32(sizeof(bytes), STREAM_BYTES - sent));
		sent += got;
		if (!got)
			sched_yield();
	}
	return NULL;
}

static void ring_carries_a_stream_between_threads(void **state)
{
	struct ring_shared *shared;
	struct ring r;
	pthread_t thread;
	uint32_t got = 0;

	(void)state;
	shared = aligned_alloc(64, sizeof(*shared) + 64);
	memset(shared, 0, sizeof(*shared) + 64);
	ring_attach(&r, shared, 64, false);
	assert_int_equal(pthread_create(&thread, NULL, produce, shared), 0);
	while (got < STREAM_BYTES) {
		uint8_t bytes[29];
		uint32_t n = ring_get(&r, bytes, sizeof(bytes));

		for (uint32_t i = 0; i < n; i++, got++)
			assert_int_equal(bytes[i], (uint8_t)(got * 7 >> 2));
		if (!n)
			sched_yield();
	}
	pthread_join(thread, NULL);
	assert_int_equal(ring_waiting(&r), 0);
	free(shared);
}

/* A cell is a unit of address space. */
static void regions_agree_with_bitmap(void **state)
{
	(void)state;
	srand(7);
	for (unsigned round = 0; round < 2000; round++) {
		struct regions l = { 0 };
		bool in[64] = { false };

		for (unsigned i = 0; i < 12; i++) {
			uint64_t start = (uint64_t)rand() % 64, end = (uint64_t)rand() % 65;
			bool add = rand() % 2;

			for (uint64_t at = start; at < end && add; at++)
				add = !in[at]; /* only what is not there yet */
			if (add)
				regions_add(&l, start, end);
			else
				regions_subtract(&l, start, end);
			for (uint64_t at = start; at < end; at++)
				in[at] = add;
		}
		assert_false(l.overflow);
		for (unsigned i = 0; i < l.count; i++) {
			assert_true(l.r[i].start < l.r[i].end);
			assert_true(i == 0 || l.r[i - 1].end <= l.r[i].start);
			for (uint64_t at = l.r[i].start; at < l.r[i].end; at++) {
				assert_true(in[at]);
				in[at] = false;
			}
		}
		for (unsigned at = 0; at < 64; at++)
			assert_false(in[at]);
	}
}

static void regions_say_when_they_are_full(void **state)
{
	struct regions l = { 0 }, hole = { 0 };

	(void)state;
	for (unsigned i = 0; i < REGIONS_MAX; i++)
		regions_add(&l, 10 * i, 10 * i + 5);
	assert_int_equal(l.count, REGIONS_MAX);
	assert_false(l.overflow);
	regions_add(&hole, 12, 14);
	regions_subtract(&l, 2, 3);
	assert_true(l.overflow);
	regions_subtract_all(&l, &hole);
	assert_int_equal(l.count, REGIONS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(helpers_agree_with_arithmetic),
		cmocka_unit_test(ranges_agree_with_bytewise_check),
		cmocka_unit_test(crc32_is_the_standard_one),
		cmocka_unit_test(fmt_prints_what_printf_prints),
		cmocka_unit_test(fmt_emits_to_a_sink),
		cmocka_unit_test(fmt_cuts_at_the_buffers_end),
		cmocka_unit_test(list_agrees_with_array),
		cmocka_unit_test(tree_agrees_with_bitmap),
		cmocka_unit_test(tree_of_sorted_input_stays_low),
		cmocka_unit_test(regions_agree_with_bitmap),
		cmocka_unit_test(regions_say_when_they_are_full),
		cmocka_unit_test(ring_agrees_with_fifo),
		cmocka_unit_test(ring_survives_a_lying_peer),
		cmocka_unit_test(ring_carries_a_stream_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
