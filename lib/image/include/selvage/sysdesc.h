/*
 * The compiled system description: what `selvage build` makes of the YAML
 * file and what init reads on the target. Flat, little-endian, no pointers.
 *
 * The reader is on the far side of a trust boundary: nothing of it is used
 * before sysdesc_check() has accepted it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYSDESC_MAGIC 0x44535653u /* "SVSD" */
#define SYSDESC_VERSION 15u
#define SYSDESC_MAX_VMS 64
#define SYSDESC_NAME 32    /* bytes, NUL included: [a-z0-9][a-z0-9_-]* */
#define SYSDESC_VM_NAME 28 /* the same of a VM: "vmm:" and its name are a process's (PROC_NAME) */
#define SYSDESC_CMDLINE 1024
#define SYSDESC_MAX_REGIONS 32
#define SYSDESC_MAX_PIECES 16
#define SYSDESC_VECTORS 16 /* words */
#define SYSDESC_MAX_DISKS 4
#define SYSDESC_MAX_PASSTHROUGH 4
#define SYSDESC_MAX_CONNECTIONS 64
#define SYSDESC_VM_CONNECTIONS 8 /* of one VM as the driver */
#define SYSDESC_VM_SERVED 7      /* that one VM serves */
#define SYSDESC_SECTOR 512u
#define SYSDESC_PAGE 4096u
#define SYSDESC_LARGE_PAGE 0x200000ull
#define SYSDESC_OWN_MEMORY 0xffffffffffffffffull
#define SYSDESC_AT 1ull
#define SYSDESC_MAX_VCPUS 8
#define SYSDESC_A9_VCPUS 4 /* of board vexpress-a9 */
#define SYSDESC_NO_PAYLOAD 0xffffffffu
/* In place of a payload: the machine's disk. */
#define SYSDESC_MACHINES_DISK 0xfffffffeu
#define SYSDESC_MAX_PARTITION 128u

enum sysdesc_board { SYSDESC_BOARD_VIRT = 0,
		     SYSDESC_BOARD_VEXPRESS_A9 = 1,
		     SYSDESC_BOARD_PC = 2 /* x86-64; on a PC only */ };
enum sysdesc_smc { SYSDESC_SMC_FORBID = 0,
		   SYSDESC_SMC_COUNT_ONLY = 1 };
enum sysdesc_restart {
	SYSDESC_RESTART_NEVER = 0,
	SYSDESC_RESTART_ON_FAILURE = 1,
	SYSDESC_RESTART_ALWAYS = 2,
};
/* How the operator has it stopped. */
enum sysdesc_stop { SYSDESC_STOP_KILL = 0,
		    SYSDESC_STOP_AGENT = 1 /* a guest agent is asked; with a virtio console */ };
enum sysdesc_debug { SYSDESC_DEBUG_NONE = 0,
		     SYSDESC_DEBUG_OBSERVE = 1,
		     SYSDESC_DEBUG_CONTROL = 2 };
enum sysdesc_device { SYSDESC_DEV_PL011 = 1u << 0,
		      SYSDESC_DEV_RTC = 1u << 1,
		      SYSDESC_DEV_KICK = 1u << 2,
		      SYSDESC_DEV_VIRTIO_RNG = 1u << 3,
		      SYSDESC_DEV_VIRTIO_CONSOLE = 1u << 4,
		      SYSDESC_DEV_VIRTIO_BALLOON = 1u << 5,
		      SYSDESC_DEV_WATCHDOG = 1u << 6 }; /* board virt; up to 7 vCPUs */
#define SYSDESC_VIRTIO_DEVICES                                                     \
	((uint32_t)SYSDESC_DEV_VIRTIO_RNG | (uint32_t)SYSDESC_DEV_VIRTIO_CONSOLE | \
	 (uint32_t)SYSDESC_DEV_VIRTIO_BALLOON)
