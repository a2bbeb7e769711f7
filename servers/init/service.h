/*
 * The services that init starts (time, serial, log) and what connects other
 * processes to them; see selvage/servers.h for what each expects.
 */
#pragma once

#include "machine.h"
#include "process.h"

/* Badges on init's own notification; messages do not have INIT_NTFN. */
#define INIT_NTFN (1ull << 63)
#define INIT_NTFN_CONTROL (INIT_NTFN | 1u) /* the control channel has something */
#define INIT_NTFN_SERVICE (INIT_NTFN | 2u) /* a service has died */
#define INIT_NTFN_TIMER (INIT_NTFN | 4u)   /* init's timer, or time was started anew */

/* Starts all services and init's own connections. NULL or what failed. */
const char *service_start(const struct machine *machine, const struct sysdesc *system);

/* Those servers that the description's connections name. NULL or what failed. */
const char *service_start_device_servers(const struct sysdesc *system);

/* The process of a service, or NULL if it does not run. */
struct process *service_process(enum proc_kind kind);

/*
 * Reports the services that died and starts them again, with the clients they
 * had. One that fails again and again is left off: its stand-in refuses what
 * is asked of it (standin.h).
 */
void service_revive(void);
/* Arms init's timer for the counter value. False: there is no time server. */
bool service_arm_timer(uint64_t deadline);
/* The operator has taken it down: no failure of its. */
void service_killed(const struct process *p);
/* How often it was started. */
unsigned service_starts(enum proc_kind kind);

/* Gives p the handler of a device's interrupt, which signals `badge` to it. */
bool service_give_irq(struct process *p, unsigned slot, unsigned irq, bool level,
		      uint64_t badge);
/* How many of the machine's interrupts drivers have. */
unsigned service_irqs(void);

/* Connects p, before it runs; to a log server that does not run too. */
bool service_attach_log(struct process *p);
bool service_attach_time(struct process *p);
/* p's output and input: `frames` (CHANNEL_BYTES) as channel `channel`;
 * serial signals `badge` on p's notification. */
bool service_attach_channel(struct process *p, unsigned channel, const cap_t *frames,
			    const char *name, uint64_t badge);
/* The same for a VMM's debug channel, whose client waits on `ntfn`. */
bool service_attach_debug(struct process *p, unsigned index, const cap_t *frames,
			  const char *name, cap_t ntfn);
/* Ends p's connections; its frames may be taken away afterwards.
 * channel < 0: it had none. */
void service_detach(struct process *p, int channel);

/* Whether serial has taken what init said on the control channel and the log
 * wrote of init's records. */
bool service_output_taken(void);

/* Init's side of the control channel; NULL before service_start(). */
void *service_control_channel(void);
void service_control_signal(void);
/* The same with servers/debug. */
void *service_debug_channel(void);
void service_debug_signal(void);
