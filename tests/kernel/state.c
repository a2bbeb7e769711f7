/*
 * State that belongs to one object: vCPU registers, at rest and loaded, the
 * FP registers of threads, an interrupt line; and a deletion that is taken
 * over in the middle.
 */
#include "guest.h"

#define PATTERN(i) (0x0000005a5a000000ull + 0x1000 * (i))
#define UART_IRQ 33
#define UART_IMSC (0x38 / 4)
#define UART_ICR (0x44 / 4)
#define UART_TX (1u << 5)

extern const char guest_hvc[], guest_active[];

/* Writable bits, where the architecture or the contract takes some away. */
static uint64_t expected(unsigned field, uint64_t v)
{
	switch (field) {
	case ABI_VCPU_VMPIDR_EL2:
		return v | 1ull << 31;
	case ABI_VCPU_CNTV_CTL:
		return v & 3;
	default:
		return v;
	}
}

static void check_fields(cap_t vcpu, cap_t other)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < ABI_VCPU_REG_COUNT; i++)
		CHECK_OK(sel4_vcpu_write_regs(vcpu, i, PATTERN(i) + 3));
	for (unsigned i = 0; i < ABI_VCPU_REG_COUNT; i++) {
		CHECK_OK(sel4_vcpu_read_regs(vcpu, i, &v));
		CHECK_EQ(v, expected(i, PATTERN(i) + 3));
		CHECK_OK(sel4_vcpu_read_regs(other, i, &v));
		CHECK(v != expected(i, PATTERN(i) + 3) || i == ABI_VCPU_CNTV_CTL);
	}
}

static void registers_at_rest(void)
{
	check_fields(kt_make(ABI_OBJ_VCPU, 0), kt_make(ABI_OBJ_VCPU, 0));
}

static void registers_after_reset(void)
{
	cap_t vcpu = kt_make(ABI_OBJ_VCPU, 0);
	uint64_t v = 0;

	for (unsigned i = 0; i < ABI_VCPU_REG_COUNT; i++) {
		CHECK_OK(sel4_vcpu_read_regs(vcpu, i, &v));
		if (i == ABI_VCPU_VMPIDR_EL2)
			CHECK_EQ(v, 1ull << 31);
		else if (i == ABI_VCPU_SCTLR_EL1)
			CHECK_EQ(v & 0x1005, 0); /* MMU and caches off */
		else if (i != ABI_VCPU_ACTLR_EL1)
			CHECK_EQ(v, 0);
	}
}

/* Fields that another guest's run does not change, nor the loss of the CPU. */
static void registers_of_two_guests(void)
{
	static const uint8_t fields[] = { ABI_VCPU_TTBR0_EL1, ABI_VCPU_TTBR1_EL1,
					  ABI_VCPU_CONTEXTIDR_EL1, ABI_VCPU_FAR_EL1,
					  ABI_VCPU_TPIDR_EL1, ABI_VCPU_SP_EL1, ABI_VCPU_ELR_EL1,
					  ABI_VCPU_CNTV_CVAL, ABI_VCPU_CNTVOFF };
	struct kt_guest a = kt_guest(1), b = kt_guest(2);
	uint64_t v = 0;

	kt_guest_start(&a, guest_hvc, 0);
	for (unsigned i = 0; i < sizeof(fields); i++)
		CHECK_OK(sel4_vcpu_write_regs(a.vcpu, fields[i], 0x1000 * (i + 1)));
	kt_guest_start(&b, guest_hvc, 0);
	for (unsigned i = 0; i < sizeof(fields); i++) {
		CHECK_OK(sel4_vcpu_read_regs(b.vcpu, fields[i], &v));
		CHECK(v != 0x1000 * (i + 1));
		CHECK_OK(sel4_vcpu_read_regs(a.vcpu, fields[i], &v));
		CHECK_EQ(v, 0x1000 * (i + 1));
	}
	kt_guest_set_pc(&a, guest_hvc, 0, 1);
	kt_guest_receive(&a);
	for (unsigned i = 0; i < sizeof(fields); i++) {
		CHECK_OK(sel4_vcpu_read_regs(a.vcpu, fields[i], &v));
		CHECK_EQ(v, 0x1000 * (i + 1));
	}
}

