#include "service.h"

#include "board.h"
#include "connect.h"
#include "control.h"
#include "crash.h"
#include "device.h"
#include "self.h"
#include "standin.h"

#include <selvage/base.h>
#include <selvage/client.h>
#include <selvage/clock.h>
#include <selvage/log.h>
#include <selvage/mux.h>
#include <selvage/ring.h>
#include <selvage/serve.h>
#include <selvage/servers.h>
#include <selvage/vmm_info.h>
#include <string.h>

#define SERVICE_PERIOD_US 10000
/* A service that dies that often, each time soon after its start, is left off. */
#define MAX_FAILURES 5
#define SOON_US 10000000u
#define TICK_BUDGET_US 300 /* of TIME_TICK_US */
#define CALL_RIGHTS (ABI_RIGHT_WRITE | ABI_RIGHT_GRANT_REPLY)

static cap_t init_ntfn, control_signal, time_client, debug_signal;
static void *control_channel, *log_channel, *log_ring, *debug_control; /* init's views */

static struct screen_info screen;

static struct {
	unsigned starts;
	unsigned failures; /* in a row */
	bool killed;       /* by the operator: no failure */
	bool gone;         /* could not be started again: nobody answers for it */
	uint64_t started;  /* when last, in ticks */
} lives[PROCESS_FIRST_VMM];

static const struct process_spec specs[] = {
	{
		.kind = PROC_TIME,
		.name = "time",
		.image = "time",
		.cnode_bits = 10,
		.priority = 210,
		.budget_us = 3000,
		.period_us = SERVICE_PERIOD_US,
		.heap_bytes = 0,
		.stack_bytes = 0x4000,
	},
	{
		.kind = PROC_SERIAL,
		.name = "serial",
		.image = "serial",
		.cnode_bits = 8,
		.priority = 200,
		.budget_us = 6000,
		.period_us = SERVICE_PERIOD_US,
		.heap_bytes = 0,
		.stack_bytes = 0x4000,
	},
	{
		.kind = PROC_LOG,
		.name = "log",
		.image = "log",
		.cnode_bits = 8,
		.priority = 190,
		.budget_us = 3000,
		.period_us = SERVICE_PERIOD_US,
		.heap_bytes = 0,
		.stack_bytes = 0x4000,
		.detail = &screen,
		.detail_bytes = sizeof(screen),
	},
	{
		.kind = PROC_DEBUG,
		.name = "debug",
		.image = "debug",
		.cnode_bits = 7,
		.priority = 120,
		.budget_us = 1000,
		.period_us = SERVICE_PERIOD_US,
		.heap_bytes = 0,
		.stack_bytes = 0x4000,
		.detail = &screen,
		.detail_bytes = sizeof(screen),
	},
};

/* Those that serve devices: above the VMs and their monitors, who wait for them. */
static const struct process_spec device_servers[] = {
	{
		.kind = PROC_NET,
		.name = "net",
		.image = "net",
		.cnode_bits = 8,
		.priority = 120,
		.budget_us = 8000,
		.period_us = SERVICE_PERIOD_US,
		.heap_bytes = 0,
		.stack_bytes = 0x4000,
	},
	{
		.kind = PROC_BLOCK,
		.name = "block",
		.image = "block",
		.cnode_bits = 8,
		.priority = 120,
		.budget_us = 8000,
		.period_us = SERVICE_PERIOD_US,
		.heap_bytes = 0,
		.stack_bytes = 0x4000,
	},
};

struct process *service_process(enum proc_kind kind)
{
	struct process *p = &processes[kind];

	return p->state == PROCESS_RUNNING ? p : NULL;
}

/* What a server has beyond any process. */
static bool make_server(const struct process_spec *spec)
{
	struct process *p = &processes[spec->kind];
	struct process_spec s = *spec;

	if (spec->kind == PROC_TIME && !board_has_timer()) {
		s.budget_us = TICK_BUDGET_US;
		s.period_us = TIME_TICK_US;
	}
	s.fault_ep = standin_prepare(p, init_ntfn);
	if (s.fault_ep == 0 || !process_create(p, spec->kind, &s))
		return false;
	p->service_call = mem_mint(&p->mem, p->service_ep, CALL_RIGHTS, SERVER_BADGE_INIT);
	return p->service_call != 0 &&
	       process_grant(p, p, PROC_CAP_SERVICE_EP, p->service_ep, ABI_RIGHT_READ, 0,
			     "Endpoint", "requests to this server") &&
	       sel4_tcb_bind_notification(p->tcb[0], p->ntfn) == ABI_OK &&
	       standin_start(p);
}

