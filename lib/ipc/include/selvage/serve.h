/*
 * What init sets up for a server of devices (block, net), beyond what servers.h
 * says of every server, and for the monitors whose VMs have them. A connection
 * has the same number everywhere: its place in the description, or a number behind
 * those if it came at run time.
 *
 *   CNode     >= 2^8 slots
 *   pages     of connection n, once it was added as client n: its control page
 *             (selvage/link.h) at SERVE_PAGE(n), what is shared of its driver VM's
 *             memory at SERVE_MEMORY(n). Since the connection is there: a disk's image, read-only,
 *             at SERVE_DISK(n), and room for what is written to it, if it can be,
 *             at SERVE_ROOM(n). The room outlives the server's program, as all
 *             that is not its own data does, and the VM's life.
 *   caps      SERVE_CAP_INTERRUPT(n), SERVE_CAP_EVENT(n): Signal
 *   badges    SERVE_NTFN(n): somebody has kicked in a connection with this badge
 *   procinfo  struct serve_info; init adds and takes away connections that are no clients
 *   device    of the machine's, if the description gives the server one: its registers
 *             and memory for it as below, PROC_CAP_DEVICE_IRQ signals
 *             SERVER_NTFN | SERVE_BIT_IRQ, PROC_CAP_TIME_EP's timer 0
 *             SERVER_NTFN | SERVE_BIT_TIMER (the network server always has a timer)
 */
#pragma once

#include <selvage/link.h>
#include <selvage/servers.h>
#include <selvage/sysdesc.h>
#include <selvage/vpci.h>

#define SERVE_MEMORY_STRIDE 0x200000000ull
/* A disk and its room have 1 GiB of addresses: no other connection's page tables. */
#define SERVE_DISK_BYTES 0x20000000ull
#define SERVE_DISK_STRIDE (2 * SERVE_DISK_BYTES)
#define SERVE_PAGE(n) (PROC_RING_BASE + (uint64_t)(n)*PROC_RING_STRIDE)
#define SERVE_MEMORY(n) (PROC_GUEST_BASE + (uint64_t)(n)*SERVE_MEMORY_STRIDE)
#define SERVE_DISK(n) (PROC_PAYLOAD_BASE + (uint64_t)(n)*SERVE_DISK_STRIDE)
#define SERVE_ROOM(n) (SERVE_DISK(n) + SERVE_DISK_BYTES)
_Static_assert(SERVE_DISK(SYSDESC_MAX_CONNECTIONS) <= PROC_GUEST_BASE, "they do not meet");

#define SERVE_CAP_INTERRUPT(n) (PROC_CAP_CLIENT_NTFN + 2u * (unsigned)(n))
#define SERVE_CAP_EVENT(n) (SERVE_CAP_INTERRUPT(n) + 1u)

/* Connections share badges if there are more of them than these. */
#define SERVE_BADGES 32u
#define SERVE_BIT(n) (1ull << (n) % SERVE_BADGES)
#define SERVE_NTFN(n) (SERVER_NTFN | SERVE_BIT(n))

/* A server that drives a device of the machine's: beside the connections. */
#define SERVE_BIT_IRQ (1ull << 32)
#define SERVE_BIT_TIMER (1ull << 33)
/* What there is of the device's registers is at PROC_DEVICE_BASE, a run of pages for each
 * window; what it reaches of our memory is here. */
#define SERVE_WINDOWS 4u
#define SERVE_WINDOW_BYTES 0x40000u
#define SERVE_DMA (PROC_DEVICE_BASE + 0x200000ull)

enum serve_device_kind { SERVE_VIRTIO_MMIO = 0,
			 SERVE_VIRTIO_PCI = 1,
			 SERVE_E1000 = 2 /* the network's; of BAR 0 what a driver needs */ };
struct serve_device {
	uint32_t kind;
	uint32_t offset;       /* of the registers of virtio over MMIO */
	struct vpci_place pci; /* of virtio over PCI: offsets from PROC_DEVICE_BASE */
};

/* Of all connections' memory. What is beyond them cannot be served. */
#define SERVE_PIECES 128u

struct serve_info {
	uint32_t n_connections; /* there are none from this number on */
	uint32_t network;       /* a number of the system's, for addresses */
	uint64_t dma_at;        /* address of SERVE_DMA for the device, 2 MiB; 0: no device */
	struct serve_device device;
	struct serve_connection {
		uint32_t device; /* enum sysdesc_connected; 0: another server's */
		uint8_t writable;
		uint8_t place;                 /* among those of its kind that the server has */
		uint8_t first_piece, n_pieces; /* of what there is at SERVE_MEMORY */
		uint64_t disk_bytes;           /* in memory */
		uint32_t on_disk;              /* it is the machine's disk, or a partition of it */
		uint32_t partition;
		uint64_t allow; /* struct sysdesc_connection */
		uint64_t flags;
	} connection[SYSDESC_MAX_CONNECTIONS];
	struct link_piece piece[SERVE_PIECES];
};

static inline const struct serve_info *serve_info_get(void)
{
	return (const struct serve_info *)procinfo_get()->detail;
}

/* What is mapped of the device. */
static inline struct vmmio_regs serve_registers(void)
{
	const uint64_t at = PROC_DEVICE_BASE + serve_info_get()->device.offset;

	return vmmio_frame((volatile void *)(uintptr_t)at);
}

/* The registers of a virtio device, wherever it is. Valid as long as `t`. */
static inline struct vmmio_regs serve_virtio(struct vpci *t)
{
	const struct serve_device *d = &serve_info_get()->device;
	const struct vmmio_regs mapped = serve_registers();

	return d->kind == SERVE_VIRTIO_PCI ? vpci_regs(t, &mapped, &d->pci) : mapped;
}
