/*
 * What init sets up for each server, beyond what every process gets
 * (procinfo.h), and the badges that tell its senders apart.
 *
 * Common to serial, time and log
 * - One thread. PROC_CAP_NTFN is bound to its TCB (TCB_BindNotification), so
 *   its Recv on PROC_CAP_SERVICE_EP takes requests and signals alike.
 *   PROC_CAP_REPLY is the reply object for the requests.
 * - Init's own capability to the service endpoint has badge SERVER_BADGE_INIT
 *   (rights write + grantReply are enough); only that badge may use
 *   SERVER_ADD_CLIENT and SERVER_REMOVE_CLIENT.
 * - Signals have SERVER_NTFN in their badge, messages do not.
 * - Servers do not send INIT_REQ_READY (init would call them while they call
 *   init): a server is up when it answers init's first SERVER_ADD_CLIENT.
 * - Answers have a label of enum server_status.
 * - Before SERVER_ADD_CLIENT init has mapped the client's pages into the
 *   server (read-write, execute-never) and put the client's notification
 *   into its slot. After SERVER_REMOVE_CLIENT it may take both away: the
 *   server does not touch them any more. Pages of a new client are zero.
 * - Every process, server or not, finds its log ring where
 *   procinfo.log_ring says (LOGRING_BYTES, selvage/log.h; 0: none, it logs
 *   nothing). PROC_LOG_RING is free for it in every address space.
 *
 * - A server that dies is started again with zeroed data, the same
 *   capabilities and the same pages of its clients, which init then adds anew:
 *   rings go on where their shared indexes say, timers are gone.
 *
 * Start order: time, serial, log, debug, then those that serve devices (serve.h).
 *
 * serial
 *   CNode       >= 2^8 slots
 *   pages       UART (PL011) at PROC_DEVICE_BASE: read-write, not cacheable
 *               (attributes ABI_VM_EXECUTE_NEVER only); of a PC, 16550:
 *               PROC_CAP_DEVICE_PORTS instead. Channel n's
 *               CHANNEL_BYTES at PROC_RING_BASE + n * PROC_RING_STRIDE.
 *   caps        PROC_CAP_DEVICE_IRQ: handler of the UART's interrupt (QEMU
 *               virt: 33, level), its notification set by init to
 *               PROC_CAP_NTFN minted with SERIAL_NTFN_IRQ.
 *               PROC_CAP_TIME_EP: time server, badge client + 1; its timer 0
 *               signals PROC_CAP_NTFN minted with SERIAL_NTFN_TIMER.
 *               PROC_CAP_CLIENT_NTFN + n: client n's notification, minted
 *               with the badge that the client wants to see: signalled when
 *               input arrived or room for output came back.
 *   clients     PROC_CAP_SERIAL_NTFN of every client is serial's
 *               PROC_CAP_NTFN minted with SERIAL_NTFN_CLIENT (write right).
 *   numbers     channel numbers of mux.h: 0 control (init is its client),
 *               1 log, 2 + VM index consoles.
 *
 * time
 *   CNode       >= 2^10 slots
 *   caps        PROC_CAP_DEVICE_IRQ: handler of PPI 30 (GIC INTID 30), its
 *               notification set by init to PROC_CAP_NTFN minted with
 *               TIME_NTFN_IRQ. Of a PC: of the PIT's channel 0, whose ports
 *               are PROC_CAP_DEVICE_PORTS, and of the HPET's timer 0 in its
 *               place; if there is one, struct time_info says where in the
 *               page at PROC_DEVICE_BASE.
 *               PROC_CAP_CLIENT_NTFN + client * TIME_TIMERS + t: what timer t
 *               of the client signals. Empty slots are allowed.
 *   clients     PROC_CAP_TIME_EP of client n is the service endpoint minted
 *               with badge n + 1.
 *   requests    SERVER_ADD_CLIENT MR0 = client; SERVER_REMOVE_CLIENT cancels
 *               the client's timers. A client that was not added is refused.
 *               Adding signals all of the client's timers: those it armed
 *               before the server died are gone, it has to look anew.
 *
 * log
 *   CNode       >= 2^7 slots
 *   pages       log ring of client n (LOGRING_BYTES) at PROC_RING_BASE +
 *               n * PROC_RING_STRIDE; its own serial channel
 *               (MUX_CH_LOG's CHANNEL_BYTES) at PROC_DEVICE_BASE.
 *   caps        PROC_CAP_SERIAL_NTFN as any client of serial; serial's
 *               PROC_CAP_CLIENT_NTFN + MUX_CH_LOG is log's PROC_CAP_NTFN
 *               minted with LOG_NTFN_SERIAL.
 *   clients     PROC_CAP_LOG_NTFN of every client is log's PROC_CAP_NTFN
 *               minted with LOG_NTFN_CLIENT (write right).
 *   numbers     client 0 .. LOG_CLIENTS-1, init's choice. Init is a client
 *               like the others: log_attach() with its own mapping.
 *   screen      struct screen_info in the procinfo. Unless it is SCREEN_NONE: the
 *               cells (VGA, 0xb8000) at PROC_SCREEN, the CRT controller's ports in
 *               PROC_CAP_DEVICE_PORTS; at LOG_SHELL_RING a channel of the debug
 *               shell's, bytes for its terminal (LOG_NTFN_CLIENT: they wait).
 *
 * debug
 *   CNode       >= 2^7 slots. It serves nobody and takes no requests.
 *   pages       its serial channel (MUX_CH_SHELL) at PROC_RING_BASE; a channel of
 *               which init is the client, as of the serial server's control
 *               channel, at PROC_RING_BASE + DEBUG_CONTROL_RING * PROC_RING_STRIDE:
 *               requests go into its input ring (selvage/control.h).
 *   caps        PROC_CAP_SERIAL_NTFN as any client of serial; PROC_CAP_CLIENT_NTFN:
 *               Signal, init looks at its rings. Both signal its PROC_CAP_NTFN with
 *               a badge of DEBUG_NTFN_...
 *   screen      struct screen_info. Unless it is SCREEN_NONE: the channel with log at
 *               PROC_RING_BASE + DEBUG_SCREEN_RING * PROC_RING_STRIDE; of the keyboard
 *               PROC_CAP_DEVICE_PORTS (0x60), PROC_CAP_COMMAND_PORTS (0x64) and
 *               PROC_CAP_DEVICE_IRQ, which signals DEBUG_NTFN_KEYBOARD.
 */
