/* lib/vcpu: register cache, pending bitmap, decoding, injection. */
#include <selvage/vcpu.h>

#include "random.h"
#include "unit.h"

#include <string.h>

/* --- Register cache, on a machine that is an array ------------------------ */

static uint64_t machine[VCPU_MAX_REGS];
static unsigned fetches;
static bool refuse;

static bool fetch(struct vcpu *v, uint64_t mask)
{
	fetches++;
	if (refuse)
		return false;
	for (unsigned i = 0; i < VCPU_REGS; i++) {
		if (mask >> i & 1)
			vcpu_learn(v, i, machine[i]);
	}
	return true;
}

static bool store(struct vcpu *v, uint64_t mask)
{
	for (unsigned i = 0; i < VCPU_REGS; i++) {
		if (mask >> i & 1)
			machine[i] = v->reg[i];
	}
	return !refuse;
}

static const struct vcpu_ops ops = { .fetch = fetch, .store = store };

static void setup(struct vcpu *v)
{
	memset(machine, 0, sizeof(machine));
	fetches = 0;
	refuse = false;
	vcpu_init(v, &ops);
}

static void registers_are_fetched_once(void **state)
{
	struct vcpu v;

	(void)state;
	setup(&v);
	machine[5] = 55;
	assert_int_equal(vcpu_get(&v, 5), 55);
	assert_int_equal(vcpu_get(&v, 5), 55);
	assert_int_equal(fetches, 1);
	vcpu_forget(&v);
	machine[5] = 56;
	assert_int_equal(vcpu_get(&v, 5), 56);
}

static void only_dirty_registers_are_written(void **state)
{
	struct vcpu v;

	(void)state;
	setup(&v);
	machine[1] = 11;
	(void)vcpu_get(&v, 1);
	vcpu_set(&v, 2, 22);
	machine[1] = 12; /* a write-back of register 1 would show */
	assert_true(vcpu_flush(&v));
	assert_int_equal(machine[1], 12);
	assert_int_equal(machine[2], 22);
	assert_int_equal(v.dirty, 0);
}

static void a_change_outlives_forget_and_learn(void **state)
{
	struct vcpu v;

	(void)state;
	setup(&v);
	vcpu_set(&v, 7, 77);
	vcpu_forget(&v);
	vcpu_learn(&v, 7, 1);
	assert_int_equal(vcpu_get(&v, 7), 77);
}

static void refusal_is_remembered(void **state)
{
	struct vcpu v;

	(void)state;
	setup(&v);
	refuse = true;
	assert_int_equal(vcpu_get(&v, 3), 0);
	assert_true(v.failed);
	assert_int_equal(vcpu_get(&v, 200), 0);
	vcpu_set(&v, 200, 1);
}

static void cache_agrees_with_plain_memory(void **state)
{
	struct random r = { 1 };
	uint64_t model[VCPU_REGS] = { 0 };
	struct vcpu v;

	(void)state;
	setup(&v);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned reg = random_below(&r, VCPU_REGS);

		switch (random_below(&r, 4)) {
		case 0:
			model[reg] = random_u64(&r);
			vcpu_set(&v, reg, model[reg]);
			break;
		case 1:
			assert_int_equal(vcpu_get(&v, reg), model[reg]);
			break;
		case 2:
			assert_true(vcpu_flush(&v));
			break;
		default:
			vcpu_forget(&v);
			break;
		}
	}
	assert_true(vcpu_flush(&v));
	assert_memory_equal(machine, model, sizeof(model));
}

static void irqs_agree_with_an_array(void **state)
{
	struct random r = { 2 };
	struct vcpu_irqs p = { { 0 } };
	bool model[256] = { false };

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t vector = (uint8_t)random_below(&r, 256);
		int highest = -1;

		model[vector] = random_below(&r, 8) == 0;
		if (model[vector])
			vcpu_irqs_set(&p, vector);
		else
			vcpu_irqs_clear(&p, vector);
		for (int j = 0; j < 256; j++) {
			if (model[j])
				highest = j;
		}
		assert_int_equal(vcpu_irqs_highest(&p), highest);
		assert_int_equal(vcpu_irqs_test(&p, vector), model[vector]);
	}
}

/* --- Decoding: encodings as an assembler and the architecture give them --- */

static struct vcpu_exit decode(uint64_t esr)
{
	struct vcpu_exit e = { .value = 0 };

