/* What a fault record says of registers, instructions and vectors. */
#include "report_arch.h"

#include "narrow.h"

#include <stddef.h>

typedef unsigned long long ull;

#define SCTLR_M 1u
#define SCTLR_V (1u << 13)
#define HIGH_VECTORS 0xffff0000u
#define ESR_SVC64 0x15u

/* --- registers --- */

static void registers64(struct vm_vcpu *vc)
{
	struct vcpu *v = &vc->cpu.cpu;

	report_say("registers", "pc=0x%llx pstate=0x%llx sp_el0=0x%llx sp_el1=0x%llx",
		   (ull)vcpu_get(v, VCPU_PC), (ull)vcpu_get(v, VCPU_PSTATE),
		   (ull)vcpu_get(v, VCPU_SP_EL0), reg_of(vc, ABI_VCPU_SP_EL1));
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
		   reg_of(vc, ABI_VCPU_ELR_EL1), reg_of(vc, ABI_VCPU_SPSR_EL1),
		   reg_of(vc, ABI_VCPU_ESR_EL1), reg_of(vc, ABI_VCPU_FAR_EL1),
		   reg_of(vc, ABI_VCPU_VBAR_EL1));
	report_say("system", "sctlr_el1=0x%llx tcr_el1=0x%llx ttbr0_el1=0x%llx ttbr1_el1=0x%llx",
		   reg_of(vc, ABI_VCPU_SCTLR_EL1), reg_of(vc, ABI_VCPU_TCR_EL1),
		   reg_of(vc, ABI_VCPU_TTBR0_EL1), reg_of(vc, ABI_VCPU_TTBR1_EL1));
}

void report_arch_registers(struct vm_vcpu *vc)
{
	if (vc->vm->hooks.narrow != NULL)
		vc->vm->hooks.narrow->report_registers(vc);
	else
		registers64(vc);
}

/* --- vectors --- */

static uint64_t vector_base(struct vm_vcpu *vc)
{
	if (vc->cpu.cpu.narrow && (reg_of(vc, ABI_VCPU_SCTLR_EL1) & SCTLR_V))
		return HIGH_VECTORS;
	return reg_of(vc, ABI_VCPU_VBAR_EL1);
}

static bool origin64(struct vm_vcpu *vc, uint64_t offset, struct report_origin *o)
{
	ull esr = reg_of(vc, ABI_VCPU_ESR_EL1);
	bool call = esr >> 26 == ESR_SVC64;

	if (offset >= 0x800 || offset % 0x200 != 0)
		return false;
	o->exception = vcpu_esr_class(esr);
	o->va = reg_of(vc, ABI_VCPU_ELR_EL1) - (call ? 4 : 0);
	o->pstate = 0;
	return true;
}

static bool find_origin(struct vm_vcpu *vc, struct report_origin *o)
{
	uint64_t offset = vcpu_get(&vc->cpu.cpu, VCPU_PC) - vector_base(vc);

	return vc->vm->hooks.narrow != NULL ? vc->vm->hooks.narrow->report_origin(vc, offset, o)
					    : origin64(vc, offset, o);
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
	bool thumb = pstate & DECODE_PSTATE_THUMB;
	const char *name;
	uint32_t insn;

	if (!insn_fetch(vc, va, &insn)) {
		log_error("fault %s: va=0x%llx readable=no", section, (ull)va);
		return;
	}
	name = decode_mnemonic(pstate, insn, insn_narrow(vc->vm));
	if (thumb && (insn & 0xffff) >> 11 < 0x1d)
		log_error("fault %s: va=0x%llx readable=yes word=0x%04x state=thumb name=\"%s\"",
			  section, (ull)va, insn & 0xffff, name);
	else
		log_error("fault %s: va=0x%llx readable=yes word=0x%08x state=%s name=\"%s\"",
			  section, (ull)va, thumb ? insn << 16 | insn >> 16 : insn,
			  thumb                            ? "thumb"
			  : pstate & DECODE_PSTATE_AARCH32 ? "arm"
							   : "a64",
			  name);
}

static void report_walk(struct vm_vcpu *vc, uint64_t va)
{
	struct walk_regs regs = insn_walk_regs(vc->vm, &vc->cpu.cpu);
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
	struct report_origin o;

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
		0xd5, 0xd2, 0x52, 0x91, 0x94, 0x97, 0x14, 0x17, 0x58, 0x18, 0xa9, 0xf9, 0xb9, 0xd6,
		0x54, 0xaa, 0x2a, 0xf8, 0xb8, 0xb4, 0xb5, 0x34, 0x35, 0xf1, 0x71, 0xd1, 0x11, 0x51,
		0x10, 0x30, 0x50, 0x70, 0x90, 0xb0, 0xd0, 0xf0, 0x39, 0x38, 0xd4, 0x72, 0xf2, 0x92
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
	const struct walk_regs regs = insn_walk_regs(vc->vm, &vc->cpu.cpu);

	(void)e;
	insn_state(&vc->cpu.cpu, &s);
	f->narrow = vc->cpu.cpu.narrow;
	f->pc = s.pc;
	f->sp = f->narrow ? s.x[vcpu_r_number(13, s.pstate)] : s.x[31];
	f->sp_in_memory = walk_stage1(&vc->vm->mem, &regs, f->sp - 1, &sp_gpa) &&
			  gmem_holds(&vc->vm->mem, sp_gpa, 1);
	f->vectors = vector_base(vc);
	f->high_vectors = f->narrow && (reg_of(vc, ABI_VCPU_SCTLR_EL1) & SCTLR_V);
	f->vectors_in_memory = maps_to_memory(vc, f->vectors);
	look_at_code(vc, f);
}

void report_arch_syndrome(const struct vcpu_exit *e)
{
	report_say("syndrome", "esr=0x%llx class=\"%s\"", (unsigned long long)e->syndrome,
		   vcpu_esr_class(e->syndrome));
	if (report_is_access(e))
		report_say("syndrome", "status=\"%s\" table_walk=%s", vcpu_esr_fault(e->syndrome),
			   REPORT_YES(e->syndrome & REPORT_S1PTW));
}

bool report_arch_is_walk(const struct vcpu_exit *e) { return e->syndrome & REPORT_S1PTW; }
