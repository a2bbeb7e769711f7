/* Nested page faults: a device's register, or where nothing is. */
#include "arch.h"

#include "../../report.h"

static const char *why_nowhere(const struct vm_vcpu *vc, uint64_t gpa)
{
	if (gmem_holds(&vc->vm->mem, gpa, 1))
		return "its memory is not mapped";
	return "access to an address where nothing is";
}

void page_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	const char *why;

	if (report_arch_is_walk(e))
		report_stop(vc, e, "page tables where no memory is");
	if (pc_device(vc->vm, e->gpa) == NULL)
		report_stop(vc, e, why_nowhere(vc, e->gpa));
	why = emulate(vc, e);
	if (why != NULL)
		report_stop(vc, e, why);
}

void fetch_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	report_stop(vc, e, "instruction fetch where no memory is");
}