static void virtual_interface_fields(void)
{
	static const struct {
		unsigned field;
		uint64_t written, read;
	} rows[] = {
		{ ABI_EXTV_AP0R0, 0x11, 0x11 },
		{ ABI_EXTV_AP1R0, 0x22, 0x22 },
		{ ABI_EXTV_VMCR, 0xffffffff, 0xfffc021f },
		{ ABI_EXTV_ICH_HCR, 0xffffffff, 0xff },
		{ ABI_EXTV_ICH_HCR, 0, 1 },
		{ ABI_EXTV_LR0, ~0ull, 0xd0ff020700000000ull | 0xffff },
	};
	cap_t vcpu = kt_make(ABI_OBJ_VCPU, 0);
	uint64_t v = 0;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_OK(sel4_vcpu_write_regs(vcpu, rows[i].field, rows[i].written));
		CHECK_OK(sel4_vcpu_read_regs(vcpu, rows[i].field, &v));
		CHECK_EQ(v, rows[i].read);
	}
	/* Of its own each: the last ones do not show in the first. */
	CHECK_OK(sel4_vcpu_read_regs(vcpu, ABI_EXTV_AP0R0, &v));
	CHECK_EQ(v, 0x11);
	CHECK_OK(sel4_vcpu_read_regs(vcpu, ABI_EXTV_LR0 + 1, &v));
	CHECK_EQ(v, 0);
	CHECK_EQ(sel4_vcpu_write_regs(vcpu, ABI_EXTV_ID0, 1), ABI_INVALID_ARGUMENT);
	CHECK_EQ(sel4_vcpu_write_regs(vcpu, ABI_EXTV_GIC_VERSION, 1), ABI_INVALID_ARGUMENT);
}

/* Pending interrupts that stay so: nothing is delivered to a guest that masks
 * them. GICv2 has an SGI's source in the list register. */
static uint64_t pending_lr(unsigned guest, unsigned n, unsigned version)
{
	uint64_t lr = 1ull << 62 | (0x80ull + 16 * n) << 48 | (40 + 10 * guest + n);

	switch (n) {
	case 0: return version == 2 ? (lr & ~0x3ffull) | (5ull + 2 * guest) << 32 | 9 : lr;
	case 1: return lr | 1ull << 60;  /* group 1 */
	case 2: return lr | 1ull << 41;  /* EOI */
	default: return lr | 1ull << 63; /* active, too */
	}
}

/* On GICv2 the active priorities are one register. */
static void virtual_interface_of_two_guests(void)
{
	struct kt_guest g[2] = { kt_guest(1), kt_guest(2) };
	unsigned version;
	uint64_t v = 0;

	CHECK_OK(sel4_vcpu_read_regs(g[0].vcpu, ABI_EXTV_GIC_VERSION, &v));
	version = (unsigned)v;
	for (unsigned i = 0; i < 2; i++) {
		CHECK_OK(sel4_vcpu_write_regs(g[i].vcpu, ABI_EXTV_VMCR,
					      0xa0000002 + ((uint64_t)i << 28)));
		CHECK_OK(sel4_vcpu_write_regs(g[i].vcpu, ABI_EXTV_AP1R0, 0x40ull << i));
		CHECK_OK(sel4_vcpu_write_regs(g[i].vcpu, ABI_EXTV_AP0R0, 0x1000ull << i));
		for (unsigned n = 0; n < 4; n++)
			CHECK_OK(sel4_vcpu_write_regs(g[i].vcpu, ABI_EXTV_LR0 + n,
						      pending_lr(i, n, version)));
		kt_guest_start(&g[i], version == 3 ? guest_active : guest_hvc, 0);
		CHECK(version == 2 || kt_exit_word(0) == 0x1000ull << i);
		CHECK(version == 2 || kt_exit_word(1) == 0x40ull << i);
	}
	for (unsigned i = 0; i < 2; i++) {
		CHECK_OK(sel4_vcpu_read_regs(g[i].vcpu, ABI_EXTV_VMCR, &v));
		CHECK_EQ(v & 0xf8000003, 0xa0000002 + ((uint64_t)i << 28));
		CHECK_OK(sel4_vcpu_read_regs(g[i].vcpu, ABI_EXTV_AP1R0, &v));
		CHECK_EQ(v, 0x40ull << i);
		CHECK_OK(sel4_vcpu_read_regs(g[i].vcpu, ABI_EXTV_AP0R0, &v));
		CHECK(version == 2 || v == 0x1000ull << i);
		for (unsigned n = 0; n < 4; n++) {
			CHECK_OK(sel4_vcpu_read_regs(g[i].vcpu, ABI_EXTV_LR0 + n, &v));
			CHECK_EQ(v, pending_lr(i, n, version));
		}
	}
}

