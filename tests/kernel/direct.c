/* Direct interrupts and doorbells (abi/ext.h). */
#include "guest.h"

#define VTIMER ABI_PPI_VTIMER
#define BELL (OUTSIDE + 0x1000)
#define SGIR (BELL + 0xf00)
#define ENABLED (1ull << 62)
#define ACTIVE (1ull << 63)

extern const char guest_direct[], guest_hvc[], guest_stores[], guest_sgi_zero[], guest_a32[];

/* What the guest is told to do, in x3. */
enum { NOTHING,
       SEND_SGI,
       STORE,
       START_TIMER,
       STORE_BYTE,
       STORE_LONG,
       TIMER_ON_OFF,
       MASK,
       LOAD };

static uint64_t version, n_lrs;

static uint64_t field(const struct kt_guest *g, uint64_t f)
{
	uint64_t v = ~0ull;

	CHECK_OK(sel4_vcpu_read_regs(g->vcpu, f, &v));
	return v;
}

static void set_field(const struct kt_guest *g, uint64_t f, uint64_t v)
{
	CHECK_OK(sel4_vcpu_write_regs(g->vcpu, f, v));
}

static void enable(const struct kt_guest *g, unsigned source, uint64_t priority)
{
	uint64_t group = version == 3 ? 1ull << 60 : 0;

	set_field(g, ABI_EXTV_DIRECT_CONF0 + source, priority << 48 | group | ENABLED);
}

/* A guest that waits for what it is to do; direct if lrs is not 0. */
static struct kt_guest make(uint64_t affinity, uint64_t lrs, cap_t gicv, cap_t wake, cap_t member)
{
	struct kt_guest g = kt_guest(1);

	set_field(&g, ABI_VCPU_VMPIDR_EL2, affinity);
	version = field(&g, ABI_EXTV_GIC_VERSION);
	n_lrs = field(&g, ABI_EXTV_NUM_LRS);
	if (version == 2)
		kt_guest_map_page(gicv ? gicv : kt_gicv_frame(), g.vspace, GUEST_GICC, 0);
	if (lrs != 0)
		CHECK_OK(sel4_ext_vcpu_set_direct(g.vcpu, lrs, version == 2 ? SGIR : 0, wake,
						  member));
	kt_guest_start(&g, guest_direct, version);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	return g;
}

static struct kt_guest make_one(uint64_t lrs)
{
	return make(0, lrs, 0, kt_make(ABI_OBJ_NOTIFICATION, 0), 0);
}

/* `flags`: bit 0, the handler exits too; bit 1, it leaves the timer on. */
static void command(const struct kt_guest *g, unsigned what, uint64_t x0, uint64_t x4,
		    unsigned flags)
{
	kt_exit.mr[3] = what;
	kt_exit.more[4] = x4;
	kt_exit.more[5] = flags & 1;
	kt_exit.more[6] = flags >> 1 & 1;
	kt_guest_answer_hvc(g, x0);
}

/* The guest is back: it has taken `count` interrupts in all, `irq` last. */
static void expect(uint64_t count, uint64_t irq)
{
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(kt_exit_word(0), count);
	CHECK_EQ(kt_exit_word(1) & 0x3ff, irq);
}

/* The same from inside its handler. */
static void expect_inside(const struct kt_guest *g, uint64_t count, uint64_t irq)
{
	uint64_t regs[ABI_CTX_COUNT];

	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_OK(sel4_tcb_read_registers(g->tcb, 0, ABI_CTX_COUNT, regs));
	CHECK_EQ(regs[ABI_CTX_X22], count);
	CHECK_EQ(regs[ABI_CTX_X19] & 0x3ff, irq);
}

static void sgi(const struct kt_guest *g, unsigned number, uint64_t targets, unsigned flags)
{
	if (version == 3)
		command(g, SEND_SGI, (uint64_t)number << 24 | targets, 0, flags);
	else
		command(g, STORE, number | targets << 16, SGIR, flags);
}

