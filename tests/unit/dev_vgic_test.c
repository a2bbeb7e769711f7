/* The vGIC: register maps against the specifications' lists, then what a list
 * register looks like and how many accesses each situation costs. */
#include <dev/vgic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../dev/vgic_regs.h"

#define PENDING VGIC_LR_STATE_PENDING
#define ACTIVE VGIC_LR_STATE_ACTIVE
#define SPI 64u /* first of a block */
#define TIMER 27u

struct fixture {
	struct vgic gic;
	uint64_t lr[VGIC_MAX_VCPUS][VGIC_MAX_LRS];
	unsigned reads, writes, holds, eois;
	unsigned last_eoi;
	bool lower_at_eoi;
};

static uint64_t read_lr(void *opaque, unsigned v, unsigned i)
{
	struct fixture *f = opaque;

	f->reads++;
	return f->lr[v][i];
}

static void write_lr(void *opaque, unsigned v, unsigned i, uint64_t value)
{
	struct fixture *f = opaque;

	f->writes++;
	f->lr[v][i] = value;
}

static void hold(void *opaque, unsigned v, bool held)
{
	(void)v;
	((struct fixture *)opaque)->holds += held;
}

static void eoi(void *opaque, unsigned v, unsigned irq)
{
	struct fixture *f = opaque;

	f->eois++;
	f->last_eoi = irq;
	if (f->lower_at_eoi)
		vgic_set_level(&f->gic, v, irq, false);
}

static struct fixture *fresh(unsigned version, unsigned n_vcpus, unsigned n_lrs)
{
	static struct fixture f;
	struct vgic_config config = { version, n_vcpus, 288, n_lrs, true, 0, false, 0 };
	struct vgic_env env = {
		.opaque = &f,
		.read_lr = read_lr,
		.write_lr = write_lr,
		.hold = hold,
		.eoi = eoi,
	};

	memset(&f, 0, sizeof(f));
	assert_true(vgic_init(&f.gic, &config, &env));
	return &f;
}

static enum mmio_outcome access(struct fixture *f, unsigned v, uint32_t offset,
				uint8_t size, bool write, uint64_t *value)
{
	struct mmio m = { .offset = offset, .size = size, .write = write, .value = *value };
	enum mmio_outcome outcome = vgic_dist_access(&f->gic, v, &m);

	*value = m.value;
	return outcome;
}

static uint32_t rd(struct fixture *f, unsigned v, uint32_t offset)
{
	uint64_t value = 0;

	assert_int_equal(access(f, v, offset, 4, false, &value), MMIO_HANDLED);
	return (uint32_t)value;
}

static void wr(struct fixture *f, unsigned v, uint32_t offset, uint32_t data)
{
	uint64_t value = data;

	assert_int_equal(access(f, v, offset, 4, true, &value), MMIO_HANDLED);
}

/* A register of the redistributor of v. */
static uint64_t redist(struct fixture *f, unsigned v, uint32_t offset,
		       uint8_t size, bool write, uint64_t value)
{
	struct mmio m = { .offset = v * VGIC_V3_REDIST_BYTES + offset,
			  .size = size,
			  .write = write,
			  .value = value };

	assert_int_equal(vgic_redist_access(&f->gic, &m), MMIO_HANDLED);
	return m.value;
}

/* As a guest's driver leaves it: everything enabled, one priority. */
static void set_up(struct fixture *f)
{
	bool v3 = f->gic.config.version == 3;

	wr(f, 0, 0, v3 ? 2 : 1);
	for (unsigned i = v3 ? 32 : 0; i < 288; i += 4)
		wr(f, 0, 0x400 + i, 0xa0a0a0a0);
	for (unsigned i = v3 ? 32 : 0; i < 288; i += 32)
		wr(f, 0, 0x100 + i / 8, UINT32_MAX);
	for (unsigned i = 32; i < 288 && !v3; i += 4)
		wr(f, 0, 0x800 + i, 0x01010101);
	for (unsigned v = 0; v < f->gic.config.n_vcpus && v3; v++) {
		redist(f, v, 0x10100, 4, true, UINT32_MAX);
		for (unsigned i = 0; i < 32; i += 4)
			redist(f, v, 0x10400 + i, 4, true, 0xa0a0a0a0);
	}
	for (unsigned v = 1; v < f->gic.config.n_vcpus && !v3; v++)
		wr(f, v, 0x100, UINT32_MAX);
	f->reads = f->writes = f->holds = 0;
}