	vcpu_decode_esr(esr, &e);
	assert_int_equal(e.syndrome, esr);
	return e;
}

#define ESR(ec, iss) ((uint64_t)(ec) << 26 | 1u << 25 | (iss))

static void data_aborts(void **state)
{
	struct vcpu_exit e;

	(void)state;
	/* str w3, [x]: ISV, SAS 2, SRT 3, WnR, translation fault level 2 */
	e = decode(ESR(0x24, 1u << 24 | 2u << 22 | 3u << 16 | 1u << 6 | 6));
	assert_int_equal(e.reason, VCPU_EXIT_MMIO);
	assert_true(e.write);
	assert_int_equal(e.size, 4);
	assert_int_equal(e.reg, 3);
	/* ldrsh x30, [x]: ISV, SAS 1, SSE, SRT 30, SF */
	e = decode(ESR(0x24, 1u << 24 | 1u << 22 | 1u << 21 | 30u << 16 |
				     1u << 15 | 6));
	assert_false(e.write);
	assert_int_equal(e.size, 2);
	assert_int_equal(e.reg, 30);
	/* ldp: no syndrome */
	e = decode(ESR(0x24, 6));
	assert_int_equal(e.reason, VCPU_EXIT_MMIO_OPAQUE);
	e = decode(ESR(0x20, 6));
	assert_int_equal(e.reason, VCPU_EXIT_FETCH);
	/* from EL2 itself: never a guest's */
	assert_int_equal(decode(ESR(0x25, 0)).reason, VCPU_EXIT_UNKNOWN);
	/* 16-bit Thumb instruction: IL clear */
}

static void other_classes(void **state)
{
	struct vcpu_exit e;

	(void)state;
	assert_int_equal(decode(ESR(0x01, 0)).reason, VCPU_EXIT_WAIT_IRQ);
	assert_int_equal(decode(ESR(0x01, 1)).reason, VCPU_EXIT_WAIT_EVENT);
	e = decode(ESR(0x16, 0xbeef));
	assert_int_equal(e.reason, VCPU_EXIT_HYPERCALL);
	assert_int_equal(e.code, 0xbeef);
	e = decode(ESR(0x17, 3));
	assert_int_equal(e.reason, VCPU_EXIT_SECURE_CALL);
	assert_int_equal(e.code, 3);
	assert_int_equal(decode(ESR(0x19, 0)).reason, VCPU_EXIT_UNDEFINED);
	assert_int_equal(decode(ESR(0x2f, 0)).reason, VCPU_EXIT_UNKNOWN);
	for (unsigned ec = 0; ec < 64; ec++)
		assert_non_null(vcpu_esr_class((uint64_t)ec << 26));
	for (unsigned fsc = 0; fsc < 64; fsc++)
		assert_non_null(vcpu_esr_fault(fsc));
}

/* op0, op1, CRn, CRm, op2, Rt, read, as in ISS of EC 0x18. */
static uint64_t sysreg_esr(unsigned op0, unsigned op1, unsigned crn,
			   unsigned crm, unsigned op2, unsigned rt, unsigned rd)
{
	return ESR(0x18, (uint64_t)(op0 << 20 | op2 << 17 | op1 << 14 |
				    crn << 10 | rt << 5 | crm << 1 | rd));
}

static void system_registers(void **state)
{
	struct vcpu_exit e;

	(void)state;
	/* msr ICC_SGI1R_EL1 (S3_0_C12_C11_5), x9 */
	e = decode(sysreg_esr(3, 0, 12, 11, 5, 9, 0));
	assert_int_equal(e.reason, VCPU_EXIT_SYSREG);
	assert_int_equal(e.code, VCPU_SYSREG(3, 0, 12, 11, 5));
	assert_true(e.write);
	assert_int_equal(e.reg, 9);
	/* mrs x31 (xzr), ID_AA64MMFR2_EL1 */
	e = decode(sysreg_esr(3, 0, 0, 7, 2, 31, 1));
	assert_int_equal(e.code, VCPU_SYSREG(3, 0, 0, 7, 2));
	assert_false(e.write);
	assert_int_equal(e.reg, 31);
}

/* --- AArch32: coprocessors, conditions, banks --- */

/* MCR or MRC: opc1, CRn, CRm, opc2, Rt, read; condition AL. */
static uint64_t cp_esr(unsigned ec, unsigned op1, unsigned crn, unsigned crm, unsigned op2,
		       unsigned rt, unsigned rd)
{
	return ESR(ec, 0x1e00000u | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | rd);
}