static void test_arguments(void)
{
	struct kt_guest g = make_one(0);
	cap_t ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0), ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	cap_t unwritable = kt_mint(ntfn, ABI_RIGHT_READ, 1);
	uint64_t v;

	CHECK_EQ(sel4_ext_query(ABI_ROOT_TCB) >> 12 & 3, 3);
	CHECK_EQ(sel4_ext_vcpu_set_direct(g.vcpu, 2, 0, 0, 0), ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR2(sel4_ext_vcpu_set_direct(g.vcpu, 1, 0, ntfn, 0), ABI_RANGE_ERROR, 2, n_lrs);
	CHECK_ERROR2(sel4_ext_vcpu_set_direct(g.vcpu, n_lrs + 1, 0, ntfn, 0), ABI_RANGE_ERROR, 2,
		     n_lrs);
	CHECK_ERROR1(sel4_ext_vcpu_set_direct(g.vcpu, 2, 0, ep, 0), ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(sel4_ext_vcpu_set_direct(g.vcpu, 2, 0, unwritable, 0), ABI_INVALID_CAPABILITY,
		     1);
	CHECK_ERROR1(sel4_ext_vcpu_set_direct(g.vcpu, 2, 0, ntfn, ep), ABI_INVALID_CAPABILITY, 2);
	cap_t other = kt_make(ABI_OBJ_VCPU, 0);
	CHECK_EQ(sel4_ext_vcpu_set_direct(g.vcpu, 2, 0, ntfn, other), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_DIRECT_ISPEND, 1), ABI_INVALID_ARGUMENT);
	CHECK_EQ(sel4_ext_vcpu_bind_irq(g.vcpu, 32, ntfn), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_vcpu_inject_irq(g.vcpu, 40, 0, 0, (uint8_t)(n_lrs - 1)));
	CHECK_OK(sel4_ext_vcpu_set_direct(g.vcpu, 2, 0, ntfn, 0));
	CHECK_EQ(field(&g, ABI_EXTV_LR0 + n_lrs - 1), 0);
	CHECK_EQ(sel4_ext_vcpu_set_direct(g.vcpu, 2, 0, ntfn, 0), ABI_DELETE_FIRST);
	CHECK_ERROR2(sel4_vcpu_inject_irq(g.vcpu, 40, 0, 0, (uint8_t)(n_lrs - 2)), ABI_RANGE_ERROR,
		     0, n_lrs - 3);
	/* List registers that were given up take no other interrupts. */
	CHECK_EQ(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_LR0 + n_lrs - 2, 99 | ENABLED),
		 ABI_INVALID_ARGUMENT);
	CHECK_EQ(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_LR0 + n_lrs - 2, VTIMER | ENABLED),
		 ABI_INVALID_ARGUMENT);
	set_field(&g, ABI_EXTV_LR0 + n_lrs - 1, 1);
	CHECK_EQ(field(&g, ABI_EXTV_LR0 + n_lrs - 1), VTIMER); /* whatever is written */
	CHECK_EQ(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_DIRECT_CONF0 + 64, 1), ABI_INVALID_ARGUMENT);
	CHECK_EQ(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_DIRECT_CONF0 + 64, &v), ABI_INVALID_ARGUMENT);
	CHECK_EQ(sel4_vcpu_read_regs(g.vcpu, ~0ull, &v), ABI_INVALID_ARGUMENT);
	CHECK_EQ(sel4_vcpu_write_regs(g.vcpu, ~0ull, 1), ABI_INVALID_ARGUMENT);
	set_field(&g, ABI_EXTV_DIRECT_CONF0 + 5, ~0ull);
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_CONF0 + 5), 0xffull << 48 | 1ull << 60 | ENABLED);
	CHECK_OK(sel4_ext_vcpu_set_direct(g.vcpu, 0, 0, 0, 0));
	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_LR0 + n_lrs - 1, 99 | ENABLED));
}

static void test_group_is_full(void)
{
	cap_t ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0), vcpu[ABI_DIRECT_GROUP + 1];

	if (kt_plain())
		return;
	for (unsigned i = 0; i <= ABI_DIRECT_GROUP; i++) {
		vcpu[i] = kt_make(ABI_OBJ_VCPU, 0);
		CHECK_EQ(sel4_ext_vcpu_set_direct(vcpu[i], 2, 0, ntfn, i ? vcpu[i / 2] : 0),
			 i < ABI_DIRECT_GROUP ? ABI_OK : ABI_ILLEGAL_OPERATION);
	}
	/* One goes: there is room for another. */
	CHECK_OK(sel4_ext_vcpu_set_direct(vcpu[3], 0, 0, 0, 0));
	CHECK_OK(sel4_ext_vcpu_set_direct(vcpu[ABI_DIRECT_GROUP], 2, 0, ntfn, vcpu[5]));
	CHECK_EQ(sel4_ext_vcpu_set_direct(vcpu[3], 2, 0, ntfn, vcpu[0]), ABI_ILLEGAL_OPERATION);
}

/* A VCPU is set up at its first use: before that it can only go. */
static void test_unused(void)
{
	struct kt_guest g = make_one(0);
	cap_t many = kt_slots(256), ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);

	CHECK_OK(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_VCPU, 0, 0, 0, many, 256));
	CHECK_EQ(sel4_ext_vcpu_set_direct(g.vcpu, 2, 0, ntfn, many), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_ext_vcpu_set_direct(many + 1, 2, 0, ntfn, 0));
	CHECK_OK(sel4_ext_vcpu_set_direct(many + 2, 0, 0, 0, 0)); /* off, as it is */
	CHECK_OK(sel4_ext_vcpu_set_direct(g.vcpu, 2, 0, ntfn, many + 1));
	for (unsigned i = 0; i < 3; i++)
		CHECK_OK(kt_delete(many + i));
	CHECK_OK(kt_delete(g.vcpu));
}