/* That a board `pc` may have. */
#define SYSDESC_PC_DEVICES ((uint32_t)SYSDESC_DEV_KICK | SYSDESC_VIRTIO_DEVICES)
enum sysdesc_disk_mode { SYSDESC_DISK_READ_ONLY = 0,
			 SYSDESC_DISK_COPY_ON_WRITE = 1,
			 SYSDESC_DISK_READ_WRITE = 2 /* of the machine's disk */ };
/* Devices of the machine that native servers drive; and what it is. */
enum sysdesc_machine { SYSDESC_MACHINE_NIC = 1u << 0,
		       SYSDESC_MACHINE_DISK = 1u << 1,
		       SYSDESC_MACHINE_PC = 1u << 2 /* x86-64: no GIC; VMs of board pc */,
		       SYSDESC_MACHINE_E1000 = 1u << 3 /* the NIC is none of virtio's; of a PC */,
		       /* A system runs on it already: a description of one VM that is to come. */
		       SYSDESC_MACHINE_RUNS = 1u << 4 };
/* Which of the machine's virtio-mmio transports have them. Each is the first one of a page:
 * its server has that page, and no other device. */
#define SYSDESC_NIC_SLOT 24u
#define SYSDESC_DISK_SLOT 16u
/* What a connection is served as: virtio's ids (1.2, 5). */
enum sysdesc_connected { SYSDESC_CONNECT_NET = 1,
			 SYSDESC_CONNECT_BLOCK = 2,
			 SYSDESC_CONNECT_CONSOLE = 3,
			 SYSDESC_CONNECT_VSOCK = 19 };
/* Native servers, where the number of a VM could be. */
#define SYSDESC_SERVER_BLOCK 0xffffff00u
#define SYSDESC_SERVER_NET 0xffffff01u
/* With SYSDESC_MACHINE_RUNS: a VM that is there, by its name. */
#define SYSDESC_SERVER_NAMED 0xffffff02u
/* At most, so that the NIC is one more; its bit of `allow`. */
#define SYSDESC_MAX_NET 63
#define SYSDESC_UPLINK 63
/* Connections of sockets, one for each VM; the first one has this address, and so on. */
#define SYSDESC_MAX_SOCKETS 16
#define SYSDESC_FIRST_CID 3
enum sysdesc_connection_flag { SYSDESC_CONNECT_BRIDGE = 1u << 0 };
/* What the server reaches of the driver VM's memory. */
enum sysdesc_sharing { SYSDESC_SHARE_POOL = 0,
		       SYSDESC_SHARE_ALL = 1 };
/* How the kernel's file becomes the guest's first program. */
enum sysdesc_boot {
	SYSDESC_BOOT_IMAGE = 0,  /* an arm64 Image, which the monitor places */
	SYSDESC_BOOT_ZIMAGE = 1, /* a 32-bit zImage, the same */
	SYSDESC_BOOT_PIECES = 2, /* pieces with addresses of their own */
	/* Of board pc: */
	SYSDESC_BOOT_BZIMAGE = 3,   /* Linux, by its 64-bit entry */
	SYSDESC_BOOT_PVH = 4,       /* an ELF file with a note */
	SYSDESC_BOOT_MULTIBOOT = 5, /* Multiboot 0.6.96 */
	SYSDESC_BOOT_FLAT = 6,      /* bytes for one address, in protected mode */
};
/* Clocks of board pc that the guest has. */
enum sysdesc_timer { SYSDESC_TIMER_PIT = 1u << 0,
		     SYSDESC_TIMER_HPET = 1u << 1,
		     SYSDESC_TIMER_LAPIC = 1u << 2, /* with it, local and I/O APIC */
		     SYSDESC_TIMER_TSC = 1u << 3,   /* invariant; with LAPIC, its deadlines */
		     SYSDESC_TIMERS = (1u << 4) - 1 };
