/* Trapped system registers: what sysreg.c decides is carried out here. */
#include "arch.h"
#include "narrow.h"

#include <selvage/clock.h>
#include <selvage/log.h>

static uint64_t read_id(struct vm *vm, unsigned index)
{
	uint64_t machine = 0;

	if (index >= SYSREG_IDS)
		return 0; /* reserved encodings read as zero */
	if (!(vm->id_known >> index & 1)) {
		(void)vcpu_sel4_read(&vm->vcpu[0].cpu, ABI_EXTV_ID0 + index,
				     &machine);
		vm->id[index] = sysreg_filter_id(&vm->sysreg, index, machine);
		vm->id_known |= 1ull << index;
	}
	return vm->id[index];
}

/* If not, the guest sees the machine's own ID registers, and what they offer
 * must not be undefined: it reads as zero and ignores writes. */
static bool ids_are_filtered(const struct vm *vm)
{
	const uint64_t needed = ABI_EXTF_VCPU_TRAPS | ABI_EXTF_VCPU_STATE;

	return (vm->features & needed) == needed;
}

static void undefined(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	static const char *const spaces[4] = { "CP15 0", "CP15 (64 bits) 0", "S2", "S3" };

	unsigned long long n = vm_count(vc->vm, NULL, "system register");

	if (n != 0)
		log_warning("vCPU %u: %s of %s_%u_C%u_C%u_%u at %llx: "
			    "undefined instruction injected (%llu so far)",
			    vc->index, e->write ? "write" : "read", spaces[e->code >> 14],
			    e->code >> 11 & 7, e->code >> 7 & 15,
			    e->code >> 3 & 15, e->code & 7,
			    (unsigned long long)vcpu_get(&vc->cpu.cpu, VCPU_PC), n);
	report_note(vc, e, "system register that is not there: undefined");
	vcpu_inject_undefined(&vc->cpu.cpu);
}

static void do_write(struct vm_vcpu *vc, enum sysreg_action action,
		     uint64_t value)
{
	switch (action) {
	case SYSREG_SGI1R:
	case SYSREG_SGI0R:
		vgic_write_sgir(&vc->vm->gic, vc->index, value,
				action == SYSREG_SGI1R);
		break;
	case SYSREG_CNTP_CTL:
	case SYSREG_CNTP_CVAL:
	case SYSREG_CNTP_TVAL:
		ptimer_write(vc, action, value);
		break;
	default:
		break;
	}
}

static uint64_t do_read(struct vm_vcpu *vc, enum sysreg_action action,
			uint16_t code, uint64_t value)
{
	switch (action) {
	case SYSREG_ID_READ:
		return read_id(vc->vm, code & 0x7f);
	case SYSREG_COUNTER:
	case SYSREG_CNTP_CTL:
	case SYSREG_CNTP_CVAL:
	case SYSREG_CNTP_TVAL:
		return ptimer_read(vc, action);
	default:
		return value;
	}
}

/* Where a Cortex-A9's private region is (DDI 0388I 4.3.24). */
#define CBAR VCPU_SYSREG(0, 4, 15, 0, 0)

void sysreg_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	const struct narrow_hooks *narrow = vc->vm->hooks.narrow;
	uint64_t value = 0;
	enum sysreg_action action =
		(narrow != NULL && e->code < SYSREG_CP15_END ? narrow->sysreg
							     : sysreg_lookup)(e->code, e->write,
									      &value);

	/* A Cortex-A9 has performance monitors: here they count nothing. */
	if (action == SYSREG_UNDEFINED && ids_are_filtered(vc->vm) && !vc->vm->board->lenient) {
		undefined(vc, e);
		return;
	}
	if (e->write) {
		do_write(vc, action, e->value);
	} else {
		value = do_read(vc, action, e->code, value);
		if (e->code == CBAR && vc->vm->board->cbar != 0)
			value = vc->vm->board->cbar;
		vcpu_set_x(&vc->cpu.cpu, e->reg, value);
		vcpu_set_x(&vc->cpu.cpu, e->reg2, value >> 32);
	}
	vcpu_advance(&vc->cpu.cpu);
}
