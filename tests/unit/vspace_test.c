/*
 * The page-table manager against a flat map of all pages, over a machine
 * with real page tables: entries that must be empty to be filled, tables
 * that must be in place to be entered and empty to be taken away.
 */
#include "random.h"
#include "unit.h"

#include <selvage/vspace.h>
#include <string.h>

#define MAX_ENTRIES 4096
#define MAX_TABLES 512
#define NODES 900

struct machine {
	struct vspace_geometry g;
	/* Entry i of level l: the page or the table of level l - 1. */
	uint64_t page[VSPACE_MAX_LEVELS][MAX_ENTRIES];
	uint64_t table[VSPACE_MAX_LEVELS][MAX_ENTRIES];
	bool table_out[MAX_TABLES]; /* handed out by alloc_table */
	bool table_in[MAX_TABLES];  /* mapped */
	unsigned tables_left;
	struct random random;
	unsigned fail_one_in;
};

static bool refuses(struct machine *m)
{
	return m->fail_one_in && !random_below(&m->random, m->fail_one_in);
}

static size_t entry(const struct machine *m, unsigned level, uint64_t vaddr)
{
	size_t i = vaddr >> vspace_level_shift(&m->g, level);

	assert_true(i < MAX_ENTRIES);
	return i;
}

/* Whether a walk from the root reaches the table of `level` over vaddr. */
static bool reachable(const struct machine *m, unsigned level, uint64_t vaddr)
{
	for (unsigned l = m->g.levels - 1; l > level; l--)
		if (!m->table[l][entry(m, l, vaddr)])
			return false;
	return true;
}

static int alloc_table(void *ctx, uint64_t *table)
{
	struct machine *m = ctx;

	if (refuses(m) || !m->tables_left)
		return 1;
	m->tables_left--;
	for (uint64_t t = 1; t < MAX_TABLES; t++) {
		if (m->table_out[t])
			continue;
		m->table_out[t] = true;
		*table = t;
		return 0;
	}
	return 2;
}

static void free_table(void *ctx, uint64_t table)
{
	struct machine *m = ctx;

	assert_true(m->table_out[table] && !m->table_in[table]);
	m->table_out[table] = false;
	m->tables_left++;
}

static int map_table(void *ctx, uint64_t table, unsigned level, uint64_t vaddr)
{
	struct machine *m = ctx;
	size_t i = entry(m, level + 1, vaddr);

	if (refuses(m))
		return 3;
	assert_true(m->table_out[table] && !m->table_in[table]);
	assert_true(is_aligned_u64(vaddr, bit_u64(vspace_level_shift(
						  &m->g, level + 1))));
	assert_true(reachable(m, level + 1, vaddr));
	assert_true(!m->table[level + 1][i] && !m->page[level + 1][i]);
	m->table[level + 1][i] = table;
	m->table_in[table] = true;
	return 0;
}

static int unmap_table(void *ctx, uint64_t table, unsigned level, uint64_t vaddr)
{
	struct machine *m = ctx;
	size_t first = entry(m, level, vaddr);

	if (refuses(m))
		return 4;
	assert_int_equal(m->table[level + 1][entry(m, level + 1, vaddr)], table);
	for (size_t i = 0; i < (size_t)1 << m->g.index_bits[level]; i++)
		assert_true(!m->page[level][first + i] &&
			    !m->table[level][first + i]);
	m->table[level + 1][entry(m, level + 1, vaddr)] = 0;
	m->table_in[table] = false;
	return 0;
}

static unsigned level_of(const struct machine *m, unsigned bits)
{
	unsigned l = 0;

	while (vspace_level_shift(&m->g, l) != bits)
		l++;
	assert_true(l < m->g.leaf_levels);
	return l;
}

static int map_frame(void *ctx, uint64_t frame, uint64_t vaddr, unsigned bits,
		     uint32_t rights, uint32_t attributes)
{
	struct machine *m = ctx;
	unsigned l = level_of(m, bits);
	size_t i = entry(m, l, vaddr);

	if (refuses(m))
		return 5;
	assert_int_equal(rights + 1, attributes);
	assert_true(reachable(m, l, vaddr));
	assert_true(!m->page[l][i] && !m->table[l][i]);
	m->page[l][i] = frame;
	return 0;
}

