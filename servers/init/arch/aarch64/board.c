/* Machines with a devicetree: PL011, PL031, GIC, PSCI. */
#include "board.h"

#include "self.h"
#include "service.h"

#include <selvage/servers.h>

#define TIMER_IRQ 30 /* EL1 physical timer */
/* PSCI 1.1 (Arm DEN 0022), 5.1. */
#define PSCI_SYSTEM_OFF 0x84000008u

void board_print(const struct machine *machine, const char *text)
{
	cap_t frame = machine->uart_at == 0 ? 0 : mem_device_frame(machine->uart_at);
	volatile uint32_t *uart;

	for (const char *c = text; SELVAGE_DEBUG && *c != '\0'; c++)
		sel4_debug_put_char(*c);
	uart = SELVAGE_DEBUG || frame == 0 ? NULL : self_view(frame, MAP_RW, MAP_DEVICE);
	if (uart == NULL)
		return;
	for (const char *c = text; *c != '\0'; c++)
		uart[0] = (uint8_t)*c; /* PL011 UARTDR; the firmware set it up */
}

/* All of it is in the devicetree. */
const char *board_read(struct machine *machine)
{
	(void)machine;
	return NULL;
}

uint64_t board_seconds(const struct machine *machine)
{
	cap_t frame = machine->rtc_paddr == 0 ? 0 : mem_device_frame(machine->rtc_paddr);
	volatile uint32_t *rtc = frame == 0 ? NULL : self_view(frame, MAP_RO, MAP_DEVICE);
	uint64_t seconds = 0;

	if (rtc == NULL)
		return 0;
	seconds = rtc[0]; /* PL031 RTCDR: seconds */
	self_unview((void *)rtc);
	return seconds;
}

/* A kernel that does not know the call has nothing open, or all of it. */
void board_close(void) { (void)sel4_ext_close_el0(ABI_ROOT_IRQ_CONTROL); }

int board_irq(cap_t handler, unsigned irq, bool level)
{
	return level ? sel4_irq_control_get_trigger(ABI_ROOT_IRQ_CONTROL, ABI_ROOT_CNODE, irq, 0,
						    handler, CSPACE_DEPTH)
		     : sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, ABI_ROOT_CNODE, irq, handler,
					    CSPACE_DEPTH);
}

bool board_give_uart(struct process *serial, const struct machine *machine)
{
	cap_t frame = mem_device_frame(machine->uart_at);
	cap_t copy = frame == 0 ? 0 : mem_copy(&serial->mem, frame, ABI_RIGHTS_ALL);
	const struct grant grant = {
		.holder = PROC_SERIAL,
		.rights = ABI_RIGHT_READ | ABI_RIGHT_WRITE,
		.slot = GRANT_MAPPED,
		.object = (uint32_t)frame,
		.type = "Device",
		.what = "UART",
		.at = machine->uart_at,
	};

	return copy != 0 && process_note(serial, &grant) &&
	       map_page(&serial->mem, serial->vspace, copy, PROC_DEVICE_BASE, MAP_RW,
			MAP_DEVICE) == ABI_OK;
}

enum screen_kind board_screen(void) { return SCREEN_NONE; }

bool board_give_screen(struct process *log)
{
	(void)log;
	return false;
}

bool board_give_keyboard(struct process *debug)
{
	(void)debug;
	return false;
}

bool board_has_timer(void) { return sel4_ext_query(ABI_ROOT_TCB) & ABI_EXTF_TIMER; }

bool board_give_timer(struct process *time)
{
	return service_give_irq(time, PROC_CAP_DEVICE_IRQ, TIMER_IRQ, false, TIME_NTFN_IRQ);
}

/* It is as the tool has made it. */
void board_report(void) {}

bool board_find_device(uint32_t kind, struct board_device *d)
{
	uint64_t at = kind == SYSDESC_MACHINE_NIC ? sysdesc_nic() : sysdesc_disk();

	d->window[0].at = at;
	d->window[0].bytes = 1; /* its page */
	d->irq = sysdesc_machine_irq(at);
	d->how.offset = (uint32_t)(at % SYSDESC_PAGE);
	return true;
}

const char *board_off(void)
{
	const uint64_t args[8] = { PSCI_SYSTEM_OFF };
	uint64_t results[8];

	return sel4_smc_call(ABI_ROOT_SMC, args, results) == ABI_OK
		       ? "the firmware does not"
		       : "the kernel gives no SMC capability";
}
