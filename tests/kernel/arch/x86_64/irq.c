/* Interrupts of users: pins of the IOAPIC, messages. */
#include "pc_tests.h"

#define VECTORS 108u
#define IRQ_OFFSET 0x30u /* of the CPU's vector to the argument */
#define PIT 0x40
#define PIT_PIN 2
#define PIT_TICKS 0x200
#define RTC 0x70
#define RTC_PIN 8
#define HPET 0xfed00000ull
#define CONTROL ABI_ROOT_IRQ_CONTROL

static int get_pin(cap_t slot, uint64_t pin, uint64_t level, uint64_t low, uint64_t vector)
{
	return sel4_irq_control_get_ioapic(CONTROL, KT_CNODE, slot, 64, 0, pin, level, low, vector);
}

static int get_message(cap_t slot, uint64_t vector)
{
	return sel4_irq_control_get_msi(CONTROL, KT_CNODE, slot, 64, 0, 0, 0, 0, vector);
}

static void pin_errors(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { kt_slot(), 64, 0, 5 }, pins;
	cap_t slot = kt_slot();

	sel4_ipcbuf->caps_or_badges[0] = KT_CNODE;
	sel4_ipcbuf->msg[4] = sel4_ipcbuf->msg[5] = sel4_ipcbuf->msg[6] = 0;
	CHECK_EQ(sel4_invoke(CONTROL, ABI_INV_IRQ_CONTROL_GET_IOAPIC, 1, 6, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_EQ(sel4_invoke(CONTROL, ABI_INV_IRQ_CONTROL_GET_IOAPIC, 0, 7, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_EQ(sel4_irq_control_get(CONTROL, KT_CNODE, 5, slot, 64), ABI_ILLEGAL_OPERATION);
	CHECK_ERROR2(get_pin(slot, 5, 0, 0, VECTORS), ABI_RANGE_ERROR, 0, VECTORS - 1);
	CHECK_ERROR2(get_pin(slot, 5, 0, 0, ~0ull), ABI_RANGE_ERROR, 0, VECTORS - 1);
	CHECK_EQ(sel4_irq_control_get_ioapic(CONTROL, KT_CNODE, slot, 64, 1000, 5, 0, 0, 1),
		 ABI_RANGE_ERROR);
	CHECK_EQ(sel4_error_word(0), 0);
	CHECK_EQ(get_pin(slot, 1000, 0, 0, 1), ABI_RANGE_ERROR);
	pins = sel4_error_word(1) + 1;
	CHECK_EQ(sel4_error_word(0), 0);
	CHECK_BETWEEN(pins, 16, 240);
	CHECK_ERROR2(get_pin(slot, pins, 0, 0, 1), ABI_RANGE_ERROR, 0, pins - 1);
	CHECK_ERROR2(get_pin(slot, 5, 2, 0, 1), ABI_RANGE_ERROR, 0, 1);
	CHECK_ERROR2(get_pin(slot, 5, 0, 2, 1), ABI_RANGE_ERROR, 0, 1);
	CHECK_EQ(get_pin(ABI_ROOT_TCB, 5, 0, 0, 1), ABI_DELETE_FIRST);
	CHECK_ERROR2(sel4_irq_control_get_ioapic(CONTROL, ABI_ROOT_TCB, 1, 64, 0, 5, 0, 0, 1),
		     ABI_FAILED_LOOKUP, 0, ABI_LOOKUP_INVALID_ROOT);
	CHECK(kt_is_empty(slot));
	CHECK_OK(get_pin(slot, pins - 1, 1, 1, VECTORS - 1));
	CHECK_EQ(get_pin(kt_slot(), 5, 0, 0, VECTORS - 1), ABI_REVOKE_FIRST);
}

static void message_errors(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { kt_slot(), 64, 0, 0 };
	cap_t slot = kt_slot();

	sel4_ipcbuf->caps_or_badges[0] = KT_CNODE;
	CHECK_EQ(sel4_invoke(CONTROL, ABI_INV_IRQ_CONTROL_GET_MSI, 1, 6, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_EQ(sel4_invoke(CONTROL, ABI_INV_IRQ_CONTROL_GET_MSI, 0, 7, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR2(get_message(slot, VECTORS), ABI_RANGE_ERROR, 0, VECTORS - 1);
	CHECK_ERROR2(sel4_irq_control_get_msi(CONTROL, KT_CNODE, slot, 64, 256, 0, 0, 0, 1),
		     ABI_RANGE_ERROR, 0, 255);
	CHECK_ERROR2(sel4_irq_control_get_msi(CONTROL, KT_CNODE, slot, 64, 0, 32, 0, 0, 1),
		     ABI_RANGE_ERROR, 0, 31);
	CHECK_ERROR2(sel4_irq_control_get_msi(CONTROL, KT_CNODE, slot, 64, 0, 0, 8, 0, 1),
		     ABI_RANGE_ERROR, 0, 7);
	CHECK_EQ(get_message(ABI_ROOT_TCB, 1), ABI_DELETE_FIRST);
	CHECK(kt_is_empty(slot));
	CHECK_OK(sel4_irq_control_get_msi(CONTROL, KT_CNODE, slot, 64, 255, 31, 7, ~0ull, 1));
	CHECK_EQ(get_message(kt_slot(), 1), ABI_REVOKE_FIRST);
	CHECK_EQ(get_pin(kt_slot(), 5, 0, 0, 1), ABI_REVOKE_FIRST);
}

/* A vector is free again when its last handler is gone. */
static void one_handler_at_a_time(void)
{
	cap_t h = kt_slot(), copy;

	CHECK_OK(get_message(h, 9));
	copy = kt_copy(h);
	CHECK_OK(kt_delete(h));
	CHECK_EQ(get_message(h, 9), ABI_REVOKE_FIRST);
	CHECK_OK(kt_delete(copy));
	CHECK_OK(get_pin(h, 5, 0, 0, 9));
	CHECK_OK(kt_revoke(CONTROL));
	CHECK(kt_is_empty(h));
	CHECK_OK(get_message(h, 9));
	CHECK_EQ(sel4_cnode_copy(KT_CNODE, kt_slot(), 64, KT_CNODE, CONTROL, 64, KT_ALL),
		 ABI_ILLEGAL_OPERATION);
}

static void handler_errors(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };
	cap_t h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0);

	CHECK_OK(get_message(h, 3));
	CHECK_EQ(sel4_invoke(h, ABI_INV_IRQ_HANDLER_SET_NOTIFICATION, 0, 0, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR1(sel4_irq_handler_set_notification(h, KT_CNODE), ABI_INVALID_CAPABILITY, 0);
	CHECK_ERROR1(sel4_irq_handler_set_notification(h, kt_mint(n, ABI_RIGHT_READ, 0)),
		     ABI_INVALID_CAPABILITY, 0);
	CHECK_OK(sel4_irq_handler_set_notification(h, n));
	CHECK_OK(sel4_irq_handler_ack(h));
	CHECK_OK(sel4_irq_handler_clear(h));
	CHECK_OK(sel4_irq_handler_clear(h));
	CHECK_EQ(sel4_invoke(h, ABI_INV_TCB_SUSPEND, 0, 0, mr), ABI_ILLEGAL_OPERATION);
}

/* The interval timer counts down once; its edge is an interrupt. */
static void pit_once(cap_t pit)
{
	CHECK_OK(sel4_io_port_out8(pit, PIT + 3, 0x30));
	CHECK_OK(sel4_io_port_out8(pit, PIT, PIT_TICKS & 0xff));
	CHECK_OK(sel4_io_port_out8(pit, PIT, PIT_TICKS >> 8));
}

static void pit_interrupt(void)
{
	cap_t pit = ports(PIT, PIT + 3), h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0);

	CHECK_OK(sel4_io_port_out8(pit, PIT + 3, 0x30)); /* down until it is loaded */
	CHECK_OK(get_pin(h, PIT_PIN, 0, 0, 20));
	CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(n, KT_ALL, 0x14)));
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(sel4_poll(n), 0);
		pit_once(pit);
		CHECK_EQ(await(n), 0x14);
		CHECK_OK(sel4_irq_handler_ack(h));
	}
	/* Nobody listens: masked, and on with the next Ack. */
	CHECK_OK(sel4_irq_handler_clear(h));
	pit_once(pit);
	kt_sleep_us(5000);
	CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(n, KT_ALL, 0x15)));
	CHECK_EQ(sel4_poll(n), 0);
	CHECK_OK(sel4_irq_handler_ack(h));
	(void)sel4_poll(n);
	pit_once(pit);
	CHECK_EQ(await(n), 0x15);
	/* Without its handler the pin is masked. */
	CHECK_OK(kt_delete(h));
	pit_once(pit);
	kt_sleep_us(5000);
	CHECK_EQ(sel4_poll(n), 0);
}

/* A thread that waits runs at once. */
static struct {
	cap_t n;
	volatile uint64_t badge;
} waits;

static void waiter(void *arg)
{
	(void)arg;
	waits.badge = sel4_wait(waits.n);
	kt_stop();
}

static void wakes_a_thread(void)
{
	cap_t pit = ports(PIT, PIT + 3), h = kt_slot();
	uint64_t end;

	waits.n = kt_make(ABI_OBJ_NOTIFICATION, 0);
	waits.badge = 0;
	CHECK_OK(sel4_io_port_out8(pit, PIT + 3, 0x30));
	CHECK_OK(get_pin(h, PIT_PIN, 0, 0, 21));
	CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(waits.n, KT_ALL, 0x16)));
	(void)kt_start(0, waiter, NULL, KT_HIGH);
	pit_once(pit);
	for (end = kt_now_us() + 20000; !waits.badge && kt_now_us() < end;)
		;
	CHECK_EQ(waits.badge, 0x16);
}

