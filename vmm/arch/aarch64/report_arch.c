/* What a fault record says of registers, instructions and vectors. */
#include "../../report.h"

#include "insn.h"
#include "walk.h"

#include <stddef.h>

typedef unsigned long long ull;

#define SCTLR_M 1u
#define SCTLR_V (1u << 13)
#define HIGH_VECTORS 0xffff0000u
#define ESR_SVC64 0x15u
#define MODE_SVC 0x13u
#define MODE_ABT 0x17u
#define MODE_UND 0x1bu
#define MODE_IRQ 0x12u
#define MODE_FIQ 0x11u

static ull field(struct vm_vcpu *vc, enum abi_vcpu_reg reg)
{
	return vcpu_get(&vc->cpu.cpu, vcpu_field(reg));
}

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

/* --- registers --- */

static void registers32(struct vm_vcpu *vc)
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
		   banked(vc, MODE_SVC, 14), field(vc, ABI_VCPU_SPSR_EL1),
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
		   field(vc, ABI_VCPU_SCTLR_EL1),
		   (field(vc, ABI_VCPU_SCTLR_EL1) & SCTLR_V) != 0, field(vc, ABI_VCPU_VBAR_EL1),
		   field(vc, ABI_VCPU_TCR_EL1), field(vc, ABI_VCPU_TTBR0_EL1),
		   field(vc, ABI_VCPU_TTBR1_EL1));
	report_say("system", "dfsr=0x%llx dfar=0x%llx ifsr=0x%llx ifar=0x%llx dacr=0x%llx",
		   field(vc, ABI_VCPU_ESR_EL1), field(vc, ABI_VCPU_FAR_EL1) & 0xffffffff,
		   extra(vc, ABI_EXTV_IFSR32), field(vc, ABI_VCPU_FAR_EL1) >> 32,
		   extra(vc, ABI_EXTV_DACR32));
}

static void registers64(struct vm_vcpu *vc)
{
	struct vcpu *v = &vc->cpu.cpu;

	report_say("registers", "pc=0x%llx pstate=0x%llx sp_el0=0x%llx sp_el1=0x%llx",
		   (ull)vcpu_get(v, VCPU_PC), (ull)vcpu_get(v, VCPU_PSTATE),
		   (ull)vcpu_get(v, VCPU_SP_EL0), field(vc, ABI_VCPU_SP_EL1));
	for (unsigned i = 0; i < 31; i += 8) {
		char line[208];
		size_t used = 0;

		for (unsigned j = i; j < i + 8 && j < 31; j++)
			used += fmt_print(line + used, sizeof(line) - used, " x%u=0x%llx", j,
					  (ull)vcpu_get(v, VCPU_X0 + j));
		report_say("registers", "%s", line + 1);
	}
	report_say("system", "elr_el1=0x%llx spsr_el1=0x%llx esr_el1=0x%llx far_el1=0x%llx "
			     "vbar_el1=0x%llx",
		   field(vc, ABI_VCPU_ELR_EL1), field(vc, ABI_VCPU_SPSR_EL1),
		   field(vc, ABI_VCPU_ESR_EL1), field(vc, ABI_VCPU_FAR_EL1),
		   field(vc, ABI_VCPU_VBAR_EL1));
	report_say("system", "sctlr_el1=0x%llx tcr_el1=0x%llx ttbr0_el1=0x%llx ttbr1_el1=0x%llx",
		   field(vc, ABI_VCPU_SCTLR_EL1), field(vc, ABI_VCPU_TCR_EL1),
		   field(vc, ABI_VCPU_TTBR0_EL1), field(vc, ABI_VCPU_TTBR1_EL1));
}

void report_arch_registers(struct vm_vcpu *vc)
{
	if (vc->cpu.cpu.narrow)
		registers32(vc);
	else
		registers64(vc);
}

/* --- vectors --- */

