/*
 * One virtual machine: everything that this process manages.
 *
 * Threads: one handler per vCPU (exits.c) and the event thread (main.c).
 * `lock` guards all of struct vm but what a vCPU's handler alone uses
 * (struct vm_vcpu: cpu). Handlers take it for each exit and let it go while
 * their vCPU waits.
 */
#pragma once

#include "a9.h"
#include "board/board.h"
#include "bus.h"
#include "console.h"
#include "gdb/debug.h"
#include "gmem.h"
#include "psci.h"
#include "report.h"
#include "sysreg.h"

#include <dev/gicc.h>
#include <dev/pl011.h>
#include <dev/pl031.h>
#include <dev/vgic.h>
#include <selvage/mutex.h>
#include <selvage/vcpu_sel4.h>
#include <selvage/vmm_info.h>
#include <stdbool.h>
#include <stdint.h>

struct vm;

/* The guest's virtual timer, as far as the VMM has to know. */
struct vtimer {
	uint64_t armed; /* deadline that the time server has, 0: none */
	bool refused;   /* the time server has refused, and it was said */
};

/* The guest's physical timer: registers only, see arch/aarch64/vtimer.c. */
struct ptimer {
	uint64_t cval;
	uint32_t ctl;
};

/* On a kernel without extensions (vtime.c). */
struct vtime {
	uint64_t exit_at; /* when the guest stopped running */
	uint64_t entry;   /* where it starts after the probe */
	bool probing;
};

struct vm_vcpu {
	struct vcpu_sel4 cpu;
	struct vm *vm;
	unsigned index;
	cap_t wake;              /* notification: ends a wait */
	bool started;            /* its thread has run */
	bool parked;             /* switched off by PSCI; its handler waits */
	bool waiting;            /* its handler waits for `wake` */
	unsigned wfi_spins;      /* WFIs in a row that did not wait */
	uint64_t entry, context; /* of the CPU_ON that ends parking */
	struct vtimer vtimer;
	struct vtime vtime;
	struct ptimer ptimer;
	struct gicc gicc; /* if vm.gicc_emulated */
	struct debug_vcpu debug;
};

/* What the guest did that is worth a line, but not one each time. */
enum vm_event {
	VM_EVENT_SMC,       /* SMC, which the policy forbids or ignores */
	VM_EVENT_HVC,       /* hypercall of a number that nobody knows */
	VM_EVENT_SYSREG,    /* register that the vCPU does not have */
	VM_EVENT_UNDEFINED, /* trapped instruction of another kind */
	VM_EVENT_MMIO,      /* device register used in a wrong way */
	VM_EVENT_TIMER,     /* device timer refused by the time server */
	VM_EVENTS
};

struct vm {
	const struct vmm_info *info;
	const struct board *board;
	struct mutex lock;
	uint64_t features;       /* enum abi_ext_feature bits of this kernel */
	uint64_t virtual_offset; /* CNTVOFF of all vCPUs */
	bool time_stands;        /* the kernel adds to it while one does not run */
	/* Whose handler has the lock; NULL: the event thread. */
	struct vm_vcpu *handler;
	unsigned kick_vcpu; /* whose interrupt the kick device's is */
	unsigned holds;     /* vCPUs that the vGIC keeps from executing */
	struct gmem mem;
	struct bus bus;
	struct psci psci;
	struct vgic gic;
	bool gicc_emulated; /* the CPU interface is dev/gicc.h */
	struct console console;
	struct pl011 uart;
	struct pl031 rtc;
	struct a9_devices a9; /* of board vexpress-a9 */
	struct sysreg_config sysreg;
	uint64_t id_known;       /* bit per entry of id[] */
	uint64_t id[SYSREG_IDS]; /* filtered, as the guest reads them */
	uint64_t events[VM_EVENTS];
	uint64_t exits[VCPU_EXIT_UNKNOWN + 1];
	struct report_ring faults; /* that the guest itself got */
	uint64_t load, entry;      /* where the image is and begins */
	uint64_t started_at;       /* ticks */
	struct vm_debug debug;
	struct vm_vcpu vcpu[SYSDESC_MAX_VCPUS];
};

/* MPIDR_EL1 of a vCPU: bit 31 is RES1, affinity 0.0.0.index. */
#define VM_MPIDR(index) (1ull << 31 | (index))

/* Sets up the VM's state and devices. NULL, or why it cannot be. */
const char *vm_init(struct vm *vm, const struct vmm_info *info);
/* Loads the images and sets vCPU 0 up to enter them. NULL, or why not. */
const char *vm_load(struct vm *vm);
/* A vCPU's registers as PSCI and the boot protocol want them at entry. */
void vm_vcpu_reset(struct vm_vcpu *vc, uint64_t entry, uint64_t context);
/* Starts a vCPU's thread for the first time. */
bool vm_vcpu_start(struct vm_vcpu *vc);
/* Under the lock: interrupts that devices or other vCPUs have raised go into
 * list registers, and vCPUs that wait are woken. self: the vCPU whose exit is
 * being handled, or NULL. */
void vm_deliver_irqs(struct vm *vm, struct vm_vcpu *self);
/* Under the lock: counts an event; true if it is worth a log line (the first
 * few, then powers of two). */
bool vm_count(struct vm *vm, enum vm_event event);
/* Takes the lock as vc's handler. */
static inline void vm_lock(struct vm *vm, struct vm_vcpu *vc)
{
	mutex_lock(&vm->lock);
	vm->handler = vc;
}
/* The counter, less the time for which a debugger had the VM stand: what the
 * clocks of its devices go by. */
uint64_t vm_now(const struct vm *vm);
/* Waits for vc->wake with the lock let go; returns the badges that came. */
uint64_t vm_vcpu_wait(struct vm_vcpu *vc);
/* Lets others run, with the lock let go: vc spins on something. */
void vm_vcpu_yield(struct vm_vcpu *vc);

/* arch/aarch64/vgic_glue.c: the model's environment. NULL, or what lacks. */
const char *vm_gic_init(struct vm *vm);
