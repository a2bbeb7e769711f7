/* What a fault record says of an x86-64 vCPU. */
#include "../../report.h"

#include "arch.h"

#include <selvage/fmt.h>

typedef unsigned long long ull;

void report_arch_syndrome(const struct vcpu_exit *e)
{
	report_say("syndrome", "code=%u detail=0x%llx", e->code, (ull)e->syndrome);
	if (report_is_access(e))
		report_say("syndrome", "table_walk=%s", REPORT_YES(report_arch_is_walk(e)));
}

bool report_arch_is_walk(const struct vcpu_exit *e)
{
	return report_is_access(e) && (e->syndrome & ABI_EXIT_PAGE_TABLES);
}

void report_arch_registers(struct vm_vcpu *vc)
{
	static const char *const names[VCPU_REGS] = {
#define X(name) #name,
		ABI_VCPU_REGS(X)
#undef X
	};

	arch_fetch(vc, ((1ull << VCPU_REGS) - 1));
	for (unsigned i = 0; i + 2 < VCPU_REGS; i += 3)
		report_say("registers", "%s=0x%llx %s=0x%llx %s=0x%llx", names[i],
			   (ull)vcpu_get(&vc->cpu.cpu, i), names[i + 1],
			   (ull)vcpu_get(&vc->cpu.cpu, i + 1), names[i + 2],
			   (ull)vcpu_get(&vc->cpu.cpu, i + 2));
}

/* As in the record of AArch64: what is at the program counter. */
void report_arch_code(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	char text[2 * 15 + 1] = "none";
	uint8_t bytes[15];
	const unsigned n = emulate_fetch(vc, bytes, sizeof(bytes));

	(void)e;
	for (unsigned i = 0; i < n; i++)
		(void)fmt_print(text + 2 * i, sizeof(text) - 2 * i, "%02x", bytes[i]);
	report_say("code", "rip=0x%llx bytes=%s", (ull)vcpu_get(&vc->cpu.cpu, VCPU_RIP), text);
}

void report_arch_facts(struct vm_vcpu *vc, const struct vcpu_exit *e, struct fault_facts *f)
{
	(void)e;
	f->pc = vcpu_get(&vc->cpu.cpu, VCPU_RIP);
	f->sp = vcpu_get(&vc->cpu.cpu, VCPU_RSP);
	f->sp_in_memory = true;
	f->vectors = ~0ull - (1ull << 20); /* none */
	f->vectors_in_memory = true;
}