static uint64_t vector_base(struct vm_vcpu *vc)
{
	if (vc->cpu.cpu.narrow && (field(vc, ABI_VCPU_SCTLR_EL1) & SCTLR_V))
		return HIGH_VECTORS;
	return field(vc, ABI_VCPU_VBAR_EL1);
}

/* Where an exception came from that has left the vCPU at its vector. */
struct origin {
	const char *exception;
	uint64_t va;
	uint32_t pstate; /* for the mnemonic: width and state */
};

static bool is_thumb_svc(struct vm_vcpu *vc, uint64_t va)
{
	uint32_t insn;

	return insn_fetch(vc, va, &insn) && (insn & 0xff00) == 0xdf00;
}

/* Offset of the vector: mode whose LR holds, how far behind the instruction. */
static bool origin32(struct vm_vcpu *vc, uint64_t offset, struct origin *o)
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
	spsr = (uint32_t)(i == 2 ? field(vc, ABI_VCPU_SPSR_EL1)
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

static bool origin64(struct vm_vcpu *vc, uint64_t offset, struct origin *o)
{
	ull esr = field(vc, ABI_VCPU_ESR_EL1);
	bool call = esr >> 26 == ESR_SVC64;

	if (offset >= 0x800 || offset % 0x200 != 0)
		return false;
	o->exception = vcpu_esr_class(esr);
	o->va = field(vc, ABI_VCPU_ELR_EL1) - (call ? 4 : 0);
	o->pstate = 0;
	return true;
}

static bool find_origin(struct vm_vcpu *vc, struct origin *o)
{
	uint64_t offset = vcpu_get(&vc->cpu.cpu, VCPU_PC) - vector_base(vc);

	return vc->cpu.cpu.narrow ? origin32(vc, offset, o) : origin64(vc, offset, o);
}

static bool maps_to_memory(struct vm_vcpu *vc, uint64_t va)
{
	uint32_t insn;

	return insn_fetch(vc, va & ~3ull, &insn);
}

/* Where the guest would take an abort of this access, were it injected. */
static void report_next(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	bool fetch = e->reason == VCPU_EXIT_FETCH;
	uint64_t at = vector_base(vc);

	if (vc->cpu.cpu.narrow)
		at = (uint32_t)(at + (fetch ? 0xc : 0x10));
	else
		at += 0x200;
	report_say("next", "exception=\"%s abort\" pc=0x%llx memory=%s",
		   fetch ? "prefetch" : "data", (ull)at, REPORT_YES(maps_to_memory(vc, at)));
}

/* --- instructions and tables --- */

static void report_insn(struct vm_vcpu *vc, const char *section, uint64_t va, uint32_t pstate)
{
	uint32_t insn;
	bool thumb = pstate & DECODE_PSTATE_THUMB;

	if (!insn_fetch(vc, va, &insn))
		log_error("fault %s: va=0x%llx readable=no", section, (ull)va);
	else if (thumb && (insn & 0xffff) >> 11 < 0x1d)
		log_error("fault %s: va=0x%llx readable=yes word=0x%04x state=thumb name=\"%s\"",
			  section, (ull)va, insn & 0xffff, decode_mnemonic(pstate, insn));
	else
		log_error("fault %s: va=0x%llx readable=yes word=0x%08x state=%s name=\"%s\"",
			  section, (ull)va, thumb ? insn << 16 | insn >> 16 : insn,
			  thumb                            ? "thumb"
			  : pstate & DECODE_PSTATE_AARCH32 ? "arm"
							   : "a64",
			  decode_mnemonic(pstate, insn));
}

static void report_walk(struct vm_vcpu *vc, uint64_t va)
{
	struct walk_regs regs = walk_regs_of(&vc->cpu.cpu);
	struct walk_trace trace = { 0 };
	uint64_t gpa = 0;
	bool mapped;

	regs.trace = &trace;
	mapped = walk_stage1(&vc->vm->mem, &regs, va, &gpa);
	report_say("stage1", "mmu=%s va=0x%llx mapped=%s", REPORT_YES(regs.sctlr & SCTLR_M),
		   (ull)va, REPORT_YES(mapped));
	if (mapped)
		report_say("stage1", "gpa=0x%llx", (ull)gpa);
	for (unsigned i = 0; i < trace.n; i++)
		report_say("walk", "step=%u at=0x%llx descriptor=0x%llx", i + 1,
			   (ull)trace.step[i].at, (ull)trace.step[i].descriptor);
}

void report_arch_code(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct vcpu *v = &vc->cpu.cpu;
	uint64_t pc = vcpu_get(v, VCPU_PC), base = vector_base(vc);
	bool abort = e->reason == VCPU_EXIT_FETCH || e->reason == VCPU_EXIT_MMIO ||
		     e->reason == VCPU_EXIT_MMIO_OPAQUE;
	struct origin o;

	report_insn(vc, "instruction", pc, (uint32_t)vcpu_get(v, VCPU_PSTATE));
	report_say("vectors", "base=0x%llx memory=%s", (ull)base,
		   REPORT_YES(maps_to_memory(vc, base)));
	if (find_origin(vc, &o)) {
		report_say("led_here", "exception=\"%s\" vector=0x%llx", o.exception,
			   (ull)(pc - base));
		report_insn(vc, "led_here", o.va, o.pstate);
	}
	if (!abort)
		return;
	report_next(vc, e);
	report_walk(vc, e->gva);
}

/* --- facts --- */

#define LOOK_WORDS 64u

/* Most ARM instructions are unconditional, so their top four bits are 14. Of
 * AArch64 the commonest top bytes are listed. */
static void look_at_code(struct vm_vcpu *vc, struct fault_facts *f)
{
	static const uint8_t wide[] = {
		0xd5,
		0xd2,
		0x52,
		0x91,
		0x94,
		0x97,
		0x14,
		0x17,
		0x58,
		0x18,
		0xa9,
		0xf9,
		0xb9,
		0xd6,
		0x54,
		0xaa,
		0x2a,
		0xf8,
		0xb8,
		0xb4,
		0xb5,
		0x34,
		0x35,
		0xf1,
		0x71,
		0xd1,
		0x11,
		0x51,
		0x10,
		0x30,
		0x50,
		0x70,
		0x90,
		0xb0,
		0xd0,
		0xf0,
		0x39,
		0x38,
		0xd4,
		0x72,
		0xf2,
		0x92,
	};

	for (unsigned i = 0; i < LOOK_WORDS; i++) {
		uint32_t word;

		if (!gmem_read_u32(&vc->vm->mem, (f->entry & ~3ull) + 4ull * i, &word))
			return;
		f->words += word != 0;
		f->words_narrow += word >> 28 == 14;
		for (unsigned j = 0; j < sizeof(wide); j++)
			f->words_wide += word >> 24 == wide[j];
	}
}

void report_arch_facts(struct vm_vcpu *vc, const struct vcpu_exit *e, struct fault_facts *f)
{
	struct decode_state s;
	uint64_t sp_gpa;
	const struct walk_regs regs = walk_regs_of(&vc->cpu.cpu);

	(void)e;
	insn_state(&vc->cpu.cpu, &s);
	f->narrow = vc->cpu.cpu.narrow;
	f->pc = s.pc;
	f->sp = f->narrow ? s.x[vcpu_r_number(13, s.pstate)] : s.x[31];
	f->sp_in_memory = walk_stage1(&vc->vm->mem, &regs, f->sp - 1, &sp_gpa) &&
			  gmem_holds(&vc->vm->mem, sp_gpa, 1);
	f->vectors = vector_base(vc);
	f->high_vectors = f->narrow && (field(vc, ABI_VCPU_SCTLR_EL1) & SCTLR_V);
	f->vectors_in_memory = maps_to_memory(vc, f->vectors);
	look_at_code(vc, f);
}
