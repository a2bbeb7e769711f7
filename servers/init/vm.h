/* Virtual machines: their states, and what leads from one to another. */
#pragma once

#include "service.h"

#include <selvage/control.h>
#include <selvage/vmm_stats.h>

enum vm_state { VM_OFF = 0,
		VM_RUNNING,
		VM_PAUSED,
		VM_WAITING, /* to be started again */
		VM_CRASHED,
		VM_FAILED };

struct vm {
	bool exists;
	enum vm_state state;
	bool ready; /* its VMM has set it up */
	uint32_t starts;
	uint64_t life;                /* another number each time that any VM is started */
	uint32_t restarts;            /* in a row, by the restart policy */
	uint64_t restart_at;          /* when, in ticks */
	uint64_t stop_at;             /* when it is to be off, as it was asked to, in ticks; 0 */
	uint64_t asked_at;            /* since when it waits for those who serve it, in ticks; 0 */
	uint32_t quick_resets;        /* in a row, each soon after the start */
	uint64_t started;             /* when last, in ticks; also of a start that failed */
	uint64_t paused;              /* since when, in ticks */
	uint64_t paused_ticks;        /* how long so far since the start, this pause apart */
	uint32_t watch;               /* VMM_WATCH_..., since the start */
	uint64_t cpu_us;              /* that it had since the start, up to the last question */
	uint8_t kept[VMM_KEPT_BYTES]; /* for its next start, as it left them at its last end */
};

/* Prepares the table; starts nothing. */
void vm_init(const struct machine *machine, const struct sysdesc *system);
/* Numbers are below SYSDESC_MAX_VMS. */
bool vm_exists(unsigned index);
const struct vm *vm_get(unsigned index);
const struct sysdesc_vm *vm_description(unsigned index);
struct process *vm_process(unsigned index);
/* -1: no VM has that name. */
int vm_find(const char *name);
const char *vm_state_name(const struct vm *vm);
/* Whether there is anything of it: running or paused. */
bool vm_lives(unsigned index);
/* Time that it had since its start, all of its threads; and since when. */
uint64_t vm_cpu_us(unsigned index);
uint64_t vm_uptime_us(unsigned index);
/* Has its monitor watch that too, from now on (VMM_WATCH_...). */
void vm_watch(unsigned index, uint32_t what, bool on);
/* Of what its monitor wrote down last (selvage/vmm_stats.h), the n-th from the oldest on.
 * False: there is none such, or none after `since`. */
bool vm_traced(unsigned index, unsigned n, uint64_t since, struct vmm_trace_event *e);
/* What its monitor counted, as it says; zeros of one that does not live. */
void vm_stats(unsigned index, struct vmm_stats *stats);

/* Reads its memory; bytes that lie in one page. False: not there, or nobody may. */
bool vm_read(unsigned index, uint64_t gpa, uint8_t *to, unsigned n);

/* Makes the VM and runs its VMM; false: out of memory, or it runs already. */
bool vm_start(unsigned index);
/* Asks its guest to power off, and takes it down if it has not in time. NULL, or why not. */
const char *vm_ask_off(unsigned index);
/* Takes it down, whatever it does. */
void vm_stop(unsigned index, enum vm_state state);
/* Its VMM has set it up and is about to start the guest. */
void vm_ready(unsigned index);
/* Neither guest nor VMM executes, nor does the guest's virtual time go on.
 * NULL, or why not. */
const char *vm_pause(unsigned index);
const char *vm_resume(unsigned index);
/* Its VMM asked, or crashed: restart policy applied. */
void vm_ended(unsigned index, enum vm_stop_reason reason);
/* Arms init's timer for the first that is due, of VMs and their balloons. False: there is no
 * time server. */
bool vm_arm_timer(void);
/* Starts those again whose time has come, and what else is due. */
void vm_start_due(void);
/* Another schedule or restart policy, at once and from now on. NULL, or why not. */
const char *vm_set(unsigned index, enum control_key key, uint64_t value);
/* Its guest asked for a reset. One that does nothing else is stopped: making
 * a VM costs time that is not the VM's own. */
void vm_reset(unsigned index);
/* Whether any VM runs, is paused or about to start. */
bool vm_any_running(void);

/* A VM that comes at run time, by upload_put() in between (upload.h): starts it
 * if its description says so. NULL, or why not; then nothing is left of it. */
const char *vm_create_begin(uint64_t bytes);
const char *vm_create_end(uint32_t crc32);
/* Takes it down and forgets it, its images included. */
void vm_destroy(unsigned index);
