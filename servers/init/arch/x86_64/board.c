/* PCs: 16550, PIT, MC146818 by I/O ports; IOAPIC and power by the ACPI tables. */
#include "board.h"

#include "acpi.h"
#include "boot_chunk.h"
#include "device.h"
#include "pci_host.h"
#include "ports.h"
#include "self.h"
#include "service.h"

#include <selvage/base.h>
#include <selvage/log.h>
#include <selvage/rt.h>
#include <selvage/servers.h>
#include <string.h>

#define UART_IRQ 4
#define UART_PORTS 8
#define UART_LINE_STATUS 5
#define UART_HOLDING_EMPTY 0x20u
#define UART_TRIES 100000u
#define PIT 0x40
#define PIT_PORTS 4
#define PIT_IRQ 0
#define KEYBOARD_DATA 0x60
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_IRQ 1
#define CMOS 0x70
#define SLEEP_ENABLE (1u << 13) /* ACPI 6.5, 4.8.3.2.1 */

static struct acpi_facts facts;

cap_t ports_issue(uint64_t first, uint64_t n)
{
	cap_t slot = mem_slot(&init_arena);

	return slot != 0 && sel4_io_port_control_issue(ABI_ROOT_IO_PORT, ABI_ROOT_CNODE, first,
						       first + n - 1, slot, CSPACE_DEPTH) == ABI_OK
		       ? slot
		       : 0;
}

/* Kept: a range can be issued once. */
static cap_t uart_ports(const struct machine *m)
{
	static cap_t ports;

	if (ports == 0)
		ports = ports_issue(m->uart_at, UART_PORTS);
	return ports;
}

static void put(cap_t ports, uint64_t uart, char c)
{
	uint64_t status = 0;

	for (unsigned i = 0; i < UART_TRIES && !(status & UART_HOLDING_EMPTY); i++)
		(void)sel4_io_port_in8(ports, uart + UART_LINE_STATUS, &status);
	(void)sel4_io_port_out8(ports, uart, (uint8_t)c);
}

void board_print(const struct machine *m, const char *text)
{
	cap_t ports = SELVAGE_DEBUG ? 0 : uart_ports(m);

	for (const char *c = text; *c != '\0'; c++) {
		if (SELVAGE_DEBUG)
			sel4_debug_put_char(*c);
		else if (ports != 0)
			put(ports, m->uart_at, *c);
	}
}

/* --- ACPI --- */
static bool read_physical(void *ctx, uint64_t at, void *to, size_t n)
{
	uint8_t *out = to;

	(void)ctx;
	while (n > 0) {
		uint64_t page = align_down_u64(at, bit_u64(ABI_PAGE_BITS));
		size_t part = (size_t)min_u64(n, page + bit_u64(ABI_PAGE_BITS) - at);
		cap_t frame = mem_device_frame(page);
		const uint8_t *view = frame == 0 ? NULL : self_scratch(frame);

		if (view == NULL)
			return false;
		memcpy(out, view + (at - page), part);
		self_scratch_end();
		at += part;
		out += part;
		n -= part;
	}
	return true;
}

const char *board_read(struct machine *m)
{
	const struct acpi_reader r = { .read = read_physical };
	size_t size;
	const uint8_t *rsdp = boot_chunk(rt_bootinfo(), ABI_EXTRA_ACPI_RSDP, &size);
	const char *error = rsdp == NULL || size < ACPI_RSDP_BYTES ? "no ACPI tables"
								   : acpi_read(&r, rsdp, &facts);

	m->uart_irq = facts.pin[UART_IRQ];
	pci_host_open();
	return error;
}

/* --- interrupts --- */
static bool is_low(unsigned pin, bool level)
{
	for (unsigned i = 0; i < ACPI_ISA_IRQS; i++)
		if (facts.pin[i] == pin)
			return facts.low[i];
	return level; /* PCI's */
}

unsigned board_pin(unsigned isa) { return isa < ACPI_ISA_IRQS ? facts.pin[isa] : isa; }

int board_irq(cap_t handler, unsigned irq, bool level)
{
	if (irq >= PCI_HOST_MESSAGES)
		return pci_host_irq(handler, irq);
	return sel4_irq_control_get_ioapic(ABI_ROOT_IRQ_CONTROL, ABI_ROOT_CNODE, handler,
					   CSPACE_DEPTH, 0, irq, level, is_low(irq, level), irq);
}

/* --- devices --- */
bool ports_give(struct process *p, unsigned slot, cap_t ports, uint64_t at, const char *what)
{
	if (ports == 0 ||
	    !process_grant(p, p, slot, ports, ABI_RIGHTS_ALL, 0, "IOPort", what))
		return false;
	p->grants[p->n_grants - 1].at = at;
	return true;
}

