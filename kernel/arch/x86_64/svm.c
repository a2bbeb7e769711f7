/*
 * AMD SVM (APM 2, chapter 15). Each VCPU that runs has an ASID of its own.
 * Whatever makes translations stale starts a new epoch, in which every VCPU
 * takes a new ASID, and looks up its nested root, before it runs.
 */
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/link.h>
#include <arch/trap.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>
#include <kernel/entry.h>
#include <kernel/panic.h>
#include <kernel/trace.h>

#define FEATURE_SVM (1u << 2) /* CPUID 8000_0001h ECX */
#define FEATURE_NESTED 1u     /* CPUID 8000_000Ah EDX */
#define FEATURE_NEXT_RIP (1u << 3)
#define MSR_VM_CR 0xc0010114
#define VM_CR_DISABLED (1ull << 4)
#define MSR_VM_HSAVE 0xc0010117
#define NESTED_ENABLE 1ull
#define TLB_FLUSH_ALL 1u

/* INTR, NMI, INIT, RDPMC, CPUID, RSM, INVD, HLT, INVLPGA, IOIO, MSR, task switches, FERR, shutdown;
 * VMRUN to SKINIT, WBINVD, MONITOR, MWAIT, XSETBV, RDPRU; INVLPGB, MCOMMIT, TLBSYNC. */
static const uint32_t intercepts[3] = { 0xfd4c800b, 0x7e7f, 0x1b };

enum exit_code {
	EXIT_EXCEPTION = 0x40,
	EXIT_DEBUG = EXIT_EXCEPTION + 1,
	EXIT_ALIGNMENT = EXIT_EXCEPTION + 17,
	EXIT_MACHINE_CHECK = EXIT_EXCEPTION + 18,
	EXIT_INTERRUPT = 0x60,
	EXIT_NMI = 0x61,
	EXIT_PORT = 0x7b,
};

/* What the guest's VMSAVE and VMLOAD are for the host, and VMRUN's own. */
static uint8_t host_vmcb[4096] __attribute__((aligned(4096)));
static uint8_t host_save[4096] __attribute__((aligned(4096)));
/* All ports and registers are exits. */
static struct {
	uint8_t ports[3 * 4096], msrs[2 * 4096];
} maps __attribute__((aligned(4096)));
word_t host_vmcb_paddr; /* guest.S */
static bool flush_owed; /* ASIDs are used again, and no guest has run since */
static uint32_t asids;
static bool has_next_rip;

void svm_init(void)
{
	if (cpuid(0x80000000, 0).a < 0x8000000a || !(cpuid(0x80000001, 0).c & FEATURE_SVM) ||
	    !(cpuid(0x8000000a, 0).d & FEATURE_NESTED) || (msr_read(MSR_VM_CR) & VM_CR_DISABLED))
		return;
	has_next_rip = cpuid(0x8000000a, 0).d & FEATURE_NEXT_RIP;
	asids = cpuid(0x8000000a, 0).b;
	__builtin_memset(&maps, 0xff, sizeof(maps));
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_VM_HSAVE, ptr_to_paddr(host_save));
	host_vmcb_paddr = ptr_to_paddr(host_vmcb);
	guest_entry = (word_t)guest_enter;
}

void svm_vcpu_init(struct vcpu *v)
{
	struct vmcb *c = &v->vmcb;

	c->exceptions = GUEST_EXCEPTIONS;
	__builtin_memcpy(c->intercepts, intercepts, sizeof(intercepts));
	c->io_map = ptr_to_paddr(maps.ports);
	c->msr_map = ptr_to_paddr(maps.msrs);
	c->nested = NESTED_ENABLE;
	c->virq = VIRQ_MASKING;
	c->efer = EFER_SVME;
	c->rflags = 2;
	c->cr0 = 0x60000010;
	c->dr6 = 0xffff0ff0;
	c->dr7 = 0x400;
	c->pat = 0x0007040600070406;
	v->vmcb_paddr = ptr_to_paddr(c);
}

void svm_renew(struct vcpu *v)
{
	flush_owed |= vcpu_renew(v, asids);
	v->vmcb.nested_root = v->root;
	v->vmcb.tlb_control = flush_owed ? TLB_FLUSH_ALL : 0;
	v->vmcb.asid = v->tag;
}

/* --- after an exit --- */
struct tcb *guest_check(struct vcpu *v)
{
	if (!svm_state_ok(&v->vmcb)) {
		v->vmcb.exit_code = ~0ull;
		v->vmcb.exit_event = 0;
		return checked(fault_current(v->tcb, ABI_EXT_FAULT_EXIT, 0, 0, 0));
	}
	v->unchecked = 0;
	return NULL;
}

/* A delivery that was broken off is done again; INT n, INT3 and INTO are
 * themselves executed again. */
static NOINLINE void deliver_again(struct vmcb *c)
{
	word_t e = c->exit_event;
	unsigned kind = (unsigned)(e >> ABI_VCPU_EVENT_KIND_SHIFT & 7), vector = e & 0xff;

	if (kind != ABI_VCPU_EVENT_SOFT &&
	    (kind != ABI_VCPU_EVENT_EXCEPTION || (vector != 3 && vector != 4)))
		c->event = e;
}

/* The guest gets its exception after all. */
static struct tcb *reflect(struct vcpu *v, unsigned vector)
{
	word_t code = vector == 17 ? ABI_VCPU_EVENT_HAS_CODE : 0;

	v->vmcb.event = vector | ABI_VCPU_EVENT_EXCEPTION << ABI_VCPU_EVENT_KIND_SHIFT | code |
			ABI_VCPU_EVENT_VALID;
	return v->tcb;
}

#define IOIO_IN_OR_STRING 5ull
static bool rang(struct vcpu *v)
{
	struct vmcb *c = &v->vmcb;
	word_t info = c->exit_info1;

	if (info & IOIO_IN_OR_STRING ||
	    !doorbell_ring(v, info >> 16 & 0xffff, info >> 4 & 7, c->rax))
		return false;
	c->rip = c->exit_info2;
	c->shadow = 0;
	return true;
}

struct tcb *trap_guest(struct vcpu *v)
{
	struct vmcb *c = &v->vmcb;
	struct tcb *t = v->tcb;

	c->event = 0;
	if (unlikely(c->tlb_control)) {
		c->tlb_control = 0;
		flush_owed = false;
	}
	if (unlikely(c->exit_event & ABI_VCPU_EVENT_VALID))
		deliver_again(c);
	switch ((uint32_t)c->exit_code) {
	case EXIT_INTERRUPT:
	case EXIT_NMI: /* it came when GIF was set */ return checked(trap_interrupt(t));
	case EXIT_MACHINE_CHECK: panic("machine check in a guest");
	case EXIT_DEBUG:
	case EXIT_ALIGNMENT:
		if (!(v->exceptions >> (c->exit_code - EXIT_EXCEPTION) & 1))
			return reflect(v, (unsigned)(c->exit_code - EXIT_EXCEPTION));
		break;
	case EXIT_PORT:
		if (v->n_bells && rang(v))
			return checked(arch_next());
		break;
	}
	if (!has_next_rip)
		c->next_rip = 0;
	if (unlikely(trace_is_on()))
		trace_event(t, ABI_TRACE_EXIT, c->exit_code);
	return checked(fault_current(t, ABI_EXT_FAULT_EXIT, 0, 0, 0));
}
