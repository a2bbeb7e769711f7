/* Registers and vectors of a 32-bit vCPU in a fault record. */
#include "narrow.h"

#include <stddef.h>

typedef unsigned long long ull;

#define SCTLR_V (1u << 13)
#define MODE_SVC 0x13u
#define MODE_ABT 0x17u
#define MODE_UND 0x1bu
#define MODE_IRQ 0x12u
#define MODE_FIQ 0x11u

static ull extra(struct vm_vcpu *vc, unsigned reg)
{
	uint64_t value = 0;

	(void)vcpu_sel4_read(&vc->cpu, reg, &value);
	return value;
}

/* r8 to r14 of another mode. */
static unsigned banked(struct vm_vcpu *vc, unsigned mode, unsigned r)
{
	return (unsigned)vcpu_get_x(&vc->cpu.cpu, vcpu_r_number(r, mode));
}

void report_narrow_registers(struct vm_vcpu *vc)
{
	struct vcpu *v = &vc->cpu.cpu;
	unsigned mode = (unsigned)vcpu_get(v, VCPU_PSTATE);
	char line[208];
	size_t used = 0;

	for (unsigned i = 0; i < 13; i++)
		used += fmt_print(line + used, sizeof(line) - used, " r%u=0x%x", i,
				  banked(vc, mode, i));
	report_say("registers", "pc=0x%llx cpsr=0x%x sp=0x%x lr=0x%x", (ull)vcpu_get(v, VCPU_PC),
		   mode, banked(vc, mode, 13), banked(vc, mode, 14));
	report_say("registers", "%s", line + 1);
	report_say("banked", "sp_usr=0x%x lr_usr=0x%x sp_svc=0x%x lr_svc=0x%x spsr_svc=0x%llx "
			     "sp_abt=0x%x lr_abt=0x%x spsr_abt=0x%llx",
		   banked(vc, 0x10, 13), banked(vc, 0x10, 14), banked(vc, MODE_SVC, 13),
		   banked(vc, MODE_SVC, 14), reg_of(vc, ABI_VCPU_SPSR_EL1),
		   banked(vc, MODE_ABT, 13), banked(vc, MODE_ABT, 14),
		   extra(vc, ABI_EXTV_SPSR_ABT));
	report_say("banked", "sp_und=0x%x lr_und=0x%x spsr_und=0x%llx sp_irq=0x%x lr_irq=0x%x "
			     "spsr_irq=0x%llx sp_fiq=0x%x lr_fiq=0x%x spsr_fiq=0x%llx",
		   banked(vc, MODE_UND, 13), banked(vc, MODE_UND, 14),
		   extra(vc, ABI_EXTV_SPSR_UND),
		   banked(vc, MODE_IRQ, 13), banked(vc, MODE_IRQ, 14),
		   extra(vc, ABI_EXTV_SPSR_IRQ),
		   banked(vc, MODE_FIQ, 13), banked(vc, MODE_FIQ, 14),
		   extra(vc, ABI_EXTV_SPSR_FIQ));
	report_say("system", "sctlr=0x%llx v=%u vbar=0x%llx ttbcr=0x%llx ttbr0=0x%llx "
			     "ttbr1=0x%llx",
		   reg_of(vc, ABI_VCPU_SCTLR_EL1),
		   (reg_of(vc, ABI_VCPU_SCTLR_EL1) & SCTLR_V) != 0, reg_of(vc, ABI_VCPU_VBAR_EL1),
		   reg_of(vc, ABI_VCPU_TCR_EL1), reg_of(vc, ABI_VCPU_TTBR0_EL1),
		   reg_of(vc, ABI_VCPU_TTBR1_EL1));
	report_say("system", "dfsr=0x%llx dfar=0x%llx ifsr=0x%llx ifar=0x%llx dacr=0x%llx",
		   reg_of(vc, ABI_VCPU_ESR_EL1), reg_of(vc, ABI_VCPU_FAR_EL1) & 0xffffffff,
		   extra(vc, ABI_EXTV_IFSR32), reg_of(vc, ABI_VCPU_FAR_EL1) >> 32,
		   extra(vc, ABI_EXTV_DACR32));
}

static bool is_thumb_svc(struct vm_vcpu *vc, uint64_t va)
{
	uint32_t insn;

	return insn_fetch(vc, va, &insn) && (insn & 0xff00) == 0xdf00;
}

/* Offset of the vector: mode whose LR holds, how far behind the instruction. */
bool report_narrow_origin(struct vm_vcpu *vc, uint64_t offset, struct report_origin *o)
{
	static const struct {
		const char *name;
		uint8_t mode, back, back_thumb;
	} vectors[8] = {
		[1] = { "undefined instruction", MODE_UND, 4, 2 },
		[2] = { "supervisor call", MODE_SVC, 4, 2 },
		[3] = { "prefetch abort", MODE_ABT, 4, 4 },
		[4] = { "data abort", MODE_ABT, 8, 8 },
		[6] = { "interrupt", MODE_IRQ, 4, 4 },
		[7] = { "fast interrupt", MODE_FIQ, 4, 4 },
	};
	unsigned i = (unsigned)offset / 4;
	uint32_t lr, spsr;

	if (offset >= 0x20 || offset % 4 != 0 || vectors[i].name == NULL)
		return false;
	lr = banked(vc, vectors[i].mode, 14);
	spsr = (uint32_t)(i == 2 ? reg_of(vc, ABI_VCPU_SPSR_EL1)
				 : extra(vc, i == 1  ? ABI_EXTV_SPSR_UND
					     : i < 5 ? ABI_EXTV_SPSR_ABT
						     : ABI_EXTV_SPSR_IRQ));
	o->exception = vectors[i].name;
	o->pstate = DECODE_PSTATE_AARCH32;
	/* QEMU does not show the SPSR in use: of an SVC the code itself says. */
	if (i == 2 ? is_thumb_svc(vc, lr - 2) : (spsr & DECODE_PSTATE_THUMB) != 0)
		o->pstate |= DECODE_PSTATE_THUMB;
	o->va = (uint32_t)(lr - (o->pstate & DECODE_PSTATE_THUMB ? vectors[i].back_thumb
								 : vectors[i].back));
	return true;
}
