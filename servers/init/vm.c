#include "vm.h"

#include "balloon.h"
#include "board.h"
#include "connect.h"
#include "reserve.h"
#include "self.h"
#include "trace.h"
#include "upload.h"
#include "vm_make.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/log.h>
#include <selvage/mux.h>
#include <selvage/vmm_info.h>
#include <string.h>

/* A VM that lived that long had not been started in vain. */
#define SOON_US 10000000u
/* The delay doubles so often at most. */
#define MAX_DOUBLINGS 6u
/* Resets in a row, each within a second of the start, after which a VM is
 * stopped. No guest that does something is that quick for long. */
#define MAX_QUICK_RESETS 20
#define QUICK_US 1000000u
/* Servers of a VM that was are waited for so long, and asked so often. */
#define SETTLE_US 2000000u
#define SETTLE_STEP_US 1000u

static struct vm vms[SYSDESC_MAX_VMS];
static struct sysdesc_vm descriptions[SYSDESC_MAX_VMS];
static const struct sysdesc *system;
static uint64_t lives; /* of all VMs, so far */

/* For when it starts. */
static bool reserve(unsigned index)
{
	if (reserve_take(index, &descriptions[index]))
		return true;
	log_error("vm %s: something else has the machine's memory that is to be its",
		  descriptions[index].name);
	return false;
}