enum sysdesc_vm_flag {
	SYSDESC_VM_AUTOSTART = 1u << 0,
	SYSDESC_VM_PCI = 1u << 1,   /* virtio devices are on a PCI bus */
	SYSDESC_VM_ITS = 1u << 2,   /* messages of PCI go to an ITS; else to a GICv2m frame */
	SYSDESC_VM_FIXED = 1u << 3, /* with PCI: virtio devices are in the board's slots too */
};
/* What the machine does when the last VM has powered off. */
enum sysdesc_idle { SYSDESC_IDLE_STAY = 0,
		    SYSDESC_IDLE_POWEROFF = 1 };

struct sysdesc_region {
	uint64_t gpa;  /* SYSDESC_PAGE */
	uint64_t size; /* bytes; not 0; SYSDESC_PAGE */
	/* SYSDESC_OWN_MEMORY; or SYSDESC_AT and where that is in the machine's RAM, then this,
	 * gpa and size are multiples of SYSDESC_LARGE_PAGE; or the address in a region before
	 * this one that has memory of its own: the same memory */
	uint64_t from;
};

/* Bytes of the kernel's file and the memory that they fill the start of. */
struct sysdesc_piece {
	uint64_t offset, bytes;
	uint64_t gpa, size; /* within one region; size is not below bytes */
};

/* A virtio-blk device. */
struct sysdesc_disk {
	uint32_t image; /* payload index: whole sectors */
	uint32_t mode;  /* enum sysdesc_disk_mode */
};

/* A virtio device of one VM that is served by a native server or another VM. */
struct sysdesc_connection {
	uint32_t driver;  /* VM */
	uint32_t device;  /* enum sysdesc_connected */
	uint32_t server;  /* VM, or SYSDESC_SERVER_... */
	uint32_t sharing; /* enum sysdesc_sharing */
	uint32_t pool;    /* which of the driver's regions; 0 if all are shared */
	/* Of a native block server's disk: payload index, whole sectors; or SYSDESC_MACHINES_DISK,
	 * and which partition of it (0: all of it). */
	uint32_t image;
	uint32_t partition;
	uint32_t pad;   /* 0 */
	uint32_t mode;  /* enum sysdesc_disk_mode */
	uint32_t flags; /* enum sysdesc_connection_flag */
	/* Of the network: which connections to `net` of the same device it may talk to, by their
	 * bits in the order of the list, and SYSDESC_UPLINK. */
	uint64_t allow;
	char server_name[SYSDESC_NAME]; /* of SYSDESC_SERVER_NAMED; else empty */
};

/* A device of the machine's that a VM has, at the same address and interrupt. */
struct sysdesc_passthrough {
	uint64_t paddr;
	uint32_t irq;
	uint32_t trusted_dma; /* 0 or 1: it may write to any memory; then what the VM
	                       * has is at the machine's own addresses */
};

