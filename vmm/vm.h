/*
 * One virtual machine: everything that this process manages.
 *
 * Threads: one handler per vCPU (exits.c) and the event thread (main.c).
 * `lock` guards all of struct vm but what a vCPU's handler alone uses
 * (struct vm_vcpu: cpu). Handlers take it for each exit and let it go while
 * their vCPU waits.
 */
#pragma once

#include "board/board.h"
#include "bus.h"
#include "console.h"
#include "gmem.h"
#include "part.h"
#include "report.h"
#include "vm_arch.h" /* arch/<name>/: VM_ARCH_STATE, VM_VCPU_ARCH_STATE */

#include <selvage/causes.h>
#include <selvage/mutex.h>
#include <selvage/vcpu_sel4.h>
#include <selvage/vmm_info.h>
#include <selvage/vmm_stats.h>
#include <stdbool.h>
#include <stdint.h>

struct vm;
struct boot_layout;
struct narrow_hooks;
struct vgic_config;
struct vgic_env;
struct virtio;

struct vm_vcpu {
	struct vcpu_sel4 cpu;
	struct vm *vm;
	unsigned index;
	cap_t wake; /* notification: ends a wait */
	/* Its thread has run; it is switched off by PSCI, and its handler waits. */
	bool started, parked;
	bool waiting; /* its handler waits for `wake` */
	VM_VCPU_ARCH_STATE
};

/* What the devices' clocks go by: the counter, less the time for which a
 * debugger had the VM stand. */
struct vm_clock {
	bool stands;
	uint64_t since, stood; /* ticks: when it came to stand; earlier stands' sum */
};

/* What a debugger does, under the lock. */
struct debug_hooks {
	/* vc has been started, perhaps while others are being stopped. */
	void (*started)(struct vm_vcpu *vc);
	/* Before vc waits; true: it should not, since the debugger waits for it. */
	bool (*forbids_wait)(struct vm_vcpu *vc);
	/* Behind an exit of vc, if vm->stop: until it may go on. */
	void (*hold)(struct vm_vcpu *vc, const struct vcpu_exit *e);
	/* A debug exception of the guest has come here. */
	void (*event)(struct vm_vcpu *vc, const struct vcpu_exit *e);
	/* The monitor has carried out an instruction of vc, if vm->steps. */
	void (*stepped)(struct vm_vcpu *vc);
	/* vc did what nothing handles: an attached debugger sees it before the end. */
	void (*fatal)(struct vm_vcpu *vc, const struct vcpu_exit *e);
};

/* What parts do at certain points (part.h, install); NULL: nothing, or what
 * every VM gets. Under the lock. */
struct vm_hooks {
	const struct debug_hooks *debug;
	const struct narrow_hooks *narrow; /* of 32-bit registers: arch/ */
	/* Brings the kernel's file into memory; NULL: an arm64 Image. */
	const char *(*load)(struct vm *vm, struct boot_layout *layout);
	/* Another CPU interface than the hardware's: changes configuration and
	 * environment of the vGIC. False: it cannot. */
	bool (*cpu_interface)(struct vm *vm, struct vgic_config *config, struct vgic_env *env);
	/* The guest has ended a level-triggered SPI: its line is to be looked at again. */
	void (*eoi)(struct vm *vm, unsigned vcpu, unsigned irq);
	/* The images are in memory. */
	void (*loaded)(struct vm *vm);
	/* A debug exception has come here; true: it was of a breakpoint of the monitor's own. */
	bool (*breakpoint)(struct vm_vcpu *vc, const struct vcpu_exit *e);
	/* As struct vgic_env's. */
	void (*lpis_on)(void *vm);
	/* As struct pl031_env's. */
	void (*rtc_alarm)(void *vm, uint64_t seconds);
	/* Whether another device than the PL011 takes the console's input now. */
	bool (*takes_input)(const struct vm *vm);
	/* Makes a virtio device a function of the PCI bus. False: it cannot. */
	bool (*plug_pci)(struct vm *vm, unsigned slot, struct virtio *device);
	/* Where on PCI a kick of the slot's device is one access that the kernel can take for a
	 * doorbell: as VCPU_SET_DOORBELL has it. NULL: nowhere. False: not now. */
	bool (*kick_at)(const struct vm *vm, unsigned slot, uint64_t *at, uint64_t *how);
	/* Configuration space was written. NULL: nobody cares. */
	void (*pci_configured)(struct vm *vm);
	/* A register of a virtio device was written, by way of PCI. NULL: nobody counts. */
	void (*virtio_written)(struct vm *vm);
	/* Adds to the devicetree in fdt[size]. False: it does not fit. */
	bool (*describe)(const struct vm *vm, void *fdt, size_t size);
	/* The clock goes on after it stood. */
	void (*clock_goes_on)(struct vm *vm);
};

