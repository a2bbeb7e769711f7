/* IN and OUT. */
#include "arch.h"

#include "../../report.h"

__attribute__((cold, noinline)) void port_misuse(struct vm_vcpu *vc, uint16_t number,
						 struct mmio *m)
{
	m->offset = number;
	vm_misuse(vc, "port", (const void *)(uintptr_t)number, m);
}

void port_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct mmio m = { .size = e->size, .write = e->write, .value = e->value };
	const char *why;

	if (vcpu_exit_is_string(e)) {
		why = emulate(vc, e);
		if (why != NULL)
			report_stop(vc, e, why);
		return;
	}
	pc_port(vc->vm, e->code, &m);
	if (m.reason != NULL)
		port_misuse(vc, e->code, &m);
	if (e->write)
		vcpu_advance(&vc->cpu.cpu);
	else
		vcpu_finish_in(&vc->cpu.cpu, e, (uint32_t)m.value);
}