/* Starts its program, from the beginning. */
static bool run(struct process *p)
{
	lives[p->kind].starts++;
	lives[p->kind].started = clock_now();
	p->state = PROCESS_RUNNING;
	return process_start(p);
}

static bool grant_irq(struct process *p, unsigned slot, unsigned irq, cap_t handler)
{
	if (!process_grant(p, p, slot, handler, ABI_RIGHTS_ALL, 0, "IRQHandler",
			   "interrupt of the device"))
		return false;
	p->grants[p->n_grants - 1].at = irq;
	return true;
}

bool service_give_irq(struct process *p, unsigned slot, unsigned irq, bool level,
		      uint64_t badge)
{
	cap_t handler = mem_slot(&p->mem);
	cap_t ntfn = mem_mint(&p->mem, p->ntfn, ABI_RIGHT_WRITE, badge);
	int error;

	if (handler == 0 || ntfn == 0)
		return false;
	error = board_irq(handler, irq, level);
	p->n_irqs += error == ABI_OK;
	return error == ABI_OK &&
	       sel4_irq_handler_set_notification(handler, ntfn) == ABI_OK &&
	       grant_irq(p, slot, irq, handler);
}

static bool set_up_uart(const struct machine *machine)
{
	struct process *serial = &processes[PROC_SERIAL];
	struct process *time = &processes[PROC_TIME];

	return board_give_uart(serial, machine) &&
	       service_give_irq(serial, PROC_CAP_DEVICE_IRQ, machine->uart_irq, true,
				SERIAL_NTFN_IRQ) &&
	       process_grant(serial, time,
			     PROC_CAP_CLIENT_NTFN + PROC_SERIAL * TIME_TIMERS,
			     serial->ntfn, ABI_RIGHT_WRITE, SERIAL_NTFN_TIMER,
			     "Notification", "serial's timer");
}

/* What init has mapped of a channel or ring, because of a server. */
static bool note_own(struct process *server, cap_t frame, const char *what)
{
	const struct grant grant = {
		.holder = 0,
		.rights = ABI_RIGHT_READ | ABI_RIGHT_WRITE,
		.slot = GRANT_MAPPED,
		.object = (uint32_t)frame,
		.type = "Memory",
		.what = what,
		.bytes = CHANNEL_BYTES,
	};

	return process_note(server, &grant);
}

/* Pages of init's own, shared with a server. */
static void *init_share(unsigned count, struct process *server, unsigned number,
			const char *what, const char *server_what)
{
	cap_t frames[CHANNEL_BYTES / 4096];
	void *at = self_new_pages(count, frames);

	return at != NULL && note_own(server, frames[0], what) &&
			       process_share_frames(server, server, frames, count,
						    PROC_RING_BASE + number * PROC_RING_STRIDE,
						    server_what)
		       ? at
		       : NULL;
}

/* Init's own timer, as a client of number 0. */
static bool connect_time(void)
{
	struct process *time = &processes[PROC_TIME];

	time_client = mem_mint(&init_arena, time->service_ep, CALL_RIGHTS, 1);
	return time_client != 0 &&
	       process_grant(time, time, PROC_CAP_CLIENT_NTFN, init_ntfn, ABI_RIGHT_WRITE,
			     INIT_NTFN_TIMER, "Notification", "init: its timer") &&
	       server_add_client(time->service_call, 0, "init") == SERVER_OK;
}

bool service_arm_timer(uint64_t deadline)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0, deadline, 0 };

	return msginfo_label(sel4_call(time_client, msginfo(TIME_ARM, 0, 3), mr)) == TIME_OK;
}

static bool connect_init(uint32_t level)
{
	struct process *log = &processes[PROC_LOG], *serial = &processes[PROC_SERIAL];
	cap_t log_signal = mem_mint(&init_arena, log->ntfn, ABI_RIGHT_WRITE,
				    LOG_NTFN_CLIENT);
	void *ring = init_share(LOGRING_BYTES / 4096, log, 0, "init's log ring",
				"log ring of a client");

	control_signal = mem_mint(&init_arena, serial->ntfn, ABI_RIGHT_WRITE,
				  SERIAL_NTFN_CLIENT);
	if (log_signal == 0 || control_signal == 0 ||
	    sel4_tcb_bind_notification(ABI_ROOT_TCB, init_ntfn) != ABI_OK || ring == NULL ||
	    server_add_client(log->service_call, 0, "init") != SERVER_OK)
		return false;
	log_attach(ring, log_signal, (enum log_level)level);
	log_ring = ring;
	control_channel = init_share(CHANNEL_BYTES / 4096, serial, MUX_CH_CONTROL,
				     "control channel", "channel of a client");
	return control_channel != NULL &&
	       process_grant(serial, serial, PROC_CAP_CLIENT_NTFN + MUX_CH_CONTROL,
			     init_ntfn, ABI_RIGHT_WRITE, INIT_NTFN_CONTROL,
			     "Notification", "init: control channel") &&
	       server_add_client(serial->service_call, MUX_CH_CONTROL, "control") ==
		       SERVER_OK;
}

