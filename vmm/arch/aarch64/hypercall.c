/* HVC: PSCI and the SMCCC version calls. SMC: the VM's policy. */
#include "arch.h"

#include <selvage/client.h>
#include <selvage/log.h>

#define SMCCC_NOT_SUPPORTED (~0ull)
#define SMCCC_64_BITS (1u << 30)

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

static void unknown_call(struct vm_vcpu *vc, uint32_t function)
{
	unsigned long long n = psci_known(function) ? 0 : vm_count(vc->vm, NULL, "hypercall");

	if (n != 0)
		log_debug("vCPU %u: hypercall %x answered NOT_SUPPORTED (%llu so far)", vc->index,
			  function, n);
}

void hypercall_exit(struct vm_vcpu *vc)
{
	struct vcpu *v = &vc->cpu.cpu;
	const uint64_t *args = vcpu_get_first(v, 4);
	uint32_t function = (uint32_t)args[0];
	uint64_t result = 0;

	vcpu_advance(v);
	/* Calls with 64-bit arguments are none for 32-bit registers. */
	if (v->narrow && (function & SMCCC_64_BITS)) {
		vcpu_set_x(v, 0, SMCCC_NOT_SUPPORTED);
		return;
	}
	switch (psci_call(&vc->vm->psci, vc->index, args, &result)) {
	case PSCI_STANDBY:
		vcpu_set(v, VCPU_X0, result);
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
		vcpu_set(v, VCPU_X0, result);
		if (result == SMCCC_NOT_SUPPORTED)
			unknown_call(vc, function);
		break;
	}
}

/* Forbidden: as on a machine without EL3, where SMC is undefined. */
void secure_call_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct vcpu *v = &vc->cpu.cpu;
	bool forbid = vc->vm->info->vm.smc_policy == SYSDESC_SMC_FORBID;
	const char *what = "answered NOT_SUPPORTED";
	unsigned long long n;

	if (forbid)
		what = "forbidden, undefined instruction injected";
	n = vm_count(vc->vm, NULL, "SMC");
	if (n != 0)
		log_warning("vCPU %u: SMC %llx at %llx: %s (%llu so far)",
			    vc->index,
			    (unsigned long long)vcpu_get(v, VCPU_X0),
			    (unsigned long long)vcpu_get(v, VCPU_PC),
			    what, n);
	if (forbid) {
		report_note(vc, e, "SMC, which is forbidden: undefined");
		vcpu_inject_undefined(v);
		return;
	}
	vcpu_set_x(v, 0, SMCCC_NOT_SUPPORTED);
	vcpu_advance(v);
}