/* What they were changed to by the guests themselves (GICv3). */
static void active_priorities_of_two_guests(void)
{
	struct kt_guest g[2] = { kt_guest(1), kt_guest(2) };
	uint64_t v = 0;

	CHECK_OK(sel4_vcpu_read_regs(g[0].vcpu, ABI_EXTV_GIC_VERSION, &v));
	if (v != 3)
		return;
	for (unsigned i = 0; i < 2; i++) {
		kt_guest_start(&g[i], guest_active, 0);
		kt_exit.mr[1] = 0x200ull << i;
		kt_guest_answer_hvc(&g[i], 0x8000ull << i);
		CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	}
	for (unsigned i = 0; i < 2; i++) {
		CHECK_OK(sel4_vcpu_read_regs(g[i].vcpu, ABI_EXTV_AP0R0, &v));
		CHECK_EQ(v, 0x8000ull << i);
		CHECK_OK(sel4_vcpu_read_regs(g[i].vcpu, ABI_EXTV_AP1R0, &v));
		CHECK_EQ(v, 0x200ull << i);
	}
}

/* A guest that asked for maintenance below two list registers; they are emptied
 * while it does not run: nobody is told, above all no native thread. */
static void maintenance_of_a_stopped_guest(void)
{
	struct kt_guest g = kt_guest(1);

	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_ICH_HCR, 2)); /* UIE */
	for (unsigned n = 0; n < 2; n++)
		CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_LR0 + n, 1ull << 62 | (40 + n)));
	kt_guest_start(&g, guest_hvc, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	for (unsigned n = 0; n < 2; n++)
		CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_LR0 + n, 0));
	kt_guest_answer_hvc(&g, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VGIC_MAINTENANCE); /* now it runs again */
	CHECK_EQ(kt_exit_word(0), ~0ull);
}

/* --- FP and SIMD registers of threads --- */

static struct {
	cap_t ntfn[2];
	volatile uint64_t got[2][4];
	volatile unsigned count[2];
} s;

static void uses_fp(void *arg)
{
	uint64_t mine = (uintptr_t)arg, control = mine << 22, status = mine, d0, v31, fpcr, fpsr;

	__asm__ volatile(".arch_extension fp\n\t.arch_extension simd\n\t"
			 "msr fpcr, %0\n\tmsr fpsr, %1\n\tfmov d0, %2\n\tdup v31.2d, %2"
			 :
			 : "r"(control), "r"(status), "r"(mine * 0x1111));
	for (;;) {
		(void)sel4_wait(s.ntfn[mine - 1]);
		__asm__ volatile("fmov %0, d0\n\tmov %1, v31.d[1]\n\tmrs %2, fpcr\n\t"
				 "mrs %3, fpsr"
				 : "=r"(d0), "=r"(v31), "=r"(fpcr), "=r"(fpsr));
		s.got[mine - 1][0] = d0;
		s.got[mine - 1][1] = v31;
		s.got[mine - 1][2] = fpcr;
		s.got[mine - 1][3] = fpsr;
		s.count[mine - 1]++;
	}
}

static void fp_registers_of_two_threads(void)
{
	for (uintptr_t i = 0; i < 2; i++) {
		s.ntfn[i] = kt_make(ABI_OBJ_NOTIFICATION, 0);
		s.count[i] = 0;
		(void)kt_start((unsigned)i, uses_fp, (void *)(i + 1), KT_HIGH);
	}
	for (unsigned round = 1; round < 4; round++)
		for (unsigned i = 0; i < 2; i++) {
			sel4_signal(s.ntfn[i]);
			CHECK_EQ(s.count[i], round);
			CHECK_EQ(s.got[i][0], 0x1111 * (i + 1));
			CHECK_EQ(s.got[i][1], 0x1111 * (i + 1));
			CHECK_EQ(s.got[i][2], (i + 1) << 22); /* rounding modes */
			CHECK_EQ(s.got[i][3], i + 1);         /* exception flags */
		}
}