/* The log server writes to the serial line as any client. */
static bool connect_log(void)
{
	struct process *log = &processes[PROC_LOG];
	cap_t frames[CHANNEL_BYTES / 4096];

	log_channel = self_new_pages(ARRAY_SIZE(frames), frames);
	return log_channel != NULL &&
	       note_own(log, frames[0], "init's view of a channel") &&
	       process_share_frames(log, log, frames, ARRAY_SIZE(frames), PROC_DEVICE_BASE,
				    "own channel") &&
	       service_attach_channel(log, MUX_CH_LOG, frames, "log", LOG_NTFN_SERIAL);
}

/* The debug shell has a channel for people, and asks init over one that is like the
 * control channel: init is the client there, as on the serial line. */
static bool connect_debug(void)
{
	struct process *debug = &processes[PROC_DEBUG];
	cap_t frames[CHANNEL_BYTES / 4096];

	debug_signal = mem_mint(&init_arena, debug->ntfn, ABI_RIGHT_WRITE, DEBUG_NTFN_INIT);
	debug_control = init_share(CHANNEL_BYTES / 4096, debug, DEBUG_CONTROL_RING,
				   "requests of the debug shell", "requests to init");
	return debug_signal != 0 && debug_control != NULL &&
	       process_grant(debug, debug, PROC_CAP_CLIENT_NTFN, init_ntfn, ABI_RIGHT_WRITE,
			     INIT_NTFN_CONTROL, "Notification", "init: requests") &&
	       process_map_new(&debug->mem, debug->vspace, PROC_RING_BASE, ARRAY_SIZE(frames),
			       frames) &&
	       process_note_pages(debug, frames[0], ARRAY_SIZE(frames), "own channel") &&
	       service_attach_channel(debug, MUX_CH_SHELL, frames, "shell", DEBUG_NTFN_SERIAL);
}

/* The log server has the screen; the debug shell has a view of it, and the keyboard. */
static bool connect_screen(void)
{
	struct process *log = &processes[PROC_LOG], *debug = &processes[PROC_DEBUG];
	cap_t frames[CHANNEL_BYTES / 4096];

	return screen.kind == SCREEN_NONE ||
	       (board_give_screen(log) && board_give_keyboard(debug) &&
		process_map_new(&debug->mem, debug->vspace,
				PROC_RING_BASE + DEBUG_SCREEN_RING * PROC_RING_STRIDE,
				ARRAY_SIZE(frames), frames) &&
		process_note_pages(debug, frames[0], ARRAY_SIZE(frames),
				   "own view of the screen") &&
		process_share_frames(debug, log, frames, ARRAY_SIZE(frames), LOG_SHELL_RING,
				     "the shell's view of the screen"));
}

const char *service_start(const struct machine *machine, const struct sysdesc *system)
{
	init_ntfn = mem_object(&init_arena, ABI_OBJ_NOTIFICATION);
	if (init_ntfn == 0)
		return "init";
	screen.kind = board_screen();
	for (unsigned i = 0; i < ARRAY_SIZE(specs); i++)
		if (!make_server(&specs[i]))
			return specs[i].name;
	if ((board_has_timer() &&
	     !board_give_timer(&processes[PROC_TIME])) ||
	    !run(&processes[PROC_TIME]))
		return "time";
	if (!set_up_uart(machine) || !service_attach_time(&processes[PROC_SERIAL]) ||
	    !run(&processes[PROC_SERIAL]))
		return "serial";
	if (!connect_log() || !connect_screen() || !run(&processes[PROC_LOG]) ||
	    !connect_init(system->log_level) || !connect_time())
		return "log";
	for (unsigned i = 0; i < ARRAY_SIZE(specs); i++)
		if (!service_attach_log(&processes[specs[i].kind]))
			return "log";
	return connect_debug() && run(&processes[PROC_DEBUG]) ? NULL : "debug";
}

static bool give_timer(struct process *p, const char *what)
{
	return service_attach_time(p) &&
	       process_grant(p, &processes[PROC_TIME],
			     PROC_CAP_CLIENT_NTFN + (unsigned)p->kind * TIME_TIMERS, p->ntfn,
			     ABI_RIGHT_WRITE, SERVER_NTFN | SERVE_BIT_TIMER, "Notification", what);
}

