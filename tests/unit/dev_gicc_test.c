/* The CPU interface in software against IHI 0048B, alone and behind the distributor. */
#include <dev/gicc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { CTLR = 0x00,
       PMR = 0x04,
       BPR = 0x08,
       IAR = 0x0c,
       EOIR = 0x10,
       RPR = 0x14,
       HPPIR = 0x18,
       ABPR = 0x1c,
       AIAR = 0x20,
       AEOIR = 0x24,
       AHPPIR = 0x28,
       APR0 = 0xd0,
       IIDR = 0xfc,
       DIR = 0x1000 };

static struct world {
	struct gicc gicc;
	struct vgic gic;
	unsigned lines;
} w;

static void set_lines(void *opaque, unsigned lines)
{
	struct world *o = opaque;

	assert_int_not_equal(o->lines, lines);
	o->lines = lines;
}

static uint64_t read_lr(void *opaque, unsigned vcpu, unsigned index)
{
	(void)vcpu;
	return ((struct world *)opaque)->gicc.lr[index];
}

static void write_lr(void *opaque, unsigned vcpu, unsigned index, uint64_t value)
{
	(void)vcpu;
	gicc_write_lr(&((struct world *)opaque)->gicc, index, value);
}

static int fresh(void **state)
{
	const struct vgic_config config = {
		.version = 2,
		.n_vcpus = 1,
		.n_irqs = 96,
		.n_lrs = GICC_LRS,
		.lr_readback = true,
	};
	const struct vgic_env env = { .opaque = &w, .read_lr = read_lr, .write_lr = write_lr };

	(void)state;
	memset(&w, 0, sizeof(w));
	gicc_init(&w.gicc, &(struct gicc_env){ &w, set_lines });
	assert_true(vgic_init(&w.gic, &config, &env));
	return 0;
}

static uint32_t rd(uint32_t offset)
{
	struct mmio m = { .offset = offset, .size = 4 };

	assert_int_equal(gicc_access(&w.gicc, &m), MMIO_HANDLED);
	return (uint32_t)m.value;
}

static void wr(uint32_t offset, uint32_t value)
{
	struct mmio m = { .offset = offset, .size = 4, .write = true, .value = value };

	assert_int_equal(gicc_access(&w.gicc, &m), MMIO_HANDLED);
}

static void pend(unsigned i, unsigned irq, unsigned priority, bool group1)
{
	gicc_write_lr(&w.gicc, i,
		      irq | (uint64_t)priority << VGIC_LR_PRIORITY_SHIFT | VGIC_LR_STATE_PENDING |
			      (group1 ? VGIC_LR_GROUP1 : 0));
}

static void open_all(uint32_t ctlr)
{
	wr(PMR, 0xff);
	wr(CTLR, ctlr);
}

static void at_reset(void **state)
{
	(void)state;
	assert_int_equal(rd(CTLR), 0);
	assert_int_equal(rd(PMR), 0);
	assert_int_equal(rd(BPR), 2);
	assert_int_equal(rd(ABPR), 3);
	assert_int_equal(rd(RPR), 0xff);
	assert_int_equal(rd(IAR), 1023);
	assert_int_equal(rd(HPPIR), 1023);
	assert_int_equal(rd(IIDR), 0x0102043b);
	wr(PMR, 0xff);
	assert_int_equal(rd(PMR), 0xf8);
	wr(BPR, 0);
	assert_int_equal(rd(BPR), 2);
	wr(EOIR, 33); /* nothing is active: no effect */
	assert_int_equal(rd(RPR), 0xff);
}

static void acknowledges_the_most_urgent(void **state)
{
	(void)state;
	pend(0, 40, 0xa0, false);
	pend(3, 41, 0x60, false);
	assert_int_equal(w.lines, 0);
	wr(CTLR, 1);
	assert_int_equal(w.lines, 0); /* masked by PMR */
	assert_int_equal(rd(IAR), 1023);
	wr(PMR, 0xff);
	assert_int_equal(w.lines, GICC_IRQ);
	assert_int_equal(rd(HPPIR), 41);
	assert_int_equal(rd(IAR), 41);
	assert_int_equal(rd(RPR), 0x60);
	assert_int_equal(w.lines, 0); /* 40 does not preempt it */
	assert_int_equal(rd(HPPIR), 40);
	assert_int_equal(rd(IAR), 1023);
	wr(EOIR, 41);
	assert_int_equal(w.gicc.lr[3] & VGIC_LR_STATE, 0);
	assert_int_equal(w.lines, GICC_IRQ);
	assert_int_equal(rd(IAR), 40);
	wr(EOIR, 40);
	assert_int_equal(rd(RPR), 0xff);
}

static void nests_by_group_priority(void **state)
{
	(void)state;
	open_all(1);
	wr(BPR, 5); /* priorities in four groups */
	pend(0, 40, 0x90, false);
	assert_int_equal(rd(IAR), 40);
	assert_int_equal(rd(RPR), 0x80);
	assert_int_equal(rd(APR0), 1u << 16);
	pend(1, 41, 0x80, false); /* of the same group */
	assert_int_equal(w.lines, 0);
	pend(2, 42, 0x78, false);
	assert_int_equal(w.lines, GICC_IRQ);
	assert_int_equal(rd(IAR), 42);
	assert_int_equal(rd(APR0), 1u << 16 | 1u << 8);
	wr(EOIR, 42);
	assert_int_equal(rd(RPR), 0x80);
	wr(EOIR, 40);
	assert_int_equal(rd(IAR), 41);
}

