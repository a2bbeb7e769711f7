/*
 * A guest's virtual counter on a kernel that is not ours. Ours leaves
 * CNTVOFF_EL2 as it is written. seL4's, as it is configured by default, adds
 * the time that the vCPU did not run, so that a guest in WFI would wait for
 * ever; and it may leave the last guest's offset to native threads. So the
 * offset is 0 on such a kernel: counter and virtual counter are the same for
 * everyone, and where the kernel adds to it each exit takes that away again.
 *
 * Which kernel it is, an exit before the guest's first instruction shows: the
 * vCPU starts at an address where nothing is.
 */
#include "arch.h"

#include <selvage/clock.h>
#include <selvage/log.h>

#define NOWHERE (1ull << 39)

void vtime_start(struct vm_vcpu *vc)
{
	if (vc->vm->features != 0 || vc->index != 0)
		return;
	vc->vtime.entry = vcpu_get(&vc->cpu.cpu, VCPU_PC);
	vc->vtime.probing = true;
	vcpu_set(&vc->cpu.cpu, VCPU_PC, NOWHERE);
}

void vtime_exit(struct vm_vcpu *vc)
{
	vc->vtime.exit_at = clock_now();
}

bool vtime_probed(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	uint64_t offset = 0;

	if (!vc->vtime.probing || e->gpa != NOWHERE)
		return false;
	vc->vtime.probing = false;
	vcpu_set(&vc->cpu.cpu, VCPU_PC, vc->vtime.entry);
	(void)vcpu_sel4_read(&vc->cpu, ABI_VCPU_CNTVOFF, &offset);
	vc->vm->time_stands = offset != 0;
	if (vc->vm->time_stands && vc->vm->info->n_vcpus > 1)
		log_error("this kernel stops a guest's time while it does not run "
			  "(KernelArmVtimerUpdateVOffset): the VM gets one vCPU of %u",
			  vc->vm->info->n_vcpus);
	return true;
}

void vtime_resume(struct vm_vcpu *vc)
{
	(void)vcpu_sel4_write(&vc->cpu, ABI_VCPU_CNTVOFF, vc->vtime.exit_at - clock_now());
}