/* --- a level-triggered interrupt of a device --- */

static void device_interrupt(void)
{
	volatile uint32_t *uart = kt_uart();
	cap_t h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0), other;

	CHECK(uart != NULL);
	other = kt_make(ABI_OBJ_NOTIFICATION, 0);
	CHECK_OK(sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, KT_CNODE, UART_IRQ, h, 64));
	CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(n, ABI_RIGHT_WRITE, 0x21)));
	CHECK_EQ(sel4_poll(n), 0);
	uart[UART_IMSC] = UART_TX;
	uart[0] = '#'; /* sent at once: the line rises and stays up */
	uart[0] = '\n';
	CHECK_EQ(sel4_wait(n), 0x21);
	CHECK_EQ(sel4_poll(n), 0); /* masked until it is acknowledged */
	CHECK_OK(sel4_irq_handler_ack(h));
	CHECK_EQ(sel4_poll(n), 0x21); /* it is still up */
	/* Another notification takes the next one. */
	CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(other, ABI_RIGHT_WRITE, 0x22)));
	CHECK_OK(sel4_irq_handler_ack(h));
	CHECK_EQ(sel4_poll(n), 0);
	CHECK_EQ(sel4_poll(other), 0x22);
	/* Nobody: lost, and masked. */
	CHECK_OK(sel4_irq_handler_clear(h));
	CHECK_OK(sel4_irq_handler_ack(h));
	CHECK_EQ(sel4_poll(other), 0);
	/* The line down, an acknowledgement brings nothing more. */
	uart[UART_IMSC] = 0;
	uart[UART_ICR] = UART_TX;
	CHECK_OK(sel4_irq_handler_set_notification(h, other));
	CHECK_OK(sel4_irq_handler_ack(h));
	CHECK_EQ(sel4_poll(other), 0);
	CHECK_OK(kt_delete(h));
}

/* An interrupt that someone else takes into use does not change another's trigger. */
static void trigger_of_a_neighbour(void)
{
	volatile uint32_t *uart = kt_uart();
	cap_t h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0), other;

	for (unsigned edge = 0; edge < 2; edge++) {
		other = kt_slot();
		CHECK_OK(sel4_irq_control_get_trigger(ABI_ROOT_IRQ_CONTROL, KT_CNODE, UART_IRQ,
						      edge, h, 64));
		CHECK_OK(sel4_irq_control_get_trigger(ABI_ROOT_IRQ_CONTROL, KT_CNODE, UART_IRQ + 1,
						      edge, other, 64));
		CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(n, ABI_RIGHT_WRITE, 0x21)));
		uart[UART_IMSC] = UART_TX;
		uart[0] = '#';
		uart[0] = '\n';
		CHECK_EQ(sel4_wait(n), 0x21);
		CHECK_OK(sel4_irq_handler_ack(h));
		/* The line is still up: of meaning for a level only. */
		CHECK_EQ(sel4_poll(n), edge ? 0 : 0x21);
		uart[UART_IMSC] = 0;
		uart[UART_ICR] = UART_TX;
		CHECK_OK(kt_delete(h));
		CHECK_OK(kt_delete(other));
	}
}

/* --- what a thread sees of its own change, and of a reply --- */

static void leaves_its_space(void *arg)
{
	cap_t *own = arg; /* TCB, fault endpoint, VSpace */

	(void)sel4_tcb_set_space(own[0], own[1], KT_CNODE, own[2], 0, 0);
	s.count[0]++;
	kt_stop();
}

/* At once: not an instruction more in the old one. */
static void a_thread_leaves_its_space(void)
{
	cap_t own[3], ep = kt_make(ABI_OBJ_ENDPOINT, 0), reply = kt_make(ABI_OBJ_REPLY, 0);
	struct kt_thread t = kt_thread(0, leaves_its_space, own, KT_HIGH, ep, true);
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	own[0] = t.tcb;
	own[1] = ep;
	own[2] = kt_make(ABI_OBJ_VSPACE, 0);
	s.count[0] = 0;
	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, own[2]));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.count[0], 0);
	CHECK_EQ(msginfo_label(sel4_recv(ep, &badge, mr, reply)), ABI_FAULT_VM);
}

