#include "vm.h"

#include "upload.h"
#include "vm_make.h"

#include <selvage/clock.h>
#include <selvage/log.h>
#include <selvage/mux.h>
#include <selvage/vmm_info.h>
#include <string.h>

/* Restarts in a row after which a failing VM is left alone. */
#define MAX_FAILURES 5
/* Resets in a row, each within a second of the start, after which a VM is
 * stopped. No guest that does something is that quick for long. */
#define MAX_QUICK_RESETS 20
#define QUICK_US 1000000u

static struct vm vms[SYSDESC_MAX_VMS];
static struct sysdesc_vm descriptions[SYSDESC_MAX_VMS];
static const struct sysdesc *system;

void vm_init(const struct machine *machine, const struct sysdesc *desc)
{
	vm_make_init(machine);
	system = desc;
	for (unsigned i = 0; i < system->n_vms; i++) {
		descriptions[i] = system->vm[i];
		vms[i].exists = true;
	}
}

bool vm_exists(unsigned index) { return vms[index].exists; }
const struct vm *vm_get(unsigned index) { return &vms[index]; }
const struct sysdesc_vm *vm_description(unsigned index) { return &descriptions[index]; }
struct process *vm_process(unsigned index) { return &processes[PROCESS_FIRST_VMM + index]; }

int vm_find(const char *name)
{
	for (unsigned i = 0; i < SYSDESC_MAX_VMS; i++)
		if (vms[i].exists && strcmp(descriptions[i].name, name) == 0)
			return (int)i;
	return -1;
}

const char *vm_state_name(enum vm_state state)
{
	static const char *const names[] = { "off", "running", "paused", "crashed", "failed" };

	return names[state];
}

bool vm_lives(unsigned index)
{
	return vms[index].state == VM_RUNNING || vms[index].state == VM_PAUSED;
}

bool vm_any_running(void)
{
	for (unsigned i = 0; i < SYSDESC_MAX_VMS; i++)
		if (vm_lives(i))
			return true;
	return false;
}

uint64_t vm_cpu_us(unsigned index)
{
	if (vm_lives(index))
		vms[index].cpu_us += process_consumed_us(vm_process(index));
	return vms[index].cpu_us;
}

uint64_t vm_uptime_us(unsigned index)
{
	return vm_lives(index) ? clock_ticks_to_us(clock_now() - vms[index].started) : 0;
}

bool vm_start(unsigned index)
{
	struct process *p = vm_process(index);
	const char *monitor;

	if (vm_lives(index))
		return false;
	monitor = vm_monitor(&descriptions[index]);
	if (monitor == NULL) {
		vms[index].state = VM_FAILED;
		return false;
	}
	service_revive(); /* one may have died a moment ago */
	vms[index].starts++;
	vms[index].ready = false;
	vms[index].paused_ticks = 0;
	vms[index].cpu_us = 0;
	if (vm_make(p, index, &descriptions[index], monitor)) {
		vms[index].state = VM_RUNNING;
		vms[index].started = clock_now();
		log_info("vm %s: started by %s", descriptions[index].name, monitor);
		return true;
	}
	log_error("vm %s: cannot be started: out of memory or slots, or a service is dead",
		  descriptions[index].name);
	vm_stop(index, VM_FAILED);
	return false;
}

void vm_stop(unsigned index, enum vm_state state)
{
	struct process *p = vm_process(index);

	(void)vm_cpu_us(index);
	if (p->state != PROCESS_NONE) {
		service_detach(p, MUX_CH_FIRST_VM + (int)index);
		process_destroy(p);
	}
	vms[index].state = state;
}

void vm_ready(unsigned index) { vms[index].ready = true; }

const char *vm_pause(unsigned index)
{
	struct vm *vm = &vms[index];

	if (vm->state == VM_PAUSED)
		return "it is paused already";
	if (vm->state != VM_RUNNING)
		return "it is not running";
	if (!vm->ready)
		return "it is being set up; try again";
	if (!process_freeze(vm_process(index)))
		return "its monitor does not keep to its threads; only `kill` is left";
	vm->state = VM_PAUSED;
	vm->paused = clock_now();
	log_info("vm %s: paused", descriptions[index].name);
	return NULL;
}