static int unmap_frame(void *ctx, uint64_t frame, uint64_t vaddr, unsigned bits)
{
	struct machine *m = ctx;
	unsigned l = level_of(m, bits);

	if (refuses(m))
		return 6;
	assert_int_equal(m->page[l][entry(m, l, vaddr)], frame);
	m->page[l][entry(m, l, vaddr)] = 0;
	return 0;
}

static const struct vspace_ops ops = {
	alloc_table,
	free_table,
	map_table,
	unmap_table,
	map_frame,
	unmap_frame,
};

/* What the machine translates an address to: the frame, 0 for none. */
static uint64_t walk(const struct machine *m, uint64_t vaddr, unsigned *bits)
{
	for (unsigned l = m->g.levels; l-- > 0;) {
		size_t i = entry(m, l, vaddr);

		*bits = vspace_level_shift(&m->g, l);
		if (m->page[l][i])
			return m->page[l][i];
		if (!m->table[l][i])
			return 0;
	}
	return 0;
}

/* The flat map: a record for each smallest page. */
struct page {
	uint64_t tag; /* 0: not reserved */
	uint64_t reserved_start;
	uint64_t mapping; /* its first address + 1; 0: none */
	uint64_t frame;
	unsigned bits;
};

struct bench {
	struct machine m;
	struct vspace v;
	struct vspace_node nodes[NODES];
	struct page page[MAX_ENTRIES];
	size_t pages;
	uint64_t next_frame, next_tag;
};

static struct bench bench;

static uint64_t address(size_t page)
{
	return bench.v.start + ((uint64_t)page << bench.m.g.page_bits);
}

static void bench_init(const struct vspace_geometry *g, uint64_t start,
		       uint64_t size, size_t nodes, unsigned tables,
		       unsigned pool)
{
	memset(&bench, 0, sizeof(bench));
	bench.m.g = *g;
	bench.m.random.state = 5;
	bench.m.tables_left = tables;
	bench.pages = size >> g->page_bits;
	bench.next_frame = bench.next_tag = 1;
	assert_int_equal(vspace_init(&bench.v, g, &ops, &bench.m, start, size,
				     bench.nodes, nodes, pool),
			 VSPACE_OK);
}

static void assert_sound(void)
{
	const char *e = vspace_sound(&bench.v);

	if (e)
		fail_msg("%s", e);
}

/* Whether pages [at, at + n) all are free / reserved by one / unmapped. */
static bool all_free(size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++)
		if (bench.page[i].tag)
			return false;
	return true;
}

static bool all_of_one(size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++)
		if (!bench.page[i].tag || bench.page[i].tag != bench.page[at].tag)
			return false;
	return true;
}

static bool all_unmapped(size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++)
		if (bench.page[i].mapping)
			return false;
	return true;
}

static void note_reserved(size_t at, size_t n, uint64_t tag)
{
	for (size_t i = at; i < at + n; i++)
		bench.page[i] = (struct page){ .tag = tag,
					       .reserved_start = address(at) };
}

static void do_reserve(size_t at, size_t n)
{
	uint64_t tag = bench.next_tag++;
	enum vspace_error e = vspace_reserve(
		&bench.v, address(at), (uint64_t)n << bench.m.g.page_bits, tag);
	enum vspace_error want = n == 0                 ? VSPACE_BAD_ARGUMENT
				 : at + n > bench.pages ? VSPACE_OUT_OF_RANGE
				 : all_free(at, n)      ? VSPACE_OK
							: VSPACE_OVERLAP;

	if (e != VSPACE_NO_NODES)
		assert_int_equal(e, want);
	if (!e)
		note_reserved(at, n, tag);
}

static bool has_gap(size_t n, unsigned align_bits)
{
	for (size_t i = 0; i + n <= bench.pages; i++)
		if (is_aligned_u64(address(i), bit_u64(align_bits)) &&
		    all_free(i, n))
			return true;
	return false;
}

