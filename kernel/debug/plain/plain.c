#include <arch/plain.h>

#include <abi/syscall.h>
#include <arch/sysreg.h>
#include <arch/vcpu.h>
#include <kernel/boot_root.h>

#define VM_MEMORY 0x40000000ull /* seL4's hypervisor configuration of QEMU's virt */
#define VM_MEMORY_END 0x60000000ull

void plain_boot(struct boot_machine *m)
{
	m->smc = false;
	regions_add(&m->reserved, VM_MEMORY, VM_MEMORY_END);
}

void plain_vcpu_enter(struct vcpu *v)
{
	if (SELVAGE_GUEST_TIME_STANDS)
		v->regs[ABI_VCPU_CNTVOFF] += SYSREG_READ(cntpct_el0) - v->left_at;
}

void plain_vcpu_leave(struct vcpu *v)
{
	v->left_at = SYSREG_READ(cntpct_el0);
}

bool plain_is_call(word_t nr)
{
	int64_t n = (int64_t)nr;

	return n >= ABI_SYS_YIELD && n <= ABI_SYS_CALL;
}