static void count(struct fixture *f, unsigned reads, unsigned writes)
{
	assert_int_equal(f->reads, reads);
	assert_int_equal(f->writes, writes);
	f->reads = f->writes = 0;
}

/* --- Maps ------------------------------------------------------------------ */

/* From the specifications: first and last byte, access sizes (sum). */
struct entry {
	uint32_t first, last;
	unsigned sizes;
};

/* IHI 0048B table 4-1 */
static const struct entry dist_v2[] = {
	{ 0x000, 0x003, 4 },
	{ 0x004, 0x007, 4 },
	{ 0x008, 0x00b, 4 },
	{ 0x080, 0x0ff, 4 },
	{ 0x100, 0x17f, 4 },
	{ 0x180, 0x1ff, 4 },
	{ 0x200, 0x27f, 4 },
	{ 0x280, 0x2ff, 4 },
	{ 0x300, 0x37f, 4 },
	{ 0x380, 0x3ff, 4 },
	{ 0x400, 0x7fb, 5 },
	{ 0x800, 0xbfb, 5 },
	{ 0xc00, 0xcff, 4 },
	{ 0xe00, 0xeff, 4 },
	{ 0xf00, 0xf03, 4 },
	{ 0xf10, 0xf1f, 5 },
	{ 0xf20, 0xf2f, 5 },
	{ 0xfd0, 0xfff, 4 },
};
/* IHI 0069H table 12-25 */
static const struct entry dist_v3[] = {
	{ 0x000, 0x003, 4 },
	{ 0x004, 0x007, 4 },
	{ 0x008, 0x00b, 4 },
	{ 0x00c, 0x00f, 4 },
	{ 0x010, 0x013, 4 },
	{ 0x084, 0x0ff, 4 },
	{ 0x104, 0x17f, 4 },
	{ 0x184, 0x1ff, 4 },
	{ 0x204, 0x27f, 4 },
	{ 0x284, 0x2ff, 4 },
	{ 0x304, 0x37f, 4 },
	{ 0x384, 0x3ff, 4 },
	{ 0x420, 0x7fb, 5 },
	{ 0x800, 0xbfb, 5 },
	{ 0xc08, 0xcff, 4 },
	{ 0xd00, 0xd7f, 4 },
	{ 0xe00, 0xeff, 4 },
	{ 0xf00, 0xf03, 4 },
	{ 0xf10, 0xf1f, 5 },
	{ 0xf20, 0xf2f, 5 },
	{ 0x6100, 0x7fdf, 12 },
	{ 0xffd0, 0xffff, 4 },
};
/* IHI 0069H tables 12-27 and 12-29 (SGI_base at 0x10000) */
static const struct entry redistributor[] = {
	{ 0x0000, 0x0003, 4 },
	{ 0x0004, 0x0007, 4 },
	{ 0x0008, 0x000f, 12 },
	{ 0x0010, 0x0013, 4 },
	{ 0x0014, 0x0017, 4 },
	{ 0x0070, 0x007f, 12 },
	{ 0xffd0, 0xffff, 4 },
	{ 0x10080, 0x10083, 4 },
	{ 0x10100, 0x10103, 4 },
	{ 0x10180, 0x10183, 4 },
	{ 0x10200, 0x10203, 4 },
	{ 0x10280, 0x10283, 4 },
	{ 0x10300, 0x10303, 4 },
	{ 0x10380, 0x10383, 4 },
	{ 0x10400, 0x1041f, 5 },
	{ 0x10c00, 0x10c07, 4 },
	{ 0x10d00, 0x10d03, 4 },
	{ 0x10e00, 0x10e03, 4 },
};
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static unsigned sizes_at(const struct entry *list, size_t n, uint32_t offset)
{
	for (size_t i = 0; i < n; i++)
		if (offset >= list[i].first && offset <= list[i].last)
			return list[i].sizes;
	return 0;
}

