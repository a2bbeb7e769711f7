/*
 * A debugger's hold on the VM: docs/debug-channel.md. vCPUs are not suspended:
 * each one's handler holds it where it would let it go on. One that runs is
 * brought there by a single step, one that waits by a signal.
 *
 * All that changes something is under the VM's lock. Without the right to control nothing here is
 * ever switched on.
 */
#pragma once

#include "../vm.h"

#include <selvage/gdb.h>
#include <stdbool.h>
#include <stdint.h>

#define DEBUG_SOFT 64u /* software breakpoints */
#define DEBUG_HARD 16u /* of each kind: what an architecture has at most */

struct debug_soft {
	uint64_t gpa;
	uint8_t *host; /* in guest RAM, as we see it; a balloon may have taken it */
	uint8_t bytes; /* 0: free */
	bool site;     /* the monitor's own, as debug_hard's type GDB_POINTS */
	bool hard;     /* in the place of a hardware breakpoint that cannot be had */
	uint8_t saved[4];
};

struct debug_hard {
	bool used;
	enum gdb_point type;
	uint64_t at, size;
};

/* Of one vCPU. */
struct debug_vcpu {
	bool held;       /* its handler waits for the debugger */
	bool step;       /* it stops behind the next instruction */
	uint64_t masked; /* what was taken away to hold interrupts back */
};

struct debug_stub {
	bool attached; /* debug events of the guest come to us */
	bool sites;    /* they always do: debug_site_add */
	bool due;      /* the VM's clock stands, and the debugger has not been told */
	struct gdb_stop why;
	struct debug_soft soft[DEBUG_SOFT];
	struct debug_hard breakpoint[DEBUG_HARD], watchpoint[DEBUG_HARD];
	struct debug_vcpu vcpu[SYSDESC_MAX_VCPUS];
};
extern struct debug_stub stub; /* points.c */

/* --- hold.c, target.c --- */

extern const struct debug_hooks debug_hooks; /* vm.h */
/* The right of the description (enum sysdesc_debug), as far as the kernel lets
 * us have it. */
unsigned debug_right(const struct vm *vm);
void debug_stop(struct vm *vm, const struct gdb_stop *why);
void debug_resume(struct vm *vm, const enum gdb_action *action);

/* --- points.c --- */

bool debug_point(struct vm *vm, struct vcpu_sel4 *view, enum gdb_point type, bool insert,
		 uint64_t at, uint64_t kind);
void debug_points_clear(struct vm *vm);
/* GDB_SOFTWARE or GDB_HARDWARE: as what it was asked for; GDB_NO_POINT: none is there. */
enum gdb_point debug_soft_at(const struct vm *vm, uint64_t gpa);
/* RAM as it would be without software breakpoints. */
bool debug_ram_read(struct vm *vm, uint64_t gpa, void *to, size_t n);
bool debug_ram_write(struct vm *vm, uint64_t gpa, const void *from, size_t n);

/* Breakpoints for the monitor itself, which no debugger sees or removes; also without a stub.
 * In the processor if it has one left, else in memory. False: no room. bytes: as GDB's kinds. */
bool debug_site_add(struct vm *vm, uint64_t at, unsigned bytes);
bool debug_site_at(struct vm *vm, struct vcpu_sel4 *view, uint64_t at);
void debug_site_remove(struct vm *vm, uint64_t at);

/* --- monitor.c --- */

bool debug_monitor(struct vm *vm, struct gdb *g, const char *command);
void debug_describe(struct vm *vm, unsigned vcpu, char *text, size_t size);
size_t debug_memory_map(const struct vm *vm, char *xml, size_t size);

/* --- target.c, for them --- */

/* The VM's lock, if a debugger controls it. */
void debug_lock(struct vm *vm);
void debug_unlock(struct vm *vm);
/* A vCPU's registers as the debugger sees them. Under debug_lock. */
struct vcpu_sel4 *debug_view(struct vm *vm, unsigned vcpu);

/* --- arch/<name>: debug_regs.c, debug_arch.c --- */

/* Whether the kernel lets us stop the guest. */
bool debug_possible(const struct vm *vm);
/* A session begins: the width stays as it is now until the next one. */
void debug_begin(struct vm *vm);
/* What `identity` says of the hardware: members of a JSON object. */
void debug_identity(struct vm *vm, char *text, size_t size);
/* The register of flags, and what it is called. */
uint64_t debug_flags(struct vcpu *v, const char **name);
unsigned debug_width(const struct vm *vm); /* 32 or 64 */
unsigned debug_core_regs(const struct vm *vm);
unsigned debug_regs(const struct vm *vm);
const char *debug_xml(const struct vm *vm);
/* As struct gdb_target's. */
unsigned debug_reg_bytes(const struct vm *vm, unsigned reg);
uint64_t debug_reg_read(const struct vm *vm, struct vcpu_sel4 *view, unsigned reg);
/* False: read-only. */
bool debug_reg_write(const struct vm *vm, struct vcpu_sel4 *view, unsigned reg, uint64_t value);
bool debug_translate(const struct vm *vm, struct vcpu_sel4 *view, uint64_t gva, uint64_t *gpa);
/* The instruction of a software breakpoint; returns its bytes, 0: no such kind. */
unsigned debug_soft_insn(const struct vm *vm, uint64_t kind, uint8_t insn[4]);
/* What was written may be code. Within one page. */
void debug_publish(void *host, size_t n);
/* Puts points[i] into the processor. False: it has none such. */
bool debug_hard_set(struct vm *vm, unsigned i, const struct debug_hard *breakpoint);
bool debug_watch_set(struct vm *vm, unsigned i, const struct debug_hard *watchpoint);
enum debug_mode { DEBUG_OFF,
		  DEBUG_EVENTS,
		  DEBUG_STEP };
void debug_set_mode(struct vm_vcpu *vc, enum debug_mode mode);
/* Between two instructions: no exit is half done any more. */
void debug_settle(struct vm_vcpu *vc, const struct vcpu_exit *e);
/* Behind an instruction of that size. */
void debug_skip(struct vcpu *v, unsigned bytes);
/* vc is held, and was woken with these badges. */
void debug_woken(struct vm_vcpu *vc, uint64_t badges);
void debug_irqs_mask(struct vm_vcpu *vc);
void debug_irqs_unmask(struct vm_vcpu *vc);
/* The guest's virtual time is to be `ticks` later than it would be. */
void debug_delay(struct vm *vm, uint64_t ticks);
enum debug_what { DEBUG_WHAT_STEP,
		  DEBUG_WHAT_SOFT,
		  DEBUG_WHAT_HARD,
		  DEBUG_WHAT_WATCH };
/* address: of a watchpoint. */
enum debug_what debug_what(struct vm_vcpu *vc, const struct vcpu_exit *e, uint64_t *address);
/* The guest takes the debug exception itself. */
void debug_reflect(struct vm_vcpu *vc, const struct vcpu_exit *e);