static void answers(void *arg)
{
	cap_t ep = *(cap_t *)arg, reply = kt_make(ABI_OBJ_REPLY, 0);
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };
	msginfo_t info = sel4_recv(ep, &badge, mr, reply);

	for (;;)
		info = sel4_reply_recv(ep, msginfo(0, 0, msginfo_words(info)), &badge, mr, reply);
}

/* Who replies has no badge: 0, whatever the sender's register held. */
static void a_reply_has_no_badge(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	uint64_t badge, info;

	(void)kt_start(0, answers, &ep, KT_HIGH);
	for (unsigned words = 0; words < 12; words += 2) {
		register uint64_t x0 __asm__("x0") = ep;
		register uint64_t x1 __asm__("x1") = msginfo(0, 0, words);
		register uint64_t x7 __asm__("x7") = (uint64_t)ABI_SYS_CALL;

		__asm__ volatile("svc #0"
				 : "+r"(x0), "+r"(x1)
				 : "r"(x7)
				 : "x2", "x3", "x4", "x5", "x6", "memory");
		badge = x0, info = x1;
		CHECK_EQ(badge, 0);
		CHECK_EQ(msginfo_words(info), words);
	}
}

static void interrupt_wakes_a_thread(void)
{
	volatile uint32_t *uart = kt_uart();
	cap_t h = kt_slot();

	s.ntfn[0] = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.count[0] = 0;
	CHECK_OK(sel4_irq_control_get_trigger(ABI_ROOT_IRQ_CONTROL, KT_CNODE, UART_IRQ, 0, h, 64));
	CHECK_OK(sel4_irq_handler_set_notification(h, s.ntfn[0]));
	(void)kt_start(0, uses_fp, (void *)1, KT_HIGH);
	uart[UART_IMSC] = UART_TX;
	uart[0] = '#';
	uart[0] = '\n';
	__asm__ volatile("isb");
	uart[UART_IMSC] = 0;
	uart[UART_ICR] = UART_TX;
	CHECK_EQ(s.count[0], 1); /* at once, before the next line here */
	CHECK_OK(kt_delete(h));
}

/* --- a deletion that is preempted, and taken over --- */

#define INNER_RADIX 12
#define DEPTH 3

static struct {
	cap_t top, u[DEPTH];
	volatile unsigned done;
} d;

/* CNodes in each other, each from an untyped of its own, the innermost full. */
static void make_nested(void)
{
	cap_t cnode[DEPTH];

	for (unsigned i = 0; i < DEPTH; i++) {
		d.u[i] = kt_make(ABI_OBJ_UNTYPED, INNER_RADIX + 5);
		cnode[i] = kt_slot();
		CHECK_OK(sel4_untyped_retype(d.u[i], KT_CNODE, ABI_OBJ_CNODE, INNER_RADIX, 0, 0,
					     cnode[i], 1));
	}
	for (unsigned i = 0; i < 1u << INNER_RADIX; i++)
		CHECK_OK(sel4_cnode_copy(cnode[DEPTH - 1], i, INNER_RADIX, KT_CNODE, ABI_ROOT_TCB,
					 64, KT_ALL));
	for (unsigned i = DEPTH - 1; i > 0; i--)
		CHECK_OK(sel4_cnode_move(cnode[i - 1], (1u << INNER_RADIX) - 1, INNER_RADIX,
					 KT_CNODE, cnode[i], 64));
	d.top = cnode[0];
	d.done = 0;
}

static void deletes_top(void *arg)
{
	(void)arg;
	(void)kt_delete(d.top);
	d.done = 1;
	kt_stop();
}

/* A low thread begins to delete; in the middle of it someone else revokes the
 * memory of one of the CNodes. */