static void check_map(struct fixture *f, bool is_redist,
		      const struct entry *list, size_t n, uint32_t bytes)
{
	for (uint8_t size = 1; size <= 8; size = (uint8_t)(size * 2))
		for (uint32_t offset = 0; offset < bytes; offset += size) {
			struct mmio m = { .offset = offset, .size = size, .value = 0xdead };
			bool allowed = sizes_at(list, n, offset) & size;
			enum mmio_outcome outcome;

			if (is_redist)
				outcome = vgic_redist_access(&f->gic, &m);
			else
				outcome = vgic_dist_access(&f->gic, 0, &m);

			assert_int_equal(outcome, allowed ? MMIO_HANDLED : MMIO_IGNORED);
			if (!allowed)
				assert_int_equal(m.value, 0);
		}
}

static void test_maps(void **state)
{
	(void)state;
	check_map(fresh(2, 2, 4), false, dist_v2, LENGTH(dist_v2),
		  VGIC_V2_DIST_BYTES);
	check_map(fresh(3, 2, 4), false, dist_v3, LENGTH(dist_v3),
		  VGIC_V3_DIST_BYTES);
	check_map(fresh(3, 2, 4), true, redistributor, LENGTH(redistributor),
		  VGIC_V3_REDIST_BYTES);
}

/* No two ranges of a table overlap; every one lies in its frame. */
static void check_table(const struct vgic_reg *t, size_t n, uint32_t bytes)
{
	for (size_t i = 0; i < n; i++) {
		assert_true(t[i].bytes > 0 && t[i].reserved < t[i].bytes);
		assert_true(t[i].offset + t[i].bytes <= bytes);
		for (size_t j = 0; j < i; j++)
			assert_true(t[i].offset + t[i].bytes <= t[j].offset ||
				    t[j].offset + t[j].bytes <= t[i].offset);
	}
}

static void test_tables(void **state)
{
	(void)state;
	check_table(vgic_dist_v2, vgic_n_dist_v2, VGIC_V2_DIST_BYTES);
	check_table(vgic_dist_v3, vgic_n_dist_v3, VGIC_V3_DIST_BYTES);
	check_table(vgic_redist, vgic_n_redist, VGIC_V3_REDIST_BYTES);
}

static void test_identification(void **state)
{
	struct fixture *f = fresh(2, 3, 4);

	(void)state;
	assert_int_equal(rd(f, 0, 4), 8 | 2 << 5);
	assert_int_equal(rd(f, 0, 0xfe8) >> 4 & 0xf, 2);
	assert_int_equal(rd(f, 2, 0x800), 0x04040404); /* own CPU */
	assert_int_equal(rd(f, 0, 0xc00), 0xaaaaaaaa); /* SGIs: edge */
	f = fresh(3, 3, 4);
	assert_int_equal(rd(f, 0, 4), 8 | 9 << 19 | 1 << 25);
	assert_int_equal(rd(f, 0, 0), 0x50); /* ARE, DS */
	assert_int_equal(rd(f, 0, 0xffe8) >> 4 & 0xf, 3);
	assert_true(redist(f, 1, 8, 8, false, 0) == (1ull << 32 | 1 << 8));
	assert_true(redist(f, 2, 8, 8, false, 0) ==
		    (2ull << 32 | 2 << 8 | 1 << 4)); /* last */
	assert_int_equal(redist(f, 2, 12, 4, false, 0), 2);
	assert_int_equal(redist(f, 0, 0x14, 4, false, 0), 6); /* asleep */
	redist(f, 0, 0x14, 4, true, 0);
	assert_int_equal(redist(f, 0, 0x14, 4, false, 0), 0);
}

static void test_halves_of_irouter(void **state)
{
	struct fixture *f = fresh(3, 4, 4);
	uint32_t offset = 0x6000 + 8 * SPI;
	uint64_t value = 3;

	(void)state;
	assert_int_equal(access(f, 0, offset, 8, true, &value), MMIO_HANDLED);
	assert_int_equal(rd(f, 0, offset), 3);
	wr(f, 0, offset + 4, UINT32_MAX);
	assert_int_equal(rd(f, 0, offset + 4), 0);
	assert_int_equal(rd(f, 0, offset), 3);
	wr(f, 0, offset, 0x80000001); /* IRM is RES0 (No1N) */
	value = 0;
	assert_int_equal(access(f, 0, offset, 8, false, &value), MMIO_HANDLED);
	assert_true(value == 1);
}