static void do_reserve_any(size_t n, unsigned align_bits)
{
	uint64_t tag = bench.next_tag++, at;
	enum vspace_error e;

	e = vspace_reserve_any(&bench.v, (uint64_t)n << bench.m.g.page_bits,
			       align_bits, tag, &at);
	if (e != VSPACE_NO_NODES)
		assert_int_equal(e, has_gap(n, align_bits) ? VSPACE_OK
							   : VSPACE_NO_ROOM);
	if (e)
		return;
	assert_true(is_aligned_u64(at, bit_u64(align_bits)));
	at = (at - bench.v.start) >> bench.m.g.page_bits;
	assert_true(all_free(at, n));
	note_reserved(at, n, tag);
}

static void do_release(size_t at)
{
	const struct page *p = &bench.page[at];
	uint64_t tag = p->tag;
	enum vspace_error want = VSPACE_OK;
	enum vspace_error e = vspace_release(&bench.v, address(at));

	if (!tag || p->reserved_start != address(at))
		want = VSPACE_NOT_RESERVED;
	for (size_t i = at; !want && i < bench.pages; i++)
		if (bench.page[i].tag == tag && bench.page[i].mapping)
			want = VSPACE_IN_USE;
	assert_int_equal(e, want);
	for (size_t i = at; !e && i < bench.pages; i++)
		if (bench.page[i].tag == tag)
			bench.page[i] = (struct page){ 0 };
}

static void do_map(size_t at, unsigned level, uint64_t count)
{
	unsigned bits = vspace_level_shift(&bench.m.g, level);
	size_t per = (size_t)1 << (bits - bench.m.g.page_bits);
	size_t n = per * count;
	uint64_t frame = bench.next_frame;
	enum vspace_error want, e;

	bench.next_frame += count;
	want = !is_aligned_u64(address(at), bit_u64(bits)) ? VSPACE_MISALIGNED
	       : at + n > bench.pages                      ? VSPACE_OUT_OF_RANGE
	       : !all_of_one(at, n)                        ? VSPACE_NOT_RESERVED
	       : !all_unmapped(at, n)                      ? VSPACE_OVERLAP
							   : VSPACE_OK;
	e = vspace_map(&bench.v, address(at), bits, frame, count, 6, 7);
	if (e == VSPACE_NO_NODES || e == VSPACE_NO_TABLES || e == VSPACE_KERNEL)
		return;
	assert_int_equal(e, want);
	for (size_t i = 0; !e && i < n; i++) {
		bench.page[at + i].mapping = address(at) + 1;
		bench.page[at + i].frame = frame + i / per;
		bench.page[at + i].bits = bits;
	}
}

static void do_unmap(size_t at)
{
	enum vspace_error want = bench.page[at].mapping == address(at) + 1
					 ? VSPACE_OK
					 : VSPACE_NOT_MAPPED;

	assert_int_equal(vspace_unmap(&bench.v, address(at)), want);
	for (size_t i = at; !want && i < bench.pages; i++)
		if (bench.page[i].mapping == address(at) + 1)
			bench.page[i].mapping = bench.page[i].frame = 0;
}

static void check_page(size_t at)
{
	const struct page *p = &bench.page[at];
	uint64_t vaddr = address(at) + 1;
	struct vspace_info info;
	unsigned bits;

	assert_int_equal(walk(&bench.m, vaddr, &bits), p->frame);
	assert_int_equal(vspace_lookup(&bench.v, vaddr, &info),
			 p->tag ? VSPACE_OK : VSPACE_NOT_RESERVED);
	if (!p->tag)
		return;
	assert_int_equal(info.tag, p->tag);
	assert_int_equal(info.reserved_start, p->reserved_start);
	assert_int_equal(info.mapped, p->mapping != 0);
	if (!p->mapping)
		return;
	assert_int_equal(info.frame, p->frame);
	assert_int_equal(info.bits, p->bits);
	assert_int_equal(info.bits, bits);
	assert_int_equal(info.mapping_start, p->mapping - 1);
	assert_int_equal(info.frame_vaddr, align_down_u64(vaddr, bit_u64(bits)));
	assert_int_equal(info.rights, 6);
}