static void coprocessor_registers(void **state)
{
	struct vcpu_exit e;

	(void)state;
	/* mrc p15, 0, r3, c0, c1, 0 (ID_PFR0) */
	e = decode(cp_esr(0x03, 0, 0, 1, 0, 3, 1));
	assert_int_equal(e.reason, VCPU_EXIT_SYSREG);
	assert_int_equal(e.code, VCPU_SYSREG(0, 0, 0, 1, 0));
	assert_int_equal(e.reg, 3);
	assert_int_equal(e.reg2, 31);
	assert_false(e.write);
	/* mcr p15, 0, r14 (of IRQ mode: X16), c1, c0, 1 (ACTLR) */
	e = decode(cp_esr(0x03, 0, 1, 0, 1, 16, 0));
	assert_int_equal(e.code, VCPU_SYSREG(0, 0, 1, 0, 1));
	assert_int_equal(e.reg, 16);
	assert_true(e.write);
	/* mrc p14, 0, r0, c1, c1, 4 (DBGOSLSR) is OSLSR_EL1 */
	e = decode(cp_esr(0x05, 0, 1, 1, 4, 0, 1));
	assert_int_equal(e.code, VCPU_SYSREG(2, 0, 1, 1, 4));
	/* mrrc p15, 0, r0, r1, c14 (CNTPCT) */
	e = decode(ESR(0x04, 0x1e00000u | 1u << 10 | 0u << 5 | 14u << 1 | 1));
	assert_int_equal(e.code, VCPU_SYSREG(1, 0, 0, 14, 0));
	assert_int_equal(e.reg, 0);
	assert_int_equal(e.reg2, 1);
	assert_false(e.write);
	/* mcrr p15, 2, r4, r5, c14 (CNTP_CVAL); opc1 above 7 is nothing */
	e = decode(ESR(0x04, 0x1e00000u | 2u << 16 | 5u << 10 | 4u << 5 | 14u << 1));
	assert_int_equal(e.code, VCPU_SYSREG(1, 2, 0, 14, 0));
	assert_true(e.write);
	e = decode(ESR(0x04, 0x1e00000u | 10u << 16 | 14u << 1));
	assert_int_not_equal(e.code, VCPU_SYSREG(1, 2, 0, 14, 0));
	/* vmrs r2, mvfr0 and mvfr1 */
	e = decode(cp_esr(0x08, 7, 7, 0, 0, 2, 1));
	assert_int_equal(e.code, VCPU_SYSREG(0, 0, 0, 3, 0));
	e = decode(cp_esr(0x08, 7, 6, 0, 0, 2, 1));
	assert_int_equal(e.code, VCPU_SYSREG(0, 0, 0, 3, 1));
	assert_int_equal(decode(ESR(0x12, 7)).reason, VCPU_EXIT_HYPERCALL);
	assert_int_equal(decode(ESR(0x13, 0)).reason, VCPU_EXIT_SECURE_CALL);
	assert_int_equal(decode(ESR(0x06, 0)).reason, VCPU_EXIT_UNDEFINED);
}

/* Every condition against a plain reading of its definition (F1.3.1). */
static bool holds(unsigned cond, unsigned nzcv)
{
	bool n = nzcv & 8, z = nzcv & 4, c = nzcv & 2, v = nzcv & 1;

	switch (cond) {
	case 0: return z;
	case 1: return !z;
	case 2: return c;
	case 3: return !c;
	case 4: return n;
	case 5: return !n;
	case 6: return v;
	case 7: return !v;
	case 8: return c && !z;
	case 9: return !c || z;
	case 10: return n == v;
	case 11: return n != v;
	case 12: return !z && n == v;
	case 13: return z || n != v;
	default: return true;
	}
}