static void test_bad_configurations(void **state)
{
	static const struct vgic_config bad[] = {
		{ 1, 1, 64, 4, true, 0, false, 0 },
		{ 4, 1, 64, 4, true, 0, false, 0 },
		{ 2, 0, 64, 4, true, 0, false, 0 },
		{ 2, 9, 64, 4, true, 0, false, 0 },
		{ 2, 1, 32, 4, true, 0, false, 0 },
		{ 2, 1, 65, 4, true, 0, false, 0 },
		{ 2, 1, 320, 4, true, 0, false, 0 },
		{ 2, 1, 64, 0, true, 0, false, 0 },
		{ 2, 1, 64, 17, true, 0, false, 0 },
	};
	static struct vgic gic;

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_false(vgic_init(&gic, &bad[i], &(struct vgic_env){ 0 }));
}

/* --- List registers ----------------------------------------------------------- */

static void test_timer_costs_one_write(void **state)
{
	struct fixture *f = fresh(3, 1, 4);

	(void)state;
	set_up(f);
	f->lower_at_eoi = true;
	for (unsigned n = 0; n < 10; n++) {
		vgic_set_level(&f->gic, 0, TIMER, true);
		assert_int_equal(vgic_work(&f->gic), 1);
		vgic_flush(&f->gic, 0);
		assert_int_equal(vgic_work(&f->gic), 0);
		count(f, 0, 1);
		assert_true(f->lr[0][0] == (PENDING | VGIC_LR_GROUP1 |
					    0xa0ull << 48 | VGIC_LR_EOI |
					    TIMER));
		vgic_flush(&f->gic, 0);              /* nothing to do */
		f->lr[0][0] = TIMER | 0xa0ull << 48; /* taken and ended */
		vgic_maintenance(&f->gic, 0, 0);
		vgic_flush(&f->gic, 0);
		assert_int_equal(f->eois, n + 1);
		assert_int_equal(f->last_eoi, TIMER);
		count(f, 0, 0);
	}
	assert_int_equal(f->holds, 0);
}

static void test_level_is_pended_again(void **state)
{
	struct fixture *f = fresh(2, 1, 4);

	(void)state;
	set_up(f);
	vgic_set_level(&f->gic, 0, SPI, true);
	vgic_flush(&f->gic, 0);
	assert_true(f->lr[0][0] & PENDING);
	f->lr[0][0] &= ~VGIC_LR_STATE;
	vgic_maintenance(&f->gic, 0, 0); /* the line is still up */
	vgic_flush(&f->gic, 0);
	assert_true(f->lr[0][0] & PENDING);
	vgic_set_level(&f->gic, 0, SPI, false); /* withdrawn */
	assert_true(f->lr[0][0] == 0);
	assert_false(vgic_has_pending(&f->gic, 0, VGIC_VMCR_ANY));
}

static void test_edge_while_active(void **state)
{
	struct fixture *f = fresh(3, 1, 4);

	(void)state;
	set_up(f);
	wr(f, 0, 0xc00 + SPI / 4, 0xaaaaaaaa);
	vgic_set_level(&f->gic, 0, SPI, true);
	vgic_flush(&f->gic, 0);
	assert_false(f->lr[0][0] & VGIC_LR_EOI);
	f->lr[0][0] ^= VGIC_LR_STATE; /* acknowledged */
	vgic_set_level(&f->gic, 0, SPI, false);
	assert_int_equal(rd(f, 0, 0x200 + SPI / 8), 0);
	assert_int_equal(rd(f, 0, 0x300 + SPI / 8), 1 << SPI % 32);
	vgic_set_level(&f->gic, 0, SPI, true);
	vgic_flush(&f->gic, 0);
	assert_true((f->lr[0][0] & VGIC_LR_STATE) == VGIC_LR_STATE);
	assert_int_equal(rd(f, 0, 0x200 + SPI / 8), 1 << SPI % 32);
}

static void test_disable_withdraws_and_keeps(void **state)
{
	struct fixture *f = fresh(3, 1, 4);
	uint32_t bit = 1u << SPI % 32;

	(void)state;
	set_up(f);
	vgic_pulse(&f->gic, 0, SPI);
	vgic_flush(&f->gic, 0);
	wr(f, 0, 0x180 + SPI / 8, bit);
	assert_true(f->lr[0][0] == 0);
	assert_int_equal(rd(f, 0, 0x200 + SPI / 8), bit);
	wr(f, 0, 0x100 + SPI / 8, bit);
	vgic_flush(&f->gic, 0);
	assert_true(f->lr[0][0] & PENDING);
	wr(f, 0, 0, 0); /* both groups off */
	assert_true(f->lr[0][0] == 0);
	assert_false(vgic_has_pending(&f->gic, 0, VGIC_VMCR_ANY));
}

