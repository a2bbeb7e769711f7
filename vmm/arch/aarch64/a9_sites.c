/* Breakpoints at the instructions of a9_regs.h, and what happens there. */
#include "a9_sites.h"

#include "a9_regs.h"
#include "gdb/debug.h"

#include <selvage/base.h>
#include <selvage/log.h>

#define PSTATE_T (1u << 5)
#define PSTATE_MODE 0xfu
#define MODE_USR 0u

static struct a9_regs regs;

/* Where it was loaded is where it runs, as far as one can know. */
static unsigned set_in(struct vm *vm, const struct sysdesc_piece *piece, unsigned *lost)
{
	const uint8_t *bytes = gmem_span(&vm->mem, piece->gpa, piece->bytes);
	struct a9_insn insn;
	unsigned set = 0;

	if (bytes == NULL || piece->gpa % 4 != 0)
		return 0;
	for (size_t at = 0; (at = a9_insn_find(bytes, piece->bytes, at)) < piece->bytes; at += 4) {
		uint32_t high = bytes[at + 2] | (uint32_t)bytes[at + 3] << 8;
		uint32_t low = bytes[at] | (uint32_t)bytes[at + 1] << 8;
		bool arm = at % 4 == 0 && a9_insn_decode(high, low, &insn);

		if (debug_site_add(vm, piece->gpa + at, arm ? 4 : 3))
			set++;
		else
			++*lost;
	}
	return set;
}

void a9_sites_set(struct vm *vm)
{
	unsigned set = 0, lost = 0;

	if (!(vm->features & ABI_EXTF_VCPU_DEBUG))
		return;
	for (uint32_t i = 0; i < vm->info->vm.n_pieces; i++)
		set += set_in(vm, &vm->info->vm.piece[i], &lost);
	for (uint32_t i = 0; set != 0 && i < vm->info->n_vcpus; i++)
		debug_set_mode(&vm->vcpu[i], DEBUG_EVENTS);
	if (set != 0)
		log_info("%u instructions use registers that only a Cortex-A9 has: they stop here",
			 set);
	if (lost != 0)
		log_warning("%u more do, and stay undefined", lost);
}

static bool insn_at(struct vm_vcpu *vc, uint64_t pc, bool thumb, struct a9_insn *insn)
{
	uint8_t b[4];
	uint64_t gpa;

	for (unsigned i = 0; i < 4; i += 2)
		if (!debug_translate(vc->vm, &vc->cpu, pc + i, &gpa) ||
		    !debug_ram_read(vc->vm, gpa, b + i, 2))
			return false;
	return thumb ? a9_insn_decode(b[0] | (uint32_t)b[1] << 8, b[2] | (uint32_t)b[3] << 8, insn)
		     : a9_insn_decode(b[2] | (uint32_t)b[3] << 8, b[0] | (uint32_t)b[1] << 8, insn);
}

static void carry_out(struct vm_vcpu *vc, const struct a9_insn *insn, uint64_t pstate)
{
	unsigned x = vcpu_r_number(insn->rt, pstate);

	if (insn->write)
		a9_reg_write(&regs, insn->code, (uint32_t)vcpu_get_x(&vc->cpu.cpu, x));
	else
		vcpu_set_x(&vc->cpu.cpu, x,
			   a9_reg_read(&regs, insn->code, (uint32_t)vc->vm->board->cbar));
}

bool a9_site_event(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct vcpu *v = &vc->cpu.cpu;
	uint64_t pc = vcpu_get(v, VCPU_PC), pstate = vcpu_get(v, VCPU_PSTATE);
	uint64_t address;
	enum debug_what what = debug_what(vc, e, &address);
	struct a9_insn insn;

	if ((what != DEBUG_WHAT_SOFT && what != DEBUG_WHAT_HARD) ||
	    !debug_site_at(vc->vm, &vc->cpu, pc))
		return false;
	if (!insn_at(vc, pc, pstate & PSTATE_T, &insn)) {
		debug_site_remove(vc->vm, pc); /* something else is there now */
		return true;
	}
	if ((pstate & PSTATE_MODE) == MODE_USR) {
		vcpu_inject_undefined(v);
		return true;
	}
	if (vcpu_condition_holds(0, pstate))
		carry_out(vc, &insn, pstate);
	debug_skip(v, 4);
	return true;
}