static void random_step(struct random *r, bool grow)
{
	size_t at = random_below(r, (unsigned)bench.pages);
	unsigned level = random_below(r, bench.m.g.leaf_levels);
	unsigned bits = vspace_level_shift(&bench.m.g, level);

	/* Half of the time an aligned address inside a reservation. */
	if (bench.page[at].tag && random_below(r, 2))
		at = (align_up_u64(bench.page[at].reserved_start, bit_u64(bits)) -
		      bench.v.start) >>
		     bench.m.g.page_bits;
	if (at >= bench.pages)
		at = 0;
	switch (random_below(r, grow ? 6 : 9)) {
	case 0:
		do_reserve(at, random_below(r, 40));
		break;
	case 1:
		do_reserve_any(1 + random_below(r, 40), random_below(r, 10));
		break;
	case 2:
	case 3:
	case 4:
		do_map(at, level, 1 + random_below(r, 9));
		break;
	case 5:
	case 6:
		do_unmap(at);
		break;
	default:
		do_release(at);
	}
	check_page(at);
	check_page(random_below(r, (unsigned)bench.pages));
}

static void check_empty(void)
{
	for (size_t t = 0; t < MAX_TABLES; t++)
		assert_false(bench.m.table_in[t] || bench.m.table_out[t]);
	assert_sound();
	assert_int_equal(bench.v.stats.nodes_used, 1);
	assert_int_equal(bench.v.stats.mapped_bytes, 0);
	assert_int_equal(bench.v.stats.reserved_bytes, 0);
	assert_int_equal(bench.v.stats.frames, 0);
}

static const struct vspace_geometry geometries[] = {
	{ 4, 3, { 2, 3, 2 }, 2 },
	{ 12, 4, { 3, 2, 2, 1 }, 3 },
	{ 12, 1, { 7 }, 1 },
	{ 5, 5, { 1, 1, 2, 1, 2 }, 5 },
	{ 12, 2, { 4, 5 }, 1 },
};

static void random_steps_agree_with_flat_map(void **state)
{
	struct random r = { 41 };

	(void)state;
	for (size_t g = 0; g < ARRAY_SIZE(geometries); g++) {
		const struct vspace_geometry *geo = &geometries[g];
		uint64_t span = bit_u64(vspace_level_shift(geo, geo->levels));
		uint64_t cut = g % 2 ? span >> 3 : 0;

		bench_init(geo, cut, span - 2 * cut, NODES, MAX_TABLES - 1,
			   (unsigned)g);
		for (int i = 0; i < 6000; i++) {
			random_step(&r, i / 500 % 2 == 0);
			if (i % 8 == 0)
				assert_sound();
		}
		assert_int_equal(vspace_clear(&bench.v), VSPACE_OK);
		check_empty();
	}
}

/* Too few tables, too few nodes: errors, and nothing half done. */
static void scarcity_changes_nothing(void **state)
{
	struct random r = { 42 };

	(void)state;
	for (unsigned k = 0; k < 6; k++) {
		const struct vspace_geometry *geo = &geometries[k % 2];

		bench_init(geo, 0, bit_u64(vspace_level_shift(geo, geo->levels)),
			   k < 3 ? 12 + k : NODES, k < 3 ? 400 : k, k % 3);
		for (int i = 0; i < 6000; i++) {
			random_step(&r, i / 500 % 2 == 0);
			if (i % 8 == 0)
				assert_sound();
		}
		assert_int_equal(vspace_clear(&bench.v), VSPACE_OK);
		check_empty();
	}
}

/*
 * Any operation may fail. Then the flat map is not the truth any more, but
 * what lookup says and what the machine does must still agree, and all of it
 * goes away in the end.
 */
static void check_against_machine(void)
{
	for (size_t i = 0; i < bench.pages; i++) {
		struct vspace_info info;
		unsigned bits;
		uint64_t frame = walk(&bench.m, address(i), &bits);

		vspace_lookup(&bench.v, address(i), &info);
		assert_int_equal(info.mapped ? info.frame : 0, frame);
	}
}

