/* Interrupts of a device, the interval timer; the helper takes the second time. */
#include "machine.h"

#include <selvage/rt.h>

#define PIT 0x40
#define PIT_COMMAND (PIT + 3)
#define PIT_ONCE 0x30
#define PIT_TICKS 16u /* 13 us: longer than the helper's way back */
#define PIT_PIN 2     /* as every PC's ACPI tables say */
#define VECTOR 7

static volatile uint64_t started;
static volatile unsigned round_number;
static cap_t pit, irq_ntfn, irq_handler;

static void pit_start(void)
{
	(void)sel4_io_port_out8(pit, PIT_COMMAND, PIT_ONCE);
	(void)sel4_io_port_out8(pit, PIT, PIT_TICKS);
	(void)sel4_io_port_out8(pit, PIT, 0);
}

static void irq_helper(void *arg)
{
	(void)arg;
	for (;;) {
		(void)sel4_wait(irq_ntfn);
		take_sample(round_number++, now() - started);
		MUST(sel4_irq_handler_ack(irq_handler));
		if (round_number < ROUNDS + WARM_UP)
			pit_start();
	}
}

/* `started` is what the client saw last: at most a round of its loop ago. */
void measure_irq(void)
{
	pit = slots(1);
	irq_handler = slots(1);
	irq_ntfn = make(pool, ABI_OBJ_NOTIFICATION, 0);
	MUST(sel4_io_port_control_issue(ABI_ROOT_IO_PORT, ABI_ROOT_CNODE, PIT, PIT + 3, pit,
					DEPTH));
	MUST(sel4_irq_control_get_ioapic(ABI_ROOT_IRQ_CONTROL, ABI_ROOT_CNODE, irq_handler, DEPTH,
					 0, PIT_PIN, 0, 0, VECTOR));
	MUST(sel4_irq_handler_set_notification(irq_handler, irq_ntfn));
	start(3, irq_helper, false);
	round_number = 0;
	pit_start();
	while (round_number < ROUNDS + WARM_UP)
		started = now();
	report("irq_to_handler", ROUNDS);
	MUST(sel4_irq_handler_clear(irq_handler));
	MEASURE("irq_ack", ROUNDS, {
		t0 = now();
		(void)sel4_irq_handler_ack(irq_handler);
		t1 = now();
	});
}
