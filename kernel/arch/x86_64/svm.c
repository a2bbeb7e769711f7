/*
 * AMD SVM (APM 2, chapter 15). Each VCPU that runs has an ASID of its own.
 * Whatever makes translations stale starts a new epoch, in which every VCPU
 * takes a new ASID, and looks up its nested root, before it runs.
 */
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>
#include <kernel/debug.h>
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

/* INTR, NMI, INIT, RDPMC, CPUID, RSM, INVD, HLT, INVLPGA, IOIO, MSR, task
 * switches, FERR, shutdown. */
#define INTERCEPTS0 0xfd4c800bu
/* VMRUN to SKINIT, WBINVD, MONITOR, MWAIT, XSETBV, RDPRU. */
#define INTERCEPTS1 0x7e7fu
/* INVLPGB, MCOMMIT, TLBSYNC. */
#define INTERCEPTS2 0x1bu
/* #DB and #AC could keep the processor busy for ever by themselves; #MC. */
#define EXCEPTIONS (1u << 1 | 1u << 17 | 1u << 18)

enum exit_code {
	EXIT_EXCEPTION = 0x40,
	EXIT_DEBUG = EXIT_EXCEPTION + 1,
	EXIT_ALIGNMENT = EXIT_EXCEPTION + 17,
	EXIT_MACHINE_CHECK = EXIT_EXCEPTION + 18,
	EXIT_INTERRUPT = 0x60,
	EXIT_NMI = 0x61,
	EXIT_PORT = 0x7b,
};
#define EVENT_VALID ABI_VCPU_EVENT_VALID
#define EVENT_KIND(e) (unsigned)((e) >> ABI_VCPU_EVENT_KIND_SHIFT & 7)

/* What the guest's VMSAVE and VMLOAD are for the host, and VMRUN's own. */
static uint8_t host_vmcb[4096] __attribute__((aligned(4096)));
static uint8_t host_save[4096] __attribute__((aligned(4096)));
/* All ports and registers are exits. */
static uint8_t io_map[3 * 4096] __attribute__((aligned(4096)));
static uint8_t msr_map[2 * 4096] __attribute__((aligned(4096)));
static pte_t empty_root[512] __attribute__((aligned(4096)));
word_t host_vmcb_paddr; /* svm.S; 0: no SVM */
static word_t epoch = 1;
static bool flush_owed; /* ASIDs are used again, and no guest has run since */
static uint32_t asids, next_asid = 1;
static unsigned physical_bits;
static bool has_next_rip;
/* What CR4 may have. */
static word_t cr4_allowed;

static void find_cr4(void)
{
	uint32_t b = cpuid(7, 0).b, c = cpuid(7, 0).c;

	cr4_allowed = 0x7ff | CR4_FSGSBASE | CR4_OSXSAVE;
	cr4_allowed |= c & 1u << 2 ? 1u << 11 : 0;              /* UMIP */
	cr4_allowed |= cpuid(1, 0).c & 1u << 17 ? 1u << 17 : 0; /* PCIDE */
	cr4_allowed |= b & 1u << 7 ? CR4_SMEP : 0;
	cr4_allowed |= b & 1u << 20 ? CR4_SMAP : 0;
}

void svm_init(void)
{
	if (cpuid(0x80000000, 0).a < 0x8000000a || !(cpuid(0x80000001, 0).c & FEATURE_SVM) ||
	    !(cpuid(0x8000000a, 0).d & FEATURE_NESTED) || (msr_read(MSR_VM_CR) & VM_CR_DISABLED))
		return;
	has_next_rip = cpuid(0x8000000a, 0).d & FEATURE_NEXT_RIP;
	asids = cpuid(0x8000000a, 0).b;
	physical_bits = cpuid(0x80000008, 0).a & 0xff;
	find_cr4();
	for (unsigned i = 0; i < sizeof(io_map); i++)
		io_map[i] = 0xff;
	for (unsigned i = 0; i < sizeof(msr_map); i++)
		msr_map[i] = 0xff;
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_VM_HSAVE, ptr_to_paddr(host_save));
	host_vmcb_paddr = ptr_to_paddr(host_vmcb);
}

bool vcpu_exists(void) { return host_vmcb_paddr; }
void npt_changed(void) { epoch++; }

