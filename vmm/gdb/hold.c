/* Stopping the VM and letting it go on. */
#include "devices.h"
#include "vm.h"

#include <selvage/clock.h>

/* vCPUs that are off are nobody's concern. */
static bool is_held(const struct vm_vcpu *vc)
{
	return !vc->started || vc->parked || vc->debug.held;
}

static bool all_held(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->info->n_vcpus; i++) {
		if (!is_held(&vm->vcpu[i]))
			return false;
	}
	return true;
}

static void look_whether_it_stands(struct vm *vm)
{
	if (!vm->debug.stop || vm->debug.standing || !all_held(vm))
		return;
	vm->debug.standing = true;
	vm->debug.due = true;
	vm->debug.since = clock_now();
	sel4_signal(VMM_CAP_DEBUG_NTFN);
}

void debug_stop(struct vm *vm, const struct gdb_stop *why)
{
	if (vm->debug.stop)
		return; /* what came first is told */
	vm->debug.stop = true;
	vm->debug.why = *why;
	for (unsigned i = 0; i < vm->info->n_vcpus; i++) {
		struct vm_vcpu *vc = &vm->vcpu[i];

		if (is_held(vc))
			continue;
		if (vc->waiting)
			sel4_signal(vc->wake);
		else
			debug_set_mode(vc, DEBUG_STEP);
	}
	look_whether_it_stands(vm);
}

static void hold(struct vm_vcpu *vc)
{
	debug_irqs_unmask(vc);
	/* It also brings the registers to memory: its timer does not run on. */
	debug_set_mode(vc, DEBUG_EVENTS);
	vc->debug.step = false;
	vc->debug.held = true;
	look_whether_it_stands(vc->vm);
	while (vc->debug.held) {
		if ((vm_vcpu_wait(vc) & VMM_WAKE_TIMER) != 0)
			vc->vtimer.armed = 0;
	}
}

void debug_hold(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	debug_settle(vc, e);
	/* Let go, it may find that another vCPU has stopped the VM since. */
	while (vc->vm->debug.stop)
		hold(vc);
}

void debug_started(struct vm_vcpu *vc)
{
	if (vc->vm->debug.stop)
		debug_set_mode(vc, DEBUG_STEP);
}

bool debug_forbids_wait(struct vm_vcpu *vc)
{
	struct vm *vm = vc->vm;

	if (!(vm->debug.stop || vc->debug.step) || vc->debug.held)
		return false;
	if (!vc->parked)
		return true;
	/* It switched itself off, be it in a step. */
	if (vc->debug.step)
		debug_stop(vm, &(struct gdb_stop){ .signal = GDB_SIGTRAP,
						   .vcpu = (uint8_t)vc->index,
						   .point = GDB_NO_POINT });
	vc->debug.step = false;
	look_whether_it_stands(vm);
	return false;
}

static void time_goes_on(struct vm *vm)
{
	uint64_t ticks = clock_now() - vm->debug.since;

	if (!vm->debug.standing)
		return;
	vm->debug.standing = vm->debug.due = false;
	vm->debug.stood += ticks;
	debug_delay(vm, ticks);
	a9_time_goes_on(vm);
}

uint64_t vm_now(const struct vm *vm)
{
	return (vm->debug.standing ? vm->debug.since : clock_now()) - vm->debug.stood;
}

static void release(struct vm_vcpu *vc, enum gdb_action action)
{
	bool step = action == GDB_STEP && vc->started && !vc->parked;
	enum debug_mode mode = step ? DEBUG_STEP : DEBUG_EVENTS;

	vc->debug.step = step;
	debug_set_mode(vc, vc->vm->debug.attached ? mode : DEBUG_OFF);
	if (step)
		debug_irqs_mask(vc);
	if (!vc->debug.held)
		return;
	vc->debug.held = false;
	sel4_signal(vc->wake);
}

void debug_resume(struct vm *vm, const enum gdb_action *action)
{
	time_goes_on(vm);
	vm->debug.stop = false;
	for (unsigned i = 0; i < vm->info->n_vcpus; i++) {
		if (action[i] != GDB_STAY || !vm->vcpu[i].debug.held)
			release(&vm->vcpu[i], action[i]);
	}
	/* Nothing was let go: it stands already. */
	if (all_held(vm))
		debug_stop(vm, &vm->debug.why);
}

static uint64_t watched(const struct vm *vm, uint64_t gva, enum gdb_point *type)
{
	for (unsigned i = 0; i < DEBUG_HARD; i++) {
		const struct debug_hard *w = &vm->debug.watchpoint[i];

		if (w->used && gva - w->at < w->size) {
			*type = w->type;
			return gva;
		}
	}
	/* The processor may tell an address just outside of what is watched. */
	for (unsigned i = 0; i < DEBUG_HARD; i++) {
		const struct debug_hard *w = &vm->debug.watchpoint[i];

		if (w->used && gva < w->at + w->size && w->at < gva + 64) {
			*type = w->type;
			return w->at;
		}
	}
	return gva;
}

static bool is_our_break(struct vm_vcpu *vc)
{
	uint64_t gpa;

	return debug_translate(vc->vm, &vc->cpu, vcpu_get(&vc->cpu.cpu, VCPU_PC), &gpa) &&
	       debug_soft_at(vc->vm, gpa);
}

void debug_event(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct gdb_stop why = { .signal = GDB_SIGTRAP, .vcpu = (uint8_t)vc->index };
	enum gdb_point point = GDB_NO_POINT;

	switch (debug_what(e)) {
	case DEBUG_WHAT_STEP:
		if (!vc->debug.step && !vc->vm->debug.stop)
			debug_set_mode(vc, DEBUG_EVENTS); /* it came too late */
		if (!vc->debug.step)
			return;
		break;
	case DEBUG_WHAT_SOFT:
		if (!is_our_break(vc)) {
			debug_reflect(vc, e);
			return;
		}
		point = GDB_SOFTWARE;
		break;
	case DEBUG_WHAT_HARD:
		point = GDB_HARDWARE;
		break;
	case DEBUG_WHAT_WATCH:
		why.address = watched(vc->vm, e->gva, &point);
		break;
	}
	why.point = (uint8_t)point;
	debug_stop(vc->vm, &why);
}

void debug_fatal(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	if (!vc->vm->debug.attached)
		return;
	debug_stop(vc->vm, &(struct gdb_stop){ .signal = GDB_SIGSEGV,
					       .vcpu = (uint8_t)vc->index,
					       .point = GDB_NO_POINT });
	debug_hold(vc, e);
}