struct sysdesc_vm {
	char name[SYSDESC_NAME];
	uint32_t board;     /* enum sysdesc_board */
	uint32_t flags;     /* enum sysdesc_vm_flag */
	uint32_t vcpus;     /* 1..SYSDESC_MAX_VCPUS */
	uint32_t priority;  /* 1..SYSDESC_VM_PRIORITY_MAX */
	uint64_t budget_us; /* 20..; not above the period */
	uint64_t period_us;
	uint32_t smc_policy; /* enum sysdesc_smc */
	uint32_t restart;    /* enum sysdesc_restart */
	uint32_t devices;    /* bits of enum sysdesc_device */
	uint32_t gic;        /* 2 or 3; not above the machine's; 0 of board pc */
	uint32_t n_regions;  /* 1..SYSDESC_MAX_REGIONS; [0] takes the images */
	struct sysdesc_region region[SYSDESC_MAX_REGIONS];
	uint32_t debug;            /* enum sysdesc_debug: what a debugger may do */
	uint32_t restart_limit;    /* 1..SYSDESC_RESTART_LIMIT_MAX, in a row */
	uint64_t restart_delay_us; /* SYSDESC_DELAY_MIN_US..; doubles each time in a row */
	uint32_t n_disks;          /* 0..SYSDESC_MAX_DISKS */
	uint32_t n_connections;    /* that it is the driver of */
	uint32_t n_served;         /* connections that it serves to others */
	uint32_t stop;             /* enum sysdesc_stop */
	uint64_t stop_us;          /* of an agent: the guest has so long to power off */
	struct sysdesc_disk disk[SYSDESC_MAX_DISKS];
	struct sysdesc_passthrough passthrough[SYSDESC_MAX_PASSTHROUGH];
	uint32_t n_passthrough; /* 0..SYSDESC_MAX_PASSTHROUGH */
	uint32_t timers;        /* enum sysdesc_timer; of board pc, else 0 */
	uint32_t kernel;        /* payload index; never SYSDESC_NO_PAYLOAD */
	uint32_t initrd;        /* payload index or SYSDESC_NO_PAYLOAD */
	uint32_t width;         /* of the registers at the start: 32 or 64 */
	uint32_t boot;          /* enum sysdesc_boot */
	/* Of pieces; bit 0 (32 bits wide): Thumb. Of a flat image: where it starts. */
	uint64_t entry;
	uint64_t load;      /* of a flat image */
	uint64_t balloon;   /* bytes that the guest is to give back; SYSDESC_PAGE */
	uint32_t n_pieces;  /* 1..SYSDESC_MAX_PIECES; 0 without pieces */
	uint32_t n_vectors; /* words to write at address 0 */
	struct sysdesc_piece piece[SYSDESC_MAX_PIECES];
	uint32_t vector[SYSDESC_VECTORS];
	char cmdline[SYSDESC_CMDLINE]; /* NUL-terminated */
};

#define SYSDESC_RESTART_LIMIT_MAX 1000
/* The watchdog's timer is behind those of so many vCPUs. */
#define SYSDESC_WATCHDOG_VCPUS 7u
#define SYSDESC_STOP_US 30000000u
#define SYSDESC_DELAY_MIN_US 1000u
#define SYSDESC_DELAY_MAX_US 3600000000u
/* What they are unless the description says so. */
#define SYSDESC_RESTART_LIMIT 5
#define SYSDESC_RESTART_DELAY_US 100000u

/* VM priorities stay below the services'. */
#define SYSDESC_VM_PRIORITY_MAX 100

struct sysdesc {
	uint32_t magic;
	uint32_t version;
	uint32_t size;  /* bytes of the whole description */
	uint32_t crc32; /* of all bytes after this field */
	char name[SYSDESC_NAME];
	uint32_t gic_version;   /* 2 or 3; 0 with SYSDESC_MACHINE_PC */
	uint32_t on_idle;       /* enum sysdesc_idle */
	uint32_t log_level;     /* 0 error .. 3 debug */
	uint32_t n_vms;         /* 0..SYSDESC_MAX_VMS */
	uint32_t n_connections; /* 0..SYSDESC_MAX_CONNECTIONS; behind the VMs */
	uint32_t machine;       /* enum sysdesc_machine */
	struct sysdesc_vm vm[]; /* n_vms of them */
};
_Static_assert(offsetof(struct sysdesc, vm) % 8 == 0, "vm alignment");
_Static_assert(sizeof(struct sysdesc_vm) % 8 == 0, "vm size");

/* The first of n_connections. */
static inline const struct sysdesc_connection *sysdesc_connections(const struct sysdesc *d)
{
	return (const struct sysdesc_connection *)&d->vm[d->n_vms];
}
static inline size_t sysdesc_bytes(uint32_t n_vms, uint32_t n_connections)
{
	return sizeof(struct sysdesc) + n_vms * sizeof(struct sysdesc_vm) +
	       n_connections * sizeof(struct sysdesc_connection);
}
/* Of all connections, the index of the VM's n-th as a driver. n is below its
 * n_connections. */
uint32_t sysdesc_connection_of(const struct sysdesc *d, uint32_t vm, uint32_t n);
/* Whether the native server (SYSDESC_SERVER_...) has anything to serve or to drive. */
bool sysdesc_has_server(const struct sysdesc *d, uint32_t server);
/* Bytes of its driver's memory that the connection's server sees, from the start of a
 * large page on. */