static uint64_t rtc(cap_t c, uint8_t index, int write)
{
	uint64_t v = 0;

	CHECK_OK(sel4_io_port_out8(c, RTC, index));
	if (write >= 0)
		CHECK_OK(sel4_io_port_out8(c, RTC + 1, (uint8_t)write));
	else
		CHECK_OK(sel4_io_port_in8(c, RTC + 1, &v));
	return v;
}

/* The clock's periodic interrupt; its line stays up until register C is read. */
static void clock_interrupt(void)
{
	cap_t c = ports(RTC, RTC + 1), h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0);

	CHECK_OK(get_pin(h, RTC_PIN, 0, 0, 22));
	CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(n, KT_ALL, 0x18)));
	(void)rtc(c, 0xa, 0x26); /* 1,024 Hz */
	(void)rtc(c, 0xb, 0x42);
	(void)rtc(c, 0xc, -1);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(await(n), 0x18);
		CHECK(rtc(c, 0xc, -1) & 0x40);
		CHECK_OK(sel4_irq_handler_ack(h));
	}
	(void)rtc(c, 0xb, 2);
	(void)rtc(c, 0xc, -1);
}

/* --- the HPET: levels and messages (IA-PC HPET 1.0a, 2.3) --- */

#define HPET_CONFIG (0x10 / 8)
#define HPET_STATUS (0x20 / 8)
#define HPET_COUNTER (0xf0 / 8)
#define HPET_T0 (0x100 / 8)
#define HPET_T0_AT (0x108 / 8)
#define HPET_T0_MESSAGE (0x110 / 8)
#define T_LEVEL 2u
#define T_ENABLE 4u
#define T_BY_MESSAGE (1u << 14)
#define T_CAN_MESSAGE (1u << 15)

