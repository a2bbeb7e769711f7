/* Registers of AArch64 and AArch32 guests as GDB numbers them
 * (docs/debug-channel.md). */
#include "gdb/debug.h"

#include <selvage/base.h>

#define XML_HEAD "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
#define XML_REG(name, bits) "<reg name=\"" name "\" bitsize=\"" #bits "\"/>"
#define XML_TYPED(name, bits, type) \
	"<reg name=\"" name "\" bitsize=\"" #bits "\" type=\"" type "\"/>"
#define XML_SYSTEM(name, bits) \
	"<reg name=\"" name "\" bitsize=\"" #bits "\" type=\"uint" #bits "\" group=\"system\"/>"

/* What is no register of struct vcpu but a field of the VCPU object. */
#define FIELD 0x80u
#define SPSR_SS (1ull << 21) /* ours, when it steps */

struct system_reg {
	uint8_t reg;   /* of struct vcpu, or FIELD | (field - ABI_EXTV_DACR32) */
	uint8_t shift; /* where in it */
	uint8_t bits;
	bool read_only;
};

#define EL1(name) (VCPU_FIELD0 + ABI_VCPU_##name)
#define EXT(name) (FIELD | (ABI_EXTV_##name - ABI_EXTV_DACR32))

/* X(name, source, shift, bits, read-only) */
/* clang-format off */
#define A64_SYSTEM(X) \
	X("SCTLR_EL1", EL1(SCTLR_EL1), 0, 64, 0) X("CPACR_EL1", EL1(CPACR_EL1), 0, 64, 0) \
	X("TTBR0_EL1", EL1(TTBR0_EL1), 0, 64, 0) X("TTBR1_EL1", EL1(TTBR1_EL1), 0, 64, 0) \
	X("TCR_EL1", EL1(TCR_EL1), 0, 64, 0) X("MAIR_EL1", EL1(MAIR_EL1), 0, 64, 0) \
	X("AMAIR_EL1", EL1(AMAIR_EL1), 0, 64, 0) \
	X("CONTEXTIDR_EL1", EL1(CONTEXTIDR_EL1), 0, 64, 0) \
	X("ACTLR_EL1", EL1(ACTLR_EL1), 0, 64, 0) X("AFSR0_EL1", EL1(AFSR0_EL1), 0, 64, 0) \
	X("AFSR1_EL1", EL1(AFSR1_EL1), 0, 64, 0) X("ESR_EL1", EL1(ESR_EL1), 0, 64, 0) \
	X("FAR_EL1", EL1(FAR_EL1), 0, 64, 0) X("PAR_EL1", EL1(PAR_EL1), 0, 64, 0) \
	X("VBAR_EL1", EL1(VBAR_EL1), 0, 64, 0) X("TPIDR_EL1", EL1(TPIDR_EL1), 0, 64, 0) \
	X("MPIDR_EL1", EL1(VMPIDR_EL2), 0, 64, 1) X("SP_EL1", EL1(SP_EL1), 0, 64, 0) \
	X("ELR_EL1", EL1(ELR_EL1), 0, 64, 0) X("SPSR_EL1", EL1(SPSR_EL1), 0, 64, 0) \
	X("CNTV_CTL_EL0", EL1(CNTV_CTL), 0, 64, 0) X("CNTV_CVAL_EL0", EL1(CNTV_CVAL), 0, 64, 0) \
	X("CNTVOFF_EL2", EL1(CNTVOFF), 0, 64, 1) X("CNTKCTL_EL1", EL1(CNTKCTL_EL1), 0, 64, 0) \
	X("SP_EL0", VCPU_SP_EL0, 0, 64, 0) X("TPIDR_EL0", VCPU_TPIDR_EL0, 0, 64, 0) \
	X("TPIDRRO_EL0", VCPU_TPIDRRO_EL0, 0, 64, 0)

