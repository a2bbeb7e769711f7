/* HVC: PSCI and the SMCCC version calls. SMC: the VM's policy. */
#include "arch.h"

#include <selvage/client.h>
#include <selvage/log.h>

#define SMCCC_NOT_SUPPORTED (~0ull)

static void set_results(struct vcpu *v, const uint64_t result[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (vcpu_get(v, VCPU_X0 + i) != result[i])
			vcpu_set(v, VCPU_X0 + i, result[i]);
	}
}

/* The handler of a vCPU that is off waits here until CPU_ON. */
static void park(struct vm_vcpu *vc)
{
	console_flush(&vc->vm->console);
	vc->parked = true;
	while (vc->parked)
		(void)vm_vcpu_wait(vc);
	vm_vcpu_reset(vc, vc->entry, vc->context);
	psci_running(&vc->vm->psci, vc->index);
}

static void unknown_call(struct vm_vcpu *vc, uint64_t function)
{
	if (psci_known((uint32_t)function) ||
	    !vm_count(vc->vm, VM_EVENT_HVC))
		return;
	log_debug("vCPU %u: hypercall %llx answered NOT_SUPPORTED (%llu so far)",
		  vc->index, (unsigned long long)function,
		  (unsigned long long)vc->vm->events[VM_EVENT_HVC]);
}

void hypercall_exit(struct vm_vcpu *vc)
{
	struct vcpu *v = &vc->cpu.cpu;
	uint64_t args[4], result[4];

	for (unsigned i = 0; i < 4; i++)
		args[i] = vcpu_get(v, VCPU_X0 + i);
	vcpu_advance(v);
	switch (psci_call(&vc->vm->psci, vc->index, args, result)) {
	case PSCI_STANDBY:
		set_results(v, result);
		wfi_block(vc);
		break;
	case PSCI_PARK:
		park(vc);
		break;
	case PSCI_VM_OFF:
		log_info("the guest switches itself off");
		console_flush(&vc->vm->console);
		init_vm_off(VM_STOP_OFF);
	case PSCI_VM_RESET:
		log_info("the guest asks for a reset");
		console_flush(&vc->vm->console);
		init_vm_reset();
	default:
		set_results(v, result);
		unknown_call(vc, args[0]);
		break;
	}
}

/* Forbidden: as on a machine without EL3, where SMC is undefined. */
void secure_call_exit(struct vm_vcpu *vc)
{
	struct vcpu *v = &vc->cpu.cpu;
	bool forbid = vc->vm->info->vm.smc_policy == SYSDESC_SMC_FORBID;
	const char *what = "answered NOT_SUPPORTED";

	if (forbid)
		what = "forbidden, undefined instruction injected";
	if (vm_count(vc->vm, VM_EVENT_SMC))
		log_warning("vCPU %u: SMC %llx at %llx: %s (%llu so far)",
			    vc->index,
			    (unsigned long long)vcpu_get(v, VCPU_X0),
			    (unsigned long long)vcpu_get(v, VCPU_PC),
			    what,
			    (unsigned long long)vc->vm->events[VM_EVENT_SMC]);
	if (forbid) {
		vcpu_inject_undefined(v);
		return;
	}
	vcpu_set(v, VCPU_X0, SMCCC_NOT_SUPPORTED);
	vcpu_advance(v);
}