static void test_bind_arguments(void)
{
	struct kt_guest g = make_one(2);
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0), m = kt_make(ABI_OBJ_NOTIFICATION, 0);
	struct kt_thread t = kt_thread(0, NULL, NULL, KT_LOW, 0, false);

	CHECK_ERROR2(sel4_ext_vcpu_bind_irq(g.vcpu, 31, n), ABI_RANGE_ERROR, 32, 63);
	CHECK_ERROR2(sel4_ext_vcpu_bind_irq(g.vcpu, 64, n), ABI_RANGE_ERROR, 32, 63);
	CHECK_ERROR1(sel4_ext_vcpu_bind_irq(g.vcpu, 32, g.tcb), ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(sel4_ext_vcpu_bind_irq(g.vcpu, 32, kt_mint(n, ABI_RIGHT_WRITE, 1)),
		     ABI_INVALID_CAPABILITY, 1);
	CHECK_OK(sel4_ext_vcpu_bind_irq(g.vcpu, 32, 0)); /* nothing to unbind */
	CHECK_OK(sel4_ext_vcpu_bind_irq(g.vcpu, 32, n));
	CHECK_EQ(sel4_ext_vcpu_bind_irq(g.vcpu, 33, n), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_ext_vcpu_bind_irq(g.vcpu, 32, m), ABI_DELETE_FIRST);
	CHECK_EQ(sel4_tcb_bind_notification(t.tcb, n), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_ext_vcpu_bind_irq(g.vcpu, 32, 0));
	CHECK_OK(sel4_tcb_bind_notification(t.tcb, n));
	CHECK_EQ(sel4_ext_vcpu_bind_irq(g.vcpu, 32, n), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_ext_vcpu_bind_irq(g.vcpu, 32, m));
}

static void test_self_sgi(void)
{
	struct kt_guest g = make_one(2);

	sgi(&g, 3, 1, 0); /* latched: not enabled */
	expect(0, 0);
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 1 << 3);
	set_field(&g, ABI_EXTV_DIRECT_ISPEND, 1u << VTIMER); /* as its line is, always */
	enable(&g, 3, 0xa0);
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 1 << 3); /* in a list register */
	CHECK_EQ(field(&g, ABI_EXTV_LR0 + n_lrs - 2) & 0x3ff, 3);
	command(&g, NOTHING, 0, 0, 0);
	expect(1, 3);
	sgi(&g, 3, 1, 1); /* now at once; the handler exits */
	expect_inside(&g, 2, 3);
	CHECK_EQ(field(&g, ABI_EXTV_LR0 + n_lrs - 2) >> 62, 2);
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ICPEND), 0);
	/* Pending again while active. */
	set_field(&g, ABI_EXTV_DIRECT_ISPEND, 1 << 3);
	CHECK_EQ(field(&g, ABI_EXTV_LR0 + n_lrs - 2) >> 62, 3);
	set_field(&g, ABI_EXTV_DIRECT_ICPEND, 1 << 3);
	CHECK_EQ(field(&g, ABI_EXTV_LR0 + n_lrs - 2) >> 62, 2);
	set_field(&g, ABI_EXTV_DIRECT_ISPEND, 1 << 3);
	kt_guest_answer_hvc(&g, 0); /* ends it, takes it again */
	expect_inside(&g, 3, 3);
	kt_guest_answer_hvc(&g, 0);
	expect(3, 3);
}

/* What the guest has ended is not there again after another VCPU had the
 * virtual interface: in each list register. */
static void test_ended_and_switched(void)
{
	struct kt_guest g = make(0, 0, 0, 0, 0), other = kt_guest(2);

	for (uint64_t i = 0; i < n_lrs; i++) {
		set_field(&g, ABI_EXTV_LR0 + i,
			  (40 + i) | 10ull << 48 | (version == 3 ? 1ull << 60 : 0) | 1ull << 62);
		command(&g, NOTHING, 0, 0, 0);
		expect(i + 1, 40 + i);
		struct kt_exit its = kt_exit;
		kt_guest_start(&other, guest_hvc, 0);
		kt_exit = its;
		command(&g, NOTHING, 0, 0, 0);
		expect(i + 1, 40 + i);
		CHECK_EQ(field(&g, ABI_EXTV_LR0 + i) >> 62, 0);
	}
}

static void test_order(void)
{
	struct kt_guest g = make_one(2);
	static const uint8_t order[] = { 7, 2, 5, 9 };

	/* More than there is room for, in order of priority. */
	command(&g, MASK, 1, 0, 0);
	for (unsigned i = 0; i < 4; i++)
		enable(&g, order[i], 0x20 + 0x10 * i);
	set_field(&g, ABI_EXTV_DIRECT_ISPEND, 1u << 9 | 1u << 5);
	CHECK_EQ(field(&g, ABI_EXTV_LR0 + n_lrs - 2) & 0x3ff, 5);
	set_field(&g, ABI_EXTV_DIRECT_ISPEND, 1u << 7 | 1u << 2);
	CHECK_EQ(field(&g, ABI_EXTV_LR0 + n_lrs - 2) & 0x3ff, 7);
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 1u << 9 | 1u << 5 | 1u << 7 | 1u << 2);
	command(&g, MASK, 0, 0, 1);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
		CHECK_EQ(field(&g, ABI_EXTV_LR0 + n_lrs - 2) & (0x3ff | ACTIVE), order[i] | ACTIVE);
		kt_guest_answer_hvc(&g, 0);
	}
	expect(4, 9);
	/* Not enabled any more: it goes back and stays pending. */
	command(&g, MASK, 1, 0, 0);
	set_field(&g, ABI_EXTV_DIRECT_ISPEND, 1u << 5);
	set_field(&g, ABI_EXTV_DIRECT_CONF0 + 5, 0);
	CHECK_EQ(field(&g, ABI_EXTV_LR0 + n_lrs - 2), 0);
	command(&g, MASK, 0, 0, 0);
	expect(4, 9);
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 1u << 5);
}

