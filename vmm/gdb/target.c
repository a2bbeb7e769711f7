/* What the protocol's packets do to this VM, and the thread that serves them. */
#include "debug.h"

#include <selvage/base.h>
#include <selvage/client.h>
#include <selvage/log.h>
#include <selvage/ring.h>
#include <selvage/rt.h>

#define PAGE 4096u
#define TURN 256u /* bytes taken from the channel at once */

static struct gdb gdb;
static struct gdb_target target;
static struct ring out, in;
/* Registers of vCPUs that run, as they were read. */
static struct vcpu_sel4 seen[SYSDESC_MAX_VCPUS];
static bool snapshot_taken;

unsigned debug_right(const struct vm *vm)
{
	if (vm->info->vm.debug == SYSDESC_DEBUG_CONTROL && !debug_possible(vm))
		return SYSDESC_DEBUG_OBSERVE;
	return vm->info->vm.debug;
}

/* Registers that a handler has in its hands are read there while it holds its
 * vCPU for us; of one that runs the kernel tells what they are now. */
struct vcpu_sel4 *debug_view(struct vm *vm, unsigned vcpu)
{
	struct vcpu_sel4 *s = &seen[vcpu];

	if (stub.vcpu[vcpu].held)
		return &vm->vcpu[vcpu].cpu;
	if (!snapshot_taken)
		vcpu_forget(&s->cpu);
	return s;
}

static void take_snapshot(void *opaque)
{
	struct vm *vm = opaque;

	snapshot_taken = false;
	for (unsigned i = 0; i < vm->info->n_vcpus; i++) {
		vcpu_forget(&seen[i].cpu);
		for (unsigned r = 0; r < debug_regs(vm); r++)
			(void)debug_reg_read(vm, &seen[i], r);
	}
	snapshot_taken = true;
}

/* A VM that is only looked at is not held up: nothing of what the lock guards
 * is changed then, and nobody but this thread attaches. */
void debug_lock(struct vm *vm)
{
	if (stub.attached)
		vm_lock(vm, NULL);
}

void debug_unlock(struct vm *vm)
{
	if (stub.attached)
		mutex_unlock(&vm->lock);
}

static bool is_on(void *opaque, unsigned vcpu)
{
	const struct vm_vcpu *vc = &((struct vm *)opaque)->vcpu[vcpu];

	return vc->started && !vc->parked;
}

static unsigned reg_bytes(void *opaque, unsigned reg)
{
	return debug_reg_bytes(opaque, reg);
}

static bool regs_read(void *opaque, unsigned vcpu, unsigned first, unsigned n,
		      uint64_t *values)
{
	struct vm *vm = opaque;
	struct vcpu_sel4 *view;

	debug_lock(vm);
	view = debug_view(vm, vcpu);
	for (unsigned i = 0; i < n; i++)
		values[i] = debug_reg_read(vm, view, first + i);
	debug_unlock(vm);
	return true;
}

static bool reg_write(void *opaque, unsigned vcpu, unsigned reg, uint64_t value)
{
	struct vm *vm = opaque;
	bool ok;

	debug_lock(vm);
	ok = stub.vcpu[vcpu].held &&
	     debug_reg_write(vm, &vm->vcpu[vcpu].cpu, reg, value);
	debug_unlock(vm);
	return ok;
}

/* Page by page, as the guest's tables have it; part of it may be done when it
 * turns out that the rest is not there. */
static bool copy(struct vm *vm, unsigned vcpu, bool physical, uint64_t at, uint8_t *to,
		 const uint8_t *from, size_t n)
{
	struct vcpu_sel4 *view = debug_view(vm, vcpu);

	for (size_t done = 0; done < n;) {
		size_t part = (size_t)min_u64(n - done, PAGE - at % PAGE);
		uint64_t gpa = at;

		if ((!physical && !debug_translate(vm, view, at, &gpa)) ||
		    (to ? !debug_ram_read(vm, gpa, to + done, part)
			: !debug_ram_write(vm, gpa, from + done, part)))
			return false;
		done += part;
		at += part;
	}
	return true;
}

static bool mem_read(void *opaque, unsigned vcpu, bool physical, uint64_t at, void *to,
		     size_t n)
{
	struct vm *vm = opaque;
	bool ok;

	debug_lock(vm);
	ok = copy(vm, vcpu, physical, at, to, NULL, n);
	debug_unlock(vm);
	return ok;
}

static bool mem_write(void *opaque, unsigned vcpu, bool physical, uint64_t at,
		      const void *from, size_t n)
{
	struct vm *vm = opaque;
	bool ok;

	debug_lock(vm);
	ok = copy(vm, vcpu, physical, at, NULL, from, n);
	debug_unlock(vm);
	return ok;
}

static bool change_point(void *opaque, unsigned vcpu, enum gdb_point type, bool insert,
			 uint64_t at, uint64_t kind)
{
	struct vm *vm = opaque;
	bool ok;

	debug_lock(vm);
	ok = debug_point(vm, debug_view(vm, vcpu), type, insert, at, kind);
	debug_unlock(vm);
	return ok;
}

static void halt(void *opaque)
{
	struct vm *vm = opaque;

	vm_lock(vm, NULL);
	if (!stub.attached)
		log_info("VM %s: stopped by a debugger", vm->info->vm.name);
	stub.attached = true;
	debug_stop(vm, &(struct gdb_stop){ .point = GDB_NO_POINT });
	mutex_unlock(&vm->lock);
}

