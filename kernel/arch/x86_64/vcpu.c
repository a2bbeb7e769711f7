/* VCPUs: their threads, their registers by number, their exits as messages. */
#include <arch/vcpu.h>

#include <abi/fault.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <arch/vmx.h>
#include <arch/vspace.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>
#include <kernel/ipc.h>

#define EXIT_CODES_FROM 0x60
#define EXIT_PAGE 0x400
#define REASON(name, bytes) ((ABI_EXIT_##name) | (bytes) << 6)
#define REASON_MASK 63u
#define RFLAGS_GUEST 0x3f7fd5ull /* not reserved */
#define RFLAGS_TF 0x100u

/* --- registers --- */
#define AT(member) offsetof(struct vcpu, member)
#define SEG_AT(name)                                       \
	[ABI_VCPU_##name] = AT(vmcb.seg[SEG_##name].word), \
	[ABI_VCPU_##name##_BASE] = AT(vmcb.seg[SEG_##name].base)
#define GPR_AT(name) [ABI_VCPU_##name] = AT(gpr[ABI_VCPU_##name])
#define VMCB_AT(name, member) [ABI_VCPU_##name] = AT(vmcb.member)
static const uint16_t place[ABI_VCPU_REG_COUNT] = {
	VMCB_AT(RAX, rax), GPR_AT(RCX), GPR_AT(RDX), GPR_AT(RBX), VMCB_AT(RSP, rsp), GPR_AT(RBP),
	GPR_AT(RSI), GPR_AT(RDI), GPR_AT(R8), GPR_AT(R9), GPR_AT(R10), GPR_AT(R11), GPR_AT(R12),
	GPR_AT(R13), GPR_AT(R14), GPR_AT(R15), VMCB_AT(RIP, rip), VMCB_AT(RFLAGS, rflags),
	VMCB_AT(CR0, cr0), VMCB_AT(CR2, cr2), VMCB_AT(CR3, cr3), VMCB_AT(CR4, cr4),
	VMCB_AT(CR8, virq), VMCB_AT(EFER, efer), SEG_AT(ES), SEG_AT(CS), SEG_AT(SS), SEG_AT(DS),
	SEG_AT(FS), SEG_AT(GS), SEG_AT(LDTR), SEG_AT(TR), SEG_AT(GDTR), SEG_AT(IDTR),
	[ABI_VCPU_DR0] = AT(dr[0]), [ABI_VCPU_DR1] = AT(dr[1]), [ABI_VCPU_DR2] = AT(dr[2]),
	[ABI_VCPU_DR3] = AT(dr[3]), VMCB_AT(DR6, dr6), VMCB_AT(DR7, dr7),
	VMCB_AT(SYSENTER_CS, sysenter_cs), VMCB_AT(SYSENTER_ESP, sysenter_esp),
	VMCB_AT(SYSENTER_EIP, sysenter_eip), VMCB_AT(STAR, star), VMCB_AT(LSTAR, lstar),
	VMCB_AT(CSTAR, cstar), VMCB_AT(SFMASK, sfmask), VMCB_AT(KERNEL_GS_BASE, kernel_gs_base),
	VMCB_AT(PAT, pat), VMCB_AT(SHADOW, shadow), VMCB_AT(EVENT, event), VMCB_AT(IRQ, virq),
	VMCB_AT(TSC_OFFSET, tsc_offset)
};

static inline word_t *reg_at(struct vcpu *v, unsigned reg)
{
	return (word_t *)((uintptr_t)v + place[reg]);
}

/* Of VT-x: those of VMX_REGS. */
static word_t *soft_reg(struct vcpu *v, unsigned reg)
{
	if (reg >= ABI_VCPU_DR0 && reg <= ABI_VCPU_DR3)
		return &v->dr[reg - ABI_VCPU_DR0];
	return reg < ABI_VCPU_CR2 ? &v->gpr[reg] : &v->vmx.soft[reg - ABI_VCPU_CR2];
}

static word_t irq_get(const struct vmcb *c)
{
	if (!(c->virq & VIRQ_PENDING))
		return 0;
	if (c->intercepts[0] & INTERCEPT_VIRQ)
		return ABI_VCPU_IRQ_WINDOW;
	return ABI_VCPU_IRQ_PENDING | (c->virq >> VIRQ_VECTOR_SHIFT & 0xff);
}

static void irq_set(struct vmcb *c, word_t w)
{
	bool window = w & ABI_VCPU_IRQ_WINDOW;

	c->intercepts[0] = (c->intercepts[0] & ~INTERCEPT_VIRQ) | (window ? INTERCEPT_VIRQ : 0);
	c->virq &= VIRQ_TPR | VIRQ_MASKING;
	if (window || w & ABI_VCPU_IRQ_PENDING)
		c->virq |= VIRQ_PENDING | VIRQ_IGNORE_TPR | (w & 0xff) << VIRQ_VECTOR_SHIFT;
}

word_t vcpu_get_reg(struct vcpu *v, unsigned reg)
{
	if (reg >= ABI_VCPU_DR0 && reg <= ABI_VCPU_DR6)
		vcpu_sync(v);
	if (vmx_on)
		return *soft_reg(v, reg);
	switch (reg) {
	case ABI_VCPU_EFER: return v->vmcb.efer & ~EFER_SVME;
	case ABI_VCPU_CR8: return v->vmcb.virq & VIRQ_TPR;
	case ABI_VCPU_IRQ: return irq_get(&v->vmcb);
	case ABI_VCPU_SHADOW: return v->vmcb.shadow & ABI_VCPU_SHADOW_ON;
	}
	return *reg_at(v, reg);
}

/* What the hardware takes for granted; the rest is checked before the entry. */
static word_t sanitised(unsigned reg, word_t value)
{
	if ((reg >= ABI_VCPU_CS && reg <= ABI_VCPU_IDTR))
		return value & ~0xf0000000ull;
	switch (reg) {
	case ABI_VCPU_RFLAGS: return (value & RFLAGS_GUEST) | 2;
	case ABI_VCPU_EFER: return value | EFER_SVME;
	case ABI_VCPU_SHADOW: return value & ABI_VCPU_SHADOW_ON;
	case ABI_VCPU_CR8: return value & VIRQ_TPR;
	case ABI_VCPU_EVENT:
		return value & ABI_VCPU_EVENT_VALID ? value & 0xffffffff80000fffull : 0;
	case ABI_VCPU_SYSENTER_ESP:
	case ABI_VCPU_SYSENTER_EIP:
	case ABI_VCPU_LSTAR:
	case ABI_VCPU_CSTAR:
	case ABI_VCPU_KERNEL_GS_BASE: return is_canonical(value) ? value : 0;
	default: break;
	}
	if (reg >= ABI_VCPU_CS_BASE && reg <= ABI_VCPU_IDTR_BASE)
		return is_canonical(value) ? value : 0;
	return value;
}

void vcpu_set_reg(struct vcpu *v, unsigned reg, word_t value)
{
	value = sanitised(reg, value);
	if (reg >= ABI_VCPU_DR0 && reg <= ABI_VCPU_DR6)
		vcpu_sync(v);
	if (vmx_on) {
		*soft_reg(v, reg) = value;
		vmx_reg_written(v, reg);
		return;
	}
	switch (reg) {
	case ABI_VCPU_IRQ: irq_set(&v->vmcb, value); return;
	case ABI_VCPU_CR8:
		v->vmcb.virq = (v->vmcb.virq & ~VIRQ_TPR) | value;
		return;
	case ABI_VCPU_SS: v->vmcb.cpl = value >> 21 & 3; break;
	case ABI_VCPU_CR0:
	case ABI_VCPU_CR3:
	case ABI_VCPU_CR4:
	case ABI_VCPU_EFER: v->epoch = 0; break;
	}
	if (reg >= ABI_VCPU_RIP)
		v->unchecked = 1;
	*reg_at(v, reg) = value;
}

/* --- registers together --- */
static bool event_ok(word_t e, word_t rflags)
{
	unsigned vector = e & 0xff;

	if (!(e & ABI_VCPU_EVENT_VALID))
		return true;
	switch (e >> ABI_VCPU_EVENT_KIND_SHIFT & 7) {
	case ABI_VCPU_EVENT_IRQ: return rflags >> RFLAGS_IF_SHIFT & 1;
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

word_t guest_cr4(void)
{
	uint32_t b = cpuid(7, 0).b, c = cpuid(7, 0).c;

	return 0x7ff | CR4_FSGSBASE | CR4_OSXSAVE | (c & 1u << 2 ? 1u << 11 : 0) /* UMIP */ |
	       (cpuid(1, 0).c & 1u << 17) /* PCIDE */ | (b & 1u << 7 ? CR4_SMEP : 0) |
	       (b & 1u << 20 ? CR4_SMAP : 0);
}

/* APM 2, 15.5.1. What the hardware would refuse is not left to it: emulators
 * then write the host's registers where the guest's are. */
bool svm_state_ok(const struct vmcb *c)
{
	static word_t cr4_allowed, physical_bits;
	bool paging = c->cr0 >> 31 & 1, long_mode = c->efer & EFER_LME;

	if (!cr4_allowed) {
		cr4_allowed = guest_cr4();
		physical_bits = cpuid(0x80000008, 0).a & 0xff;
	}
	if (c->cr0 >> 32 || (c->cr0 & (CR0_CD | CR0_NW)) == CR0_NW ||
	    (paging && !(c->cr0 & CR0_PE)) || c->cr4 & ~cr4_allowed || c->dr6 >> 32 ||
	    c->dr7 >> 32 || c->efer & ~EFER_GUEST || !pat_ok(c->pat) ||
	    !event_ok(c->event, c->rflags))
		return false;
	if (!long_mode || !paging)
		return true;
	return c->cr4 & CR4_PAE && !(c->cr3 >> physical_bits) &&
	       (c->seg[SEG_CS].word >> 16 & 0x600) != 0x600;
}

/* --- what is in the registers: only guests have breakpoints --- */
#define DR_READ(n) MOV_FROM(db##n)
#define DR_WRITE(n, value) MOV_TO(db##n, value)

/* SVM changes DR6 and DR7; with VT-x guest.S keeps DR6. */
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
	vcpu_debug_taken();
}

void vcpu_debug_taken(void)
{
	const struct vcpu *v = this_cpu()->arch.vcpu;

	if (vmx_on && v)
		DR_WRITE(6, (uint32_t)v->vmx.soft[ABI_VCPU_DR6 - ABI_VCPU_CR2]);
}

/* --- guests' memory and the TLB --- */
word_t guest_entry;
word_t guest_epoch = 1;
static pte_t empty_root[512] __attribute__((aligned(4096)));

void npt_changed(void) { guest_epoch++; }

bool vcpu_renew(struct vcpu *v, uint32_t tags)
{
	static uint32_t last;
	struct cap root = v->tcb->arch.ept.cap;
	bool live = cap_map_asid(root) && asid_space(cap_map_asid(root), true) == cap_addr(root);
	bool again = last + 1 >= tags;

	if (again) {
		last = 0;
		guest_epoch++;
	}
	v->root = live ? cap_addr(root) : ptr_to_paddr(empty_root);
	v->tag = ++last;
	v->epoch = guest_epoch;
	return again;
}

struct tcb *vcpu_switch_to(struct tcb *t)
{
	struct arch_cpu *cpu = &this_cpu()->arch;
	struct vcpu *v = t->arch.vcpu;

	cpu->context = &t->arch.context;
	if (unlikely(cpu->vcpu != v))
		load(cpu, v);
	if (unlikely(cpu->fpu_owner != &v->fpu))
		fpu_take(&v->fpu);
	if (vmx_on)
		return vmx_switch_to(cpu, v);
	if (unlikely(v->epoch != guest_epoch))
		svm_renew(v);
	return t;
}

/* --- threads --- */
void vcpu_update_guest(struct tcb *t)
{
	vcpu_leave_call(t);
	t->arch.special &= SPECIAL_CALLS | SPECIAL_EXITS;
	t->arch.special |= vmx_on && t->arch.vcpu ? SPECIAL_VM_ENTER : 0;
	t->arch.guest = t->arch.vcpu && t->arch.vcpu->exit_message ? GUEST_THREAD : GUEST_NONE;
	if (t->arch.guest)
		t->arch.context.by_syscall = 0; /* what enters guests is where IRET is */
}

void vcpu_leave_call(struct tcb *t)
{
	if (t->arch.guest != GUEST_CALL)
		return;
	t->arch.guest = GUEST_NONE;
	arch_restart(t);
}

static void unbind(struct tcb *t)
{
	if (t && t->arch.vcpu) {
		t->arch.vcpu->tcb = NULL;
		t->arch.vcpu = NULL;
		vcpu_update_guest(t);
	}
}

void vcpu_bind(struct vcpu *v, struct tcb *t)
{
	if (v)
		unbind(v->tcb);
	unbind(t);
	if (!v || !t)
		return;
	v->tcb = t;
	v->epoch = 0;
	t->arch.vcpu = v;
	vcpu_update_guest(t);
}

void vcpu_destroy(struct vcpu *v)
{
	struct arch_cpu *cpu = &this_cpu()->arch;

	vcpu_bind(v, NULL);
	if (cpu->vcpu == v)
		cpu->vcpu = NULL;
	fpu_leave(&v->fpu, false);
	if (vmx_on)
		vmx_vcpu_destroy(v);
	doorbell_destroy(v);
}

/* --- exits --- */

/* What an exit message's label says. */
struct exit {
	word_t code; /* reason and length, as in reasons[] */
	word_t detail;
};
/* By exit code. */
/* clang-format off */
#define ON(code, name, bytes) [(code) - EXIT_CODES_FROM] = REASON(name, bytes)
static const uint16_t reasons[] = {
	ON(0x64, WINDOW, 0), ON(0x6f, RDPMC, 2), ON(0x72, CPUID, 2), ON(0x73, NESTED, 2) /* RSM */,
	ON(0x76, INVD, 2), ON(0x78, HLT, 1), ON(0x7a, NESTED, 3), ON(0x7b, PORT, 0),
	ON(0x7c, MSR_READ, 2), ON(0x7d, TASK, 0), ON(0x7f, SHUTDOWN, 0), ON(0x80, NESTED, 3),
	ON(0x81, HYPERCALL, 3), ON(0x82, NESTED, 3), ON(0x83, NESTED, 3), ON(0x84, NESTED, 3),
	ON(0x85, NESTED, 3), ON(0x86, NESTED, 3), ON(0x89, INVD, 2), ON(0x8a, MONITOR, 3),
	ON(0x8b, MWAIT, 3), ON(0x8c, MWAIT, 3), ON(0x8d, XSETBV, 3), ON(0x8e, NESTED, 3),
	ON(0xa0, NESTED, 3), ON(0xa3, NESTED, 4), ON(0xa4, NESTED, 3), /* INVLPGB ... */
};
/* clang-format on */

static struct exit port_exit(const struct vmcb *c)
{
	word_t i = c->exit_info1, bytes = (c->exit_info2 - c->rip) & ABI_EXIT_BYTES_MASK;
	word_t detail = (i >> 16 & 0xffff) | (i >> 4 & 7) << ABI_EXIT_PORT_BYTES_SHIFT |
			(i & 1 ? ABI_EXIT_PORT_IN : 0);

	if (!(i & 4))
		return (struct exit){ REASON(PORT, bytes), detail };
	detail |= (i & 8 ? ABI_EXIT_PORT_REP : 0) |
		  (i >> 7 & 7) << (ABI_EXIT_PORT_ADDRESS_SHIFT + 1) |
		  (i >> 10 & 7) << ABI_EXIT_PORT_SEGMENT_SHIFT;
	return (struct exit){ REASON(STRING_PORT, bytes), detail };
}

/* Control and debug registers: reads and writes of sixteen each. */
static struct exit register_exit(const struct vmcb *c)
{
	word_t detail = (c->exit_code & 15) | (c->exit_code & 16 ? ABI_EXIT_CR_WRITE : 0);

	if (c->exit_info1 >> 63)
		detail |= ABI_EXIT_CR_KNOWN | (c->exit_info1 & 15) << ABI_EXIT_CR_REG_SHIFT;
	return (struct exit){ c->exit_code < 0x20 ? REASON(CR, 0) : REASON(DR, 0), detail };
}

static struct exit other_exit(const struct vmcb *c)
{
	word_t code = (uint32_t)c->exit_code, i = c->exit_info1;

	if (code == EXIT_PAGE)
		return (struct exit){ REASON(PAGE, 0),
				      (i & 0x1f) | (i >> 33 & 1 ? ABI_EXIT_PAGE_TABLES : 0) };
	if (code < 0x40)
		return register_exit(c);
	if (code < EXIT_CODES_FROM)
		return (struct exit){ REASON(EXCEPTION, 0), code & 31 };
	if (code == 0xffffffff)
		return (struct exit){ REASON(INVALID, 0), 0 };
	return (struct exit){ REASON(OTHER, 0), code & ABI_EXIT_DETAIL_MASK };
}

static struct exit classify(const struct vmcb *c)
{
	word_t i = c->exit_code - EXIT_CODES_FROM;
	struct exit e = { i < sizeof(reasons) / sizeof(reasons[0]) ? reasons[i] : 0, 0 };

	switch (e.code & REASON_MASK) {
	case ABI_EXIT_OTHER: return other_exit(c);
	case ABI_EXIT_PORT: return port_exit(c);
	case ABI_EXIT_TASK: e.detail = c->exit_info1 & 0xffff; break;
	case ABI_EXIT_MSR_READ: e.code += c->exit_info1 & 1; break;
	}
	if (c->next_rip && e.code >> 6)
		e.code = (e.code & REASON_MASK) |
			 ((c->next_rip - c->rip) & ABI_EXIT_BYTES_MASK) << 6;
	return e;
}

static NOINLINE void put_state(struct vcpu *v, const struct vmcb *c, struct tcb *to)
{
	struct arch_context *m = &to->arch.context;
	struct abi_ipcbuf *b = ipc_buffer(to, true);

	bool page = c->exit_code == EXIT_PAGE;
	m->r10 = page ? c->exit_info2 : c->exit_info1;
	m->r8 = page ? c->exit_info1 : c->exit_info2;
	m->r9 = 0;
	m->r15 = c->rip;
	for (unsigned i = 0; b && i < ABI_EXIT_STATE; i++)
		b->msg[ABI_EXIT_STATE_WORD + i] = *reg_at(v, i);
	if (b)
		b->msg[ABI_EXIT_STATE_WORD + ABI_VCPU_EFER] &= ~EFER_SVME;
}

word_t arch_exit_message(const struct tcb *faulter, struct tcb *to)
{
	struct arch_context *m = &to->arch.context;
	struct vcpu *v = faulter->arch.vcpu;

	if (unlikely(!v)) { /* unbound since */
		m->r10 = m->r8 = m->r9 = m->r15 = 0;
		return ABI_EXT_FAULT_EXIT;
	}
	if (vmx_on) {
		vmx_exit_words(v, to);
		return ABI_EXT_FAULT_EXIT | ABI_EXIT_VMX << ABI_EXIT_REASON_SHIFT;
	}
	struct vmcb *c = &v->vmcb;
	struct exit e = classify(c);
	v->vmx.reason = (uint32_t)e.code;
	word_t open = (c->rflags >> RFLAGS_IF_SHIFT & ~c->shadow & 1) * ABI_EXIT_OPEN;
	if (unlikely(c->rflags & RFLAGS_TF))
		e.detail |= ABI_EXIT_STEPPED >> ABI_EXIT_DETAIL_SHIFT;

	if ((e.code & REASON_MASK) >= ABI_EXIT_FIRST_ACCESS) {
		put_state(v, c, to);
	} else {
		m->r10 = c->rax;
		m->r8 = v->gpr[ABI_VCPU_RCX];
		m->r9 = v->gpr[ABI_VCPU_RDX];
		m->r15 = v->gpr[ABI_VCPU_RBX];
		if ((e.code & REASON_MASK) == ABI_EXIT_WINDOW)
			irq_set(c, 0);
	}
	return ABI_EXT_FAULT_EXIT | e.code << ABI_EXIT_REASON_SHIFT |
	       (c->virq & VIRQ_PENDING) * (ABI_EXIT_IRQ_PENDING / VIRQ_PENDING) | open |
	       e.detail << ABI_EXIT_DETAIL_SHIFT;
}

static inline void put_reg(struct vcpu *v, unsigned reg, word_t value)
{
	if (!vmx_on)
		*reg_at(v, reg) = value;
	else if (VMX_REGS >> reg & 1)
		v->gpr[reg] = value;
	else
		vmwrite(reg == ABI_VCPU_RSP ? VMCS_RSP : VMCS_RIP + 2 * (reg - ABI_VCPU_RIP),
			value);
}

/* RIP, a general register, RFLAGS. */
static void access_reply(struct vcpu *v, const struct arch_context *m, unsigned count)
{
	if (count > 0)
		put_reg(v, ABI_VCPU_RIP, m->r10);
	if (count > 2 && m->r8 < ABI_VCPU_RIP)
		put_reg(v, (unsigned)m->r8, m->r9);
	if (count > 3)
		put_reg(v, ABI_VCPU_RFLAGS, sanitised(ABI_VCPU_RFLAGS, m->r15));
}

bool arch_exit_reply(struct tcb *faulter, const struct tcb *from, word_t label, unsigned count)
{
	const struct arch_context *m = &from->arch.context;
	struct vcpu *v = faulter->arch.vcpu;
	word_t *rax;
	bool access;

	if (label != ABI_EXIT_DONE || !v)
		return label == ABI_EXIT_AGAIN;
	if (vmx_on) {
		vmx_use(v);
		vmx_advance();
		access = v->vmx.reason == VMX_PAGE;
		rax = &v->gpr[ABI_VCPU_RAX];
	} else {
		v->vmcb.shadow = 0;
		access = (v->vmx.reason & REASON_MASK) >= ABI_EXIT_FIRST_ACCESS;
		v->vmcb.rip += access ? 0 : v->vmx.reason >> 6;
		rax = &v->vmcb.rax;
	}
	if (access) {
		access_reply(v, m, count);
		return true;
	}
	if (count > 0)
		*rax = m->r10;
	if (count > 1)
		v->gpr[ABI_VCPU_RCX] = m->r8;
	if (count > 2)
		v->gpr[ABI_VCPU_RDX] = m->r9;
	if (count > 3)
		v->gpr[ABI_VCPU_RBX] = m->r15;
	return true;
}
