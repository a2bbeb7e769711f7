/* Virtual machines: made from the description, taken down without trace. */
#pragma once

#include "service.h"

#include <selvage/control.h>

enum vm_state { VM_OFF = 0,
		VM_RUNNING,
		VM_CRASHED,
		VM_FAILED };

struct vm {
	enum vm_state state;
	uint32_t starts;
	uint32_t failures;     /* in a row, for the restart policy */
	uint32_t quick_resets; /* in a row, each soon after the start */
	uint64_t started;      /* when last, in ticks */
};

/* Prepares the table; starts nothing. */
void vm_init(const struct machine *machine, const struct sysdesc *system);
unsigned vm_count(void);
const struct vm *vm_get(unsigned index);
const struct sysdesc_vm *vm_description(unsigned index);
struct process *vm_process(unsigned index);
/* -1: no VM has that name. */
int vm_find(const char *name);
const char *vm_state_name(enum vm_state state);

/* Makes the VM and runs its VMM; false: out of memory, or it runs already. */
bool vm_start(unsigned index);
/* Takes it down, whatever it does. */
void vm_stop(unsigned index, enum vm_state state);
/* Its VMM asked, or crashed: restart policy applied. */
void vm_ended(unsigned index, enum vm_stop_reason reason);
/* Its guest asked for a reset. One that does nothing else is stopped: making
 * a VM costs time that is not the VM's own. */
void vm_reset(unsigned index);
/* Whether any VM runs. */
bool vm_any_running(void);
