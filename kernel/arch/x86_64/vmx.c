/*
 * Intel VT-x (SDM 3, chapters 24 to 29): the processor, the VMCS of each VCPU,
 * entries and exits, VMEnter. Tags in the TLB (VPIDs) and epochs are as SVM's
 * ASIDs: svm.c. What exits mean is user level's to find out.
 */
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/link.h>
#include <arch/trap.h>
#include <arch/vcpu.h>
#include <arch/vmx.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>
#include <kernel/entry.h>
#include <kernel/ipc.h>
#include <kernel/panic.h>

#define FEATURE_VMX (1u << 5) /* CPUID 1 ECX */
#define CONTROL_LOCKED 1ull   /* MSR_FEATURE_CONTROL */
#define CONTROL_VMX 4ull
/* MSR_VMX_EPT_VPID: four levels, write-back, 2 MiB, INVEPT and INVVPID of everything. */
#define EPT_VPID_NEEDED \
	(1ull << 6 | 1ull << 14 | 1ull << 16 | 1ull << 20 | 1ull << 26 | 1ull << 32 | 1ull << 42)
#define EPTP_HOW 0x1eull /* write-back, four levels */
#define INVALIDATE_ALL 2ull
#define VPIDS 65536u
#define NEVER 0xffffffffu
/* While a guest takes no interrupts it is looked whether there are any: Bochs
 * 2.7 forgets them if IF was clear at the entry. */
#define IMPATIENT_US 50
#define NMI_OR_MACHINE_CHECK (1u << 2 | 1u << 18)
#define BLOCKED_SHADOW 3ull /* in VMCS_SHADOW: by STI, by MOV SS */
#define RESET_PAT 0x0007040600070406ull
#define PORT_IN_OR_STRING 0x18u /* of the qualification */
#define SYSCALL_BYTES 2

bool vmx_on;
static uint32_t revision, impatient;
static uint8_t root_region[4096] __attribute__((aligned(4096)));
static uint8_t msr_map[4096] __attribute__((aligned(4096)));
static const uint32_t loads[LOADS] = { MSR_STAR, MSR_LSTAR, MSR_FMASK };
static struct msr_load host_load[LOADS] __attribute__((aligned(16)));

/* --- the processor --- */
/* Firmware has a say. */
static bool is_permitted(void)
{
	word_t control = msr_read(MSR_FEATURE_CONTROL);

	if (control & CONTROL_LOCKED)
		return control & CONTROL_VMX;
	msr_write(MSR_FEATURE_CONTROL, control | CONTROL_LOCKED | CONTROL_VMX);
	return true;
}

static bool switch_on(void)
{
	paddr_t region = ptr_to_paddr(root_region);
	bool done;

	*(uint32_t *)(void *)root_region = revision;
	CR_WRITE(4, CR_READ(4) | CR4_VMXE);
	/* clang-format off */
	__asm__ volatile("vmxon %1" : "=@cca"(done) : "m"(region) : "memory");
	/* clang-format on */
	if (!done)
		CR_WRITE(4, CR_READ(4) & ~CR4_VMXE);
	return done;
}

/* Of the registers that the guest has to itself reads and writes are no exits. */
static void make_msr_map(void)
{
	static const uint32_t own[] = { MSR_SYSENTER_CS, MSR_SYSENTER_CS + 1, MSR_SYSENTER_CS + 2,
					MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE };

	__builtin_memset(msr_map, 0xff, sizeof(msr_map));
	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		unsigned at = (own[i] & 0x1fff) / 8 + (own[i] >> 31) * 0x400;
		msr_map[at] = msr_map[at + 0x800] = (uint8_t)(msr_map[at] & ~(1u << own[i] % 8));
	}
}

void vmx_init(void)
{
	if (!(cpuid(1, 0).c & FEATURE_VMX) || !is_permitted() || !vmx_find_limits() ||
	    (msr_read(MSR_VMX_EPT_VPID) & EPT_VPID_NEEDED) != EPT_VPID_NEEDED)
		return;
	revision = (uint32_t)msr_read(MSR_VMX_BASIC) & 0x7fffffff;
	if (!switch_on())
		return;
	make_msr_map();
	for (unsigned i = 0; i < LOADS; i++)
		host_load[i] = (struct msr_load){ loads[i], 0, msr_read(loads[i]) };
	impatient = (uint32_t)(arch_us_to_ticks(IMPATIENT_US) >> (msr_read(MSR_VMX_MISC) & 31)) + 1;
	vmx_on = true;
	guest_entry = (word_t)vmx_enter;
}

