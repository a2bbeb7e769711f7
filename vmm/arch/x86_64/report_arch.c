/* What a fault record says of an x86-64 vCPU. */
#include "../../report.h"

#include "arch.h"

#include <selvage/fmt.h>

typedef unsigned long long ull;

#define INSN_BYTES 15u
#define CR0_PG (1ull << 31)
#define IDT_BYTES 256u

static ull reg(struct vm_vcpu *vc, unsigned number)
{
	return vcpu_get(&vc->cpu.cpu, number);
}

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

/* Registers from `first` to `last`, as many to a line as the log takes. */
static void say_registers(struct vm_vcpu *vc, const char *section, unsigned first, unsigned last)
{
	static const char *const names[VCPU_REGS] = {
#define X(name) #name,
		ABI_VCPU_REGS(X)
#undef X
	};
	char line[208];
	size_t used = 0;

	for (unsigned i = first; i <= last; i++) {
		used += fmt_print(line + used, sizeof(line) - used, " ");
		for (const char *c = names[i]; *c != '\0'; c++)
			line[used++] = (char)(*c >= 'A' && *c <= 'Z' ? *c + 'a' - 'A' : *c);
		used += fmt_print(line + used, sizeof(line) - used, "=0x%llx", reg(vc, i));
		if (i == last || (i - first) % 5 == 4) {
			log_error("fault %s: %s", section, line + 1);
			used = 0;
		}
	}
}

static void say_segment(struct vm_vcpu *vc, const char *name, unsigned segment, unsigned base)
{
	const uint64_t s = reg(vc, segment);

	report_say("segment", "name=%s selector=0x%x attributes=0x%x limit=0x%x base=0x%llx", name,
		   VCPU_SEG_SELECTOR(s), VCPU_SEG_ATTRIBUTES(s), VCPU_SEG_LIMIT(s), reg(vc, base));
}

void report_arch_registers(struct vm_vcpu *vc)
{
#define SEGMENT(text, name) say_segment(vc, text, VCPU_##name, VCPU_##name##_BASE)
	arch_fetch(vc, (1ull << VCPU_REGS) - 1);
	say_registers(vc, "registers", VCPU_RAX, VCPU_RFLAGS);
	say_registers(vc, "system", VCPU_CR0, VCPU_EFER);
	say_registers(vc, "system", VCPU_CR2, VCPU_KERNEL_GS_BASE);
	say_registers(vc, "system", VCPU_SHADOW, VCPU_IRQ);
	SEGMENT("cs", CS);
	SEGMENT("ss", SS);
	SEGMENT("ds", DS);
	SEGMENT("es", ES);
	SEGMENT("fs", FS);
	SEGMENT("gs", GS);
	SEGMENT("ldtr", LDTR);
	SEGMENT("tr", TR);
	SEGMENT("gdtr", GDTR);
	SEGMENT("idtr", IDTR);
#undef SEGMENT
}

/* The instruction at the program counter, by the guest's own tables; where its exceptions go. */
void report_arch_code(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	char text[2 * INSN_BYTES + 1] = "";
	uint8_t bytes[INSN_BYTES];
	const unsigned n = emulate_fetch(vc, bytes, sizeof(bytes));
	const uint64_t idt = reg(vc, VCPU_IDTR_BASE);
	uint64_t gpa = 0;
	bool there;

	for (unsigned i = 0; i < n; i++)
		(void)fmt_print(text + 2 * i, sizeof(text) - 2 * i, "%02x", bytes[i]);
	report_say("instruction", "va=0x%llx readable=%s mode=%u", reg(vc, VCPU_RIP),
		   REPORT_YES(n != 0), emulate_mode(vc));
	if (n != 0)
		report_say("instruction", "bytes=\"%s\"", text);
	there = emulate_translate(vc, idt, &gpa) && gmem_holds(&vc->vm->mem, gpa, IDT_BYTES);
	report_say("vectors", "base=0x%llx memory=%s", (ull)idt, REPORT_YES(there));
	if (!report_is_access(e) || e->gva == 0)
		return;
	there = emulate_translate(vc, e->gva, &gpa);
	report_say("stage1", "mmu=%s va=0x%llx mapped=%s",
		   REPORT_YES(reg(vc, VCPU_CR0) & CR0_PG), (ull)e->gva, REPORT_YES(there));
	if (there)
		report_say("stage1", "gpa=0x%llx", (ull)gpa);
}

void report_arch_facts(struct vm_vcpu *vc, const struct vcpu_exit *e, struct fault_facts *f)
{
	uint64_t gpa;

	f->shutdown = e->reason == VCPU_EXIT_SHUTDOWN;
	f->pc = reg(vc, VCPU_RIP);
	f->sp = reg(vc, VCPU_RSP);
	f->sp_in_memory = emulate_translate(vc, f->sp - 1, &gpa) &&
			  gmem_holds(&vc->vm->mem, gpa, 1);
	f->vectors = ~0ull - (1ull << 20); /* no code is there: gates lead to it */
	f->vectors_in_memory = emulate_translate(vc, reg(vc, VCPU_IDTR_BASE), &gpa) &&
			       gmem_holds(&vc->vm->mem, gpa, IDT_BYTES);
}
