/*
 * Requests of processes to init (Call on PROC_CAP_INIT_EP; the badge tells
 * init who asks), and the text protocol of the control channel.
 */
#pragma once

#include <stdint.h>

/* Message labels (processes -> init). Faults have labels below 0x100. */
enum init_request {
	INIT_REQ_VM_OFF = 0x100,   /* MR0: enum vm_stop_reason. No answer: the
	                             * VM is taken down while the call waits */
	INIT_REQ_VM_RESET = 0x101, /* the same, and started again */
	INIT_REQ_READY = 0x102,    /* a service or VMM is up */
	/* MR0: guest-physical address. The VM's 2 MiB there go back to init: label 0, they are
	 * gone; or are to come again: label 0, they are there, else there is no memory now, and
	 * VMM_NTFN_INIT tells when there may be. */
	INIT_REQ_MEMORY_GIVE = 0x103,
	INIT_REQ_MEMORY_FETCH = 0x104,
};

enum vm_stop_reason {
	VM_STOP_OFF = 0,      /* the guest asked */
	VM_STOP_FAULT = 1,    /* the guest did what nothing handles */
	VM_STOP_ERROR = 2,    /* the VMM could not start it (bad image, ...) */
	VM_STOP_WATCHDOG = 3, /* the guest let its watchdog run out */
};

/* Requests of init to serial, time and log (Call on the service endpoint). */
enum server_request {
	/* MR0: channel number, MR1-MR4: name, 32 bytes. The channel's pages
	 * are mapped at PROC_RING_BASE + n * PROC_RING_STRIDE, the client's
	 * notification is in PROC_CAP_CLIENT_NTFN + n. */
	SERVER_ADD_CLIENT = 0x200,
	SERVER_REMOVE_CLIENT = 0x201, /* MR0: channel/client number */
};

/*
 * Control channel (MUX_CH_CONTROL): one request a line, "verb [argument...]\n";
 * the answer is lines of JSON objects, the last one {"ok":true} or
 * {"ok":false,"error":"..."}. One request at a time. docs/control-channel.md has
 * the requests and their answers.
 */
#define CONTROL_MAX_LINE 1600  /* fits into the channel's input ring */
#define CONTROL_PUT_BYTES 1152 /* that one `put` brings, at most */
#define CONTROL_NAME 40        /* of a VM or process, NUL included */

/* What `set` changes; times in microseconds, `restart` as enum sysdesc_restart. */
enum control_key {
	CONTROL_PRIORITY,
	CONTROL_BUDGET,
	CONTROL_PERIOD,
	CONTROL_RESTART,
	CONTROL_RESTART_DELAY,
	CONTROL_RESTART_LIMIT,
	CONTROL_BALLOON, /* bytes */
	CONTROL_KEYS
};
/* Their names, as in a description. */
#define CONTROL_KEY_NAMES                                                   \
	{                                                                   \
		"priority", "budget", "period", "restart", "restart_delay", \
			"restart_limit", "balloon"                          \
	}