/* Where AArch32 state is in AArch64's: Arm ARM D1.20.1, G8.1. */
#define A32_SYSTEM(X) \
	X("SCTLR", EL1(SCTLR_EL1), 0, 32, 0) X("CPACR", EL1(CPACR_EL1), 0, 32, 0) \
	X("TTBR0", EL1(TTBR0_EL1), 0, 64, 0) X("TTBR1", EL1(TTBR1_EL1), 0, 64, 0) \
	X("TTBCR", EL1(TCR_EL1), 0, 32, 0) X("MAIR0", EL1(MAIR_EL1), 0, 32, 0) \
	X("MAIR1", EL1(MAIR_EL1), 32, 32, 0) X("CONTEXTIDR", EL1(CONTEXTIDR_EL1), 0, 32, 0) \
	X("ACTLR", EL1(ACTLR_EL1), 0, 32, 0) X("DFSR", EL1(ESR_EL1), 0, 32, 0) \
	X("IFSR", VCPU_IFSR32, 0, 32, 0) X("DFAR", EL1(FAR_EL1), 0, 32, 0) \
	X("IFAR", EL1(FAR_EL1), 32, 32, 0) X("DACR", EXT(DACR32), 0, 32, 0) \
	X("VBAR", EL1(VBAR_EL1), 0, 32, 0) X("TPIDRPRW", EL1(TPIDR_EL1), 0, 32, 0) \
	X("TPIDRURW", VCPU_TPIDR_EL0, 0, 32, 0) X("TPIDRURO", VCPU_TPIDRRO_EL0, 0, 32, 0) \
	X("MPIDR", EL1(VMPIDR_EL2), 0, 32, 1) X("SPSR", A32_SPSR, 0, 32, 0) \
	X("SPSR_svc", EL1(SPSR_EL1), 0, 32, 0) X("SPSR_abt", VCPU_SPSR_ABT, 0, 32, 0) \
	X("SPSR_und", VCPU_SPSR_UND, 0, 32, 0) X("SPSR_irq", EXT(SPSR_IRQ), 0, 32, 0) \
	X("SPSR_fiq", EXT(SPSR_FIQ), 0, 32, 0) X("SP_usr", 13, 0, 32, 0) X("LR_usr", 14, 0, 32, 0) \
	X("SP_svc", 19, 0, 32, 0) X("LR_svc", 18, 0, 32, 0) X("SP_abt", 21, 0, 32, 0) \
	X("LR_abt", 20, 0, 32, 0) X("SP_und", 23, 0, 32, 0) X("LR_und", 22, 0, 32, 0) \
	X("SP_irq", 17, 0, 32, 0) X("LR_irq", 16, 0, 32, 0) X("SP_fiq", 29, 0, 32, 0) \
	X("LR_fiq", 30, 0, 32, 0) X("CNTV_CTL", EL1(CNTV_CTL), 0, 32, 0) \
	X("CNTKCTL", EL1(CNTKCTL_EL1), 0, 32, 0)
#define A32_SPSR 0xffu /* that of the mode in use */

static const struct system_reg a64_system[] = {
#define X(name, source, shift, bits, ro) { (uint8_t)(source), shift, bits, ro },
	A64_SYSTEM(X)
#undef X
};
static const struct system_reg a32_system[] = {
#define X(name, source, shift, bits, ro) { (uint8_t)(source), shift, bits, ro },
	A32_SYSTEM(X)
#undef X
};

#define X(name, source, shift, bits, ro) XML_SYSTEM(name, bits)
#define R(n) XML_REG("x" #n, 64)
static const char a64_xml[] = XML_HEAD
	"<architecture>aarch64</architecture><feature name=\"org.gnu.gdb.aarch64.core\">"
	R(0) R(1) R(2) R(3) R(4) R(5) R(6) R(7) R(8) R(9) R(10) R(11) R(12) R(13) R(14) R(15)
	R(16) R(17) R(18) R(19) R(20) R(21) R(22) R(23) R(24) R(25) R(26) R(27) R(28) R(29) R(30)
	XML_TYPED("sp", 64, "data_ptr") XML_TYPED("pc", 64, "code_ptr")
	XML_TYPED("cpsr", 32, "uint32")
	"</feature><feature name=\"org.selvage.gdb.aarch64.system\">" A64_SYSTEM(X)
	"</feature></target>";
#undef R
#define R(n) XML_TYPED("r" #n, 32, "uint32")
static const char a32_xml[] = XML_HEAD
	"<architecture>arm</architecture><feature name=\"org.gnu.gdb.arm.core\">"
	R(0) R(1) R(2) R(3) R(4) R(5) R(6) R(7) R(8) R(9) R(10) R(11) R(12)
	XML_TYPED("sp", 32, "data_ptr") XML_TYPED("lr", 32, "code_ptr")
	XML_TYPED("pc", 32, "code_ptr")
	XML_TYPED("cpsr", 32, "uint32")
	"</feature><feature name=\"org.selvage.gdb.arm.system\">" A32_SYSTEM(X)
	"</feature></target>";
#undef R
#undef X
/* clang-format on */

enum { A64_SP = 31,
       A64_PC,
       A64_CPSR,
       A64_CORE };
enum { A32_PC = 15,
       A32_CPSR,
       A32_CORE };