/* NULL: there is none. Stopped, its first timer off. */
static volatile uint64_t *hpet_open(void)
{
	volatile uint64_t *hpet = (volatile uint64_t *)FREE_VADDR;
	cap_t frame = device_page(HPET);

	if (!frame)
		return NULL;
	CHECK_OK(map_small(frame, ABI_ROOT_VSPACE, FREE_VADDR));
	CHECK_OK(sel4_page_map(frame, ABI_ROOT_VSPACE, FREE_VADDR, RW, ABI_VM_CACHE_DISABLED));
	if (hpet[0] == ~0ull || !hpet[0])
		return NULL;
	hpet[HPET_CONFIG] = 0;
	hpet[HPET_COUNTER] = 0;
	hpet[HPET_STATUS] = 1;
	return hpet;
}

/* One interrupt in half a millisecond. */
static void hpet_once(volatile uint64_t *hpet, uint64_t how)
{
	uint64_t fs = hpet[0] >> 32; /* of a tick */

	hpet[HPET_T0] = how | T_ENABLE;
	hpet[HPET_T0_AT] = hpet[HPET_COUNTER] + 500000000000ull / fs;
	hpet[HPET_CONFIG] = 1;
}

static void hpet_off(volatile uint64_t *hpet)
{
	hpet[HPET_T0] = 0;
	hpet[HPET_STATUS] = 1;
	hpet[HPET_CONFIG] = 0;
}