static uint64_t poll(cap_t ntfn)
{
	return sel4_poll(ntfn);
}

static void test_group(void)
{
	struct kt_guest a, b;
	cap_t wake_a = kt_make(ABI_OBJ_NOTIFICATION, 0);
	cap_t wake_b = kt_make(ABI_OBJ_NOTIFICATION, 0);

	a = make_one(0);
	if (version == 2) /* no pending SGIs by sender: one vCPU only */
		return;
	a = make(0, 2, 0, kt_mint(wake_a, KT_ALL, 4), 0);
	b = make(1, 2, 0, kt_mint(wake_b, KT_ALL, 8), a.vcpu);
	enable(&b, 1, 0xa0);
	CHECK_EQ(poll(wake_b), 0);
	struct kt_exit at_b = kt_exit;
	/* b waits for its handler, which is us. */
	sgi(&a, 1, 2, 0);
	CHECK_EQ(poll(wake_b), 8);
	CHECK_EQ(field(&b, ABI_EXTV_DIRECT_ISPEND), 2);
	sgi(&a, 1, 2, 0);
	CHECK_EQ(poll(wake_b), 8);
	kt_exit = at_b;
	command(&b, NOTHING, 0, 0, 0);
	expect(1, 1);
	/* To all but itself; to nobody; to both. */
	at_b = kt_exit;
	enable(&a, 1, 0xa0);
	kt_exit.mr[0] = 0;
	command(&a, SEND_SGI, 1ull << 24 | 1ull << 40, 0, 0);
	expect(0, 0);
	command(&a, SEND_SGI, 1ull << 24, 0, 0);
	expect(0, 0);
	sgi(&a, 1, 3, 0);
	expect(1, 1);
	kt_exit = at_b;
	command(&b, NOTHING, 0, 0, 0);
	expect(2, 1);
	/* Other affinities are the VMM's business. */
	command(&b, SEND_SGI, 1ull << 24 | 1ull << 16 | 1, 0, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VCPU);
	/* A group that lost a member. */
	CHECK_OK(kt_delete(b.vcpu));
	kt_guest_set_pc(&a, guest_direct, version, 1);
	kt_guest_receive(&a);
	sgi(&a, 1, 3, 0);
	expect(1, 1);
}

static void test_timer(void)
{
	struct kt_guest g = make_one(2);
	uint64_t lr;

	command(&g, START_TIMER, 0, 0, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VPPI_EVENT); /* not enabled */
	CHECK_OK(sel4_vcpu_ack_vppi(g.vcpu, VTIMER));
	enable(&g, VTIMER, 0xa0);
	kt_guest_go_on(&g, 0);
	expect(1, VTIMER);
	/* In its handler: active, linked; the next follows the end of this. */
	command(&g, START_TIMER, 0, 0, version == 3 ? 3 : 1);
	expect_inside(&g, 2, VTIMER);
	lr = field(&g, ABI_EXTV_LR0 + n_lrs - 1);
	CHECK_EQ(lr >> 61, 5);
	CHECK_EQ(lr & 0x3ff, VTIMER);
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 0);
	/* QEMU 7.2's GICv2 does not look at the line when a guest deactivates. */
	uint64_t n = version == 3 ? 7 : 2;
	for (uint64_t i = 3; i <= n; i++) {
		kt_guest_answer_hvc(&g, 0);
		CHECK_EQ(field(&g, ABI_EXTV_LR0 + n_lrs - 1) >> 61, 5);
		expect_inside(&g, i, VTIMER);
	}
	kt_guest_set_reg(&g, ABI_CTX_X23, 0);
	kt_guest_set_reg(&g, ABI_CTX_X24, 0);
	kt_guest_answer_hvc(&g, 0);
	n += version == 3; /* its timer was still on */
	expect(n, VTIMER);
	/* A new priority while it waits in its list register. */
	command(&g, MASK, 1, 0, 0);
	command(&g, START_TIMER, 0, 0, 0);
	expect(n, VTIMER);
	lr = field(&g, ABI_EXTV_LR0 + n_lrs - 1);
	CHECK_EQ(lr >> 61, 3);
	CHECK_EQ(lr >> 48 & 0xff, 0xa0);
	enable(&g, VTIMER, 0x90);
	command(&g, NOTHING, 0, 0, 0);
	lr = field(&g, ABI_EXTV_LR0 + n_lrs - 1);
	CHECK_EQ(lr >> 61, 3);
	CHECK_EQ(lr >> 48 & 0xff, 0x90);
	command(&g, MASK, 0, 0, 0);
	expect(++n, VTIMER);
	/* Due, but off again before the guest looked: not pending. */
	command(&g, TIMER_ON_OFF, 0, 0, 0);
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 0);
	kt_guest_answer_hvc(&g, 0);
	expect(n, VTIMER);
	command(&g, START_TIMER, 0, 0, 0);
	expect(n + 1, VTIMER);
}

