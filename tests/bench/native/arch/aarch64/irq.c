/* Interrupts of a device; the helper takes the second time. */
#include "../../bench.h"

#include <selvage/rt.h>

#define UART_IRQ 33u
#define UART_IMSC (0x38 / 4)
#define UART_TX_INTERRUPT 0x20u

static volatile uint64_t started;
static volatile unsigned round_number;
static cap_t irq_ntfn, irq_handler;

static void irq_helper(void *arg)
{
	(void)arg;
	for (;;) {
		(void)sel4_wait(irq_ntfn);
		take_sample(round_number++, now() - started);
		uart[UART_IMSC] = 0;
		MUST(sel4_irq_handler_ack(irq_handler));
	}
}

static void measure_irq(void)
{
	irq_handler = slots(1);
	irq_ntfn = make(pool, ABI_OBJ_NOTIFICATION, 0);
	MUST(sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, ABI_ROOT_CNODE, UART_IRQ, irq_handler,
				  DEPTH));
	MUST(sel4_irq_handler_set_notification(irq_handler, irq_ntfn));
	start(3, irq_helper, false);
	round_number = 0;
	/* The transmitter is idle: unmasking its interrupt raises it. */
	while (round_number < ROUNDS + WARM_UP) {
		started = now();
		uart[UART_IMSC] = UART_TX_INTERRUPT;
	}
	report("irq_to_handler", ROUNDS);
	MEASURE("irq_ack", ROUNDS, {
		t0 = now();
		(void)sel4_irq_handler_ack(irq_handler);
		t1 = now();
	});
}

void measure_arch(void)
{
	measure_irq();
	measure_stage2_fault();
	measure_vm_create();
}