bool board_give_uart(struct process *serial, const struct machine *m)
{
	return ports_give(serial, PROC_CAP_DEVICE_PORTS, uart_ports(m), m->uart_at, "UART");
}

bool board_has_timer(void) { return true; }

/* What cannot be had of it is not there: the PIT does as well. */
static bool give_hpet(struct process *time)
{
	const struct time_info info = { facts.hpet % bit_u64(ABI_PAGE_BITS) + 1 };
	const uint64_t page = align_down_u64(facts.hpet, bit_u64(ABI_PAGE_BITS));

	return facts.hpet == 0 || mem_device_frame(page) == 0 ||
	       (device_map(time, page, PROC_DEVICE_BASE, "timer") &&
		process_tell(time, 0, &info, sizeof(info)));
}

/* Both interrupt by the same pin. The PIT's output stays high until it is set anew: only the
 * edge counts. */
bool board_give_timer(struct process *time)
{
	if (!give_hpet(time))
		return false;
	return ports_give(time, PROC_CAP_DEVICE_PORTS, ports_issue(PIT, PIT_PORTS), PIT, "timer") &&
	       service_give_irq(time, PROC_CAP_DEVICE_IRQ, facts.pin[PIT_IRQ], false,
				TIME_NTFN_IRQ);
}

/* Not what is between its two ports: 0x61, of the speaker and of NMIs. */
bool board_give_keyboard(struct process *debug)
{
	return ports_give(debug, PROC_CAP_DEVICE_PORTS, ports_issue(KEYBOARD_DATA, 1),
			  KEYBOARD_DATA, "keyboard") &&
	       ports_give(debug, PROC_CAP_COMMAND_PORTS, ports_issue(KEYBOARD_COMMAND, 1),
			  KEYBOARD_COMMAND, "keyboard's commands") &&
	       service_give_irq(debug, PROC_CAP_DEVICE_IRQ, facts.pin[KEYBOARD_IRQ], false,
				DEBUG_NTFN_KEYBOARD);
}

/* --- clock --- */
enum { CMOS_SECONDS = 0,
       CMOS_MINUTES = 2,
       CMOS_HOURS = 4,
       CMOS_DAY = 7,
       CMOS_MONTH = 8,
       CMOS_YEAR = 9,
       CMOS_A = 10,
       CMOS_B = 11 };
#define CMOS_UPDATES 0x80u
#define CMOS_BINARY 4u
#define CMOS_24_HOURS 2u
#define CMOS_TRIES 10000u

static unsigned cmos(cap_t ports, unsigned reg)
{
	uint64_t value = 0;

	(void)sel4_io_port_out8(ports, CMOS, reg);
	(void)sel4_io_port_in8(ports, CMOS + 1, &value);
	return (unsigned)value & 0xff;
}

static unsigned cmos_number(cap_t ports, unsigned reg)
{
	unsigned v = cmos(ports, reg);

	return cmos(ports, CMOS_B) & CMOS_BINARY ? v : (v >> 4) * 10 + (v & 15);
}

/* Days from 1970 to a date of this century. */
static uint64_t days_to(unsigned year, unsigned month, unsigned day)
{
	static const uint16_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	unsigned leap = year % 4 == 0 && month > 2;

	return 10957ull + year * 365 + (year + 3) / 4 + before[(month - 1) % 12] + leap + day - 1;
}

uint64_t board_seconds(const struct machine *m)
{
	cap_t ports = ports_issue(CMOS, 2);
	unsigned tries = 0;

	(void)m;
	if (ports == 0 || !(cmos(ports, CMOS_B) & CMOS_24_HOURS))
		return 0;
	while (cmos(ports, CMOS_A) & CMOS_UPDATES && tries++ < CMOS_TRIES)
		continue;
	return ((days_to(cmos_number(ports, CMOS_YEAR), cmos_number(ports, CMOS_MONTH),
			 cmos_number(ports, CMOS_DAY)) *
			 24 +
		 cmos_number(ports, CMOS_HOURS)) *
			60 +
		cmos_number(ports, CMOS_MINUTES)) *
		       60 +
	       cmos_number(ports, CMOS_SECONDS);
}

/* Native threads reach nothing that would have to be taken from them. */
void board_close(void) {}

const char *board_off(void)
{
	if (!facts.can_off)
		return "the ACPI tables say not how";
	for (unsigned i = 0; i < ARRAY_SIZE(facts.control); i++) {
		uint64_t sleep = (uint64_t)facts.sleep_type[i] << 10 | SLEEP_ENABLE;
		cap_t port = facts.control[i] == 0 ? 0 : ports_issue(facts.control[i], 2);

		if (port != 0)
			(void)sel4_io_port_out16(port, facts.control[i], sleep);
	}
	return "the machine does not";
}