/* The guest's virtual counter goes on where it was. Kernels without extensions
 * see to that themselves (vmm/arch/aarch64/vtime.c). */
static bool skip_time(unsigned index, uint64_t ticks)
{
	const struct process *p = vm_process(index);
	uint64_t offset;

	if (sel4_ext_query(ABI_ROOT_TCB) == 0)
		return true;
	for (unsigned i = 0; i < descriptions[index].vcpus; i++)
		if (sel4_vcpu_read_regs(p->vcpu[i], ABI_VCPU_CNTVOFF, &offset) != ABI_OK ||
		    sel4_vcpu_write_regs(p->vcpu[i], ABI_VCPU_CNTVOFF, offset + ticks) != ABI_OK)
			return false;
	return true;
}

const char *vm_resume(unsigned index)
{
	struct vm *vm = &vms[index];
	struct process *p = vm_process(index);
	uint64_t ticks = clock_now() - vm->paused;

	if (vm->state != VM_PAUSED)
		return "it is not paused";
	vm->paused_ticks += ticks;
	if (!process_tell(p, offsetof(struct vmm_info, paused_ticks), &vm->paused_ticks,
			  sizeof(vm->paused_ticks)) ||
	    !skip_time(index, ticks) || !process_thaw(p))
		return "the kernel refused; only `kill` is left";
	vm->state = VM_RUNNING;
	log_info("vm %s: goes on", descriptions[index].name);
	return NULL;
}

void vm_reset(unsigned index)
{
	const char *name = descriptions[index].name;
	bool quick = clock_now() - vms[index].started < clock_us_to_ticks(QUICK_US);
	uint32_t n = vms[index].quick_resets = quick ? vms[index].quick_resets + 1 : 0;

	if (n > MAX_QUICK_RESETS) {
		vms[index].quick_resets = 0;
		vm_stop(index, VM_CRASHED);
		log_error("vm %s: stopped, it does nothing but reboot", name);
		return;
	}
	log_info("vm %s: reboots", name);
	vm_stop(index, VM_OFF);
	(void)vm_start(index);
}

void vm_ended(unsigned index, enum vm_stop_reason reason)
{
	const struct sysdesc_vm *vm = &descriptions[index];
	bool failed = reason != VM_STOP_OFF;

	vm_stop(index, failed ? VM_CRASHED : VM_OFF);
	vms[index].failures = failed ? vms[index].failures + 1 : 0;
	log_info("vm %s: %s", vm->name, failed ? "stopped after a failure" : "powered off");
	if (vm->restart == SYSDESC_RESTART_NEVER ||
	    (vm->restart == SYSDESC_RESTART_ON_FAILURE && !failed))
		return;
	if (vms[index].failures >= MAX_FAILURES)
		log_error("vm %s: failed %u times in a row, left off", vm->name,
			  vms[index].failures);
	else
		(void)vm_start(index);
}

const char *vm_create_begin(uint64_t bytes)
{
	unsigned i = 0;

	while (i < SYSDESC_MAX_VMS && vms[i].exists)
		i++;
	return i == SYSDESC_MAX_VMS ? "there are as many VMs as there can be"
				    : upload_begin(i, bytes);
}

const char *vm_create_end(uint32_t crc32)
{
	unsigned i = upload_vm();
	struct sysdesc_vm vm;
	const char *wrong = upload_finish(crc32, system, &vm);

	if (wrong != NULL)
		return wrong;
	if (vm_find(vm.name) >= 0) {
		upload_drop(i);
		return "a VM of that name is there; `destroy` it first";
	}
	descriptions[i] = vm;
	vms[i] = (struct vm){ .exists = true };
	log_info("vm %s: created", vm.name);
	if ((vm.flags & SYSDESC_VM_AUTOSTART) == 0 || vm_start(i))
		return NULL;
	vm_destroy(i);
	return "it cannot be started: out of memory, or this system has no monitor for it";
}

void vm_destroy(unsigned index)
{
	vm_stop(index, VM_OFF);
	upload_drop(index);
	vms[index].exists = false;
	log_info("vm %s: destroyed", descriptions[index].name);
}