static void conditions(void **state)
{
	(void)state;
	for (unsigned cond = 0; cond < 16; cond++) {
		for (unsigned flags = 0; flags < 16; flags++) {
			uint64_t pstate = (uint64_t)flags << 28 | 0x1d3;
			uint64_t thumb = pstate | 0x20;

			assert_int_equal(vcpu_condition_holds(ESR(0x03, 1u << 24 | cond << 20),
							      pstate),
					 holds(cond, flags));
			/* Without one in the syndrome: ITSTATE, 4 bits of mask. */
			assert_true(vcpu_condition_holds(ESR(0x03, 0), thumb | cond << 12));
			assert_int_equal(vcpu_condition_holds(ESR(0x01, 0),
							      thumb | cond << 12 | 1u << 11),
					 holds(cond, flags));
			assert_true(vcpu_condition_holds(ESR(0x03, 0),
							 pstate | cond << 12 | 1u << 11));
			/* Neither a call nor AArch64 has any. */
			assert_true(vcpu_condition_holds(ESR(0x12, 1u << 24 | cond << 20), pstate));
			assert_true(vcpu_condition_holds(ESR(0x18, 1u << 24 | cond << 20), 0x3c5));
		}
	}
}

static void banked_registers(void **state)
{
	static const struct {
		unsigned mode, sp, lr, r8;
	} modes[] = {
		{ 0x10, 13, 14, 8 },
		{ 0x1f, 13, 14, 8 },
		{ 0x11, 29, 30, 24 },
		{ 0x12, 17, 16, 8 },
		{ 0x13, 19, 18, 8 },
		{ 0x17, 21, 20, 8 },
		{ 0x1b, 23, 22, 8 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		uint64_t pstate = 0x600001c0u | modes[i].mode;

		for (unsigned r = 0; r < 8; r++)
			assert_int_equal(vcpu_r_number(r, pstate), r);
		for (unsigned r = 8; r < 13; r++)
			assert_int_equal(vcpu_r_number(r, pstate), modes[i].r8 + r - 8);
		assert_int_equal(vcpu_r_number(13, pstate), modes[i].sp);
		assert_int_equal(vcpu_r_number(14, pstate), modes[i].lr);
		assert_int_equal(vcpu_r_number(15, pstate), VCPU_NO_REG);
	}
}

#define SSE (1u << 21)
#define SF (1u << 15)

static void loads_are_extended(void **state)
{
	struct vcpu_exit e = { .size = 1, .syndrome = SSE | SF };

	(void)state;
	assert_int_equal(vcpu_extend(&e, 0x80), 0xffffffffffffff80ull);
	assert_int_equal(vcpu_extend(&e, 0x7f), 0x7f);
	e.syndrome = SSE;
	assert_int_equal(vcpu_extend(&e, 0x80), 0xffffff80u);
	e.syndrome = SF;
	assert_int_equal(vcpu_extend(&e, 0x80), 0x80);
	e.size = 4;
	assert_int_equal(vcpu_extend(&e, 0xffffffffull), 0xffffffffu);
	e.syndrome = SF | SSE;
	assert_int_equal(vcpu_extend(&e, 0x80000000ull), 0xffffffff80000000ull);
	e.size = 8;
	assert_int_equal(vcpu_extend(&e, ~0ull), ~0ull);
}

static void register_31_is_zero(void **state)
{
	struct vcpu v;

	(void)state;
	setup(&v);
	vcpu_set_x(&v, 31, 7);
	assert_int_equal(v.dirty, 0);
	assert_int_equal(vcpu_get_x(&v, 31), 0);
	vcpu_set_x(&v, 30, 7);
	assert_int_equal(vcpu_get_x(&v, 30), 7);
}

/* --- Injection ------------------------------------------------------------ */

static void start_at(struct vcpu *v, uint64_t pc, uint64_t pstate)
{
	setup(v);
	machine[VCPU_PC] = pc;
	machine[VCPU_PSTATE] = pstate;
	machine[vcpu_field(ABI_VCPU_VBAR_EL1)] = 0x1000800;
	machine[vcpu_field(ABI_VCPU_SCTLR_EL1)] = 1u << 23; /* SPAN */
}

static void undefined_goes_to_the_vector(void **state)
{
	static const struct {
		uint64_t pstate, offset;
	} cases[] = {
		{ 0x3c5, 0x200 },      /* EL1h */
		{ 0x004, 0x000 },      /* EL1t */
		{ 0x60000000, 0x400 }, /* EL0t */
		{ 0x10, 0x600 },       /* AArch32 user */
	};
	struct vcpu v;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		start_at(&v, 0x4000, cases[i].pstate);
		v.advance = true;
		vcpu_inject_undefined(&v);
		assert_false(v.advance);
		assert_true(vcpu_flush(&v));
		assert_int_equal(machine[VCPU_PC],
				 0x1000800 + cases[i].offset);
		assert_int_equal(machine[vcpu_field(ABI_VCPU_ELR_EL1)], 0x4000);
		assert_int_equal(machine[vcpu_field(ABI_VCPU_SPSR_EL1)],
				 cases[i].pstate);
		assert_int_equal(machine[vcpu_field(ABI_VCPU_ESR_EL1)],
				 1u << 25);
		assert_int_equal(machine[VCPU_PSTATE] & 0x3ff, 0x3c5);
	}
}