/* Two vCPUs share the physical interrupt: what one has not ended yet must not
 * keep the other's away. */
static void test_two_timers(void)
{
	cap_t gicv = 0, ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	struct kt_guest a = kt_guest(1), b;
	struct kt_exit at_a;

	if (field(&a, ABI_EXTV_GIC_VERSION) == 2)
		gicv = kt_gicv_frame();
	a = make(0, 2, gicv, ntfn, 0);
	at_a = kt_exit;
	b = make(0, 2, gicv ? kt_copy(gicv) : 0, ntfn, 0);
	struct kt_exit at_b = kt_exit;
	enable(&a, VTIMER, 0xa0);
	enable(&b, VTIMER, 0xa0);
	kt_exit = at_a;
	command(&a, START_TIMER, 0, 0, 1);
	CHECK_EQ(field(&a, ABI_EXTV_LR0 + n_lrs - 1) >> 61, 5);
	at_a = kt_exit;
	for (unsigned i = 1; i < 4; i++) {
		kt_exit = at_b;
		command(&b, START_TIMER, 0, 0, 0);
		expect(i, VTIMER);
		at_b = kt_exit;
	}
	CHECK_EQ(field(&a, ABI_EXTV_LR0 + n_lrs - 1) >> 61, 5);
	kt_exit = at_a;
	kt_guest_set_reg(&a, ABI_CTX_X24, 0);
	kt_guest_answer_hvc(&a, 0);
	expect(1, VTIMER);
	command(&a, START_TIMER, 0, 0, 0);
	expect(2, VTIMER);
	/* In flight when its VCPU goes: others still get theirs. */
	command(&a, START_TIMER, 0, 0, 1);
	CHECK_OK(kt_delete(a.vcpu));
	kt_exit = at_b;
	command(&b, START_TIMER, 0, 0, 0);
	expect(4, VTIMER);
	/* And the same when direct interrupts are switched off. */
	command(&b, START_TIMER, 0, 0, 1);
	CHECK_OK(sel4_ext_vcpu_set_direct(b.vcpu, 0, 0, 0, 0));
	kt_guest_set_reg(&b, ABI_CTX_X24, 0);
	kt_guest_answer_hvc(&b, 0);
	command(&b, START_TIMER, 0, 0, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VPPI_EVENT);
}

static void test_notification(void)
{
	cap_t wake = kt_make(ABI_OBJ_NOTIFICATION, 0), n = kt_make(ABI_OBJ_NOTIFICATION, 0);
	struct kt_guest g = make(0, 2, 0, kt_mint(wake, KT_ALL, 4), 0);

	sel4_signal(n);
	CHECK_OK(sel4_ext_vcpu_bind_irq(g.vcpu, 45, n));
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 1ull << 45); /* not lost */
	CHECK_EQ(poll(wake), 0);
	enable(&g, 45, 0xa0);
	CHECK_EQ(poll(wake), 4);
	command(&g, NOTHING, 0, 0, 0);
	expect(1, 45);
	for (unsigned i = 2; i < 5; i++) {
		sel4_signal(n);
		CHECK_EQ(poll(wake), 4);
		command(&g, NOTHING, 0, 0, 0);
		expect(i, 45);
	}
	sel4_signal(n);
	sel4_signal(n); /* one edge as good as two */
	command(&g, NOTHING, 0, 0, 0);
	expect(5, 45);
	/* Unbound it is a notification like others. */
	CHECK_OK(sel4_ext_vcpu_bind_irq(g.vcpu, 45, 0));
	sel4_signal(n);
	command(&g, NOTHING, 0, 0, 0);
	expect(5, 45);
	/* Either may go first. */
	CHECK_OK(sel4_ext_vcpu_bind_irq(g.vcpu, 45, n));
	CHECK_OK(kt_delete(n));
	CHECK_OK(sel4_ext_vcpu_bind_irq(g.vcpu, 45, wake));
	CHECK_OK(kt_delete(g.vcpu));
	sel4_signal(wake);
	sel4_signal(kt_mint(wake, KT_ALL, 2));
	CHECK_EQ(poll(wake) & 2, 2);
}