void vm_init(const struct machine *machine, const struct sysdesc *desc)
{
	vm_make_init(machine);
	system = desc;
	for (unsigned i = 0; i < system->n_vms; i++) {
		descriptions[i] = system->vm[i];
		vms[i].exists = true;
		(void)reserve(i);
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

const char *vm_state_name(const struct vm *vm)
{
	static const char *const names[] = { "off", "running", "paused",
					     "waiting", "crashed", "failed" };

	return vm->stop_at != 0 ? "stopping" : names[vm->state];
}

bool vm_lives(unsigned index)
{
	return vms[index].state == VM_RUNNING || vms[index].state == VM_PAUSED;
}

bool vm_any_running(void)
{
	for (unsigned i = 0; i < SYSDESC_MAX_VMS; i++)
		if (vm_lives(i) || vms[i].state == VM_WAITING)
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

void vm_watch(unsigned index, uint32_t what, bool on)
{
	struct vm *vm = &vms[index];
	uint32_t all = on ? vm->watch | what : vm->watch & ~what;

	if (!vm_lives(index) || all == vm->watch ||
	    !process_tell(vm_process(index), offsetof(struct vmm_info, watch), &all, sizeof(all)))
		return;
	vm->watch = all;
	sel4_signal(vm_process(index)->poke);
}

void vm_stats(unsigned index, struct vmm_stats *stats)
{
	const void *page = vm_lives(index) ? self_scratch(vm_process(index)->stats) : NULL;

	memset(stats, 0, sizeof(*stats));
	if (page == NULL)
		return;
	memcpy(stats, page, sizeof(*stats));
	self_scratch_end();
}

bool vm_traced(unsigned index, unsigned n, uint64_t since, struct vmm_trace_event *e)
{
	const uint8_t *page = vm_lives(index) ? self_scratch(vm_process(index)->stats) : NULL;
	const struct vmm_trace *t = (const void *)(page + VMM_TRACE_OFFSET);
	uint64_t written;

	if (page == NULL)
		return false;
	written = *(const volatile uint64_t *)&t->written;
	memcpy(e, (const void *)&t->event[(written + n) % VMM_TRACE_EVENTS], sizeof(*e));
	self_scratch_end();
	return e->time > since;
}

bool vm_read(unsigned index, uint64_t gpa, uint8_t *to, unsigned n)
{
	unsigned bits;
	uint64_t offset;
	cap_t frame = vm_lives(index) ? vm_make_frame(vm_process(index), &descriptions[index], gpa,
						      &bits, &offset)
				      : 0;
	const uint8_t *page = frame == 0 ? NULL : self_peek(frame, bits);

	if (page == NULL)
		return false;
	memcpy(to, page + offset, n);
	self_peek_end();
	return true;
}

bool vm_arm_timer(void)
{
	uint64_t first = balloon_due();

	for (unsigned i = 0; i < SYSDESC_MAX_VMS; i++) {
		if (vms[i].state == VM_WAITING)
			first = min_u64(first, vms[i].restart_at);
		if (vms[i].stop_at != 0)
			first = min_u64(first, vms[i].stop_at);
	}
	return first == UINT64_MAX || service_arm_timer(first);
}

/* A VM that serves it may still be at work for the one that it was, in memory that is to
 * be this one's; but not for long. */
static bool must_wait(unsigned index)
{
	struct vm *vm = &vms[index];
	const uint64_t now = clock_now();

	if (connect_settled(index)) {
		vm->asked_at = 0;
		return false;
	}
	if (vm->asked_at == 0) {
		vm->asked_at = now;
		log_info("vm %s: waits for who serves it", descriptions[index].name);
	} else if (now - vm->asked_at > clock_us_to_ticks(SETTLE_US)) {
		log_warning("vm %s: who serves it does not let go of it", descriptions[index].name);
		vm->asked_at = 0;
		return false;
	}
	vm->state = VM_WAITING;
	vm->restart_at = now + clock_us_to_ticks(SETTLE_STEP_US);
	return vm_arm_timer();
}

bool vm_start(unsigned index)
{
	struct process *p = vm_process(index);
	const char *monitor;
	bool made;

	if (vm_lives(index))
		return false;
	if (must_wait(index))
		return true;
	monitor = vm_monitor(&descriptions[index]);
	if (monitor == NULL || !reserve(index)) {
		vms[index].state = VM_FAILED;
		return false;
	}
	service_revive(); /* one may have died a moment ago */
	vms[index].starts++;
	vms[index].life = ++lives;
	vms[index].ready = false;
	vms[index].paused_ticks = 0;
	vms[index].watch = 0;
	vms[index].cpu_us = 0;
	vms[index].started = clock_now();
	made = vm_make(p, index, &descriptions[index], monitor, vms[index].kept);
	reserve_give(index);
	if (made) {
		vms[index].state = VM_RUNNING;
		vms[index].started = clock_now();
		log_info("vm %s: started by %s", descriptions[index].name, monitor);
		trace_process(p);
		trace_monitor(index);
		trace_vm(descriptions[index].name, "started");
		return true;
	}
	log_error("vm %s: cannot be started: out of memory or slots, or a service is dead",
		  descriptions[index].name);
	vm_stop(index, VM_FAILED);
	return false;
}

/* What the VM wrote for its next start: bytes, which mean something to it only. One that
 * never began has written nothing. */
static void keep(unsigned index)
{
	const cap_t page = vms[index].ready ? vm_process(index)->stats : 0;
	const struct vmm_stats *s = page != 0 ? self_scratch(page) : NULL;

	if (s == NULL)
		return;
	memcpy(vms[index].kept, s->kept, sizeof(vms[index].kept));
	self_scratch_end();
}

void vm_stop(unsigned index, enum vm_state state)
{
	struct process *p = vm_process(index);

	(void)vm_cpu_us(index);
	if (vm_lives(index) && clock_now() - vms[index].started >= clock_us_to_ticks(SOON_US))
		vms[index].restarts = 0;
	if (p->state != PROCESS_NONE) {
		trace_vm(descriptions[index].name, state == VM_CRASHED ? "crashed" : "ended");
		connect_detach(index);
		service_detach(p, MUX_CH_FIRST_VM + (int)index);
		vm_make_quiet(p, &descriptions[index]);
		keep(index);
		process_destroy(p);
		balloon_end(index);
	}
	(void)reserve(index);
	vms[index].asked_at = 0;
	vms[index].stop_at = 0;
	vms[index].state = state;
}

const char *vm_ask_off(unsigned index)
{
	const struct sysdesc_vm *d = &descriptions[index];
	const uint32_t yes = 1;
	struct vm *vm = &vms[index];

	if (vm->state == VM_PAUSED)
		return "it is paused; `resume` lets it power off, `stop --now` takes it down";
	if (vm->stop_at != 0)
		return "it was asked already; `stop --now` takes it down";
	vm->stop_at = clock_now() + clock_us_to_ticks(d->stop_us);
	if (!process_tell(vm_process(index), offsetof(struct vmm_info, stop), &yes, sizeof(yes)) ||
	    !vm_arm_timer()) {
		vm->stop_at = 0;
		return "nobody would take it down in time; `stop --now` does";
	}
	sel4_signal(vm_process(index)->poke);
	log_info("vm %s: asked to power off, within %lu ms", d->name,
		 (unsigned long)(d->stop_us / 1000));
	return NULL;
}

/* It had its time. */
static void stop_overdue(unsigned index)
{
	if (vms[index].stop_at == 0 || clock_now() < vms[index].stop_at)
		return;
	log_warning("vm %s: did not power off in time, and is taken down",
		    descriptions[index].name);
	vm_stop(index, VM_OFF);
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
	if (vm->stop_at != 0)
		return "it is asked to power off; `kill` ends it at once";
	if (!process_freeze(vm_process(index)))
		return "its monitor does not keep to its threads; only `kill` is left";
	vm->state = VM_PAUSED;
	vm->paused = clock_now();
	log_info("vm %s: paused", descriptions[index].name);
	trace_vm(descriptions[index].name, "paused");
	return NULL;
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
	    !board_skip_time(p, descriptions[index].vcpus, ticks) || !process_thaw(p))
		return "the kernel refused; only `kill` is left";
	vm->state = VM_RUNNING;
	log_info("vm %s: goes on", descriptions[index].name);
	trace_vm(descriptions[index].name, "goes on");
	return NULL;
}

/* Without a time server there is no later: all start now. */
static void arm(void)
{
	if (vm_arm_timer())
		return;
	for (unsigned i = 0; i < SYSDESC_MAX_VMS; i++)
		if (vms[i].state == VM_WAITING)
			(void)vm_start(i);
}

static void restart_later(unsigned index)
{
	const struct sysdesc_vm *d = &descriptions[index];
	struct vm *vm = &vms[index];
	uint64_t delay;

	if (++vm->restarts > d->restart_limit) {
		log_error("vm %s: started again %u times in a row, left off", d->name,
			  d->restart_limit);
		vm->restarts = 0;
		return;
	}
	delay = d->restart_delay_us << min_u64(vm->restarts - 1, MAX_DOUBLINGS);
	vm->restart_at = clock_now() + clock_us_to_ticks(delay);
	vm->state = VM_WAITING;
	log_info("vm %s: starts again in %lu ms", d->name, (unsigned long)(delay / 1000));
	arm();
}

static void apply_policy(unsigned index, bool failed)
{
	const uint32_t restart = descriptions[index].restart;

	if (restart == SYSDESC_RESTART_ALWAYS || (restart == SYSDESC_RESTART_ON_FAILURE && failed))
		restart_later(index);
}

/* What it lacks may be there in a while: it ran before. */
static void start_again(unsigned index)
{
	if (!vm_start(index))
		apply_policy(index, true);
}

void vm_reset(unsigned index)
{
	const char *name = descriptions[index].name;
	bool quick = clock_now() - vms[index].started < clock_us_to_ticks(QUICK_US);
	uint32_t n = vms[index].quick_resets = quick ? vms[index].quick_resets + 1 : 0;

	if (vms[index].stop_at != 0) {
		vm_ended(index, VM_STOP_OFF);
		return;
	}
	if (n > MAX_QUICK_RESETS) {
		vms[index].quick_resets = 0;
		vm_stop(index, VM_CRASHED);
		log_error("vm %s: stopped, it does nothing but reboot", name);
		return;
	}
	log_info("vm %s: reboots", name);
	vm_stop(index, VM_OFF);
	start_again(index);
}

void vm_start_due(void)
{
	balloon_tell_due();
	for (unsigned i = 0; i < SYSDESC_MAX_VMS; i++) {
		stop_overdue(i);
		if (vms[i].state == VM_WAITING && vms[i].restart_at <= clock_now())
			start_again(i);
	}
	arm();
}

void vm_ended(unsigned index, enum vm_stop_reason reason)
{
	bool failed = reason != VM_STOP_OFF;
	bool asked = vms[index].stop_at != 0;

	vm_stop(index, failed ? VM_CRASHED : VM_OFF);
	log_info("vm %s: %s", descriptions[index].name,
		 reason == VM_STOP_WATCHDOG ? "stopped, its watchdog has run out"
		 : failed                   ? "stopped after a failure"
					    : "powered off");
	if (!asked) /* the operator's wish */
		apply_policy(index, failed);
}

static void set_key(struct sysdesc_vm *vm, enum control_key key, uint64_t value)
{
	uint32_t small = (uint32_t)min_u64(value, UINT32_MAX);

	switch (key) {
	case CONTROL_PRIORITY: vm->priority = small; break;
	case CONTROL_BUDGET: vm->budget_us = value; break;
	case CONTROL_PERIOD: vm->period_us = value; break;
	case CONTROL_RESTART: vm->restart = small; break;
	case CONTROL_RESTART_LIMIT: vm->restart_limit = small; break;
	case CONTROL_BALLOON: vm->balloon = value; break;
	default: vm->restart_delay_us = value; break;
	}
}

/* A handler of several may have a higher priority just now (VMM_HOLD_PRIORITY);
 * one alone never does. */
static bool set_priority(struct process *p, const struct sysdesc_vm *vm)
{
	for (unsigned i = 1; i < PROCESS_THREADS; i++)
		for (unsigned j = 0; j < ARRAY_SIZE(p->time[i].tcb); j++)
			if (p->time[i].tcb[j] != 0 &&
			    sel4_tcb_set_priority(p->time[i].tcb[j], ABI_ROOT_TCB, vm->priority) !=
				    ABI_OK)
				return false;
	return true;
}

static bool set_time(struct process *p, const struct sysdesc_vm *vm)
{
	for (unsigned i = 0; i < vm->vcpus; i++)
		if (!process_set_time(p, 1 + i, vm->budget_us, vm->period_us))
			return false;
	return true;
}

const char *vm_set(unsigned index, enum control_key key, uint64_t value)
{
	struct process *p = vm_process(index);
	struct sysdesc_vm vm = descriptions[index];
	const char *wrong;
	bool ok = true;

	set_key(&vm, key, value);
	wrong = sysdesc_check_policy(&vm);
	if (wrong != NULL)
		return wrong;
	if (vm_lives(index) && key == CONTROL_PRIORITY && vm.vcpus > 1)
		return "a VM with several vCPUs takes another priority when it is off";
	if (vm_lives(index) && key == CONTROL_PRIORITY)
		ok = set_priority(p, &vm);
	else if (vm_lives(index) && (key == CONTROL_BUDGET || key == CONTROL_PERIOD))
		ok = set_time(p, &vm);
	if (ok && vm_lives(index))
		ok = process_tell(p, offsetof(struct vmm_info, vm), &vm, sizeof(vm));
	if (!ok)
		return "the kernel refused";
	if (vm_lives(index) && key == CONTROL_BALLOON)
		sel4_signal(p->poke);
	descriptions[index] = vm;
	return NULL;
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
	static struct upload_vm d;
	const char *wrong = upload_finish(crc32, system, &d);

	if (wrong != NULL)
		return wrong;
	wrong = vm_find(d.vm.name) >= 0 ? "a VM of that name is there; `destroy` it first"
					: connect_create(i, &d);
	if (wrong != NULL) {
		upload_drop(i);
		return wrong;
	}
	descriptions[i] = d.vm;
	vms[i] = (struct vm){ .exists = true };
	log_info("vm %s: created", d.vm.name);
	if ((d.vm.flags & SYSDESC_VM_AUTOSTART) == 0 || vm_start(i))
		return NULL;
	vm_destroy(i);
	return "it cannot be started: out of memory, or this system has no monitor for it";
}

void vm_destroy(unsigned index)
{
	vm_stop(index, VM_OFF);
	connect_destroy(index);
	upload_drop(index);
	reserve_give(index);
	vms[index].exists = false;
	memset(vms[index].kept, 0, sizeof(vms[index].kept));
	log_info("vm %s: destroyed", descriptions[index].name);
}