static void aborts_say_where_and_whence(void **state)
{
	struct vcpu v;

	(void)state;
	start_at(&v, 0x4000, 0x3c5);
	vcpu_inject_abort(&v, 0xdead000, false);
	assert_int_equal(vcpu_get(&v, vcpu_field(ABI_VCPU_ESR_EL1)),
			 0x25ull << 26 | 1u << 25 | 0x10);
	assert_int_equal(vcpu_get(&v, vcpu_field(ABI_VCPU_FAR_EL1)), 0xdead000);
	start_at(&v, 0x4000, 0);
	vcpu_inject_abort(&v, 0xdead000, true);
	assert_int_equal(vcpu_get(&v, vcpu_field(ABI_VCPU_ESR_EL1)),
			 0x20ull << 26 | 1u << 25 | 0x10);
	/* SPAN clear: PAN is set at the exception */
	start_at(&v, 0x4000, 0);
	machine[vcpu_field(ABI_VCPU_SCTLR_EL1)] = 0;
	vcpu_inject_undefined(&v);
	assert_true(vcpu_get(&v, VCPU_PSTATE) >> 22 & 1);
}

static void breaks_are_taken_as_they_came(void **state)
{
	struct vcpu v;

	(void)state;
	start_at(&v, 0x4000, 0x3c5);
	vcpu_inject_break(&v, 0x3cull << 26 | 1u << 25 | 0x800);
	assert_true(vcpu_flush(&v));
	assert_int_equal(machine[vcpu_field(ABI_VCPU_ESR_EL1)], 0x3cull << 26 | 1u << 25 | 0x800);
	assert_int_equal(machine[vcpu_field(ABI_VCPU_ELR_EL1)], 0x4000);
	assert_int_equal(machine[VCPU_PC], 0x1000a00);
}

/* --- AArch32 at EL1 --- */

static void narrow_start(void **state)
{
	struct vcpu v;

	(void)state;
	setup(&v);
	v.narrow = true;
	vcpu_reset(&v, 0x40010001);
	assert_int_equal(vcpu_get(&v, VCPU_PC), 0x40010000);
	assert_int_equal(vcpu_get(&v, VCPU_PSTATE), 0x1f3);
	vcpu_reset(&v, 0x40010004);
	assert_int_equal(vcpu_get(&v, VCPU_PC), 0x40010004);
	assert_int_equal(vcpu_get(&v, VCPU_PSTATE), 0x1d3);
	/* No MMU, caches, high vectors, Thumb or big-endian exceptions. */
	assert_int_equal(vcpu_get(&v, vcpu_field(ABI_VCPU_SCTLR_EL1)) & 0x42003007, 0);
	vcpu_set_x(&v, 3, 0x123456789ull);
	assert_int_equal(vcpu_get(&v, VCPU_X0 + 3), 0x23456789);
	vcpu_set(&v, VCPU_X0 + 3, 0x123456789ull);
	assert_int_equal(vcpu_get_x(&v, 3), 0x23456789);
	v.narrow = false;
	vcpu_reset(&v, 0x40010001);
	assert_int_equal(vcpu_get(&v, VCPU_PC), 0x40010001);
	assert_int_equal(vcpu_get(&v, VCPU_PSTATE), VCPU_PSTATE_RESET);
}

static void start_narrow(struct vcpu *v, uint32_t cpsr, uint32_t sctlr, uint32_t ttbcr)
{
	setup(v);
	v->narrow = true;
	v->advance = true;
	machine[VCPU_PC] = 0x8000;
	machine[VCPU_PSTATE] = cpsr;
	machine[vcpu_field(ABI_VCPU_VBAR_EL1)] = 0x20000;
	machine[vcpu_field(ABI_VCPU_SCTLR_EL1)] = sctlr;
	machine[vcpu_field(ABI_VCPU_TCR_EL1)] = ttbcr;
	machine[vcpu_field(ABI_VCPU_FAR_EL1)] = 0x1111111122222222ull;
}

#define SPAN (1u << 23)