/* The network's timer, and the machine's NIC if the description has one. */
static bool give_network(struct process *p, const struct sysdesc *system)
{
	const uint32_t e1000 = system->machine & SYSDESC_MACHINE_E1000;

	return give_timer(p, "net's timer") &&
	       (!(system->machine & SYSDESC_MACHINE_NIC) ||
		device_give(p, e1000 != 0 ? e1000 : SYSDESC_MACHINE_NIC, "network interface"));
}

static bool give_disk(struct process *p, const struct sysdesc *system)
{
	return !(system->machine & SYSDESC_MACHINE_DISK) ||
	       (give_timer(p, "block's timer") && device_give(p, SYSDESC_MACHINE_DISK, "disk"));
}

/* A server that has died before it could serve is not waited for. */
static bool start_device_server(const struct process_spec *spec, const struct sysdesc *system)
{
	struct process_spec s = *spec;
	struct process *p = &processes[spec->kind];

	s.detail = connect_info(spec->kind, &s.detail_bytes);
	return make_server(&s) && connect_prepare(p) && service_attach_log(p) &&
	       (spec->kind != PROC_NET || give_network(p, system)) &&
	       (spec->kind != PROC_BLOCK || give_disk(p, system)) && run(p);
}

const char *service_start_device_servers(const struct sysdesc *system)
{
	for (unsigned i = 0; i < ARRAY_SIZE(device_servers); i++)
		if (connect_wanted(device_servers[i].kind) &&
		    !start_device_server(&device_servers[i], system))
			return device_servers[i].name;
	return NULL;
}

/* A log server that has died hears of p when it starts again; one that is left off has it
 * like its other clients, whom nobody reads. */
bool service_attach_log(struct process *p)
{
	struct process *log = &processes[PROC_LOG];
	int error;

	if (!process_share_frames(p, log, p->log_frames, ARRAY_SIZE(p->log_frames),
				  PROC_RING_BASE + p->number * PROC_RING_STRIDE,
				  "log ring of a client") ||
	    !process_grant(p, p, PROC_CAP_LOG_NTFN, log->ntfn, ABI_RIGHT_WRITE, LOG_NTFN_CLIENT,
			   "Notification", "log: records wait"))
		return false;
	if (lives[PROC_LOG].gone)
		return true;
	error = server_add_client(log->service_call, p->number, p->name);
	return error == SERVER_OK || error == SERVER_DIED;
}

bool service_attach_time(struct process *p)
{
	struct process *time = service_process(PROC_TIME);

	return time != NULL &&
	       process_grant(p, p, PROC_CAP_TIME_EP, time->service_ep, CALL_RIGHTS,
			     p->number + 1u, "Endpoint", "time server") &&
	       server_add_client(time->service_call, p->number, p->name) == SERVER_OK;
}

static bool add_channel(struct process *p, struct process *serial, unsigned channel,
			const cap_t *frames, const char *name, cap_t ntfn, uint64_t badge)
{
	return process_share_frames(p, serial, frames, CHANNEL_BYTES / 4096,
				    PROC_RING_BASE + channel * PROC_RING_STRIDE,
				    "channel of a client") &&
	       process_grant(p, serial, PROC_CAP_CLIENT_NTFN + channel, ntfn, ABI_RIGHT_WRITE,
			     badge, "Notification", "client: input, or room for output") &&
	       server_add_client(serial->service_call, channel, name) == SERVER_OK;
}

bool service_attach_channel(struct process *p, unsigned channel, const cap_t *frames,
			    const char *name, uint64_t badge)
{
	struct process *serial = service_process(PROC_SERIAL);

	return serial != NULL &&
	       process_grant(p, p, PROC_CAP_SERIAL_NTFN, serial->ntfn, ABI_RIGHT_WRITE,
			     SERIAL_NTFN_CLIENT, "Notification", "serial: bytes wait") &&
	       add_channel(p, serial, channel, frames, name, p->ntfn, badge);
}

bool service_attach_debug(struct process *p, unsigned index, const cap_t *frames,
			  const char *name, cap_t ntfn)
{
	struct process *serial = service_process(PROC_SERIAL);

	p->debugged = serial != NULL && add_channel(p, serial, MUX_CH_FIRST_DEBUG + index, frames,
						    name, ntfn, VMM_NTFN_DEBUG);
	return p->debugged;
}

static unsigned debug_channel(const struct process *p)
{
	return MUX_CH_FIRST_DEBUG + p->number - PROCESS_FIRST_VMM;
}