static void refusals_keep_books_and_machine_together(void **state)
{
	struct random r = { 43 };

	(void)state;
	bench_init(&geometries[1], 0,
		   bit_u64(vspace_level_shift(&geometries[1], 4)), NODES,
		   MAX_TABLES - 1, 3);
	for (uint64_t i = 0; i < 8000; i++) {
		size_t at = random_below(&r, (unsigned)bench.pages);
		uint64_t where;

		bench.m.fail_one_in = 1 + (unsigned)i / 500;
		switch (random_below(&r, 6)) {
		case 0:
			vspace_reserve_any(&bench.v,
					   (1ull + random_below(&r, 40)) << 12,
					   12, i, &where);
			break;
		case 1:
			vspace_unmap(&bench.v, address(at));
			break;
		case 2:
			vspace_release(&bench.v, address(at));
			break;
		default:
			/* Large pages could meet an empty table that would
			 * not go away: what the kernel refuses, the machine
			 * here asserts. */
			vspace_map(&bench.v, address(at), 12, 1 + i * 32,
				   1 + random_below(&r, 9), 6, 7);
		}
		if (i % 16 == 0) {
			assert_sound();
			check_against_machine();
		}
	}
	bench.m.fail_one_in = 3;
	for (int i = 0; i < 5000 && vspace_clear(&bench.v); i++)
		check_against_machine();
	bench.m.fail_one_in = 0;
	assert_int_equal(vspace_clear(&bench.v), VSPACE_OK);
	assert_int_equal(bench.v.stats.frames, 0);
	assert_int_equal(bench.v.stats.reservations, 0);
	assert_sound();
}

static void tables_are_lazy_and_pooled(void **state)
{
	static const struct vspace_geometry arm = { 12, 4, { 9, 9, 9, 5 }, 3 };
	struct vspace *v = &bench.v;

	(void)state;
	assert_int_equal(vspace_level_shift(&arm, 4), 44);
	bench_init(&geometries[0], 0, 2048, NODES, 20, 2);
	assert_int_equal(vspace_reserve(v, 0, 2048, 1), VSPACE_OK);
	assert_int_equal(v->stats.tables, 0);
	/* Level 1 pages (64 bytes) need one table, level 0 pages two. */
	assert_int_equal(vspace_map(v, 64, 6, 100, 1, 6, 7), VSPACE_OK);
	assert_int_equal(v->stats.tables, 1);
	assert_int_equal(vspace_map(v, 512, 4, 200, 4, 6, 7), VSPACE_OK);
	assert_int_equal(v->stats.tables, 3);
	assert_int_equal(bench.m.tables_left, 17);
	assert_int_equal(vspace_unmap(v, 512), VSPACE_OK);
	assert_int_equal(v->stats.tables, 1);
	assert_int_equal(v->stats.pooled, 2);
	assert_int_equal(bench.m.tables_left, 17);
	assert_int_equal(vspace_map(v, 1024, 4, 300, 1, 6, 7), VSPACE_OK);
	assert_int_equal(v->stats.pooled, 0);
	assert_int_equal(vspace_prepare(v, 5), VSPACE_OK);
	assert_int_equal(v->stats.pooled, 5);
	bench.m.tables_left = 0;
	assert_int_equal(vspace_map(v, 1536, 4, 400, 1, 6, 7), VSPACE_OK);
	assert_int_equal(vspace_prepare(v, 9), VSPACE_NO_TABLES);
	assert_int_equal(vspace_clear(v), VSPACE_OK);
	check_empty();
}

static void adopted_tables_stay(void **state)
{
	struct vspace *v = &bench.v;

	(void)state;
	bench_init(&geometries[0], 0, 2048, NODES, 20, 0);
	assert_int_equal(vspace_adopt_table(v, 2, 0), VSPACE_BAD_ARGUMENT);
	assert_int_equal(vspace_adopt_table(v, 0, 0), VSPACE_BAD_ARGUMENT);
	bench.m.table[2][0] = 500;
	bench.m.table[1][1] = 501;
	assert_int_equal(vspace_adopt_table(v, 1, 0x30), VSPACE_OK);
	assert_int_equal(vspace_adopt_table(v, 0, 0x40), VSPACE_OK);
	assert_int_equal(vspace_adopt_table(v, 0, 0x70), VSPACE_OVERLAP);
	assert_int_equal(vspace_reserve(v, 0, 2048, 1), VSPACE_OK);
	assert_int_equal(vspace_map(v, 0x40, 4, 9, 2, 6, 7), VSPACE_OK);
	assert_int_equal(bench.m.tables_left, 20);
	assert_int_equal(vspace_map(v, 0x80, 4, 30, 4, 6, 7), VSPACE_OK);
	assert_int_equal(bench.m.tables_left, 19);
	assert_int_equal(vspace_clear(v), VSPACE_OK);
	assert_int_equal(v->stats.tables, 2);
	assert_int_equal(bench.m.tables_left, 20);
	assert_sound();
}

