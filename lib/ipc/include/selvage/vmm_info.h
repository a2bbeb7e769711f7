/* What init tells a VMM beyond struct procinfo, and which slots it fills. */
#pragma once

#include <selvage/backend.h>
#include <selvage/procinfo.h>
#include <selvage/sysdesc.h>
#include <selvage/vmm_stats.h>
#include <stdint.h>

/* Per-vCPU slots: VMM_CAP_VCPU(i) + enum vmm_vcpu_cap. */
#define VMM_CAP_VCPU(i) (32u + (unsigned)(i)*8u)
enum vmm_vcpu_cap {
	VMM_VCPU_TCB = 0,      /* the thread that runs the guest: VCPU set,
	                       * guest VSpace, fault endpoint (badge vCPU + 1),
	                       * priority; suspended, registers zero */
	VMM_VCPU_OBJ = 1,      /* its VCPU object */
	VMM_VCPU_SC = 2,       /* its scheduling context: configured, bound to
	                       * nothing. The VMM first binds it to the handler
	                       * thread until that waits in Recv (NBSendRecv
	                       * with a signal tells), then unbinds it and binds
	                       * it to the vCPU's TCB: from then on the handler
	                       * is passive and runs on what its caller donates */
	VMM_VCPU_FAULT_EP = 3, /* Recv: its exits */
	VMM_VCPU_REPLY = 4,    /* reply object for them */
	VMM_VCPU_WAKE = 5,     /* Wait/Signal: ends a blocked WFI. The time
	                       * server holds a copy, badge VMM_WAKE_TIMER */
	VMM_VCPU_HANDLER = 6,  /* TCB of the passive handler thread; init has
	                       * configured it (spaces, IPC buffer, fault
	                       * endpoint, the vCPU's own priority: a wake
	                       * does not preempt another vCPU of equal rank,
	                       * which may hold a lock of the guest); the VMM
	                       * starts it */
};
/* A handler's priority while other vCPUs of its VM must not execute: above
 * those of all VMs, below the event thread's. */
#define VMM_HOLD_PRIORITY 105u
/* Slots after 8 vCPUs: */
#define VMM_CAP_LOCK 96u /* notification: waiters of the VM lock */
/* With SYSDESC_DEV_KICK: */
#define VMM_CAP_DOORBELL 97u /* notification that nobody waits for */
#define VMM_CAP_KICK 98u     /* Signal: PROC_CAP_NTFN, badge VMM_NTFN_KICK */
#define VMM_CAP_KICK_IRQ 99u /* notification: the guest's interrupt */
/* With a right to debug: a thread of the VM's priority and of time of its own,
 * for the stub; and what it waits for: bytes of its channel (mapped behind the
 * console's), and its own process. */
#define VMM_CAP_DEBUG_TCB 100u
#define VMM_CAP_DEBUG_NTFN 101u

/* Of the VM's n-th connection: Signal, the server; the notification that is the
 * guest's interrupt, if the kernel has direct ones. */
#define VMM_CAP_LINK_KICK(n) (104u + 2u * (unsigned)(n))
#define VMM_CAP_LINK_IRQ(n) (VMM_CAP_LINK_KICK(n) + 1u)
/* Of the VMM's heap, for copies into the pool. */
#define VMM_LINK_HEAP 0x60000u
/* Its control page (selvage/link.h). */
#define VMM_LINK_PAGE(n) (PROC_RING_BASE + (16u + (unsigned)(n)) * PROC_RING_STRIDE)
/* Handler of the interrupt of the VM's i-th device of the machine; it signals
 * PROC_CAP_NTFN with VMM_NTFN_PASSTHROUGH(i). */
#define VMM_CAP_PASSTHROUGH(i) (120u + (i))
#define VMM_NTFN_PASSTHROUGH(i) (0x1000000u << (i))

/* Of the n-th connection that the VM serves: Signal, its two doorbells; and the
 * notification that is its guest's interrupt, when the other side kicks. */
#define VMM_CAP_SERVED_EVENT(n) (128u + 3u * (unsigned)(n))
#define VMM_CAP_SERVED_INTERRUPT(n) (VMM_CAP_SERVED_EVENT(n) + 1u)
#define VMM_CAP_SERVED_KICK(n) (VMM_CAP_SERVED_EVENT(n) + 2u)

/* The time server's timer of the devices, beside those of the vCPUs: a VM with
 * all of these has none. */
#define VMM_DEVICE_TIMER 7u

#define VMM_WAKE_SIGNAL 1u /* badge of the VMM's own wake capability */
#define VMM_WAKE_TIMER 2u
/* Badges on the VMM's PROC_CAP_NTFN: */
#define VMM_NTFN_SERIAL 1u /* console input, or room for output */
#define VMM_NTFN_KICK 4u   /* a guest's store to the kick device */
#define VMM_NTFN_DEBUG 8u  /* on VMM_CAP_DEBUG_NTFN: the channel */
#define VMM_NTFN_TIMER 8u  /* VMM_DEVICE_TIMER */
#define VMM_NTFN_LINK 16u  /* a server has something to say, or has ended */
#define VMM_NTFN_INIT 2u   /* init has changed `watch`, `stop` or the balloon's size */

/* What of memory a disk needs that is written to, in pages: its size, and a bit
 * for each page of it. */
static inline uint64_t vmm_disk_room_bytes(uint64_t bytes)
{
	uint64_t pages = (bytes + 4095) / 4096;

	return (pages + (pages + 8 * 4096 - 1) / (8 * 4096)) * 4096;
}