static void test_spill_and_refill(void **state)
{
	struct fixture *f = fresh(3, 1, 2);
	unsigned order[8], n = 0;

	(void)state;
	set_up(f);
	wr(f, 0, 0xc00 + SPI / 4, 0xaaaaaaaa);
	for (unsigned i = 0; i < 8; i++) { /* the later the more urgent */
		uint64_t priority = 0xf0 - 8 * i;

		access(f, 0, 0x400 + SPI + i, 1, true, &priority);
		vgic_pulse(&f->gic, 0, SPI + i);
		vgic_flush(&f->gic, 0);
	}
	while (f->lr[0][0] & VGIC_LR_STATE || f->lr[0][1] & VGIC_LR_STATE) {
		unsigned i = !(f->lr[0][0] & VGIC_LR_STATE) ||
			     (f->lr[0][1] & VGIC_LR_STATE &&
			      (f->lr[0][1] >> 48 & 0xff) <
				      (f->lr[0][0] >> 48 & 0xff));

		assert_in_range(n, 0, 7);
		order[n++] = f->lr[0][i] & 0x3ff;
		f->lr[0][i] &= ~(VGIC_LR_STATE);
		if (!(f->lr[0][i] & VGIC_LR_EOI))
			continue;
		f->lr[0][i] &= ~VGIC_LR_EOI;
		f->reads = f->writes = 0;
		vgic_maintenance(&f->gic, 0, (int)i);
		vgic_flush(&f->gic, 0);
		assert_true(f->reads == 0 && f->writes <= 1);
	}
	assert_int_equal(n, 8);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(order[i], SPI + 7 - i);
}

static void test_late_report_is_not_the_next_ones(void **state)
{
	struct fixture *f = fresh(3, 1, 1);

	(void)state;
	set_up(f);
	vgic_set_level(&f->gic, 0, SPI, true);
	vgic_flush(&f->gic, 0);
	/* The guest ends it; before the report arrives the line falls, which
	 * frees the register, and another interrupt takes it. */
	f->lr[0][0] &= ~(VGIC_LR_STATE | VGIC_LR_EOI);
	vgic_set_level(&f->gic, 0, SPI, false);
	vgic_set_level(&f->gic, 0, SPI + 1, true);
	vgic_flush(&f->gic, 0);
	vgic_maintenance(&f->gic, 0, 0);
	vgic_flush(&f->gic, 0);
	assert_true((f->lr[0][0] & 0x3ff) == SPI + 1);
	assert_true(f->lr[0][0] & PENDING);
	assert_int_equal(f->eois, 1);
	f->lr[0][0] &= ~(VGIC_LR_STATE | VGIC_LR_EOI);
	vgic_maintenance(&f->gic, 0, 0);
	vgic_flush(&f->gic, 0);
	assert_int_equal(f->eois, 2);
}

static void test_report_without_index(void **state)
{
	struct fixture *f = fresh(2, 1, 4);

	(void)state;
	set_up(f);
	vgic_set_level(&f->gic, 0, SPI, true);
	vgic_flush(&f->gic, 0);
	f->lr[0][0] &= ~VGIC_LR_STATE;
	vgic_maintenance(&f->gic, 0, -1);
	vgic_flush(&f->gic, 0);
	assert_int_equal(f->eois, 1);
	assert_true(f->lr[0][0] & PENDING);
}

/* --- SGIs ------------------------------------------------------------------------ */

static void test_sgi_v2_sources(void **state)
{
	struct fixture *f = fresh(2, 4, 4);

	(void)state;
	set_up(f);
	wr(f, 3, 0xf00, 0x01 << 16 | 5); /* 3 -> 0 */
	wr(f, 1, 0xf00, 1 << 24 | 5);    /* 1 -> all others */
	assert_int_equal(vgic_work(&f->gic), 0xd);
	vgic_flush(&f->gic, 0);
	assert_true((f->lr[0][0] & 0x7ffffffff) == (1ull << 32 | 5));
	assert_true(f->lr[0][0] & VGIC_LR_EOI); /* one more waits */
	assert_int_equal(rd(f, 0, 0xf20 + 4), 0x0a << 8);
	f->lr[0][0] = 0;
	vgic_maintenance(&f->gic, 0, 0);
	vgic_flush(&f->gic, 0);
	assert_true((f->lr[0][0] & 0x7ffffffff) == (3ull << 32 | 5));
	assert_false(f->lr[0][0] & VGIC_LR_EOI);
	wr(f, 2, 0xf10 + 4, 0xff << 8); /* 2 clears its own */
	assert_int_equal(rd(f, 2, 0x200), 0);
	wr(f, 2, 0xf00, 2 << 24 | 7); /* to itself */
	assert_int_equal(rd(f, 2, 0x200), 1 << 7);
	assert_int_equal(rd(f, 2, 0xf20 + 4), 4u << 24);
}