/* --- a VMCS --- */
static void vmclear(const struct vcpu *v)
{
	/* clang-format off */
	__asm__ volatile("vmclear %0" ::"m"(v->vmcb_paddr) : "cc", "memory");
	/* clang-format on */
}

void vmx_use(struct vcpu *v)
{
	struct arch_cpu *cpu = &this_cpu()->arch;

	if (likely(cpu->vmcs == v))
		return;
	cpu->vmcs = v;
	/* clang-format off */
	__asm__ volatile("vmptrld %0" ::"m"(v->vmcb_paddr) : "cc", "memory");
	/* clang-format on */
}

/* Its memory may be anybody's. */
void vmx_vcpu_destroy(struct vcpu *v)
{
	if (v->vmcb_paddr)
		vmclear(v);
	if (this_cpu()->arch.vmcs == v)
		this_cpu()->arch.vmcs = NULL;
}

static void set_host(void)
{
	vmwrite(VMCS_HOST_SELECTOR + 2, SEL_KERNEL_CODE);
	vmwrite(VMCS_HOST_SELECTOR + 4, SEL_KERNEL_DATA);
	vmwrite(VMCS_HOST_SELECTOR + 12, SEL_TSS);
	vmwrite(VMCS_HOST_PAT, msr_read(MSR_PAT));
	vmwrite(VMCS_HOST_EFER, msr_read(MSR_EFER));
	vmwrite(VMCS_HOST_CR0, CR0_VALUE | CR0_TS);
	vmwrite(VMCS_HOST_CR4, CR_READ(4));
	vmwrite(VMCS_HOST_GS_BASE, (word_t)&this_cpu()->arch);
	vmwrite(VMCS_HOST_TR_BASE, cpu_tables[2]);
	vmwrite(VMCS_HOST_GDTR_BASE, cpu_tables[0]);
	vmwrite(VMCS_HOST_IDTR_BASE, cpu_tables[1]);
	vmwrite(VMCS_HOST_RSP, this_cpu()->arch.kernel_stack - sizeof(word_t));
	vmwrite(VMCS_HOST_RIP, (word_t)vmx_exit);
	vmwrite(VMCS_LINK, ~0ull);
	vmwrite(VMCS_MSR_MAP, ptr_to_paddr(msr_map));
	vmwrite(VMCS_EXIT_LOAD, ptr_to_paddr(host_load));
	vmwrite(VMCS_XSS_MAP, ~0ull);
}