static void test_doorbell_arguments(void)
{
	struct kt_guest g = make_one(0);
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0), vcpu = g.vcpu;
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	CHECK_EQ(sel4_invoke(vcpu, ABI_EXT_VCPU_SET_DOORBELL, 0, 3, mr), ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR2(sel4_ext_vcpu_set_doorbell(vcpu, 8, BELL, 4, 0, n), ABI_RANGE_ERROR, 0, 7);
	CHECK_ERROR1(sel4_ext_vcpu_set_doorbell(vcpu, 0, BELL, 3, 0, n), ABI_INVALID_ARGUMENT, 2);
	CHECK_ERROR1(sel4_ext_vcpu_set_doorbell(vcpu, 0, BELL, 32, 0, n), ABI_INVALID_ARGUMENT, 2);
	CHECK_EQ(sel4_ext_vcpu_set_doorbell(vcpu, 0, BELL + 2, 4, 0, n), ABI_ALIGNMENT_ERROR);
	CHECK_ERROR1(sel4_ext_vcpu_set_doorbell(vcpu, 0, BELL, 4, 0, g.tcb), ABI_INVALID_CAPABILITY,
		     1);
	CHECK_ERROR1(sel4_ext_vcpu_set_doorbell(vcpu, 0, BELL, 4, 0, kt_mint(n, ABI_RIGHT_READ, 1)),
		     ABI_INVALID_CAPABILITY, 1);
	/* None of these has bound it. */
	command(&g, STORE, 0, BELL, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	CHECK_EQ(poll(n), 0);
}

static void test_doorbell(void)
{
	struct kt_guest g = make_one(0);
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0), a = kt_mint(n, KT_ALL, 1);
	cap_t b = kt_mint(n, KT_ALL, 2), c = kt_mint(n, KT_ALL, 4);

	/* A load is not a kick. */
	CHECK_OK(sel4_ext_vcpu_set_doorbell(g.vcpu, 1, BELL + 0x20, 0, 0, a));
	command(&g, LOAD, 0, BELL + 0x20, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	CHECK_EQ(poll(n), 0);
	kt_guest_skip(&g);
	kt_guest_go_on(&g, 0);
	expect(0, 0);
	CHECK_OK(sel4_ext_vcpu_set_doorbell(g.vcpu, 7, BELL, 4, 0, a));
	CHECK_OK(sel4_ext_vcpu_set_doorbell(g.vcpu, 0, BELL + 8, 0, 0, b));
	CHECK_OK(sel4_ext_vcpu_set_doorbell(g.vcpu, 3, BELL + 16, 4 | ABI_DOORBELL_MATCH, 0x55, c));
	command(&g, STORE, 0x1234, BELL, 0);
	expect(0, 0); /* and nobody was asked */
	CHECK_EQ(poll(n), 1);
	command(&g, STORE_BYTE, 1, BELL + 8, 0);
	expect(0, 0);
	command(&g, STORE_LONG, 1, BELL + 8, 0);
	expect(0, 0);
	command(&g, STORE, 0xffffffff00000055, BELL + 16, 0);
	expect(0, 0);
	CHECK_EQ(poll(n), 6);
	/* Another size, another value, another place: the VMM's. */
	command(&g, STORE_BYTE, 1, BELL, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	CHECK_EQ(kt_exit_word(ABI_VMFAULT_ADDR), BELL);
	kt_guest_skip(&g);
	command(&g, STORE, 0x54, BELL + 16, 0);
	CHECK_EQ(kt_exit_word(ABI_VMFAULT_ADDR), BELL + 16);
	kt_guest_skip(&g);
	command(&g, STORE, 0, BELL + 4, 0);
	CHECK_EQ(kt_exit_word(ABI_VMFAULT_ADDR), BELL + 4);
	kt_guest_skip(&g);
	CHECK_EQ(poll(n), 0);
	/* Removed; revoked; the notification deleted; the VCPU deleted. */
	CHECK_OK(sel4_ext_vcpu_set_doorbell(g.vcpu, 7, BELL, 4, 0, 0));
	command(&g, STORE, 0, BELL, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	kt_guest_skip(&g);
	CHECK_OK(kt_revoke(c));
	command(&g, STORE, 0x55, BELL + 16, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	kt_guest_skip(&g);
	command(&g, STORE, 0, BELL + 8, 0);
	expect(0, 0);
	CHECK_EQ(poll(n), 2);
	CHECK_OK(kt_revoke(n));
	CHECK_OK(kt_delete(n));
	command(&g, STORE, 0, BELL + 8, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	n = kt_make(ABI_OBJ_NOTIFICATION, 0);
	CHECK_OK(sel4_ext_vcpu_set_doorbell(g.vcpu, 0, BELL, 0, 0, n));
	CHECK_OK(kt_delete(n)); /* the doorbell has the last capability */
	CHECK_OK(kt_delete(g.vcpu));
}

/* The zero register's value is 0, in every size. */
static void test_doorbell_zero(void)
{
	struct kt_guest g = kt_guest(1);
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0);

	for (unsigned i = 0; i < 4; i++)
		CHECK_OK(sel4_ext_vcpu_set_doorbell(g.vcpu, i, BELL, 1u << i | ABI_DOORBELL_MATCH,
						    0, kt_mint(n, KT_ALL, 1u << i)));
	kt_guest_start(&g, guest_stores, BELL);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(poll(n), 15);
	/* What has no syndrome is the VMM's. */
	CHECK_OK(sel4_ext_vcpu_set_doorbell(g.vcpu, 0, BELL, 0, 0, kt_mint(n, KT_ALL, 16)));
	kt_guest_answer_hvc(&g, BELL);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
		CHECK_EQ(kt_exit_word(ABI_VMFAULT_ADDR), BELL);
		kt_guest_skip(&g);
	}
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(poll(n), 0);
}

/* Stores that are the VMM's though there is a doorbell: to a page that the guest
 * may read, of one that is debugged, of one of 32 bits. */
static void test_no_doorbell(void)
{
	struct kt_guest g = make_one(2), narrow = kt_guest(1);
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0), frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);
	uint64_t regs[ABI_CTX_COUNT] = { 0 };

	CHECK_OK(sel4_ext_vcpu_set_doorbell(g.vcpu, 0, BELL, 0, 0, n));
	CHECK_OK(sel4_ext_vcpu_set_debug(g.vcpu, ABI_EXT_DEBUG_EVENTS));
	command(&g, STORE, 1, BELL, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	kt_guest_skip(&g);
	sgi(&g, 3, 1, 0);
	CHECK_EQ(kt_exit.label, version == 3 ? ABI_FAULT_VCPU : ABI_FAULT_VM);
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 0);
	kt_guest_skip(&g);
	CHECK_OK(sel4_ext_vcpu_set_debug(g.vcpu, 0));
	CHECK_EQ(poll(n), 0);
	kt_guest_map_page(frame, g.vspace, BELL, ABI_VM_DEFAULT);
	CHECK_OK(sel4_page_map(frame, g.vspace, BELL, ABI_RIGHT_READ, ABI_VM_DEFAULT));
	command(&g, STORE, 1, BELL, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	CHECK_EQ(poll(n), 0);
	CHECK_OK(sel4_ext_vcpu_set_doorbell(narrow.vcpu, 0, OUTSIDE + 0x14, 0, 0, n));
	if (sel4_ext_vcpu_set_width(narrow.vcpu, 32) != ABI_OK)
		return;
	regs[ABI_CTX_PC] = kt_guest_gpa(guest_a32);
	regs[ABI_CTX_SPSR] = 0x1d3;
	CHECK_OK(sel4_tcb_write_registers(narrow.tcb, 1, ABI_CTX_COUNT, regs));
	kt_guest_receive(&narrow);
	kt_guest_answer_hvc(&narrow, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	CHECK_EQ(kt_exit_word(ABI_VMFAULT_ADDR), OUTSIDE + 0x14);
	CHECK_EQ(poll(n), 0);
}

static void test_sgi_to_nobody(void)
{
	struct kt_guest g = make_one(2);

	if (version == 2)
		return;
	kt_guest_set_pc(&g, guest_sgi_zero, 0, 1);
	kt_guest_receive(&g);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 0);
}

static cap_t service_in, service_out;
static volatile unsigned service_runs;

static void service(void *arg)
{
	(void)arg;
	for (;;) {
		(void)sel4_wait(service_in);
		service_runs++;
		sel4_signal(service_out);
	}
}

/* Kick, service, interrupt: with the service above and below the guest. */
static void test_kick(void)
{
	static const unsigned priorities[] = { KT_HIGH, KT_LOW - 1 };

	for (unsigned p = 0; p < 2; p++) {
		struct kt_guest g = make_one(2);

		service_runs = 0;
		service_in = kt_make(ABI_OBJ_NOTIFICATION, 0);
		service_out = kt_make(ABI_OBJ_NOTIFICATION, 0);
		CHECK_OK(sel4_ext_vcpu_bind_irq(g.vcpu, 40, service_out));
		CHECK_OK(sel4_ext_vcpu_set_doorbell(g.vcpu, 0, BELL, 4, 0,
						    kt_mint(service_in, KT_ALL, 1)));
		enable(&g, 40, 0xa0);
		kt_start(p, service, NULL, priorities[p]);
		for (unsigned i = 1; i <= 100; i++) {
			command(&g, STORE, 1, BELL, 0);
			if (p == 1) {
				kt_sleep_us(1000);
				command(&g, NOTHING, 0, 0, 0);
			}
			expect(i, 40);
			CHECK_EQ(service_runs, i);
		}
		if (version == 2) /* one frame of the device for one guest */
			return;
	}
}

static void test_state(void)
{
	struct kt_guest g = make_one(3 > n_lrs ? 2 : 3);
	const uint64_t lr = ABI_EXTV_LR0 + n_lrs - 2;

	/* Saved in its handler, cleared, restored. */
	enable(&g, 4, 0xa0);
	enable(&g, 6, 0xb0);
	sgi(&g, 4, 1, 1);
	set_field(&g, ABI_EXTV_DIRECT_ISPEND, 1 << 6);
	uint64_t first = field(&g, lr - 1), second = field(&g, lr);
	CHECK_EQ((first | second) & ACTIVE, ACTIVE);
	CHECK_EQ((first | second) & ENABLED, ENABLED);
	/* A list register without its active state keeps what is pending. */
	set_field(&g, lr - 1, first & ~ACTIVE & ~ENABLED);
	set_field(&g, lr, second & ~ACTIVE & ~ENABLED);
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 1 << 6);
	CHECK_EQ((field(&g, lr - 1) | field(&g, lr)) & ACTIVE, 0);
	set_field(&g, lr, 4 | 0xa0ull << 48 | ACTIVE | ((first | second) & 1ull << 60));
	CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 1 << 6);
	kt_guest_set_reg(&g, ABI_CTX_X24, 0);
	kt_guest_answer_hvc(&g, 0);
	expect(2, 6);
	CHECK_EQ((field(&g, lr - 1) | field(&g, lr)) >> 62, 0);
	/* The timer's: active without a timer, as ISACTIVER would make it. */
	enable(&g, VTIMER, 0x80);
	set_field(&g, lr + 1, VTIMER | 0x80ull << 48 | ACTIVE);
	command(&g, START_TIMER, 0, 0, 0);
	expect(2, 6);
	CHECK_EQ(field(&g, lr + 1) >> 61, 5); /* linked now */
	set_field(&g, lr + 1, VTIMER);
	command(&g, NOTHING, 0, 0, 0);
	expect(3, VTIMER);
}