#pragma once

#include <selvage/control.h>
#include <selvage/procinfo.h>
#include <stdint.h>

/* Free in every address space for the process's own log ring. */
#define PROC_LOG_RING (PROC_DEVICE_BASE - PROC_RING_STRIDE)

#define SERVER_NTFN (1ull << 63)       /* set in every signal's badge */
#define SERVER_BADGE_INIT (1ull << 32) /* init's cap to a service endpoint */

enum server_status {
	SERVER_OK = 0,
	SERVER_BAD_ARGUMENT = 1, /* number out of range, already added, ... */
	SERVER_BAD_REQUEST = 2,  /* unknown label, or not allowed to the badge */
	SERVER_DIED = 3,         /* before it answered, or earlier: init's stand-in says
	                          * so. To clients of time the same is
	                          * TIME_UNAVAILABLE. */
};

/* Badges on serial's PROC_CAP_NTFN. */
#define SERIAL_NTFN_IRQ (SERVER_NTFN | 1u)
#define SERIAL_NTFN_TIMER (SERVER_NTFN | 2u)
#define SERIAL_NTFN_CLIENT (SERVER_NTFN | 4u)

/* Badge on time's PROC_CAP_NTFN. */
#define TIME_NTFN_IRQ (SERVER_NTFN | 1u)

/* Detail of time's procinfo, of a PC. */
struct time_info {
	uint64_t hpet; /* 1 + offset in the page; 0: none */
};

/* Badges on log's PROC_CAP_NTFN. */
#define LOG_NTFN_CLIENT (SERVER_NTFN | 1u)
#define LOG_NTFN_SERIAL (SERVER_NTFN | 2u)

/* Badges on debug's PROC_CAP_NTFN, and where the ring pair with init is. */
#define DEBUG_NTFN_SERIAL 1u
#define DEBUG_NTFN_INIT 2u
#define DEBUG_NTFN_KEYBOARD 4u
#define DEBUG_CONTROL_RING 1u
#define DEBUG_SCREEN_RING 2u

#define LOG_CLIENTS 80
#define LOG_SHELL_RING (PROC_RING_BASE + LOG_CLIENTS * PROC_RING_STRIDE)

/* Detail of the procinfo of log and debug. */
enum screen_kind {
	SCREEN_NONE = 0,    /* a board that has none */
	SCREEN_NO_TEXT = 1, /* it shows graphics, or is not there */
	SCREEN_TEXT = 2,    /* 80 by 25 cells */
};
struct screen_info {
	uint32_t kind;
};
/* The views of the screen, which the debug shell's CSI n z shows. */
#define SCREEN_VIEW_LOG 1u
#define SCREEN_VIEW_SHELL 2u
#define PROC_SCREEN (PROC_DEVICE_BASE + 0x100000ull)

static inline enum screen_kind screen_info_get(void)
{
	const struct screen_info *screen = (const void *)procinfo_get()->detail;

	return (enum screen_kind)screen->kind;
}