void vmx_vcpu_init(struct vcpu *v)
{
	/* First and last; fields that this processor has not are no matter. */
	/* clang-format off */
	static const uint16_t zero[][2] = {
		{ 0x800, 0x80e }, { 0xc00, 0xc0c }, { 0x2802, 0x2810 }, { 0x2c04, 0x2c04 },
		{ 0x4006, 0x401a }, { 0x4800, 0x482a }, { 0x4c00, 0x4c00 }, { 0x6000, 0x600e },
		{ 0x6802, 0x6802 }, { 0x6806, 0x6826 }, { 0x6c06, 0x6c06 }, { 0x6c10, 0x6c12 },
	};
	/* clang-format on */

	v->vmcb_paddr = ptr_to_paddr(v);
	v->vmcs_revision = revision;
	vmclear(v);
	vmx_use(v);
	vmx_close_ports(v);
	for (unsigned i = 0; i < LOADS; i++)
		v->vmx.load[i].msr = loads[i];
	for (unsigned i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		for (unsigned f = zero[i][0]; f <= zero[i][1]; f += 2)
			vmwrite(f, 0);
	set_host();
	vmwrite(VMCS_IO_MAP, ptr_to_paddr(v->ports));
	vmwrite(VMCS_IO_MAP + 2, ptr_to_paddr(v->ports) + 4096);
	vmwrite(VMCS_ENTRY_LOAD, ptr_to_paddr(v->vmx.load));
	vmwrite(VMCS_PAT, RESET_PAT);
	vmwrite(VMCS_RFLAGS, 2);
	vmwrite(VMCS_DR7, 0x400);
	v->vmx.soft[ABI_VCPU_DR6 - ABI_VCPU_CR2] = 0xffff0ff0;
	vmx_write_initial(v);
}

/* --- before an entry --- */
static NOINLINE void renew(struct arch_cpu *cpu, struct vcpu *v)
{
	bool again = vcpu_renew(v, VPIDS);
	word_t all[2] = { 0, 0 };

	vmx_use(v);
	vmwrite(VMCS_EPTP, v->root | EPTP_HOW);
	vmwrite(VMCS_VPID, v->tag);
	/* clang-format off */
	if (again)
		__asm__ volatile("invvpid %0, %1" ::"m"(all), "r"(INVALIDATE_ALL) : "cc", "memory");
	if (cpu->ept_epoch != guest_epoch)
		__asm__ volatile("invept %0, %1" ::"m"(all), "r"(INVALIDATE_ALL) : "cc", "memory");
	/* clang-format on */
	cpu->ept_epoch = guest_epoch;
}

/* An exit loads FS and GS bases: nobody's may be in the registers. */
NOINLINE struct tcb *vmx_switch_to(struct arch_cpu *cpu, struct vcpu *v)
{
	if (cpu->bases_owner)
		cpu_sync_bases(cpu->bases_owner);
	if (unlikely(v->epoch != guest_epoch))
		renew(cpu, v);
	if (unlikely(v->vmx.ports_epoch && v->vmx.ports_epoch != ports_epoch))
		vmx_close_ports(v);
	return v->tcb;
}

/* --- VMEnter: its result, and the first words, which every end of it has --- */
static void put_state(struct arch_context *c)
{
	c->r10 = vmread(VMCS_RIP);
	c->r8 = vmread(VMCS_PRIMARY);
	c->r9 = vmread(VMCS_EVENT);
}

static struct tcb *end_call(struct tcb *t, word_t result)
{
	struct arch_context *c = &t->arch.context;

	put_state(c);
	c->rsi = result;
	c->rip = c->fault_ip + SYSCALL_BYTES;
	t->arch.guest = GUEST_NONE;
	return checked(arch_switch_to(t));
}

static bool is_signalled(const struct tcb *t)
{
	return t->bound_ntfn && t->bound_ntfn->state == NTFN_ACTIVE;
}

struct tcb *vmx_call(struct tcb *t)
{
	struct arch_context *c = &t->arch.context;
	struct vcpu *v = t->arch.vcpu;

	vmx_use(v);
	if (ipc_buffer(t, false)) {
		(void)vmx_write(v, VMCS_RIP, c->r10);
		(void)vmx_write(v, VMCS_PRIMARY, c->r8);
		(void)vmx_write(v, VMCS_EVENT, c->r9);
	}
	if (is_signalled(t)) {
		ntfn_complete(t->bound_ntfn, t);
		c->rsi = 0;
		return t;
	}
	c->by_syscall = 0;
	t->arch.guest = GUEST_CALL;
	return arch_switch_to(t);
}

/* --- guest.S --- */
struct tcb *vmx_before(struct vcpu *v)
{
	struct tcb *t = v->tcb;

	vmx_use(v);
	if (unlikely(t->arch.guest == GUEST_CALL && is_signalled(t))) {
		ntfn_complete(t->bound_ntfn, t);
		return end_call(t, 0);
	}
	vmwrite(VMCS_HOST_CR3, CR_READ(3));
	if (!(v->vmx.pin & PIN_TIMER))
		vmwrite(VMCS_TIMER,
			vmread(VMCS_RFLAGS) >> RFLAGS_IF_SHIFT & 1 ? NEVER : impatient);
	return NULL;
}

void vmx_advance(void)
{
	vmwrite(VMCS_RIP, vmread(VMCS_RIP) + vmread(VMCS_BYTES));
	vmwrite(VMCS_SHADOW, vmread(VMCS_SHADOW) & ~BLOCKED_SHADOW);
}

bool vmx_takes_irq(struct vcpu *v)
{
	vmx_use(v);
	return vmread(VMCS_RFLAGS) >> RFLAGS_IF_SHIFT & 1 &&
	       !(vmread(VMCS_SHADOW) & BLOCKED_SHADOW) &&
	       !(vmread(VMCS_EVENT) & ABI_VCPU_EVENT_VALID);
}

/* MR0 to MR24 (SEL4: VM-exit message); qualifications of those that have one. To who
 * answers EPT violations ABI_VCPU_PAGE_FIELDS, too; of CPUID, HLT, VMCALL, RDMSR and WRMSR not
 * the address, CR3 and the registers from ESI on. */
#define FOUR_WILL_DO 0x180041400ull
void vmx_exit_words(struct vcpu *v, struct tcb *to)
{
	static const uint16_t page_fields[] = { ABI_VCPU_PAGE_FIELDS };
	struct abi_ipcbuf *b = ipc_buffer(to, true);
	uint32_t reason = v->vmx.reason;
	bool qualified = reason < 64 && 0x25d8107ae84211ull >> reason & 1;
	bool few = v->exit_message && reason < 64 && FOUR_WILL_DO >> reason & 1;

	vmx_use(v);
	put_state(&to->arch.context);
	to->arch.context.r15 = reason;
	if (!b)
		return;
	b->msg[4] = reason == (uint32_t)VMX_FAILED ? ~0ull : qualified ? vmread(VMCS_QUALIFICATION)
								       : 0;
	b->msg[5] = vmread(VMCS_BYTES);
	b->msg[7] = vmread(VMCS_RFLAGS);
	b->msg[8] = vmread(VMCS_SHADOW);
	for (unsigned i = 0; i < 4; i++)
		b->msg[10 + i] = v->gpr[vcpu_abi_reg(i)];
	if (few)
		return;
	b->msg[6] = vmread(VMCS_GPA);
	b->msg[9] = vmread(VMCS_CR3);
#pragma GCC unroll 11
	for (unsigned i = 4; i < 15; i++)
		b->msg[10 + i] = v->gpr[vcpu_abi_reg(i)];
	for (unsigned i = 0; reason == VMX_PAGE && v->exit_message && i < ABI_VCPU_N_PAGE; i++)
		b->msg[25 + i] = vmread(page_fields[i]);
}

static NOINLINE bool rang(struct vcpu *v)
{
	word_t q = vmread(VMCS_QUALIFICATION);

	if (q & PORT_IN_OR_STRING ||
	    !doorbell_ring(v, q >> 16 & 0xffff, (q & 7) + 1, v->gpr[ABI_VCPU_RAX]))
		return false;
	vmx_use(v);
	vmx_advance();
	return true;
}

struct tcb *vmx_exited(struct vcpu *v)
{
	struct tcb *t = v->tcb;

	v->vmx.reason = v->vmx.failed ? (uint32_t)VMX_FAILED : vmread(VMCS_REASON) & 0xffff;
	if (likely(!v->vmx.failed)) {
		v->vmx.launched = 1;
		this_cpu()->arch.fpu_open = false; /* HOST_CR0 */
	} else if (vmread(VMCS_ERROR) == 5) {
		/* VMRESUME of what is not launched (SDM 3, 31.4): the entry before was refused for
		 * the guest's state, and so was none. */
		v->vmx.launched = v->vmx.failed = 0;
		return checked(arch_next());
	}
	v->vmx.failed = 0;
	switch (v->vmx.reason) {
	case VMX_INTERRUPT:
		if (vmread(VMCS_EXIT_EVENT) & ABI_VCPU_EVENT_VALID)
			return checked(trap_taken(t, vmread(VMCS_EXIT_EVENT) & 0xff));
		return checked(trap_interrupt(t));
	case VMX_TIMER:
		if (!(v->vmx.pin & PIN_TIMER))
			return checked(trap_interrupt(t));
		break;
	case VMX_EXCEPTION:
		if (1u << (vmread(VMCS_EXIT_EVENT) & 31) & NMI_OR_MACHINE_CHECK)
			panic("NMI or machine check in a guest");
		break;
	case VMX_MACHINE_CHECK: panic("machine check at a guest's entry");
	case VMX_PORT:
		if (v->n_bells && rang(v))
			return checked(arch_next());
		break;
	}
	if (unlikely(trace_is_on()))
		trace_event(t, ABI_TRACE_EXIT, v->vmx.reason);
	if (t->arch.guest == GUEST_THREAD)
		return checked(fault_current(t, ABI_EXT_FAULT_EXIT, 0, 0, 0));
	vmx_exit_words(v, t);
	return end_call(t, 1);
}