static void level(void)
{
	volatile uint64_t *hpet = hpet_open();
	cap_t h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0);
	uint64_t pin = 23;

	if (!hpet || !(hpet[HPET_T0] >> 32 & 1u << pin))
		return;
	CHECK_OK(get_pin(h, pin, 1, 0, 23));
	CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(n, KT_ALL, 0x19)));
	for (unsigned i = 0; i < 2; i++) {
		hpet_once(hpet, pin << 9 | T_LEVEL);
		CHECK_EQ(await(n), 0x19);
		CHECK_EQ(sel4_poll(n), 0);
		/* The line is up still: with the Ack it comes again. */
		CHECK_OK(sel4_irq_handler_ack(h));
		CHECK_EQ(await(n), 0x19);
		hpet[HPET_STATUS] = 1;
		CHECK_OK(sel4_irq_handler_ack(h));
		CHECK_EQ(sel4_poll(n), 0);
	}
	hpet_off(hpet);
}

static void message(void)
{
	volatile uint64_t *hpet = hpet_open();
	cap_t h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0);

	if (!hpet || !(hpet[HPET_T0] & T_CAN_MESSAGE))
		return;
	CHECK_OK(get_message(h, 24));
	CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(n, KT_ALL, 0x1a)));
	for (unsigned i = 0; i < 3; i++) {
		hpet[HPET_T0_MESSAGE] = 0xfee00000ull << 32 | (24 + IRQ_OFFSET);
		hpet_once(hpet, T_BY_MESSAGE);
		CHECK_EQ(await(n), 0x1a); /* no Ack is needed */
	}
	CHECK_OK(sel4_irq_handler_ack(h));
	/* A vector that is nobody's, the kernel's own among them, harms nobody. */
	CHECK_OK(kt_delete(h));
	for (uint64_t vector = 16; vector < 256; vector++) {
		hpet[HPET_T0_MESSAGE] = 0xfee00000ull << 32 | vector;
		hpet_once(hpet, T_BY_MESSAGE);
		for (uint64_t end = kt_now_us() + 700; kt_now_us() < end;)
			;
		hpet_off(hpet);
	}
	CHECK_EQ(sel4_poll(n), 0);
}

static const struct kt_case cases[] = {
	{ "irq: errors of GetIOAPIC", pin_errors },
	{ "irq: errors of GetMSI", message_errors },
	{ "irq: one handler at a time", one_handler_at_a_time },
	{ "irq: errors of the handler", handler_errors },
	{ "irq: the interval timer, by an edge", pit_interrupt },
	{ "irq: a thread that waits for it runs", wakes_a_thread },
	{ "irq: the clock", clock_interrupt },
	{ "irq: a level that stays", level },
	{ "irq: messages of a device, to its vector and to all others", message },
};
KT_GROUP(kt_irq_pc);
