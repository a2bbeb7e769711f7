/* Interrupts and domains. */
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

static void timer_interrupt(void)
{
	cap_t h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0);
	uint64_t now;

	if (!(sel4_ext_query(ABI_ROOT_TCB) & ABI_EXTF_TIMER))
		return;
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

static void domains(void)
{
	uint64_t mr[4] = { 0 };
	cap_t d = ABI_ROOT_DOMAIN;

	CHECK_EQ(sel4_invoke(d, ABI_INV_DOMAIN_SET_SET, 0, 1, mr), ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR1(sel4_domain_set_set(d, ABI_ROOT_TCB, 1), ABI_INVALID_ARGUMENT, 0);
	CHECK_ERROR1(sel4_domain_set_set(d, KT_CNODE, 0), ABI_INVALID_ARGUMENT, 1);
	CHECK_OK(sel4_domain_set_set(d, ABI_ROOT_TCB, 0));
	CHECK_ERROR2(sel4_domain_set_schedule_configure(d, 1, 0, 5), ABI_RANGE_ERROR, 0, 0);
	CHECK_ERROR2(sel4_domain_set_schedule_configure(d, 0, 1, 5), ABI_RANGE_ERROR, 0, 0);
	CHECK_ERROR1(sel4_domain_set_schedule_configure(d, 0, 0, 1ull << 56), ABI_INVALID_ARGUMENT,
		     2);
	CHECK_ERROR1(sel4_domain_set_schedule_configure(d, 0, 0, 0), ABI_INVALID_ARGUMENT, 2);
	CHECK_OK(sel4_domain_set_schedule_configure(d, 0, 0, 5));
	CHECK_ERROR2(sel4_domain_set_schedule_set_start(d, 2), ABI_RANGE_ERROR, 0, 1);
	CHECK_ERROR1(sel4_domain_set_schedule_set_start(d, 1), ABI_INVALID_ARGUMENT, 0);
	CHECK_OK(sel4_domain_set_schedule_set_start(d, 0));
}

static const struct kt_case cases[] = {
	{ "irq: IRQControl_Get's errors", get_errors },
	{ "irq: one handler at a time", one_handler_at_a_time },
	{ "irq: errors of the handler", handler_errors },
	{ "irq: the user's timer", timer_interrupt },
	{ "domain: every error", domains },
};
KT_GROUP(kt_irq);
