/* Loads and stores without a valid syndrome, on the VM's devices. */
#include "insn.h"

#include "narrow.h"

#include <stddef.h>

#define PAGE 4096u
#define ESR_CM (1u << 8) /* cache maintenance */
#define PSTATE_EL_SP 0xfu
#define PSTATE_EL1H 0x5u
#define SCTLR_E0E (1ull << 24)
#define SCTLR_EE (1ull << 25)

static uint64_t system_reg(struct vcpu *v, enum abi_vcpu_reg field)
{
	return vcpu_get(v, vcpu_field(field));
}

void insn_state(struct vcpu *v, struct decode_state *s)
{
	uint64_t sctlr = system_reg(v, ABI_VCPU_SCTLR_EL1);
	bool el0;

	for (unsigned i = 0; i < 31; i++)
		s->x[i] = vcpu_get_x(v, i);
	s->pc = vcpu_get(v, VCPU_PC);
	s->pstate = (uint32_t)vcpu_get(v, VCPU_PSTATE);
	el0 = (s->pstate & PSTATE_EL_SP) == 0;
	s->x[31] = (s->pstate & PSTATE_EL_SP) == PSTATE_EL1H ? system_reg(v, ABI_VCPU_SP_EL1)
							     : vcpu_get(v, VCPU_SP_EL0);
	s->big_endian = (sctlr & (el0 ? SCTLR_E0E : SCTLR_EE)) != 0;
}

struct walk_regs insn_walk_regs(const struct vm *vm, struct vcpu *v)
{
	return (struct walk_regs){
		.sctlr = system_reg(v, ABI_VCPU_SCTLR_EL1),
		.tcr = system_reg(v, ABI_VCPU_TCR_EL1),
		.ttbr0 = system_reg(v, ABI_VCPU_TTBR0_EL1),
		.ttbr1 = system_reg(v, ABI_VCPU_TTBR1_EL1),
		.narrow = vm->hooks.narrow != NULL ? vm->hooks.narrow->walk : NULL,
	};
}

bool insn_translate(const struct vm *vm, struct vcpu *v, uint64_t va, gpa_t *gpa)
{
	const struct walk_regs regs = insn_walk_regs(vm, v);

	return walk_stage1(&vm->mem, &regs, va, gpa);
}

const struct decode_narrow *insn_narrow(const struct vm *vm)
{
	return vm->hooks.narrow != NULL ? vm->hooks.narrow->decode : NULL;
}

static bool fetch_half(struct vm_vcpu *vc, uint64_t va, uint16_t *half)
{
	uint64_t gpa;

	return insn_translate(vc->vm, &vc->cpu.cpu, va, &gpa) &&
	       gmem_read(&vc->vm->mem, gpa, half, sizeof(*half));
}

bool insn_fetch(struct vm_vcpu *vc, uint64_t va, uint32_t *insn)
{
	uint16_t half[2] = { 0, 0 };

	/* A 16-bit instruction may be the last one of the memory. */
	if ((va & 1) || !fetch_half(vc, va, &half[0]))
		return false;
	(void)fetch_half(vc, va + 2, &half[1]);
	*insn = (uint32_t)half[1] << 16 | half[0];
	return true;
}

bool insn_is_misdescribed(struct vcpu *v, const struct vcpu_exit *e)
{
	return v->narrow && e->reg >= 8 && e->reg <= 14 &&
	       vcpu_r_number(e->reg, vcpu_get(v, VCPU_PSTATE)) != e->reg;
}

struct emulation {
	struct vm_vcpu *vc;
	const struct vcpu_exit *e;
};

/* All on the page that the guest may reach: the hardware has looked at the
 * rights of that one only. */
static bool access_device(void *opaque, const struct decode_access *a, bool write,
			  uint64_t *value)
{
	struct emulation *em = opaque;
	uint64_t gpa = (em->e->gpa & ~(PAGE - 1ull)) | (a->address & (PAGE - 1));
	const struct bus_region *r = bus_find(&em->vc->vm->bus, gpa);
	struct mmio m = { .size = a->size, .write = write, .value = *value };
	enum mmio_outcome outcome;

	if (r == NULL)
		return false;
	outcome = bus_access(r, gpa, em->vc->index, &m);
	if (outcome != MMIO_HANDLED)
		vm_misuse(em->vc, r->name, r, &m);
	*value = m.value;
	return outcome != MMIO_FAULT;
}

/* Is it the instruction that the hardware stopped at, and is one page enough? */
static const char *doubt(const struct decode *d, const struct vcpu_exit *e)
{
	bool found = false;

	if (d->refused != NULL)
		return d->refused;
	for (unsigned i = 0; i < d->n; i++) {
		const struct decode_access *a = &d->access[i];

		if ((a->address ^ e->gva) & ~(PAGE - 1ull))
			return "one instruction's accesses are on two pages";
		found = found || e->gva - a->address < a->size;
	}
	if (!found || d->write != e->write)
		return "the instruction at the pc is not the one that stopped";
	return NULL;
}

static void write_back(struct vcpu *v, const struct decode_state *old,
		       const struct decode_state *s)
{
	bool el1h = (old->pstate & PSTATE_EL_SP) == PSTATE_EL1H;

	for (unsigned i = 0; i < 31; i++)
		if (s->x[i] != old->x[i])
			vcpu_set_x(v, i, s->x[i]);
	if (s->x[31] != old->x[31])
		vcpu_set(v, el1h ? vcpu_field(ABI_VCPU_SP_EL1) : VCPU_SP_EL0, s->x[31]);
	vcpu_set(v, VCPU_PC, s->pc);
	if (s->pstate != old->pstate)
		vcpu_set(v, VCPU_PSTATE, s->pstate);
}

static void refuse(struct vm_vcpu *vc, const struct vcpu_exit *e,
		   const struct decode_access *failed)
{
	report_note(vc, e, "device register used in a wrong way: data abort");
	vcpu_inject_abort(&vc->cpu.cpu, failed->address, false);
}

const char *insn_emulate(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct vcpu *v = &vc->cpu.cpu;
	struct emulation em = { vc, e };
	const struct decode_access *failed;
	struct decode_state old, s;
	struct decode d;
	const char *why;
	uint32_t insn;

	/* Of what has no cache there is nothing to maintain. */
	if (e->syndrome & ESR_CM) {
		vcpu_advance(v);
		return NULL;
	}
	insn_state(v, &old);
	if (!insn_fetch(vc, old.pc, &insn))
		return "the instruction at the pc cannot be read";
	decode(&d, &old, insn, insn_narrow(vc->vm));
	why = doubt(&d, e);
	if (why != NULL)
		return why;
	s = old;
	if (decode_run(&d, &s, access_device, &em, &failed))
		write_back(v, &old, &s);
	else
		refuse(vc, e, failed);
	return NULL;
}