/* As QEMU's GICv2 and the A9's: nothing has to be enabled, nothing can be disabled. */
static void test_sgi_always_on(void **state)
{
	struct fixture *f = fresh(2, 2, 4);
	struct vgic_config config = f->gic.config;
	struct vgic_env env = f->gic.env;

	(void)state;
	config.sgis_on = true;
	assert_true(vgic_init(&f->gic, &config, &env));
	assert_int_equal(rd(f, 1, 0x100), 0xffff);
	wr(f, 1, 0x100, 1u << 27);
	wr(f, 1, 0x180, 0xffffffff);
	assert_int_equal(rd(f, 1, 0x100), 0xffff);
	wr(f, 1, 0x184, 0xffffffff);
	wr(f, 0, 0, 1);
	wr(f, 0, 0xf00, 2 << 16 | 9);
	vgic_flush(&f->gic, 1);
	assert_int_equal(f->lr[1][0] & 0x3ff, 9);
}

static void test_sgi_v3(void **state)
{
	struct fixture *f = fresh(3, 4, 4);

	(void)state;
	set_up(f);
	vgic_write_sgir(&f->gic, 0, 9ull << 24 | 0xa, true);
	assert_int_equal(vgic_work(&f->gic), 0xa);
	vgic_flush(&f->gic, 1);
	vgic_flush(&f->gic, 3);
	assert_true((f->lr[3][0] & 0x1fff) == 9);
	vgic_write_sgir(&f->gic, 2, 1ull << 40 | 3ull << 24, true);
	assert_int_equal(vgic_work(&f->gic), 0xb);
	/* Another cluster, another range of 16: nobody. */
	vgic_write_sgir(&f->gic, 0, 1ull << 16 | 4ull << 24 | 4, true);
	vgic_write_sgir(&f->gic, 0, 1ull << 44 | 4ull << 24 | 4, true);
	/* ICC_SGI0R_EL1 does not reach group 1. */
	vgic_write_sgir(&f->gic, 0, 4ull << 24 | 4, false);
	assert_int_equal(vgic_work(&f->gic), 0xb);
}

/* --- WFI, routing --------------------------------------------------------- */

static void test_wfi_and_priority_mask(void **state)
{
	struct fixture *f = fresh(3, 1, 4);

	(void)state;
	set_up(f);
	vgic_pulse(&f->gic, 0, SPI);
	assert_true(vgic_has_pending(&f->gic, 0, VGIC_VMCR_ANY));
	assert_true(vgic_has_pending(&f->gic, 0, 0xa8000002ull));
	assert_false(vgic_has_pending(&f->gic, 0, 0xa0000002ull)); /* PMR */
	assert_false(vgic_has_pending(&f->gic, 0, 0xff000001ull)); /* VENG1 */
	vgic_flush(&f->gic, 0);
	assert_true(vgic_has_pending(&f->gic, 0, 0xa8000002ull));
	f->lr[0][0] ^= VGIC_LR_STATE; /* acknowledged */
	assert_false(vgic_has_pending(&f->gic, 0, VGIC_VMCR_ANY));
}

static void test_migration_of_a_pending_spi(void **state)
{
	struct fixture *f = fresh(2, 2, 4);

	(void)state;
	set_up(f);
	vgic_set_level(&f->gic, 0, SPI, true);
	vgic_flush(&f->gic, 0);
	wr(f, 0, 0x800 + SPI, 0x01010102);
	assert_true(f->lr[0][0] == 0);
	assert_true(vgic_work(&f->gic) & 2);
	vgic_flush(&f->gic, 1);
	assert_true((f->lr[1][0] & 0x3ff) == SPI);
	assert_int_equal(f->holds, 1);
}

/* --- Plain seL4 -------------------------------------------------------------------- */