static void wrong_arguments_are_refused(void **state)
{
	static const struct vspace_geometry bad[] = {
		{ 12, 0, { 0 }, 1 },
		{ 12, 6, { 1, 1, 1, 1, 1 }, 1 },
		{ 12, 2, { 9, 0 }, 1 },
		{ 12, 2, { 9, 9 }, 3 },
		{ 12, 2, { 9, 9 }, 0 },
		{ 12, 2, { 30, 30 }, 1 },
		{ 64, 1, { 9 }, 1 },
		{ 12, 2, { 9, UINT32_MAX }, 1 },
	};
	struct vspace *v = &bench.v;
	struct vspace_info info;
	uint64_t at;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(vspace_init(v, &bad[i], &ops, NULL, 0, 4096,
					     bench.nodes, 5, 0),
				 VSPACE_BAD_ARGUMENT);
	bench_init(&geometries[1], 0x2000, 0x10000, 8, 20, 0);
	assert_int_equal(vspace_init(v, &v->geometry, &ops, NULL, 0, 0,
				     bench.nodes, 5, 0),
			 VSPACE_BAD_ARGUMENT);
	assert_int_equal(vspace_init(v, &v->geometry, &ops, NULL, 0, 1ull << 40,
				     bench.nodes, 5, 0),
			 VSPACE_BAD_ARGUMENT);
	assert_int_equal(vspace_init(v, &v->geometry, &ops, NULL, 0, 0x1000,
				     bench.nodes, 0, 0),
			 VSPACE_NO_NODES);
	assert_int_equal(vspace_reserve(v, 0x2000, 0x800, 1), VSPACE_MISALIGNED);
	assert_int_equal(vspace_reserve(v, 0x2001, 0x1000, 1), VSPACE_MISALIGNED);
	assert_int_equal(vspace_reserve(v, 0x1000, 0x1000, 1),
			 VSPACE_OUT_OF_RANGE);
	assert_int_equal(vspace_reserve(v, 0x2000, -0x1000ull, 1),
			 VSPACE_OUT_OF_RANGE);
	assert_int_equal(vspace_reserve_any(v, 0x1800, 12, 1, &at),
			 VSPACE_MISALIGNED);
	assert_int_equal(vspace_reserve_any(v, 0, 12, 1, &at),
			 VSPACE_BAD_ARGUMENT);
	assert_int_equal(vspace_reserve_any(v, -0x1000ull, 12, 1, &at),
			 VSPACE_NO_ROOM);
	assert_int_equal(vspace_reserve_any(v, 0x1000, 63, 1, &at),
			 VSPACE_BAD_ARGUMENT);
	assert_int_equal(vspace_reserve_any(v, 0x1000, 62, 1, &at),
			 VSPACE_NO_ROOM);
	assert_int_equal(vspace_reserve(v, 0x2000, 0x10000, 1), VSPACE_OK);
	assert_int_equal(vspace_map(v, 0x2000, 13, 1, 1, 6, 7),
			 VSPACE_BAD_ARGUMENT);
	assert_int_equal(vspace_map(v, 0x2000, 12, 1, 0, 6, 7),
			 VSPACE_BAD_ARGUMENT);
	assert_int_equal(vspace_map(v, 0x2000, 12, 1, UINT64_MAX, 6, 7),
			 VSPACE_OUT_OF_RANGE);
	assert_int_equal(vspace_lookup(v, 0x1fff, &info), VSPACE_OUT_OF_RANGE);
	assert_int_equal(vspace_lookup(v, 0x12000, &info), VSPACE_OUT_OF_RANGE);
	assert_string_equal(vspace_error_text(VSPACE_IN_USE),
			    "something is mapped there");
	assert_string_equal(vspace_error_text((enum vspace_error)99),
			    "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_steps_agree_with_flat_map),
		cmocka_unit_test(scarcity_changes_nothing),
		cmocka_unit_test(refusals_keep_books_and_machine_together),
		cmocka_unit_test(tables_are_lazy_and_pooled),
		cmocka_unit_test(adopted_tables_stay),
		cmocka_unit_test(wrong_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
