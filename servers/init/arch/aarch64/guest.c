/* What init reads and changes of a guest: registers, virtual time. */
#include "board.h"

#include <selvage/base.h>

/* In the order in which people look for them. */
static const struct {
	const char *name;
	bool system; /* of VCPU_ReadRegs, else of TCB_ReadRegisters */
	unsigned field;
} registers[] = {
#define R(name, field)                       \
	{                                    \
		name, false, ABI_CTX_##field \
	}
#define S(name, field)                       \
	{                                    \
		name, true, ABI_VCPU_##field \
	}
	R("x0", X0),
	R("x1", X1),
	R("x2", X2),
	R("x3", X3),
	R("x4", X4),
	R("x5", X5),
	R("x6", X6),
	R("x7", X7),
	R("x8", X8),
	R("x9", X9),
	R("x10", X10),
	R("x11", X11),
	R("x12", X12),
	R("x13", X13),
	R("x14", X14),
	R("x15", X15),
	R("x16", X16),
	R("x17", X17),
	R("x18", X18),
	R("x19", X19),
	R("x20", X20),
	R("x21", X21),
	R("x22", X22),
	R("x23", X23),
	R("x24", X24),
	R("x25", X25),
	R("x26", X26),
	R("x27", X27),
	R("x28", X28),
	R("x29", X29),
	R("x30", X30),
	R("sp_el0", SP),
	R("pc", PC),
	R("cpsr", SPSR),
	S("sp_el1", SP_EL1),
	S("elr_el1", ELR_EL1),
	S("spsr_el1", SPSR_EL1),
	S("esr_el1", ESR_EL1),
	S("far_el1", FAR_EL1),
	S("vbar_el1", VBAR_EL1),
	S("sctlr_el1", SCTLR_EL1),
	S("tcr_el1", TCR_EL1),
	S("ttbr0_el1", TTBR0_EL1),
	S("ttbr1_el1", TTBR1_EL1),
	S("mair_el1", MAIR_EL1),
	S("cntv_ctl", CNTV_CTL),
	S("cntv_cval", CNTV_CVAL),
	S("cntvoff", CNTVOFF),
#undef R
#undef S
};

bool board_vcpu_register(const struct process *p, uint64_t vcpu, const uint64_t *context,
			 unsigned i, const char **name, uint64_t *value)
{
	if (i >= ARRAY_SIZE(registers))
		return false;
	*name = registers[i].name;
	*value = 0;
	if (!registers[i].system)
		*value = context[registers[i].field];
	else
		(void)sel4_vcpu_read_regs(p->vcpu[vcpu], registers[i].field, value);
	return true;
}

/* The guest's virtual counter goes on where it was. Kernels without extensions
 * see to that themselves (vmm/arch/aarch64/vtime.c). */
bool board_skip_time(const struct process *p, unsigned vcpus, uint64_t ticks)
{
	uint64_t offset;

	if (sel4_ext_query(ABI_ROOT_TCB) == 0)
		return true;
	for (unsigned i = 0; i < vcpus; i++)
		if (sel4_vcpu_read_regs(p->vcpu[i], ABI_VCPU_CNTVOFF, &offset) != ABI_OK ||
		    sel4_vcpu_write_regs(p->vcpu[i], ABI_VCPU_CNTVOFF, offset + ticks) != ABI_OK)
			return false;
	return true;
}