_Static_assert(A64_CORE + ARRAY_SIZE(a64_system) <= GDB_MAX_REGS, "too many registers");
_Static_assert(A32_CORE + ARRAY_SIZE(a32_system) <= GDB_MAX_REGS, "too many registers");

static bool is_a32(const struct vm *vm)
{
	return debug_width(vm) == 32;
}

unsigned debug_core_regs(const struct vm *vm)
{
	return is_a32(vm) ? (unsigned)A32_CORE : (unsigned)A64_CORE;
}

unsigned debug_regs(const struct vm *vm)
{
	return debug_core_regs(vm) +
	       (unsigned)(is_a32(vm) ? ARRAY_SIZE(a32_system) : ARRAY_SIZE(a64_system));
}

const char *debug_xml(const struct vm *vm)
{
	return is_a32(vm) ? a32_xml : a64_xml;
}

static const struct system_reg *system_reg(const struct vm *vm, unsigned reg)
{
	reg -= debug_core_regs(vm);
	return is_a32(vm) ? &a32_system[reg] : &a64_system[reg];
}

unsigned debug_reg_bytes(const struct vm *vm, unsigned reg)
{
	if (reg >= debug_core_regs(vm))
		return system_reg(vm, reg)->bits / 8;
	return is_a32(vm) || reg == A64_CPSR ? 4 : 8;
}

static uint8_t a32_spsr(uint64_t cpsr)
{
	static const uint8_t spsr[16] = { [1] = EXT(SPSR_FIQ),
					  [2] = EXT(SPSR_IRQ),
					  [3] = EL1(SPSR_EL1),
					  [7] = VCPU_SPSR_ABT,
					  [11] = VCPU_SPSR_UND };

	return spsr[cpsr & 15];
}

/* The register of struct vcpu behind a core register. */
static unsigned core_reg(const struct vm *vm, struct vcpu *v, unsigned reg)
{
	uint64_t cpsr = vcpu_get(v, VCPU_PSTATE);

	if (is_a32(vm)) {
		if (reg == A32_PC || reg == A32_CPSR)
			return reg == A32_PC ? VCPU_PC : VCPU_PSTATE;
		return vcpu_r_number(reg, cpsr);
	}
	if (reg == A64_SP) /* PSTATE.SP, and EL0 (an AArch32 process too) */
		return (cpsr & 0x1d) == 5 ? EL1(SP_EL1) : VCPU_SP_EL0;
	if (reg == A64_PC || reg == A64_CPSR)
		return reg == A64_PC ? VCPU_PC : VCPU_PSTATE;
	return reg;
}

/* Where a system register is; false: nowhere now. */
static bool source_of(const struct vm *vm, struct vcpu *v, unsigned reg, struct system_reg *s)
{
	*s = *system_reg(vm, reg);
	if (s->reg == A32_SPSR)
		s->reg = a32_spsr(vcpu_get(v, VCPU_PSTATE));
	return s->reg != 0;
}

uint64_t debug_reg_read(const struct vm *vm, struct vcpu_sel4 *view, unsigned reg)
{
	struct vcpu *v = &view->cpu;
	struct system_reg s;
	uint64_t value = 0;

	if (reg < debug_core_regs(vm)) {
		value = vcpu_get(v, core_reg(vm, v, reg));
		if (debug_reg_bytes(vm, reg) == 4)
			value = (uint32_t)(reg == A64_CPSR || reg == A32_CPSR ? value & ~SPSR_SS
									      : value);
		return value;
	}
	if (!source_of(vm, v, reg, &s))
		return 0;
	if (s.reg & FIELD)
		(void)vcpu_sel4_read(view, ABI_EXTV_DACR32 + (s.reg & ~FIELD), &value);
	else
		value = vcpu_get(v, s.reg);
	return value >> s.shift;
}

bool debug_reg_write(const struct vm *vm, struct vcpu_sel4 *view, unsigned reg, uint64_t value)
{
	struct vcpu *v = &view->cpu;
	struct system_reg s;
	uint64_t mask;

	if (reg < debug_core_regs(vm)) {
		vcpu_set(v, core_reg(vm, v, reg), value);
		return true;
	}
	if (!source_of(vm, v, reg, &s) || s.read_only)
		return false;
	if (s.reg & FIELD)
		return vcpu_sel4_write(view, ABI_EXTV_DACR32 + (s.reg & ~FIELD), value);
	mask = mask_u64(s.bits) << s.shift;
	vcpu_set(v, s.reg, (vcpu_get(v, s.reg) & ~mask) | (value << s.shift & mask));
	return true;
}