static void record_injection(void *opaque, unsigned v, unsigned i, unsigned irq,
			     unsigned priority, unsigned group)
{
	struct fixture *f = opaque;

	f->writes++;
	f->lr[v][i] = irq | (uint64_t)priority << 16 | (uint64_t)group << 24;
}

static void test_inject_only(void **state)
{
	struct fixture *f = fresh(3, 1, 2);

	(void)state;
	f->gic.config.lr_readback = false;
	f->gic.env = (struct vgic_env){ .opaque = f, .eoi = eoi, .inject = record_injection };
	set_up(f);
	vgic_set_level(&f->gic, 0, SPI, true);
	vgic_set_level(&f->gic, 0, SPI + 1, true);
	vgic_set_level(&f->gic, 0, TIMER, true);
	vgic_flush(&f->gic, 0);
	assert_int_equal(f->writes, 2);
	assert_true(f->lr[0][0] == (TIMER | 20 << 16 | 1 << 24));
	assert_true(f->lr[0][1] == (SPI | 20 << 16 | 1 << 24));
	f->lower_at_eoi = true;
	vgic_maintenance(&f->gic, 0, 0);
	vgic_flush(&f->gic, 0);
	assert_int_equal(f->writes, 3);
	assert_true((f->lr[0][0] & 0xffff) == SPI + 1);
	assert_int_equal(f->last_eoi, TIMER);
	assert_true(vgic_has_pending(&f->gic, 0, VGIC_VMCR_ANY));
	vgic_maintenance(&f->gic, 0, 1);
	vgic_maintenance(&f->gic, 0, 0);
	vgic_flush(&f->gic, 0);
	assert_false(vgic_has_pending(&f->gic, 0, VGIC_VMCR_ANY));
}

/* --- Direct interrupts ----------------------------------------------------- */

#define DIRECT_SPI 40u

/* A kernel that keeps pending and active state. */
struct direct {
	unsigned conf[VGIC_MAX_VCPUS][VGIC_DIRECT_IRQS];
	uint64_t pending[VGIC_MAX_VCPUS], active[VGIC_MAX_VCPUS];
	unsigned told;
};
static struct direct kernel;

static void direct_conf(void *opaque, unsigned v, unsigned irq, unsigned conf)
{
	(void)opaque;
	kernel.told++;
	kernel.conf[v][irq] = conf;
}

static uint64_t direct_pending(void *opaque, unsigned v)
{
	(void)opaque;
	return kernel.pending[v];
}

static uint64_t direct_active(void *opaque, unsigned v)
{
	(void)opaque;
	return kernel.active[v];
}

static void direct_change(void *opaque, unsigned v, enum vgic_direct_change change,
			  uint64_t irqs)
{
	(void)opaque;
	if (change == VGIC_DIRECT_PEND)
		kernel.pending[v] |= irqs;
	else if (change == VGIC_DIRECT_UNPEND)
		kernel.pending[v] &= ~irqs;
	else
		kernel.active[v] &= ~irqs;
}

static struct fixture *fresh_direct(unsigned version, unsigned n_vcpus)
{
	struct fixture *f = fresh(version, n_vcpus, 2);
	struct vgic_config config = f->gic.config;
	struct vgic_env env = f->gic.env;

	config.direct = 0xffff | 1ull << TIMER | 1ull << DIRECT_SPI;
	env.direct_conf = direct_conf;
	env.direct_pending = direct_pending;
	env.direct_active = direct_active;
	env.direct_change = direct_change;
	memset(&kernel, 0, sizeof(kernel));
	assert_true(vgic_init(&f->gic, &config, &env));
	return f;
}