/* A source that waits, or does not, is left so by all that happens to others. */
static void test_a_source_left_alone(void)
{
	cap_t gicv;

	CHECK_OK(sel4_vcpu_read_regs(kt_make(ABI_OBJ_VCPU, 0), ABI_EXTV_GIC_VERSION, &version));
	gicv = version == 2 ? kt_gicv_frame() : 0;
	for (unsigned lrs = 2; lrs <= 3; lrs++)
		for (uint64_t waits = 0; waits < 2; waits++) {
			cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0);
			struct kt_guest g = make(0, lrs, gicv ? kt_copy(gicv) : 0,
						 kt_make(ABI_OBJ_NOTIFICATION, 0), 0);
			uint64_t first = ABI_EXTV_LR0 + n_lrs - lrs;

			enable(&g, 3, 0xa0);
			enable(&g, 4, 0xa0);
			set_field(&g, ABI_EXTV_DIRECT_ISPEND, waits);
			enable(&g, 32, 0xa0);
			CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), waits);
			set_field(&g, ABI_EXTV_DIRECT_ISPEND, 3ull << VTIMER);
			CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ICPEND), 2ull << VTIMER | waits);
			set_field(&g, ABI_EXTV_DIRECT_ICPEND, 2ull << VTIMER);
			CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), waits);
			/* Two for one register, if there is one: its end makes room. */
			set_field(&g, ABI_EXTV_DIRECT_ISPEND, 3 << 3);
			set_field(&g, first, 0);
			CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 3 << 3 | waits);
			command(&g, NOTHING, 0, 0, 0);
			expect(2, 4);
			CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), waits);
			/* A signal while another is active. */
			CHECK_OK(sel4_ext_vcpu_bind_irq(g.vcpu, 32, n));
			sgi(&g, 3, 1, 1);
			expect_inside(&g, 3, 3);
			sel4_signal(n);
			CHECK_EQ(field(&g, first) & 0x3ff, 3);
			CHECK_EQ(field(&g, first) >> 62, 2);
			CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), 1ull << 32 | waits);
			kt_guest_answer_hvc(&g, 0);
			expect_inside(&g, 4, 32);
			kt_guest_answer_hvc(&g, 0);
			expect(4, 32);
			CHECK_EQ(field(&g, ABI_EXTV_DIRECT_ISPEND), waits);
			/* The limits of a register's number; what is bound goes with it. */
			CHECK_OK(sel4_vcpu_write_regs(g.vcpu, first, 63 | ENABLED));
			CHECK_EQ(sel4_vcpu_write_regs(g.vcpu, first, 64 | ENABLED),
				 ABI_INVALID_ARGUMENT);
			CHECK_OK(sel4_ext_vcpu_set_direct(g.vcpu, 0, 0, 0, 0));
			sel4_signal(kt_mint(n, KT_ALL, 5));
			CHECK_EQ(poll(n), 5);
			CHECK_OK(kt_delete(g.vcpu));
		}
}

