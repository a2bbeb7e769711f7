/* Interrupts. */
#include "kt.h"

#define SPI_FREE 100 /* nothing on the board drives it */

static int get(uint64_t irq, cap_t slot)
{
	return sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, KT_CNODE, irq, slot, 64);
}

static void get_errors(void)
{
	uint64_t mr[4] = { SPI_FREE, kt_slot(), 64 };

	sel4_ipcbuf->caps_or_badges[0] = KT_CNODE;
	CHECK_EQ(sel4_invoke(ABI_ROOT_IRQ_CONTROL, ABI_INV_IRQ_CONTROL_GET, 0, 3, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_EQ(sel4_invoke(ABI_ROOT_IRQ_CONTROL, ABI_INV_IRQ_CONTROL_GET, 1, 2, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR1(get(100000, kt_slot()), ABI_RANGE_ERROR, 0);
	CHECK_EQ(get(26, kt_slot()), ABI_REVOKE_FIRST); /* the kernel's timer */
	CHECK_EQ(get(SPI_FREE, ABI_ROOT_TCB), ABI_DELETE_FIRST);
	CHECK_ERROR2(sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, ABI_ROOT_TCB, SPI_FREE, 1, 64),
		     ABI_FAILED_LOOKUP, 0, ABI_LOOKUP_INVALID_ROOT);
}

static void one_handler_at_a_time(void)
{
	cap_t h = kt_slot(), copy;

	CHECK_OK(get(SPI_FREE, h));
	CHECK_EQ(get(SPI_FREE, kt_slot()), ABI_REVOKE_FIRST);
	copy = kt_copy(h);
	CHECK_OK(kt_delete(h));
	CHECK_EQ(get(SPI_FREE, h), ABI_REVOKE_FIRST);
	CHECK_OK(kt_delete(copy));
	CHECK_OK(get(SPI_FREE, h));
	CHECK_OK(kt_revoke(ABI_ROOT_IRQ_CONTROL));
	CHECK(kt_is_empty(h));
	CHECK_OK(get(SPI_FREE, h));
	CHECK_OK(kt_delete(h));
}

static void handler_errors(void)
{
	uint64_t mr[4] = { 0 };
	cap_t h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0);
	cap_t reader = kt_mint(n, ABI_RIGHT_READ, 0);

	CHECK_OK(get(SPI_FREE, h));
	CHECK_EQ(sel4_invoke(h, ABI_INV_IRQ_HANDLER_SET_NOTIFICATION, 0, 0, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR1(sel4_irq_handler_set_notification(h, KT_CNODE), ABI_INVALID_CAPABILITY, 0);
	CHECK_ERROR1(sel4_irq_handler_set_notification(h, reader), ABI_INVALID_CAPABILITY, 0);
	CHECK_OK(sel4_irq_handler_set_notification(h, n));
	CHECK_OK(sel4_irq_handler_set_notification(h, n));
	CHECK_OK(sel4_irq_handler_ack(h));
	CHECK_OK(sel4_irq_handler_clear(h));
	CHECK_OK(sel4_irq_handler_clear(h));
	CHECK_EQ(sel4_invoke(h, ABI_INV_TCB_SUSPEND, 0, 0, mr), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_irq_handler_set_notification(h, n));
	CHECK_OK(kt_delete(n));
	CHECK_OK(kt_delete(h));
}

/* The line of the timer stays up: of meaning for a level only. GICv2's are fixed. */
static void private_trigger(void)
{
	cap_t h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0);
	uint64_t version = 0;

	if (!(sel4_ext_query(ABI_ROOT_TCB) & ABI_EXTF_TIMER))
		return;
	CHECK_OK(sel4_vcpu_read_regs(kt_make(ABI_OBJ_VCPU, 0), ABI_EXTV_GIC_VERSION, &version));
	for (unsigned edge = 0; edge < 2; edge++) {
		CHECK_OK(sel4_irq_control_get_trigger(ABI_ROOT_IRQ_CONTROL, KT_CNODE, 30, edge, h,
						      64));
		CHECK_OK(sel4_ext_tcb_enable_timer(ABI_ROOT_TCB, h));
		CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(n, KT_ALL, 0x1e)));
		__asm__ volatile("msr cntp_cval_el0, xzr\n\t"
				 "msr cntp_ctl_el0, %0\n\tisb" ::"r"(1ull));
		CHECK_EQ(sel4_wait(n), 0x1e);
		CHECK_OK(sel4_irq_handler_ack(h));
		CHECK_EQ(sel4_poll(n), edge && version == 3 ? 0 : 0x1e);
		__asm__ volatile("msr cntp_ctl_el0, xzr\n\tisb");
		CHECK_OK(kt_delete(h));
	}
	/* A level, as the others have it. */
	CHECK_OK(sel4_irq_control_get_trigger(ABI_ROOT_IRQ_CONTROL, KT_CNODE, 30, 0, h, 64));
	CHECK_OK(kt_delete(h));
}

static void timer_interrupt(void)
{
	cap_t h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0);
	uint64_t now;

	if (!(sel4_ext_query(ABI_ROOT_TCB) & ABI_EXTF_TIMER))
		return;
	CHECK_ERROR1(sel4_ext_tcb_enable_timer(ABI_ROOT_TCB, n), ABI_INVALID_CAPABILITY, 1);
	CHECK_OK(get(30, h));
	CHECK_OK(sel4_ext_tcb_enable_timer(ABI_ROOT_TCB, h));
	CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(n, KT_ALL, 0x1e)));
	CHECK_OK(sel4_irq_handler_ack(h));
	for (unsigned i = 0; i < 3; i++) {
		__asm__ volatile("isb\n\tmrs %0, cntpct_el0"
				 : "=r"(now));
		__asm__ volatile("msr cntp_cval_el0, %0" ::"r"(now + 10000));
		__asm__ volatile("msr cntp_ctl_el0, %0\n\tisb" ::"r"(1ull));
		CHECK_EQ(sel4_wait(n), 0x1e);
		__asm__ volatile("msr cntp_ctl_el0, %0\n\tisb" ::"r"(0ull));
		CHECK_OK(sel4_irq_handler_ack(h));
	}
	CHECK_EQ(sel4_poll(n), 0);
	CHECK_OK(kt_delete(h));
}

