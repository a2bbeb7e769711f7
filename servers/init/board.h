/* What init asks of the machine and its architecture: arch/<name>/. */
#pragma once

#include "process.h"

#include <selvage/serve.h>
#include <selvage/servers.h>

/* Once memory can be mapped: what machine_read() could not read. NULL, or what is
 * missing. */
const char *board_read(struct machine *machine);
/* Before anybody drives the UART, as the firmware left it. */
void board_print(const struct machine *machine, const char *text);
/* Seconds since 1970, by the machine's clock; 0: there is none. */
uint64_t board_seconds(const struct machine *machine);
/* Takes back what the kernel leaves open to native threads. */
void board_close(void);

/* The handler of that interrupt into the slot; enum abi_error. */
int board_irq(cap_t handler, unsigned irq, bool level);
/* What the serial server needs to reach the UART. */
bool board_give_uart(struct process *serial, const struct machine *machine);
/* Whether the time server gets a timer; if not, it goes by the periods of its
 * scheduling context. */
bool board_has_timer(void);
bool board_give_timer(struct process *time);

/* What the machine shows, and what log and debug need to have it. */
enum screen_kind board_screen(void);
bool board_give_screen(struct process *log);
bool board_give_keyboard(struct process *debug);
/* Says what there is beside, once there is a log. */
void board_report(void);
/* The registers (none beyond SERVE_WINDOW_BYTES less a page) and the interrupt of the
 * machine's device of that kind, SYSDESC_MACHINE_NIC, _E1000 or _DISK, ready for a driver.
 * False: there is none. */
struct board_device {
	struct {
		uint64_t at, bytes;
	} window[SERVE_WINDOWS];
	unsigned irq; /* for board_irq, level */
	struct serve_device how;
};
bool board_find_device(uint32_t kind, struct board_device *d);

/* Switches the machine off. Returns only if that was refused, with why. */
const char *board_off(void);

/* Of a crash: what the memory fault was, and the registers. */
void board_log_fault(const uint64_t mr[SEL4_MSG_REGS]);
void board_log_registers(const uint64_t *context,
			 void (*symbol)(const struct process *p, uint64_t addr, char *out,
					size_t size),
			 const struct process *p);

/* The i-th register of a vCPU, by name; context: of its thread. False: there are
 * no more. */
bool board_vcpu_register(const struct process *p, uint64_t vcpu, const uint64_t *context,
			 unsigned i, const char **name, uint64_t *value);
/* The virtual time of these vCPUs goes back by that much. */
bool board_skip_time(const struct process *p, unsigned vcpus, uint64_t ticks);