static const struct kt_case cases[] = {
	{ "direct: wrong arguments; list registers given up are out of reach", test_arguments },
	{ "direct: a group of sixteen is full", test_group_is_full },
	{ "direct: VCPUs that were never used", test_unused },
	{ "direct: wrong bindings", test_bind_arguments },
	{ "direct: an SGI to itself", test_self_sgi },
	{ "direct: ended interrupts stay so over switches", test_ended_and_switched },
	{ "direct: the most urgent first, the rest as room is made", test_order },
	{ "direct: SGIs in a group wake those who wait", test_group },
	{ "direct: virtual timer, linked to the physical interrupt", test_timer },
	{ "direct: two guests' timers do not keep each other away", test_two_timers },
	{ "direct: a notification is an interrupt", test_notification },
	{ "direct: doorbell to service to interrupt", test_kick },
	{ "direct: a source that is left alone", test_a_source_left_alone },
	{ "direct: state saved, cleared and restored", test_state },
	{ "direct: an SGI to nobody, from the zero register", test_sgi_to_nobody },
	{ "doorbell: wrong arguments", test_doorbell_arguments },
	{ "doorbell: the zero register, no syndrome", test_doorbell_zero },
	{ "doorbell: stores that ring none", test_no_doorbell },
	{ "doorbell: sizes, values, removal, revocation, deletion", test_doorbell },
};
KT_GROUP(kt_direct);