static void taken_over(unsigned which)
{
	cap_t again = kt_slot();

	for (unsigned wait = 100; wait < 700; wait += 250) {
		make_nested();
		struct kt_thread t = kt_thread(0, deletes_top, NULL, KT_LOW, 0, true);

		/* Short turns: its work is done in many pieces. */
		CHECK_OK(sel4_sched_control_configure(kt_sched_control(), t.sc, 100, wait, 0, 0,
						      0));
		CHECK_OK(sel4_tcb_resume(t.tcb));
		kt_sleep_us(1);
		CHECK_OK(kt_revoke(d.u[which]));
		CHECK_OK(sel4_untyped_retype(d.u[which], KT_CNODE, ABI_OBJ_UNTYPED,
					     INNER_RADIX + 5, 0, 0, again, 1));
		kt_sleep_us(20000);
		CHECK_OK(kt_delete(again));
		for (unsigned i = 0; i < DEPTH; i++)
			CHECK_OK(kt_revoke(d.u[i]));
		CHECK(kt_is_empty(d.top));
		CHECK_OK(kt_delete(t.tcb));
	}
}

/* The same with a thread that holds the last capability to its CSpace. */
static void thread_taken_over(void)
{
	for (unsigned wait = 350; wait < 900; wait += 250) {
		cap_t memory = kt_make(ABI_OBJ_UNTYPED, ABI_TCB_BITS), again = kt_slot();
		cap_t cspace = kt_make(ABI_OBJ_CNODE, INNER_RADIX);

		for (unsigned i = 0; i < 1u << INNER_RADIX; i++)
			CHECK_OK(sel4_cnode_copy(cspace, i, INNER_RADIX, KT_CNODE, ABI_ROOT_TCB,
						 64, KT_ALL));
		d.top = kt_slot();
		d.done = 0;
		CHECK_OK(sel4_untyped_retype(memory, KT_CNODE, ABI_OBJ_TCB, 0, 0, 0, d.top, 1));
		CHECK_OK(sel4_tcb_set_space(d.top, 0, cspace, ABI_ROOT_VSPACE, 0, 0));
		CHECK_OK(kt_delete(cspace));
		struct kt_thread t = kt_thread(0, deletes_top, NULL, KT_LOW, 0, true);

		CHECK_OK(sel4_sched_control_configure(kt_sched_control(), t.sc, 100, wait, 0, 0,
						      0));
		CHECK_OK(sel4_tcb_resume(t.tcb));
		kt_sleep_us(1);
		CHECK_EQ(d.done, 0);
		CHECK_OK(kt_revoke(memory));
		CHECK(kt_is_empty(d.top));
		CHECK_OK(sel4_untyped_retype(memory, KT_CNODE, ABI_OBJ_UNTYPED, ABI_TCB_BITS, 0, 0,
					     again, 1));
		kt_sleep_us(20000);
		CHECK_OK(kt_delete(again));
		CHECK_OK(kt_delete(t.tcb));
	}
}

static void taken_over_at_the_top(void) { taken_over(0); }
static void taken_over_in_the_middle(void) { taken_over(1); }
static void taken_over_inside(void) { taken_over(DEPTH - 1); }

static const struct kt_case cases[] = {
	{ "state: a vCPU's registers, at rest", registers_at_rest },
	{ "state: a vCPU's registers after reset", registers_after_reset },
	{ "state: registers of two guests", registers_of_two_guests },
	{ "state: fields of the virtual interrupt controller", virtual_interface_fields },
	{ "state: virtual interrupt controllers of two guests", virtual_interface_of_two_guests },
	{ "state: active priorities that two guests set", active_priorities_of_two_guests },
	{ "state: a stopped guest needs no maintenance", maintenance_of_a_stopped_guest },
	{ "state: FP registers of two threads", fp_registers_of_two_threads },
	{ "state: a device's interrupt, level by level", device_interrupt },
	{ "state: interrupts keep their trigger when a neighbour is set", trigger_of_a_neighbour },
	{ "state: a thread that sets its own VSpace is in it at once", a_thread_leaves_its_space },
	{ "state: a reply has no badge", a_reply_has_no_badge },
	{ "state: an interrupt wakes a higher thread", interrupt_wakes_a_thread },
	{ "state: a deletion taken over at the top", taken_over_at_the_top },
	{ "state: a deletion taken over in the middle", taken_over_in_the_middle },
	{ "state: a deletion taken over inside", taken_over_inside },
	{ "state: a thread's deletion taken over", thread_taken_over },
};
KT_GROUP(kt_state);