static int issue_sgi(uint64_t irq, uint64_t target, cap_t slot)
{
	return sel4_irq_control_issue_sgi_signal(ABI_ROOT_IRQ_CONTROL, KT_CNODE, irq, target, slot,
						 64);
}

static void sgi_errors(void)
{
	uint64_t mr[4] = { 3, 0, kt_slot(), 64 };

	sel4_ipcbuf->caps_or_badges[0] = KT_CNODE;
	CHECK_EQ(sel4_invoke(ABI_ROOT_IRQ_CONTROL, ABI_INV_IRQ_CONTROL_ISSUE_SGI_SIGNAL, 0, 4, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_EQ(sel4_invoke(ABI_ROOT_IRQ_CONTROL, ABI_INV_IRQ_CONTROL_ISSUE_SGI_SIGNAL, 1, 3, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR2(issue_sgi(16, 0, kt_slot()), ABI_RANGE_ERROR, 0, 15);
	CHECK_ERROR1(issue_sgi(3, 16, kt_slot()), ABI_INVALID_ARGUMENT, 1);
	CHECK_ERROR1(issue_sgi(3, 1ull << 40, kt_slot()), ABI_INVALID_ARGUMENT, 1);
	CHECK_EQ(issue_sgi(3, 0, ABI_ROOT_TCB), ABI_DELETE_FIRST);
	CHECK_ERROR2(sel4_irq_control_issue_sgi_signal(ABI_ROOT_IRQ_CONTROL, ABI_ROOT_TCB, 3, 0, 1,
						       64),
		     ABI_FAILED_LOOKUP, 0, ABI_LOOKUP_INVALID_ROOT);
}

/* A signal capability raises the interrupt; its handler hears of it. */
static void sgi_signal(void)
{
	cap_t h = kt_slot(), s = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0), copy;

	CHECK_OK(get(7, h));
	CHECK_EQ(get(7, kt_slot()), ABI_REVOKE_FIRST);
	CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(n, KT_ALL, 0x77)));
	CHECK_OK(issue_sgi(7, 0, s));
	copy = kt_copy(s);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(sel4_poll(n), 0);
		sel4_signal(i == 0 ? s : copy);
		CHECK_EQ(sel4_wait(n), 0x77);
		CHECK_OK(sel4_irq_handler_ack(h));
	}
	CHECK_OK(kt_delete(s)); /* the copy stays good */
	sel4_signal(copy);
	CHECK_EQ(sel4_wait(n), 0x77);
	CHECK_OK(sel4_irq_handler_ack(h));
	CHECK_OK(issue_sgi(8, 0, s));
	sel4_signal(s); /* nobody listens */
	CHECK_EQ(sel4_poll(n), 0);
	CHECK_OK(kt_revoke(ABI_ROOT_IRQ_CONTROL));
	CHECK(kt_is_empty(s) && kt_is_empty(copy) && kt_is_empty(h));
}

/* What does not exist is out of range; what the kernel has is not to be had. */
static void get_range(void)
{
	uint64_t last;

	CHECK_EQ(get(1019, kt_slot()), ABI_RANGE_ERROR); /* the board has 288 */
	last = sel4_error_word(1);
	CHECK_ERROR2(get(last + 1, kt_slot()), ABI_RANGE_ERROR, 0, last);
	CHECK_OK(get(last, kt_slot()));
	CHECK_EQ(get(25, kt_slot()), ABI_REVOKE_FIRST);
	CHECK_EQ(get(27, kt_slot()), ABI_REVOKE_FIRST);
	CHECK_OK(kt_revoke(ABI_ROOT_IRQ_CONTROL));
}

static const struct kt_case cases[] = {
	{ "irq: IRQControl_Get's errors", get_errors },
	{ "irq: one handler at a time", one_handler_at_a_time },
	{ "irq: errors of the handler", handler_errors },
	{ "irq: the user's timer", timer_interrupt },
	{ "irq: the trigger of a private interrupt", private_trigger },
	{ "irq: IRQControl_Get's range", get_range },
	{ "irq: IssueSGISignal's errors", sgi_errors },
	{ "irq: SGI signal capabilities", sgi_signal },
};
KT_GROUP(kt_irq);
