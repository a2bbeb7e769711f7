/*
 * Init, the root task: takes the machine over from the kernel, starts the
 * services and the VMs of the description, then serves requests and faults.
 */
#include "balloon.h"
#include "board.h"
#include "connect.h"
#include "connect_vm.h"
#include "control.h"
#include "crash.h"
#include "machine_off.h"
#include "self.h"
#include "vm.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/log.h>
#include <selvage/ring.h>
#include <selvage/rt.h>

/* Below its services, which it calls; above every VM and its monitor. */
#define PRIORITY 180

static struct machine machine;

static _Noreturn void die(const char *what, const char *why)
{
	char text[128];

	fmt_print(text, sizeof(text), "\ninit: %s: %s\n", what, why);
	board_print(&machine, text);
	machine_off();
	rt_panic(text);
}

/* The date, from the machine's clock if it has one; guests' clocks go on from
 * there by the counter. */
static void read_clock(void)
{
	machine.epoch_s = board_seconds(&machine);
	machine.epoch_counter = clock_now();
}

static void take_over(const struct abi_bootinfo *bi)
{
	uint64_t next_slot = bi->empty.start;
	const char *error;
	cap_t used;

	board_close();
	error = machine_read(&machine, bi);
	if (error != NULL)
		die("machine", error);
	error = cspace_init(bi, &next_slot, &used);
	if (error == NULL)
		error = mem_init(bi, next_slot, used, machine.payload_paddr,
				 machine.payload_bytes);
	if (error != NULL)
		die("memory", error);
	mem_open(&init_arena, MEM_CHUNK_BITS);
	error = self_init();
	if (error != NULL)
		die("own address space", error);
	error = board_read(&machine);
	if (error != NULL)
		die("machine", error);
	read_clock();
	error = images_init(&machine, bi);
	if (error != NULL)
		die("payload", error);
	if (sel4_tcb_set_priority(ABI_ROOT_TCB, ABI_ROOT_TCB, PRIORITY) != ABI_OK)
		die("scheduling", "the kernel refuses init's priority");
	init_sched_control = bi->sched_control.start;
	process_counter_hz = clock_hz();
	process_log_level = images_description()->log_level;
}

static void start_everything(void)
{
	const struct sysdesc *system = images_description();
	struct mem_figures f;
	const char *error;

	init_endpoint = mem_object(&init_arena, ABI_OBJ_ENDPOINT);
	if (init_endpoint == 0)
		die("memory", "no room for an endpoint");
	error = service_start(&machine, system);
	if (error != NULL)
		die("service cannot be started", error);
	board_report();
	control_init(CONTROL_HOST, service_control_channel(), service_control_signal);
	control_init(CONTROL_SHELL, service_debug_channel(), service_debug_signal);
	connect_open(system);
	error = connect_vm_init(system);
	if (error == NULL)
		error = service_start_device_servers(system);
	if (error != NULL)
		die("server cannot be started", error);
	mem_figures_get(&f);
	log_info("system %s: %u VMs, %lu MiB of %lu MiB free", system->name, system->n_vms,
		 (unsigned long)(f.free_bytes >> 20), (unsigned long)(f.total_bytes >> 20));
	vm_init(&machine, system);
	for (unsigned i = 0; i < system->n_vms; i++)
		if ((system->vm[i].flags & SYSDESC_VM_AUTOSTART) != 0)
			(void)vm_start(i);
}

static void on_vm_request(unsigned vm, uint64_t label, uint64_t argument)
{
	if (label == INIT_REQ_VM_RESET) {
		vm_reset(vm);
	} else {
		if (argument > VM_STOP_WATCHDOG)
			argument = VM_STOP_ERROR;
		vm_ended(vm, (enum vm_stop_reason)argument);
	}
}

static bool is_of_memory(uint64_t label)
{
	return label == INIT_REQ_MEMORY_GIVE || label == INIT_REQ_MEMORY_FETCH;
}

/* A message from a process: a request, or the kernel's about its fault. */
static void on_message(uint64_t badge, msginfo_t info, uint64_t mr[SEL4_MSG_REGS])
{
	unsigned number = PROCESS_OF_BADGE(badge);
	uint64_t label = msginfo_label(info);
	struct process *p = &processes[number];
	bool is_vmm = number >= PROCESS_FIRST_VMM;

	if (number >= PROCESS_MAX || p->state != PROCESS_RUNNING)
		return;
	if (label == INIT_REQ_READY) {
		if (is_vmm)
			vm_ready(number - PROCESS_FIRST_VMM);
		return;
	}
	if (label == INIT_REQ_VM_OFF || label == INIT_REQ_VM_RESET) {
		if (is_vmm)
			on_vm_request(number - PROCESS_FIRST_VMM, label, mr[0]);
		return;
	}
	if (is_of_memory(label)) {
		mr[0] = is_vmm && (label == INIT_REQ_MEMORY_GIVE ? balloon_give : balloon_fetch)(
					  number - PROCESS_FIRST_VMM, mr[0]);
		return;
	}
	crash_report(p, THREAD_OF_BADGE(badge), info, mr);
	p->state = PROCESS_CRASHED;
	if (is_vmm)
		vm_ended(number - PROCESS_FIRST_VMM, VM_STOP_FAULT);
}

/* Nothing runs and nothing is asked for: the description says what then. */
static void consider_power_off(bool any_ran)
{
	if (any_ran && !vm_any_running() &&
	    images_description()->on_idle == SYSDESC_IDLE_POWEROFF &&
	    !machine_off_requested()) {
		log_info("no VM runs any more: switching off");
		machine_off_request();
	}
	if (machine_off_requested())
		machine_off();
}

int main(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };
	uint64_t badge;
	msginfo_t info;
	cap_t reply;
	bool any_ran;

	take_over(rt_bootinfo());
	start_everything();
	reply = mem_object(&init_arena, ABI_OBJ_REPLY);
	any_ran = vm_any_running();
	for (;;) {
		consider_power_off(any_ran);
		info = sel4_recv(init_endpoint, &badge, mr, reply);
		if ((badge & INIT_NTFN) != 0) {
			service_revive();
			vm_start_due();
			control_run();
		} else {
			on_message(badge, info, mr);
			if (msginfo_label(info) == INIT_REQ_READY)
				sel4_send(reply, msginfo(0, 0, 0), mr);
			else if (is_of_memory(msginfo_label(info)))
				sel4_send(reply, msginfo(mr[0] != 1, 0, 0), mr);
		}
		if (mem_was_closed())
			balloon_retry();
		any_ran = any_ran || vm_any_running();
	}
}
