/* Stopping the VM and letting it go on. */
#include "debug.h"

#include <selvage/clock.h>

/* vCPUs that are off are nobody's concern. */
static bool is_held(const struct vm_vcpu *vc)
{
	return !vc->started || vc->parked || stub.vcpu[vc->index].held;
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
	if (!vm->stop || vm->clock.stands || !all_held(vm))
		return;
	vm->clock.stands = true;
	stub.due = true;
	vm->clock.since = clock_now() - vm_paused_ticks(vm);
	sel4_signal(VMM_CAP_DEBUG_NTFN);
}

void debug_stop(struct vm *vm, const struct gdb_stop *why)
{
	if (vm->stop)
		return; /* what came first is told */
	vm->stop = true;
	stub.why = *why;
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
	stub.vcpu[vc->index].step = false;
	stub.vcpu[vc->index].held = true;
	look_whether_it_stands(vc->vm);
	while (stub.vcpu[vc->index].held)
		debug_woken(vc, vm_vcpu_wait(vc));
}

static void debug_hold(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	debug_settle(vc, e);
	/* Let go, it may find that another vCPU has stopped the VM since. */
	while (vc->vm->stop)
		hold(vc);
}

static void debug_started(struct vm_vcpu *vc)
{
	if (vc->vm->stop)
		debug_set_mode(vc, DEBUG_STEP);
}

static bool debug_forbids_wait(struct vm_vcpu *vc)
{
	struct vm *vm = vc->vm;

	if (!(vm->stop || stub.vcpu[vc->index].step) || stub.vcpu[vc->index].held)
		return false;
	if (!vc->parked)
		return true;
	/* It switched itself off, be it in a step. */
	if (stub.vcpu[vc->index].step)
		debug_stop(vm, &(struct gdb_stop){ .signal = GDB_SIGTRAP,
						   .vcpu = (uint8_t)vc->index,
						   .point = GDB_NO_POINT });
	stub.vcpu[vc->index].step = false;
	look_whether_it_stands(vm);
	return false;
}

static void time_goes_on(struct vm *vm)
{
	uint64_t ticks = clock_now() - vm_paused_ticks(vm) - vm->clock.since;

	if (!vm->clock.stands)
		return;
	vm->clock.stands = stub.due = false;
	vm->clock.stood += ticks;
	debug_delay(vm, ticks);
	if (vm->hooks.clock_goes_on != NULL)
		vm->hooks.clock_goes_on(vm);
}

static void release(struct vm_vcpu *vc, enum gdb_action action)
{
	bool step = action == GDB_STEP && vc->started && !vc->parked;
	enum debug_mode mode = step ? DEBUG_STEP : DEBUG_EVENTS;

	stub.vcpu[vc->index].step = step;
	debug_set_mode(vc, stub.attached || stub.sites ? mode : DEBUG_OFF);
	if (step)
		debug_irqs_mask(vc);
	if (!stub.vcpu[vc->index].held)
		return;
	stub.vcpu[vc->index].held = false;
	sel4_signal(vc->wake);
}

void debug_resume(struct vm *vm, const enum gdb_action *action)
{
	time_goes_on(vm);
	vm->stop = false;
	for (unsigned i = 0; i < vm->info->n_vcpus; i++) {
		if (action[i] != GDB_STAY || !stub.vcpu[i].held)
			release(&vm->vcpu[i], action[i]);
	}
	/* Nothing was let go: it stands already. */
	if (all_held(vm))
		debug_stop(vm, &stub.why);
}

static uint64_t watched(uint64_t gva, enum gdb_point *type)
{
	for (unsigned i = 0; i < DEBUG_HARD; i++) {
		const struct debug_hard *w = &stub.watchpoint[i];

		if (w->used && gva - w->at < w->size) {
			*type = w->type;
			return gva;
		}
	}
	/* The processor may tell an address just outside of what is watched. */
	for (unsigned i = 0; i < DEBUG_HARD; i++) {
		const struct debug_hard *w = &stub.watchpoint[i];

		if (w->used && gva < w->at + w->size && w->at < gva + 64) {
			*type = w->type;
			return w->at;
		}
	}
	return gva;
}

static enum gdb_point our_break(struct vm_vcpu *vc)
{
	uint64_t gpa;

	if (!debug_translate(vc->vm, &vc->cpu, vcpu_get(&vc->cpu.cpu, VCPU_PC), &gpa))
		return GDB_NO_POINT;
	return debug_soft_at(vc->vm, gpa);
}

static void debug_event(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct gdb_stop why = { .signal = GDB_SIGTRAP, .vcpu = (uint8_t)vc->index };
	enum gdb_point point = GDB_NO_POINT;
	uint64_t address = 0;
	enum debug_what what = debug_what(vc, e, &address);

	if (vc->vm->hooks.breakpoint != NULL && vc->vm->hooks.breakpoint(vc, e)) {
		if (!stub.vcpu[vc->index].step)
			return;
		what = DEBUG_WHAT_STEP; /* as if the instruction had been there */
	}
	switch (what) {
	case DEBUG_WHAT_STEP:
		if (!stub.vcpu[vc->index].step && !vc->vm->stop)
			debug_set_mode(vc, DEBUG_EVENTS); /* it came too late */
		if (!stub.vcpu[vc->index].step)
			return;
		break;
	case DEBUG_WHAT_SOFT:
		point = our_break(vc);
		if (point != GDB_NO_POINT)
			break;
		debug_reflect(vc, e);
		return;
	case DEBUG_WHAT_HARD:
		point = GDB_HARDWARE;
		break;
	case DEBUG_WHAT_WATCH:
		why.address = watched(address, &point);
		break;
	}
	why.point = (uint8_t)point;
	debug_stop(vc->vm, &why);
}

static void debug_stepped(struct vm_vcpu *vc)
{
	if (stub.vcpu[vc->index].step)
		debug_stop(vc->vm, &(struct gdb_stop){ .signal = GDB_SIGTRAP,
						       .vcpu = (uint8_t)vc->index,
						       .point = GDB_NO_POINT });
}

static void debug_fatal(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	if (!stub.attached)
		return;
	debug_stop(vc->vm, &(struct gdb_stop){ .signal = GDB_SIGSEGV,
					       .vcpu = (uint8_t)vc->index,
					       .point = GDB_NO_POINT });
	debug_hold(vc, e);
}

const struct debug_hooks debug_hooks = {
	.started = debug_started,
	.forbids_wait = debug_forbids_wait,
	.hold = debug_hold,
	.event = debug_event,
	.stepped = debug_stepped,
	.fatal = debug_fatal,
};