void service_detach(struct process *p, int channel)
{
	struct process *time = service_process(PROC_TIME);
	struct process *serial = service_process(PROC_SERIAL);
	struct process *log = service_process(PROC_LOG);

	if (time != NULL && p != time)
		(void)server_remove_client(time->service_call, p->number);
	if (serial != NULL && p != serial && channel >= 0)
		(void)server_remove_client(serial->service_call, (unsigned)channel);
	if (serial != NULL && p->debugged)
		(void)server_remove_client(serial->service_call, debug_channel(p));
	if (log != NULL && p != log)
		(void)server_remove_client(log->service_call, p->number);
}

/* The channel of a process, and the name that it has there; NULL: none. */
static const char *channel_of(const struct process *p, unsigned *channel)
{
	*channel = p->number == 0 ? MUX_CH_CONTROL : MUX_CH_LOG;
	if (p->number == 0)
		return "control";
	if (p->kind == PROC_LOG)
		return p->name;
	if (p->kind == PROC_DEBUG) {
		*channel = MUX_CH_SHELL;
		return "shell";
	}
	*channel = MUX_CH_FIRST_VM + p->number - PROCESS_FIRST_VMM;
	return p->number < PROCESS_FIRST_VMM ? NULL : p->name + strlen("vmm:");
}

/* Tells a service that was started again of one that was its client. */
static void add_again(struct process *server, const struct process *p)
{
	unsigned number = p->number;
	const char *name = number == 0 ? "init" : p->name;

	if (server->kind == PROC_SERIAL)
		name = channel_of(p, &number);
	if (name != NULL)
		(void)server_add_client(server->service_call, number, name);
	if (server->kind == PROC_SERIAL && p->debugged)
		(void)server_add_client(server->service_call, debug_channel(p), name);
}

/* A service that has crashed as well is its client again when it is started. */
static bool is_client(unsigned process)
{
	const enum process_state state = processes[process].state;

	return process == 0 || state == PROCESS_RUNNING ||
	       (process < PROCESS_FIRST_VMM && state != PROCESS_NONE);
}

static void add_all_again(struct process *server)
{
	for (unsigned i = 0; i < PROCESS_MAX; i++)
		if (is_client(i))
			add_again(server, &processes[i]);
}

static void revive(struct process *p, const struct standin_crash *crash)
{
	uint64_t lived = clock_now() - lives[p->kind].started;
	unsigned *failures = &lives[p->kind].failures;

	if (!lives[p->kind].killed) {
		crash_report(p, 0, crash->info, crash->mr);
		*failures = lived < clock_us_to_ticks(SOON_US) ? *failures + 1 : 1;
	}
	lives[p->kind].killed = false;
	connect_down(p, *failures >= MAX_FAILURES);
	if (*failures >= MAX_FAILURES) {
		log_error("service %s: failed %u times in a row, left off", p->name, *failures);
		return;
	}
	if (p->kind == PROC_DEBUG)
		control_forget(CONTROL_SHELL);
	standin_relieve(p);
	if (!process_reset(p) || !run(p)) {
		p->state = PROCESS_CRASHED;
		lives[p->kind].gone = true;
		connect_down(p, true);
		log_error("service %s: cannot be started again", p->name);
		return;
	}
	if (connect_server(p->kind) != 0)
		connect_again(p);
	else if (p->kind != PROC_DEBUG) /* which has no clients */
		add_all_again(p);
	log_info("service %s: started again", p->name);
}

void service_revive(void)
{
	struct standin_crash crash;

	/* Bounded: a service that dies of its restart is left off in the end. */
	for (unsigned i = 1; i < PROCESS_FIRST_VMM; i++)
		while (standin_crashed(&processes[i], &crash))
			revive(&processes[i], &crash);
}

void service_killed(const struct process *p) { lives[p->kind].killed = true; }

unsigned service_starts(enum proc_kind kind) { return lives[kind].starts; }

static bool is_taken(const void *channel)
{
	return channel == NULL ||
	       ring_is_taken((const void *)((const char *)channel + CHANNEL_OUT_OFFSET));
}

bool service_output_taken(void)
{
	return (log_ring == NULL || logring_is_read(log_ring)) && is_taken(log_channel) &&
	       is_taken(control_channel);
}

unsigned service_irqs(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PROCESS_MAX; i++)
		n += processes[i].state != PROCESS_NONE ? processes[i].n_irqs : 0;
	return n;
}

void *service_control_channel(void) { return control_channel; }
void service_control_signal(void) { sel4_signal(control_signal); }
void *service_debug_channel(void) { return debug_control; }
void service_debug_signal(void) { sel4_signal(debug_signal); }
