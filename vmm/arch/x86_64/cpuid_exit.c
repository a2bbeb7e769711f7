/* CPUID: the machine's answers, less what a guest does not have (AMD APM volume 3,
 * appendix E; Intel SDM volume 2, CPUID). */
#include "arch.h"

#include <selvage/base.h>

enum { A,
       B,
       C,
       D };

#define HYPERVISOR 0x40000000u
#define MAX_STANDARD 7u
#define MAX_EXTENDED 0x80000008u

/* Bits of a leaf's registers that pass; a leaf that is not here is zero. */
static const struct {
	uint32_t leaf, pass[4];
} leaves[] = {
	{ 0, { 0, ~0u, ~0u, ~0u } },
	/* SSE3 PCLMUL SSSE3 CX16 SSE4.1 SSE4.2 MOVBE POPCNT AES RDRAND; FPU VME DE PSE TSC MSR PAE
	 * CX8 SEP PGE CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2. No XSAVE, so no AVX; no MTRR. */
	{ 1, { ~0u, 0x0000ff00, 0x42d82203, 0x078ba97f } },
	/* FSGSBASE SMEP ERMS RDSEED ADX SMAP CLFLUSHOPT */
	{ 7, { 0, 0x009c0281, 0, 0 } },
	{ 0x80000000, { 0, ~0u, ~0u, ~0u } },
	/* LAHF ABM SSE4A 3DNOWPREFETCH; as in 1, and SYSCALL NX PDPE1GB LM */
	{ 0x80000001, { ~0u, 0, 0x00000161, 0x2593a97f } },
	{ 0x80000002, { ~0u, ~0u, ~0u, ~0u } },
	{ 0x80000003, { ~0u, ~0u, ~0u, ~0u } },
	{ 0x80000004, { ~0u, ~0u, ~0u, ~0u } },
	{ 0x80000005, { ~0u, ~0u, ~0u, ~0u } },
	{ 0x80000006, { ~0u, ~0u, ~0u, ~0u } },
	{ 0x80000008, { 0xffff, 0, 0, 0 } },
};

static void ask(uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	__asm__("cpuid"
		: "=a"(r[A]), "=b"(r[B]), "=c"(r[C]), "=d"(r[D])
		: "0"(leaf), "2"(subleaf));
}

/* What is not the machine's but the VM's. */
static void put_own(const struct vm *vm, uint32_t leaf, uint32_t r[4])
{
	const bool apic = vm->pc.timers & (uint32_t)SYSDESC_TIMER_LAPIC;
	const bool tsc = vm->pc.timers & (uint32_t)SYSDESC_TIMER_TSC;

	switch (leaf) {
	case 0: r[A] = MAX_STANDARD; break;
	case 1:
		r[B] |= 1u << 16; /* one processor, of identity 0 */
		r[C] |= 1u << 31; /* under a hypervisor */
		r[C] |= apic ? 1u << 21 : 0;
		r[C] |= apic && tsc ? 1u << 24 : 0;
		r[D] |= apic ? 1u << 9 : 0;
		break;
	case 0x80000000: r[A] = MAX_EXTENDED; break;
	case 0x80000007: r[D] |= tsc ? 1u << 8 : 0; break;
	case HYPERVISOR:
		r[A] = HYPERVISOR;
		r[B] = 0x766c6553; /* "SelvageVMM  " */
		r[C] = 0x56656761;
		r[D] = 0x20204d4d;
		break;
	default: break;
	}
}

void cpuid_exit(struct vm_vcpu *vc)
{
	struct vcpu *v = &vc->cpu.cpu;
	const uint32_t leaf = (uint32_t)vcpu_get(v, VCPU_RAX);
	const uint32_t subleaf = (uint32_t)vcpu_get(v, VCPU_RCX);
	uint32_t r[4] = { 0 };

	for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (leaves[i].leaf != leaf || (leaf == 7 && subleaf != 0))
			continue;
		ask(leaf, subleaf, r);
		for (unsigned j = 0; j < 4; j++)
			r[j] &= leaves[i].pass[j];
		break;
	}
	put_own(vc->vm, leaf, r);
	vcpu_finish_cpuid(v, r[A], r[B], r[C], r[D]);
}