static void resume(void *opaque, const enum gdb_action *action)
{
	struct vm *vm = opaque;

	vm_lock(vm, NULL);
	debug_resume(vm, action);
	mutex_unlock(&vm->lock);
}

static void detach(void *opaque)
{
	enum gdb_action action[GDB_VCPUS];
	struct vm *vm = opaque;

	snapshot_taken = false;
	for (unsigned i = 0; i < GDB_VCPUS; i++)
		action[i] = GDB_GO;
	vm_lock(vm, NULL);
	if (stub.attached) {
		log_info("VM %s: the debugger lets it go", vm->info->vm.name);
		debug_points_clear(vm);
		stub.attached = false;
		debug_resume(vm, action);
	}
	mutex_unlock(&vm->lock);
}

static void end(void *opaque)
{
	struct vm *vm = opaque;

	log_info("VM %s: the debugger switches it off", vm->info->vm.name);
	init_vm_off(VM_STOP_OFF);
}

static void describe(void *opaque, unsigned vcpu, char *text, size_t size)
{
	debug_describe(opaque, vcpu, text, size);
}

static size_t memory_map(void *opaque, char *xml, size_t size)
{
	return debug_memory_map(opaque, xml, size);
}

static bool monitor(void *opaque, struct gdb *g, const char *command)
{
	return debug_monitor(opaque, g, command);
}

/* --- the channel --- */

/* Not under the VM's lock: a host that does not read holds up nobody else. */
static void send(void *opaque, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;

	(void)opaque;
	for (;;) {
		uint32_t put = ring_put(&out, from, (uint32_t)n);

		from += put;
		n -= put;
		if (n == 0)
			return;
		sel4_signal(PROC_CAP_SERIAL_NTFN);
		(void)sel4_wait(VMM_CAP_DEBUG_NTFN);
	}
}

static void tell_stop(struct vm *vm)
{
	struct gdb_stop why;
	bool due;

	debug_lock(vm);
	due = stub.due;
	stub.due = false;
	why = stub.why;
	debug_unlock(vm);
	if (due)
		gdb_stopped(&gdb, &why);
}

_Noreturn static void serve(void *arg)
{
	struct vm *vm = arg;
	uint8_t bytes[TURN];
	uint32_t n;

	for (;;) {
		tell_stop(vm);
		n = ring_get(&in, bytes, sizeof(bytes));
		gdb_receive(&gdb, bytes, n);
		/* Output waits, or input was taken. */
		if (n > 0 || ring_room(&out) < CHANNEL_OUT_SIZE)
			sel4_signal(PROC_CAP_SERIAL_NTFN);
		if (n == 0)
			(void)sel4_wait(VMM_CAP_DEBUG_NTFN);
	}
}

static void begin(void *opaque)
{
	struct vm *vm = opaque;

	debug_lock(vm);
	debug_begin(vm);
	debug_unlock(vm);
	target.n_core = debug_core_regs(vm);
	target.n_regs = debug_regs(vm);
	target.xml = debug_xml(vm);
}

static void fill_target(struct vm *vm)
{
	target = (struct gdb_target){
		.opaque = vm,
		.control = debug_right(vm) == SYSDESC_DEBUG_CONTROL,
		.n_vcpus = vm->info->n_vcpus,
		.send = send,
		.begin = begin,
		.is_on = is_on,
		.reg_bytes = reg_bytes,
		.regs_read = regs_read,
		.reg_write = reg_write,
		.mem_read = mem_read,
		.mem_write = mem_write,
		.point = change_point,
		.snapshot = take_snapshot,
		.halt = halt,
		.resume = resume,
		.detach = detach,
		.kill = end,
		.describe = describe,
		.memory_map = memory_map,
		.monitor = monitor,
	};
	begin(vm);
}

static void install(struct vm *vm)
{
	vm->hooks.debug = &debug_hooks;
}

static const char *start(struct vm *vm)
{
	const struct vmm_info *info = vm->info;
	uint64_t regs[ABI_CTX_COUNT];

	if (info->vm.debug != debug_right(vm))
		log_warning("this kernel has no guest debug: `debug: control` is `observe` here");
	ring_attach(&out, (char *)PROC_RING_BASE + PROC_RING_STRIDE + CHANNEL_OUT_OFFSET,
		    CHANNEL_OUT_SIZE, true);
	ring_attach(&in, (char *)PROC_RING_BASE + PROC_RING_STRIDE + CHANNEL_IN_OFFSET,
		    CHANNEL_IN_SIZE, false);
	for (unsigned i = 0; i < info->n_vcpus; i++) {
		seen[i] = vm->vcpu[i].cpu;
		vcpu_init(&seen[i].cpu, vm->vcpu[i].cpu.cpu.ops);
	}
	fill_target(vm);
	gdb_init(&gdb, &target);
	rt_thread_prepare(regs, (void *)(uintptr_t)info->debug_stack_top,
			  (void *)(uintptr_t)(PROC_IPCBUF_BASE + (info->n_vcpus + 1) * 4096u),
			  serve, vm);
	return sel4_tcb_write_registers(VMM_CAP_DEBUG_TCB, 1, ABI_CTX_COUNT, regs) == ABI_OK
		       ? NULL
		       : "it cannot be debugged: the kernel refused a thread";
}

const struct vm_part part_debug = {
	.bit = VMM_PART_DEBUG,
	.install = install,
	.run = start,
};
