/*
 * What init tells a process at its start: one read-only page, address in x0
 * of the main thread. Filled by servers/init, read by lib/rt and the process.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PROCINFO_MAGIC 0x49505653u /* "SVPI" */
#define PROCINFO_VERSION 1u

/* Where things are in the address space of every process. */
#define PROC_IMAGE_BASE 0x0000400000ull /* process.ld */
#define PROC_INFO_VADDR 0x0010000000ull
#define PROC_STATS_VADDR 0x0010001000ull /* a VMM's: selvage/vmm_stats.h */
#define PROC_STACK_TOP 0x0011000000ull   /* of the main thread; guard below */
#define PROC_IPCBUF_BASE 0x0012000000ull /* thread i: + i * 4096 */
#define PROC_HEAP_BASE 0x0014000000ull
#define PROC_RING_BASE 0x0020000000ull /* shared rings, 64 KiB apart */
#define PROC_RING_STRIDE 0x10000ull
#define PROC_DEVICE_BASE 0x0030000000ull  /* device frames, 1 MiB apart */
#define PROC_DISK_BASE 0x0800000000ull    /* a VMM's disks: what is written */
#define PROC_PAYLOAD_BASE 0x1000000000ull /* a VMM's images, read-only */
#define PROC_GUEST_BASE 0x2000000000ull   /* guest RAM: vmm_info.h says where */

/* Capability slots of every process (its CNode resolves 64 bits). */
enum proc_cap {
	PROC_CAP_NULL = 0,
	PROC_CAP_TCB = 1,
	PROC_CAP_CNODE = 2,
	PROC_CAP_VSPACE = 3,
	PROC_CAP_SC = 4,
	PROC_CAP_INIT_EP = 5,        /* Call: requests to init (ipc/control.h) */
	PROC_CAP_LOG_NTFN = 6,       /* Signal: my log ring has something */
	PROC_CAP_NTFN = 7,           /* Wait: my own notification */
	PROC_CAP_REPLY = 8,          /* reply object of the main thread */
	PROC_CAP_SERVICE_EP = 9,     /* Recv: my service endpoint, if I have one */
	PROC_CAP_TIME_EP = 10,       /* Call: time server */
	PROC_CAP_SERIAL_NTFN = 11,   /* Signal: my channel has bytes / room */
	PROC_CAP_DEVICE_IRQ = 16,    /* IRQ handler of the driver's device */
	PROC_CAP_DEVICE_PORTS = 17,  /* I/O ports of it, where it has such */
	PROC_CAP_COMMAND_PORTS = 18, /* more of them, which are not beside those */
	PROC_CAP_CLIENT_NTFN = 64,   /* serial, time, log: + client, see there */
};

enum proc_kind {
	PROC_SERIAL = 1,
	PROC_TIME = 2,
	PROC_LOG = 3,
	PROC_BLOCK = 4,
	PROC_NET = 5,
	PROC_DEBUG = 6,
	PROC_VMM = 8,
};

#define PROC_NAME 32

struct procinfo {
	uint32_t magic;
	uint32_t version;
	uint32_t size; /* bytes that are valid, sub-structure included */
	uint32_t kind; /* enum proc_kind */
	char name[PROC_NAME];
	uint64_t stack_bytes; /* of the main thread */
	uint64_t heap_bytes;  /* mapped and zero at PROC_HEAP_BASE; may be 0 */
	uint64_t log_ring;    /* vaddr of a struct logring, or 0 */
	uint64_t counter_hz;  /* CNTFRQ_EL0 */
	uint32_t log_level;
	uint32_t pad;
	/* kind-specific part: struct vmm_info, ... */
	uint64_t detail[];
};

static inline const struct procinfo *procinfo_get(void)
{
	return (const struct procinfo *)(uintptr_t)PROC_INFO_VADDR;
}