static void test_direct_private(void **state)
{
	struct fixture *f = fresh_direct(3, 2);
	const unsigned on = VGIC_DIRECT_ENABLED | VGIC_DIRECT_GROUP1;

	(void)state;
	redist(f, 1, 0x10100, 4, true, 1u << 3 | 1u << TIMER);
	assert_int_equal(kernel.conf[1][3], VGIC_DIRECT_GROUP1); /* group off */
	wr(f, 0, 0, 2);
	assert_int_equal(kernel.conf[1][3], on);
	assert_int_equal(kernel.conf[1][TIMER], on);
	assert_int_equal(kernel.conf[0][3], VGIC_DIRECT_GROUP1);
	redist(f, 1, 0x10403, 1, true, 0x50);
	assert_int_equal(kernel.conf[1][3], on | 0x50);
	kernel.told = 0;
	redist(f, 1, 0x10403, 1, true, 0x50); /* nothing new */
	assert_int_equal(kernel.told, 0);
	/* Pending: set by registers and SGIs, seen whoever has set it. */
	redist(f, 1, 0x10200, 4, true, 1u << 3);
	assert_int_equal(kernel.pending[1], 1u << 3);
	vgic_write_sgir(&f->gic, 0, 5ull << 24 | 2, true);
	assert_int_equal(kernel.pending[1], 1u << 3 | 1u << 5);
	assert_int_equal(redist(f, 1, 0x10280, 4, false, 0), 1u << 3 | 1u << 5);
	assert_true(vgic_has_pending(&f->gic, 1, VGIC_VMCR_ANY));
	redist(f, 1, 0x10280, 4, true, 1u << 3);
	assert_int_equal(kernel.pending[1], 1u << 5); /* not enabled */
	assert_false(vgic_has_pending(&f->gic, 1, VGIC_VMCR_ANY));
	kernel.active[1] = 1u << 5;
	assert_int_equal(redist(f, 1, 0x10300, 4, false, 0), 1u << 5);
	redist(f, 1, 0x10380, 4, true, 1u << 5);
	assert_int_equal(kernel.active[1], 0);
	/* Its line is only seen: the kernel watches the timer. */
	vgic_set_level(&f->gic, 1, TIMER, true);
	assert_int_equal(redist(f, 1, 0x10200, 4, false, 0), 1u << 5 | 1u << TIMER);
	vgic_flush(&f->gic, 1);
	assert_int_equal(f->writes, 0);
}

static void test_direct_spi(void **state)
{
	struct fixture *f = fresh_direct(2, 2);

	(void)state;
	wr(f, 0, 0, 1);
	wr(f, 0, 0x104, 1u << DIRECT_SPI % 32u);
	assert_int_equal(kernel.conf[0][DIRECT_SPI], 0); /* no target yet */
	wr(f, 0, 0x800 + DIRECT_SPI, 2);
	assert_int_equal(kernel.conf[0][DIRECT_SPI], 0);
	assert_int_equal(kernel.conf[1][DIRECT_SPI], VGIC_DIRECT_ENABLED);
	vgic_pulse(&f->gic, 0, DIRECT_SPI);
	assert_true(kernel.pending[1] == 1ull << DIRECT_SPI);
	assert_int_equal(rd(f, 0, 0x204), 1u << DIRECT_SPI % 32u);
	wr(f, 0, 0x800 + DIRECT_SPI, 1);
	assert_int_equal(kernel.conf[1][DIRECT_SPI], 0);
	assert_int_equal(kernel.conf[0][DIRECT_SPI], VGIC_DIRECT_ENABLED);
	wr(f, 0, 0x284, 1u << DIRECT_SPI % 32u);
	assert_true(kernel.pending[1] == 0);
	/* SGIs of a GICv2 by GICD_SPENDSGIR and GICD_CPENDSGIR. */
	wr(f, 0, 0xf20, 1u << 8);
	assert_int_equal(kernel.pending[0], 1u << 1);
	assert_int_equal(rd(f, 0, 0xf20), 1u << 8);
	wr(f, 0, 0xf10, 1u << 8);
	assert_int_equal(kernel.pending[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_identification),
		cmocka_unit_test(test_halves_of_irouter),
		cmocka_unit_test(test_bad_configurations),
		cmocka_unit_test(test_timer_costs_one_write),
		cmocka_unit_test(test_level_is_pended_again),
		cmocka_unit_test(test_edge_while_active),
		cmocka_unit_test(test_disable_withdraws_and_keeps),
		cmocka_unit_test(test_spill_and_refill),
		cmocka_unit_test(test_late_report_is_not_the_next_ones),
		cmocka_unit_test(test_report_without_index),
		cmocka_unit_test(test_sgi_v2_sources),
		cmocka_unit_test(test_sgi_always_on),
		cmocka_unit_test(test_sgi_v3),
		cmocka_unit_test(test_wfi_and_priority_mask),
		cmocka_unit_test(test_migration_of_a_pending_spi),
		cmocka_unit_test(test_inject_only),
		cmocka_unit_test(test_direct_private),
		cmocka_unit_test(test_direct_spi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