void svm_vcpu_init(struct vcpu *v)
{
	struct vmcb *c = &v->vmcb;

	c->exceptions = EXCEPTIONS;
	c->intercepts[0] = INTERCEPTS0;
	c->intercepts[1] = INTERCEPTS1;
	c->intercepts[2] = INTERCEPTS2;
	c->io_map = ptr_to_paddr(io_map);
	c->msr_map = ptr_to_paddr(msr_map);
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

/* --- before an entry --- */
#define DR_READ(n)                                          \
	({                                                  \
		word_t value_;                              \
		__asm__ volatile("mov %%db" #n ", %0"       \
				 : "=r"(value_)::"memory"); \
		value_;                                     \
	})
#define DR_WRITE(n, value) __asm__ volatile("mov %0, %%db" #n ::"r"((word_t)(value)))

/* Nobody but guests has breakpoints; the hardware changes DR6 and DR7. */
void vcpu_sync(struct vcpu *v)
{
	struct arch_cpu *cpu = &this_cpu()->arch;

	if (cpu->vcpu != v)
		return;
	v->dr[0] = DR_READ(0);
	v->dr[1] = DR_READ(1);
	v->dr[2] = DR_READ(2);
	v->dr[3] = DR_READ(3);
	cpu->vcpu = NULL;
}

static NOINLINE void load(struct arch_cpu *cpu, struct vcpu *v)
{
	if (cpu->vcpu)
		vcpu_sync(cpu->vcpu);
	DR_WRITE(0, v->dr[0]);
	DR_WRITE(1, v->dr[1]);
	DR_WRITE(2, v->dr[2]);
	DR_WRITE(3, v->dr[3]);
	cpu->vcpu = v;
}

static NOINLINE void renew(struct vcpu *v, const struct tcb *t)
{
	struct cap root = t->arch.ept.cap;
	bool live = cap_map_asid(root) && asid_ept_root(cap_map_asid(root)) == cap_addr(root);

	v->vmcb.nested_root = live ? cap_addr(root) : ptr_to_paddr(empty_root);
	if (next_asid >= asids) {
		next_asid = 1;
		epoch++;
		flush_owed = true;
	}
	v->vmcb.tlb_control = flush_owed ? TLB_FLUSH_ALL : 0;
	v->vmcb.asid = next_asid++;
	v->epoch = epoch;
}

struct tcb *vcpu_switch_to(struct tcb *t)
{
	struct arch_cpu *cpu = &this_cpu()->arch;
	struct vcpu *v = t->arch.vcpu;

	cpu->context = &t->arch.context;
	if (unlikely(cpu->vcpu != v))
		load(cpu, v);
	if (unlikely(cpu->fpu_owner != t))
		fpu_take(t);
	if (unlikely(v->epoch != epoch))
		renew(v, t);
	return t;
}

static bool event_ok(word_t e)
{
	unsigned vector = e & 0xff;

	if (!(e & EVENT_VALID))
		return true;
	switch (EVENT_KIND(e)) {
	case ABI_VCPU_EVENT_IRQ:
	case ABI_VCPU_EVENT_NMI:
	case ABI_VCPU_EVENT_SOFT: return true;
	case ABI_VCPU_EVENT_EXCEPTION: return vector < 31 && vector != 2;
	default: return false;
	}
}

static bool pat_ok(word_t pat)
{
	for (; pat; pat >>= 8)
		if ((pat & 0xff) > 7 || (pat & 0xfe) == 2)
			return false;
	return true;
}

/* APM 2, 15.5.1. What the hardware would refuse is not left to it: emulators
 * then write the host's registers where the guest's are. */
bool svm_state_ok(const struct vmcb *c)
{
	bool paging = c->cr0 >> 31 & 1, long_mode = c->efer & EFER_LME;

	if (c->cr0 >> 32 || (c->cr0 & (CR0_CD | CR0_NW)) == CR0_NW ||
	    (paging && !(c->cr0 & CR0_PE)) || c->cr4 & ~cr4_allowed || c->dr6 >> 32 ||
	    c->dr7 >> 32 || c->efer & ~EFER_GUEST || !pat_ok(c->pat) || !event_ok(c->event))
		return false;
	if (!long_mode || !paging)
		return true;
	return c->cr4 & CR4_PAE && !(c->cr3 >> physical_bits) &&
	       (c->seg[SEG_CS].word >> 16 & 0x600) != 0x600;
}

/* --- after an exit --- */
static struct tcb *checked(struct tcb *next)
{
	invariants_check();
	if (unlikely(trace_is_on()))
		trace_event(next, ABI_TRACE_RETURN, 0);
	return next;
}

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
	unsigned kind = EVENT_KIND(e), vector = e & 0xff;

	if (kind != ABI_VCPU_EVENT_SOFT &&
	    (kind != ABI_VCPU_EVENT_EXCEPTION || (vector != 3 && vector != 4)))
		c->event = e;
}

/* The guest gets its exception after all. */
static struct tcb *reflect(struct vcpu *v, unsigned vector)
{
	word_t code = vector == 17 ? ABI_VCPU_EVENT_HAS_CODE : 0;

	v->vmcb.event = vector | ABI_VCPU_EVENT_EXCEPTION << ABI_VCPU_EVENT_KIND_SHIFT | code |
			EVENT_VALID;
	return v->tcb;
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
	if (unlikely(c->exit_event & EVENT_VALID))
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
		if (v->n_bells && doorbell_ring(v))
			return checked(arch_next());
		break;
	}
	if (!has_next_rip)
		c->next_rip = 0;
	if (unlikely(trace_is_on()))
		trace_event(t, ABI_TRACE_FAULT, c->exit_code);
	return checked(fault_current(t, ABI_EXT_FAULT_EXIT, 0, 0, 0));
}