struct vm {
	const struct vmm_info *info;
	const struct board *board;
	const struct vm_part *part[VMM_PARTS]; /* that this VM has */
	unsigned n_parts;
	struct vm_hooks hooks;
	union {
		struct {
			bool stop;        /* hooks.debug is to hold every vCPU */
			bool timed;       /* somebody wants to know how long exits take */
			bool time_stands; /* the kernel adds to the offset while one does not run */
			bool steps;       /* what the monitor carries out is a debugger's step */
		};
		uint32_t behind_exit; /* any of them */
	};
	bool traced; /* somebody wants to know what we do */
	struct vm_clock clock;
	struct mutex lock;
	uint64_t features; /* enum abi_ext_feature bits of this kernel */
	/* Whose handler has the lock; NULL: the event thread. */
	struct vm_vcpu *handler;
	unsigned n_doorbells; /* of each vCPU, that are taken */
	struct gmem mem;
	struct bus bus;
	struct console console;
	uint32_t virtio_slots; /* of the board: bit per slot with a device */
	/* The region that the slot's device is confined to; 0: to none. */
	uint8_t pool[BOARD_VIRTIO_SLOTS];
	uint32_t passed;           /* enum sysdesc_device: the machine's own is there */
	struct causes causes;      /* of lines in the log */
	struct vmm_stats *stats;   /* the page that init reads */
	struct report_ring faults; /* that the guest itself got */
	/* Where the image is and begins; when the VM did, ticks. */
	uint64_t load, entry, started_at;
	VM_ARCH_STATE
	struct vm_vcpu vcpu[SYSDESC_MAX_VCPUS];
};

/* Sets up the VM's state and devices. NULL, or why it cannot be. */
const char *vm_init(struct vm *vm, const struct vmm_info *info);
/* Loads the images and sets vCPU 0 up to enter them. NULL, or why not. */
const char *vm_load(struct vm *vm);
/* Starts a vCPU's thread for the first time. */
bool vm_vcpu_start(struct vm_vcpu *vc);
/* Under the lock: interrupts that devices or other vCPUs have raised go into
 * list registers, and vCPUs that wait are woken. self: the vCPU whose exit is
 * being handled, or NULL. */
void vm_deliver_irqs(struct vm *vm, struct vm_vcpu *self);
/* Under the lock: counts what the guest did wrong, by place and cause (causes.h). How often
 * so far if that is worth a log line, else 0. */
unsigned long long vm_count(struct vm *vm, const void *where, const char *why);
/* The same, and the line, of an access that a device ignored or refused; `where`: which one. */
void vm_misuse(struct vm_vcpu *vc, const char *name, const void *where, const struct mmio *m);
/* What init wants to be watched from now on (vmm_info.h). */
void vm_watch(struct vm *vm);
/* Under the lock: for whoever traces. */
void vm_write_trace(struct vm *vm, enum vmm_traced what, uint32_t detail);
static inline void vm_trace(struct vm *vm, enum vmm_traced what, uint32_t detail)
{
	if (vm->traced)
		vm_write_trace(vm, what, detail);
}
/* Takes the lock as vc's handler. */
static inline void vm_lock(struct vm *vm, struct vm_vcpu *vc)
{
	mutex_lock(&vm->lock);
	vm->handler = vc;
}
/* Ticks for which init had the VM paused (vmm_info.h). */
static inline uint64_t vm_paused_ticks(const struct vm *vm)
{
	return *(const volatile uint64_t *)&vm->info->paused_ticks;
}
/* Puts a device on the bus. False: no room there. */
bool vm_add(struct vm *vm, const char *name, struct board_range range, bus_handler handler,
	    void *device);
/* The clock, in ticks. */
uint64_t vm_now(const struct vm *vm);
/* Waits for vc->wake with the lock let go; returns the badges that came. */
uint64_t vm_vcpu_wait(struct vm_vcpu *vc);
/* Lets others run, with the lock let go: vc spins on something. */
void vm_vcpu_yield(struct vm_vcpu *vc);

/* --- arch/<name>/vm_arch.c, in this order --- */
/* Before the parts: the board that every image knows; NULL: the VM's is another. */
const struct board *vm_arch_begin(struct vm *vm);
/* There is memory: vCPUs and what goes with them. NULL, or why not. */
const char *vm_arch_init(struct vm *vm);
/* There is a console: interrupt controller and the board's devices. NULL, or why not. */
const char *vm_arch_init_devices(struct vm *vm);
/* Under the lock: the level of an interrupt that the board's table numbers. */
void vm_set_irq(struct vm *vm, uint32_t irq, bool level);
/* Of the interrupt controller, for the log. */
const char *vm_arch_irqs_name(const struct vm *vm);