static void groups(void **state)
{
	(void)state;
	open_all(3);
	pend(0, 50, 0x40, true);
	assert_int_equal(w.lines, GICC_IRQ);
	assert_int_equal(rd(IAR), 1022); /* not through this register */
	assert_int_equal(rd(HPPIR), 1022);
	assert_int_equal(rd(AHPPIR), 50);
	assert_int_equal(rd(AIAR), 50);
	wr(AEOIR, 50);
	assert_int_equal(w.gicc.lr[0] & VGIC_LR_STATE, 0);
	wr(CTLR, 0xf); /* AckCtl; group 0 by FIQ */
	pend(0, 51, 0x40, false);
	assert_int_equal(w.lines, GICC_FIQ);
	assert_int_equal(rd(AIAR), 1023); /* not group 1 */
	assert_int_equal(rd(IAR), 51);
	pend(1, 52, 0x20, true);
	assert_int_equal(w.lines, GICC_IRQ);
	assert_int_equal(rd(IAR), 52);
	wr(EOIR, 52);
	wr(EOIR, 51);
	assert_int_equal(rd(RPR), 0xff);
	wr(CTLR, 1); /* group 1 is off */
	pend(1, 52, 0x20, true);
	assert_int_equal(w.lines, 0);
}

static void ends_in_two_steps(void **state)
{
	(void)state;
	open_all(1 | 1u << 9); /* EOImode */
	pend(0, 40, 0x80, false);
	assert_int_equal(rd(IAR), 40);
	wr(EOIR, 40);
	assert_int_equal(rd(RPR), 0xff);
	assert_true(w.gicc.lr[0] & VGIC_LR_STATE_ACTIVE);
	wr(DIR, 40);
	assert_int_equal(w.gicc.lr[0] & VGIC_LR_STATE, 0);
}

static void tells_senders_apart(void **state)
{
	(void)state;
	open_all(1);
	gicc_write_lr(&w.gicc, 0, 5ull | VGIC_LR_STATE_PENDING | 1ull << VGIC_LR_SOURCE_SHIFT);
	assert_int_equal(rd(IAR), 5 | 1 << 10);
	wr(EOIR, 5); /* another's: the priority drops, the interrupt stays active */
	assert_true(w.gicc.lr[0] & VGIC_LR_STATE_ACTIVE);
}

/* --- Behind the distributor ----------------------------------------------------- */

static void dist(uint32_t offset, uint32_t value)
{
	struct mmio m = { .offset = offset, .size = 4, .write = true, .value = value };

	assert_int_equal(vgic_dist_access(&w.gic, 0, &m), MMIO_HANDLED);
	vgic_flush(&w.gic, 0);
}

static void settle(void)
{
	int i;

	while ((i = gicc_ended(&w.gicc)) >= 0)
		vgic_maintenance(&w.gic, 0, i);
	vgic_flush(&w.gic, 0);
}

static void a_level_comes_again(void **state)
{
	(void)state;
	open_all(1);
	dist(0x000, 1);
	dist(0x104, 1u << 8); /* 40 */
	vgic_set_level(&w.gic, 0, 40, true);
	vgic_flush(&w.gic, 0);
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(w.lines, GICC_IRQ);
		assert_int_equal(rd(IAR), 40);
		settle();
		assert_int_equal(w.lines, 0);
		if (round == 2)
			vgic_set_level(&w.gic, 0, 40, false);
		wr(EOIR, 40);
		settle();
	}
	assert_int_equal(w.lines, 0);
	assert_int_equal(rd(IAR), 1023);
}

static void an_sgi_to_oneself(void **state)
{
	(void)state;
	open_all(1);
	dist(0x000, 1);
	dist(0x100, 1u << 3);
	dist(0xf00, 2u << 24 | 3);
	assert_int_equal(w.lines, GICC_IRQ);
	assert_int_equal(rd(IAR), 3);
	wr(EOIR, 3);
	settle();
	assert_int_equal(rd(IAR), 1023);
}

static void more_than_fit(void **state)
{
	unsigned seen = 0;

	(void)state;
	open_all(1);
	dist(0x000, 1);
	dist(0x104, UINT32_MAX);
	dist(0x204, UINT32_MAX); /* 32 pending, 16 list registers */
	for (unsigned i = 0; i < 32; i++) {
		uint32_t irq = rd(IAR);

		assert_true(irq >= 32 && irq < 64);
		seen |= 1u << (irq - 32);
		wr(EOIR, irq);
		settle();
	}
	assert_int_equal(seen, UINT32_MAX);
	assert_int_equal(rd(IAR), 1023);
}

static void reset_lowers_the_line(void **state)
{
	(void)state;
	open_all(1);
	pend(0, 40, 0, false);
	assert_int_equal(w.lines, GICC_IRQ);
	gicc_reset(&w.gicc);
	assert_int_equal(w.lines, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, fresh)
	const struct CMUnitTest tests[] = {
		T(at_reset),
		T(acknowledges_the_most_urgent),
		T(nests_by_group_priority),
		T(groups),
		T(ends_in_two_steps),
		T(tells_senders_apart),
		T(a_level_comes_again),
		T(an_sgi_to_oneself),
		T(more_than_fit),
		T(reset_lowers_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