/* What somebody watches, which costs something in each exit. */
#define VMM_WATCH_TIME 1u  /* how long exits take */
#define VMM_WATCH_TRACE 2u /* what the monitor does (vmm_stats.h) */

struct vmm_info {
	uint32_t vm_index;
	uint32_t gic_version; /* of the guest: 2 or 3 */
	uint32_t host_gic;    /* of the machine */
	uint32_t n_vcpus;
	uint32_t console_ring; /* 1: channel at PROC_RING_BASE */
	uint64_t handler_stack_bytes;
	/* Top of handler thread i's stack. */
	uint64_t handler_stack_top[SYSDESC_MAX_VCPUS];
	uint64_t debug_stack_top; /* of the stub's thread */
	/* Images, mapped read-only; size 0: none. */
	uint64_t kernel_vaddr, kernel_bytes;
	uint64_t initrd_vaddr, initrd_bytes;
	/* Disks: the image the same way; room (dev/virtio/ramdisk.h), zeroed, for
	 * what is written, or 0. */
	struct {
		uint64_t vaddr, bytes, room;
	} disk[SYSDESC_MAX_DISKS];
	/* Devices that are served elsewhere, in order. */
	uint32_t n_links;
	uint32_t pad;
	struct vmm_link {
		uint32_t device;  /* enum sysdesc_connected */
		uint32_t sharing; /* enum sysdesc_sharing */
		uint32_t pool;    /* region */
		uint32_t number;  /* of the connection, for the log */
		uint32_t waits;   /* the guest starts when somebody serves it */
		uint32_t pad;
	} link[SYSDESC_VM_CONNECTIONS];
	/* Connections that the VM serves to others, in order. */
	uint32_t n_served;
	uint32_t pad2;
	struct vmm_served {
		char name[SELVAGE_NAME]; /* the driver VM's, and the device */
		uint32_t device;         /* enum sysdesc_connected */
		uint32_t number;         /* of the connection */
		uint64_t bytes;          /* of the driver's memory, that are shared */
	} served[SYSDESC_VM_SERVED];
	uint64_t boot_epoch_s; /* wall clock when init started, or 0 */
	uint64_t boot_counter; /* CNTPCT at that moment */
	/* Ticks for which the VM was paused: init changes it, while no thread of
	 * the VMM executes, and adds the same to CNTVOFF of all VCPUs. */
	uint64_t paused_ticks;
	/* Changed by init while the VM runs: `watch`, and whether the guest is to be asked to
	 * power off. */
	uint32_t watch;
	uint32_t stop;
	/* Randomness for the guest, of this start of this VM only. */
	uint32_t has_seed;
	uint32_t pad3;
	uint8_t seed[64];
	uint8_t rng_key[32];          /* of its entropy device */
	uint8_t kept[VMM_KEPT_BYTES]; /* what the VM left at its last end (vmm_stats.h) */
	struct sysdesc_vm vm;         /* the VM's part of the description */
};

/* Where the VMM sees a region of the guest's: in step with the guest's address
 * for large pages. Aliases are not mapped a second time. */
#define VMM_LARGE_PAGE 0x200000ull
static inline uint64_t vmm_region_vaddr(const struct sysdesc_vm *vm, uint32_t region)
{
	uint64_t at = PROC_GUEST_BASE;

	for (uint32_t i = 0; i < region; i++) {
		const struct sysdesc_region *r = &vm->region[i];

		if (sysdesc_owns(r))
			at += (r->gpa % VMM_LARGE_PAGE + r->size + VMM_LARGE_PAGE - 1) &
			      ~(VMM_LARGE_PAGE - 1);
	}
	return at + vm->region[region].gpa % VMM_LARGE_PAGE;
}

/* Whether a connection's server sees the region, and where in what it sees: all of
 * them as the VMM has them, or the pool alone. */
static inline bool vmm_shares(uint32_t sharing, uint32_t pool, const struct sysdesc_vm *vm,
			      uint32_t region)
{
	return sysdesc_owns(&vm->region[region]) &&
	       (sharing == SYSDESC_SHARE_ALL || region == pool);
}
static inline uint64_t vmm_shared_offset(uint32_t sharing, const struct sysdesc_vm *vm,
					 uint32_t region)
{
	return sharing == SYSDESC_SHARE_ALL ? vmm_region_vaddr(vm, region) - PROC_GUEST_BASE
					    : vm->region[region].gpa % VMM_LARGE_PAGE;
}

/*
 * Where a VM finds the areas of the n-th connection that it serves: registers, which
 * its monitor has, and control page and memory, which init maps.
 */
struct serve_place {
	struct {
		uint64_t gpa, bytes;
	} area[SELVAGE_AREAS];
};
static inline struct serve_place serve_place(const struct vmm_info *info, unsigned n)
{
	const uint64_t registers = SYSDESC_SERVE_BASE + n * 2ull * SYSDESC_PAGE;
	uint64_t at = SYSDESC_SERVE_MEMORY;

	for (unsigned i = 0; i < n; i++)
		at += (info->served[i].bytes + VMM_LARGE_PAGE - 1) & ~(VMM_LARGE_PAGE - 1);
	return (struct serve_place){ {
		[SELVAGE_REGS] = { registers, SYSDESC_PAGE },
		[SELVAGE_CONTROL] = { registers + SYSDESC_PAGE, SYSDESC_PAGE },
		[SELVAGE_MEMORY] = { at, info->served[n].bytes },
	} };
}

static inline const struct vmm_info *vmm_info_get(void)
{
	return (const struct vmm_info *)procinfo_get()->detail;
}