uint64_t sysdesc_shared_bytes(const struct sysdesc *d, const struct sysdesc_connection *c);
uint64_t sysdesc_vm_shared_bytes(const struct sysdesc_vm *vm, const struct sysdesc_connection *c);
/* Of a VM's memory, what may be shared as a whole. */
#define SYSDESC_SHARE_BYTES 0x100000000ull

/* The board's name and, for what no memory may cover, its ranges of devices;
 * unknown boards have neither. */
struct sysdesc_range {
	uint64_t base, size;
};
const char *sysdesc_board_name(uint32_t board);
const struct sysdesc_range *sysdesc_board_devices(uint32_t board, unsigned *n);

/* Where board `virt` has PCI, of VMs that have it: no memory there. */
#define SYSDESC_VIRT_PCI 0x10000000ull
#define SYSDESC_VIRT_PCI_END 0x40000000ull
/* Of that, where a VM finds what is shared with it by those that it serves. */
#define SYSDESC_SERVE_BASE 0x11000000ull
#define SYSDESC_SERVE_MEMORY 0x11200000ull
#define SYSDESC_SERVE_END 0x3eff0000ull

/* What a machine has that a VM can have wholly, NULL: nothing, or the system needs it. */
struct sysdesc_machine_device {
	const char *name;
	uint64_t base;   /* of the first */
	uint32_t stride; /* bytes between several of them */
	uint32_t count;
	uint32_t irq; /* of the first */
	bool dma;     /* it reads and writes memory by itself */
};
const struct sysdesc_machine_device *sysdesc_machine_device(uint64_t paddr);
/* The interrupt of the one that is at `paddr`. */
uint32_t sysdesc_machine_irq(uint64_t paddr);
/* Where a machine that has one (SYSDESC_MACHINE_NIC, _DISK) has it. */
uint64_t sysdesc_nic(void);
uint64_t sysdesc_disk(void);
/* Whether a device's page has one that a server of the system's own drives. */
bool sysdesc_is_driven_page(const struct sysdesc *d, uint64_t paddr);
/* Whether the page of a device has an emulated one of the VM's as well. */
bool sysdesc_is_emulated(const struct sysdesc_vm *vm, uint64_t paddr);

/* Names that console and log lines of the system itself carry, and words of `forbid` and
 * `allow`: no VM's. */
bool sysdesc_name_reserved(const char *name);
/* Whether it has a device of virtio's. */
bool sysdesc_has_virtio(const struct sysdesc_vm *vm);

/* The region that holds all of [gpa, gpa + size), or NULL. */
/* Whether it is no other region's memory. */
static inline bool sysdesc_owns(const struct sysdesc_region *r)
{
	return (r->from & SYSDESC_AT) != 0;
}

/* Where in the machine's RAM it is to be; 0: anywhere. */
static inline uint64_t sysdesc_place(const struct sysdesc_region *r)
{
	return sysdesc_owns(r) && r->from != SYSDESC_OWN_MEMORY ? r->from - SYSDESC_AT : 0;
}

const struct sysdesc_region *sysdesc_region_of(const struct sysdesc_vm *vm, uint64_t gpa,
					       uint64_t size);

/*
 * Whether the `size` bytes at `desc` are a description that may be used:
 * magic, version, size, checksum, every count, string, range and flag in
 * bounds, regions that do not overlap, payload indexes below `n_payloads`,
 * connections between what there is, distinct VM names. Returns NULL if so, else
 * a static text of what is wrong.
 */
const char *sysdesc_check(const void *desc, size_t size, uint32_t n_payloads);

/* Of the same checks, those of what can be changed while the VM is there: schedule and
 * restart. */
const char *sysdesc_check_policy(const struct sysdesc_vm *vm);

/* The checksum that belongs in sysdesc.crc32. */
uint32_t sysdesc_checksum(const struct sysdesc *desc);