static void narrow_undefined(void **state)
{
	static const struct {
		uint32_t cpsr, sctlr, pc, lr, after;
	} cases[] = {
		/* user mode, flags, Thumb with ITSTATE: flags stay, IT goes */
		{ 0xf600fc30, SPAN, 0x20004, 0x8002, 0xf000009b },
		/* supervisor mode with A and F masked */
		{ 0x600001d3, SPAN, 0x20004, 0x8004, 0x600001db },
		/* high vectors; Thumb and big-endian exceptions; PAN set */
		{ 0x10, 1u << 13, 0xffff0004, 0x8004, 0x40009b },
		{ 0x10, SPAN | 1u << 30 | 1u << 25, 0x20004, 0x8004, 0x2bb },
	};
	struct vcpu v;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start_narrow(&v, cases[i].cpsr, cases[i].sctlr, 0);
		vcpu_inject_undefined(&v);
		assert_false(v.advance);
		assert_true(vcpu_flush(&v));
		assert_int_equal(machine[VCPU_PC], cases[i].pc);
		assert_int_equal(machine[VCPU_PSTATE], cases[i].after);
		assert_int_equal(machine[22], cases[i].lr);
		assert_int_equal(machine[VCPU_SPSR_UND], cases[i].cpsr);
	}
}

static void narrow_aborts(void **state)
{
	struct vcpu v;

	(void)state;
	for (unsigned longs = 0; longs < 2; longs++) {
		uint32_t fsr = longs ? 0x210 : 0x8;

		start_narrow(&v, 0x80000013, SPAN, longs << 31);
		vcpu_inject_abort(&v, 0x9000001, false);
		assert_true(vcpu_flush(&v));
		assert_int_equal(machine[VCPU_PC], 0x20010);
		assert_int_equal(machine[VCPU_PSTATE], 0x80000197);
		assert_int_equal(machine[20], 0x8008);
		assert_int_equal(machine[VCPU_SPSR_ABT], 0x80000013);
		assert_int_equal(machine[vcpu_field(ABI_VCPU_ESR_EL1)], fsr);
		assert_int_equal(machine[vcpu_field(ABI_VCPU_FAR_EL1)], 0x1111111109000001ull);
		start_narrow(&v, 0x80000013, SPAN, longs << 31);
		vcpu_inject_abort(&v, 0x8, true);
		assert_true(vcpu_flush(&v));
		assert_int_equal(machine[VCPU_PC], 0x2000c);
		assert_int_equal(machine[20], 0x8004);
		assert_int_equal(machine[VCPU_IFSR32], fsr);
		assert_int_equal(machine[vcpu_field(ABI_VCPU_FAR_EL1)], 0x822222222ull);
	}
}

static void narrow_breaks(void **state)
{
	struct vcpu v;

	(void)state;
	for (unsigned longs = 0; longs < 2; longs++) {
		start_narrow(&v, 0x80000033, SPAN, longs << 31);
		vcpu_inject_break(&v, 0x38ull << 26 | 0x51);
		assert_true(vcpu_flush(&v));
		assert_int_equal(machine[VCPU_PC], 0x2000c);
		assert_int_equal(machine[20], 0x8004);
		assert_int_equal(machine[VCPU_SPSR_ABT], 0x80000033);
		assert_int_equal(machine[VCPU_IFSR32], longs ? 0x222 : 0x2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_are_fetched_once),
		cmocka_unit_test(only_dirty_registers_are_written),
		cmocka_unit_test(a_change_outlives_forget_and_learn),
		cmocka_unit_test(refusal_is_remembered),
		cmocka_unit_test(cache_agrees_with_plain_memory),
		cmocka_unit_test(irqs_agree_with_an_array),
		cmocka_unit_test(data_aborts),
		cmocka_unit_test(other_classes),
		cmocka_unit_test(system_registers),
		cmocka_unit_test(coprocessor_registers),
		cmocka_unit_test(conditions),
		cmocka_unit_test(banked_registers),
		cmocka_unit_test(narrow_start),
		cmocka_unit_test(narrow_undefined),
		cmocka_unit_test(narrow_aborts),
		cmocka_unit_test(narrow_breaks),
		cmocka_unit_test(breaks_are_taken_as_they_came),
		cmocka_unit_test(loads_are_extended),
		cmocka_unit_test(register_31_is_zero),
		cmocka_unit_test(undefined_goes_to_the_vector),
		cmocka_unit_test(aborts_say_where_and_whence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
