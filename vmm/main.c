/* The VMM's main thread: sets the VM up, starts it, then serves device
 * events. */
#include "devices.h"
#include "exits.h"
#include "vm.h"

#include <selvage/client.h>
#include <selvage/log.h>
#include <selvage/rt.h>
#include <stddef.h>

static struct vm vm;

_Noreturn static void give_up(const char *why)
{
	log_error("VM %s cannot start: %s", vmm_info_get()->vm.name, why);
	init_vm_off(VM_STOP_ERROR);
}

/*
 * The handler runs on the vCPU's scheduling context until it waits for exits,
 * which it tells by a signal in the same system call (struct vcpu_caps,
 * ready); then the context goes to the vCPU and the handler is passive.
 */
static bool start_handler(struct vm_vcpu *vc)
{
	unsigned i = vc->index;
	cap_t sc = VMM_CAP_VCPU(i) + VMM_VCPU_SC;
	cap_t handler = VMM_CAP_VCPU(i) + VMM_VCPU_HANDLER;
	uint64_t regs[ABI_CTX_COUNT];

	rt_thread_prepare(regs,
			  (void *)(uintptr_t)vm.info->handler_stack_top[i],
			  (void *)(uintptr_t)(PROC_IPCBUF_BASE +
					      (i + 1) * 4096u),
			  exits_handler, vc);
	if (sel4_sched_context_bind(sc, handler) != ABI_OK ||
	    sel4_tcb_write_registers(handler, 1, ABI_CTX_COUNT, regs) != ABI_OK)
		return false;
	while ((sel4_wait(vc->wake) & VMM_WAKE_SIGNAL) == 0)
		; /* a timer's signal; the time server may send one at any time */
	return sel4_sched_context_unbind_object(sc, handler) == ABI_OK &&
	       sel4_sched_context_bind(sc, VMM_CAP_VCPU(i) + VMM_VCPU_TCB) ==
		       ABI_OK;
}

static void serve_console(void)
{
	mutex_lock(&vm.lock);
	vm.handler = NULL;
	uart_service(&vm);
	vm_deliver_irqs(&vm, NULL);
	mutex_unlock(&vm.lock);
}

static void watch(void)
{
	mutex_lock(&vm.lock);
	vm_watch(&vm);
	mutex_unlock(&vm.lock);
}

/* Returns the badges of the next events. */
static uint64_t serve(uint64_t badges)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 }, next;
	cap_t owed = 0;

	if (badges & VMM_NTFN_SERIAL)
		serve_console();
	if (badges & VMM_NTFN_INIT)
		watch();
	for (unsigned i = 0; i < vm.n_parts; i++) {
		const struct vm_part *part = vm.part[i];
		cap_t signal = part->event != NULL ? part->event(&vm, badges) : 0;

		if (signal != 0 && owed != 0)
			sel4_signal(owed);
		owed = signal != 0 ? signal : owed;
	}
	if (owed == 0)
		return sel4_wait(PROC_CAP_NTFN);
	(void)sel4_nb_send_wait(owed, msginfo(0, 0, 0), mr, PROC_CAP_NTFN, &next);
	return next;
}

static void run_parts(void)
{
	for (unsigned i = 0; i < vm.n_parts; i++) {
		const char *error = vm.part[i]->run != NULL ? vm.part[i]->run(&vm) : NULL;

		if (error != NULL)
			log_error("VM %s: %s", vm.info->vm.name, error);
	}
}

/* Returns the badges of the next events. */
static uint64_t wait_for_parts(void)
{
	uint64_t badges = 0;

	for (unsigned i = 0; i < vm.n_parts; i++)
		while (vm.part[i]->ready != NULL && !vm.part[i]->ready(&vm))
			badges = serve(badges);
	return badges;
}

int main(void)
{
	const struct vmm_info *info = vmm_info_get();
	const char *error = vm_init(&vm, info);
	uint64_t badge;

	if (error != NULL)
		give_up(error);
	for (unsigned i = 0; i < info->n_vcpus; i++) {
		if (!start_handler(&vm.vcpu[i]))
			give_up("the kernel refused a handler thread");
	}
	error = vm_load(&vm);
	if (error != NULL)
		give_up(error);
	init_ready();
	log_info("VM %s starts: %u vCPU, %s", info->vm.name, info->n_vcpus,
		 vm_arch_irqs_name(&vm));
	badge = wait_for_parts();
	if (!vm_vcpu_start(&vm.vcpu[0]))
		give_up("the kernel refused to start vCPU 0");
	run_parts();
	for (;;)
		badge = serve(badge);
}
