/*
 * What a VM did so far: one page that its monitor writes and init reads. Every
 * word is the monitor's alone and read once; whoever reads believes nothing of
 * it. All of it begins at zero with each start of the VM.
 */
#pragma once

#include <stdint.h>

/* By enum vcpu_exit_reason. */
#define VMM_STATS_REASONS 22
#define VMM_STATS_REASON_NAMES                                                       \
	{                                                                            \
		"mmio", "mmio-opaque", "fetch", "hypercall", "secure-call",          \
			"sysreg", "wfi", "wfe", "undefined", "maintenance", "timer", \
			"debug", "unknown", "port", "msr", "cpuid", "control",       \
			"irq-window", "task-switch", "shutdown", "bad-state",        \
			"instruction"                                                \
	}
#define VMM_STATS_REGIONS 32
/* What outlives a VM's start, as a battery keeps it: a PC's CMOS memory. */
#define VMM_KEPT_BYTES 120
#define VMM_STATS_REGION_NAME 16

struct vmm_stats {
	uint64_t exits[VMM_STATS_REASONS];
	/* From the exit to the answer, a wait for an interrupt included; since
	 * somebody wanted to know (VMM_WATCH_TIME). */
	uint64_t exit_ticks[VMM_STATS_REASONS];
	uint64_t interrupts; /* put into list registers by the monitor; the kernel
	                      * delivers direct ones without it */
	uint64_t faults;     /* exceptions that it injected for what the guest did */
	uint64_t misuses;    /* of devices, registers and calls: what is logged */
	uint64_t virtio_requests, virtio_bytes;
	uint64_t virtio_breaks; /* devices that came to need a reset */
	/* Of connections: frames both ways, with their headers, as the server counts. */
	uint64_t net_packets, net_bytes;
	/* The devices of its memory map; RAM is in the description. */
	uint32_t n_regions;
	/* The guest does not start before this connection is served: its number and 1. */
	uint32_t waits;
	struct vmm_stats_region {
		char name[VMM_STATS_REGION_NAME]; /* perhaps without a NUL */
		uint64_t base, size;
	} region[VMM_STATS_REGIONS];
	uint8_t kept[VMM_KEPT_BYTES];
};

/* Behind them on the page: what the monitor did while somebody traced (VMM_WATCH_TRACE), the
 * last of it. */
enum vmm_traced {
	VMM_TRACED_INTERRUPT = 1, /* into a list register; detail: its number << 8 | vCPU */
	/* Of a virtio device; detail: slot << 8 | queue. What kernel and server do without the
	 * monitor (doorbells, direct interrupts) is not here. */
	VMM_TRACED_KICK = 2,
	VMM_TRACED_DONE = 3,
	VMM_TRACED_RESET = 4,
};
#define VMM_TRACE_OFFSET 1648u
#define VMM_TRACE_EVENTS 152u
struct vmm_trace {
	uint64_t written; /* so far; event n is at n % VMM_TRACE_EVENTS */
	struct vmm_trace_event {
		uint64_t time; /* of the counter */
		uint32_t what, detail;
	} event[VMM_TRACE_EVENTS];
};
_Static_assert(sizeof(struct vmm_stats) <= VMM_TRACE_OFFSET &&
		       VMM_TRACE_OFFSET + sizeof(struct vmm_trace) <= 4096,
	       "a page");
