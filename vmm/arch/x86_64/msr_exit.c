/* RDMSR and WRMSR: registers of the vCPU, of its local APIC, and some that hold
 * nothing; any other is #GP (Intel SDM volume 4; AMD APM volume 2, appendix A). */
#include "arch.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/log.h>

#define MSR_TSC 0x10u
#define MSR_HWCR 0xc0010015u
#define HWCR_TSC_FREQ_SEL (1u << 24) /* an invariant counter runs at the rate of P0 */
#define MSR_EFER 0xc0000080u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define EFER_WRITABLE 0x901u /* SCE, LME, NXE */
#define CR0_PG (1ull << 31)
#define MSR_X2APIC_EOI 0x80bu
#define X2APIC_LAST 0x8ffu

static bool is_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* Eight memory types, of which 2, 3 and those from 8 on do not exist. */
static bool is_pat(uint64_t types)
{
	for (; types != 0; types >>= 8)
		if ((types & 0xff) > 7 || (types & 0xfe) == 2)
			return false;
	return true;
}

/* Those that are state of the vCPU. */
static const struct {
	uint32_t msr;
	uint8_t reg;
	bool (*allows)(uint64_t value); /* NULL: any */
} registers[] = {
	{ 0x174, VCPU_SYSENTER_CS, NULL },
	{ 0x175, VCPU_SYSENTER_ESP, is_canonical },
	{ 0x176, VCPU_SYSENTER_EIP, is_canonical },
	{ 0x277, VCPU_PAT, is_pat },
	{ 0xc0000081, VCPU_STAR, NULL },
	{ 0xc0000082, VCPU_LSTAR, is_canonical },
	{ 0xc0000083, VCPU_CSTAR, is_canonical },
	{ 0xc0000084, VCPU_SFMASK, NULL },
	{ 0xc0000100, VCPU_FS_BASE, is_canonical },
	{ 0xc0000101, VCPU_GS_BASE, is_canonical },
	{ 0xc0000102, VCPU_KERNEL_GS_BASE, is_canonical },
};

/* Read as zero, and written in vain: what kernels look at before they look at CPUID. */
static const uint32_t nothing[] = {
	0x17,       /* platform */
	0x8b,       /* revision of the microcode */
	0x1a0,      /* IA32_MISC_ENABLE */
	0xc0010010, /* SYSCFG */
	0xc001001f, /* NB_CFG */
	0xc0010020, /* a microcode's patch */
	0xc0010055, /* interrupts of C1E */
	0xc0010112, /* TSEG's base */
	0xc0010113, /* TSEG's mask */
	0xc0010114, /* VM_CR */
	0xc0010117, /* VM_HSAVE_PA */
	0xc0011020, /* LS_CFG */
	0xc0011022, /* DC_CFG */
	0xc0011023, /* BU_CFG */
	0xc0011029, /* DE_CFG */
};

static bool is_nothing(uint32_t msr)
{
	for (unsigned i = 0; i < ARRAY_SIZE(nothing); i++)
		if (nothing[i] == msr)
			return true;
	return false;
}

static bool is_apic(const struct vm *vm, uint32_t msr)
{
	return (vm->pc.timers & (uint32_t)SYSDESC_TIMER_LAPIC) &&
	       (msr == LAPIC_MSR_BASE || msr == LAPIC_MSR_TSC_DEADLINE ||
		(msr >= LAPIC_MSR_FIRST && msr <= X2APIC_LAST));
}

static bool write_efer(struct vcpu *v, uint64_t value)
{
	const uint64_t old = vcpu_get(v, VCPU_EFER);

	if ((value & ~(uint64_t)(EFER_WRITABLE | EFER_LMA)) != 0 ||
	    (((old ^ value) & EFER_LME) && (vcpu_get(v, VCPU_CR0) & CR0_PG)))
		return false;
	vcpu_set(v, VCPU_EFER, (value & EFER_WRITABLE) | (old & EFER_LMA));
	return true;
}

static bool write_tsc(struct vm_vcpu *vc, uint64_t value)
{
	struct pc *pc = &vc->vm->pc;

	pc->touched = true;
	pc->tsc_offset += value - pc_tsc(vc->vm);
	vcpu_set(&vc->cpu.cpu, VCPU_TSC_OFFSET, pc->tsc_offset - vm_paused_ticks(vc->vm));
	return true;
}

static bool write_register(struct vm_vcpu *vc, uint32_t msr, uint64_t value)
{
	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
		if (registers[i].msr != msr)
			continue;
		if (registers[i].allows != NULL && !registers[i].allows(value))
			return false;
		vcpu_set(&vc->cpu.cpu, registers[i].reg, value);
		return true;
	}
	return is_nothing(msr);
}

static bool write(struct vm_vcpu *vc, uint32_t msr, uint64_t value)
{
	if (is_apic(vc->vm, msr)) {
		vc->vm->pc.touched |= msr != MSR_X2APIC_EOI;
		return lapic_msr_write(&vc->vm->pc.lapic, msr, value);
	}
	switch (msr) {
	case MSR_TSC: return write_tsc(vc, value);
	case MSR_EFER: return write_efer(&vc->cpu.cpu, value);
	case MSR_HWCR: return true;
	default: return write_register(vc, msr, value);
	}
}

static bool read(struct vm_vcpu *vc, uint32_t msr, uint64_t *value)
{
	*value = 0;
	if (is_apic(vc->vm, msr)) {
		vc->vm->pc.touched = true;
		return lapic_msr_read(&vc->vm->pc.lapic, msr, value);
	}
	if (msr == MSR_TSC)
		*value = pc_tsc(vc->vm);
	if (msr == MSR_EFER)
		*value = vcpu_get(&vc->cpu.cpu, VCPU_EFER);
	if (msr == MSR_HWCR && (vc->vm->pc.timers & (uint32_t)SYSDESC_TIMER_TSC))
		*value = HWCR_TSC_FREQ_SEL;
	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++)
		if (registers[i].msr == msr) {
			*value = vcpu_get(&vc->cpu.cpu, registers[i].reg);
			return true;
		}
	return msr == MSR_TSC || msr == MSR_EFER || msr == MSR_HWCR || is_nothing(msr);
}

static void refuse(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	const unsigned long long n = vm_count(vc->vm, NULL, "MSR");

	if (n != 0)
		log_warning("vCPU %u: %s of register 0x%llx at %llx: #GP (%llu so far)", vc->index,
			    e->write ? "write" : "read", (unsigned long long)e->syndrome,
			    (unsigned long long)vcpu_get(&vc->cpu.cpu, VCPU_RIP), n);
	report_note(vc, e, "model-specific register: #GP");
	vcpu_inject_protection(&vc->cpu.cpu);
}

void msr_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	uint64_t value;

	if (e->write) {
		if (!write(vc, (uint32_t)e->syndrome, e->value))
			refuse(vc, e);
		else
			vcpu_advance(&vc->cpu.cpu);
		return;
	}
	if (read(vc, (uint32_t)e->syndrome, &value))
		vcpu_finish_msr(&vc->cpu.cpu, value);
	else
		refuse(vc, e);
}
