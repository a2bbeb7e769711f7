/* VCPUs: their threads, their registers by number, their exits as messages. */
#include <arch/vcpu.h>

#include <abi/fault.h>
#include <arch/cpu.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>
#include <kernel/ipc.h>

#define EXIT_CODES_FROM 0x60
#define EXIT_PAGE 0x400
#define RFLAGS_IF_SHIFT 9
#define RFLAGS_GUEST 0x3f7fd5ull /* not reserved */

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
	switch (reg) {
	case ABI_VCPU_EFER: return v->vmcb.efer & ~EFER_SVME;
	case ABI_VCPU_CR8: return v->vmcb.virq & VIRQ_TPR;
	case ABI_VCPU_IRQ: return irq_get(&v->vmcb);
	case ABI_VCPU_SHADOW: return v->vmcb.shadow & ABI_VCPU_SHADOW_ON;
	case ABI_VCPU_DR0:
	case ABI_VCPU_DR1:
	case ABI_VCPU_DR2:
	case ABI_VCPU_DR3: vcpu_sync(v); break;
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
	switch (reg) {
	case ABI_VCPU_IRQ: irq_set(&v->vmcb, value); return;
	case ABI_VCPU_CR8:
		v->vmcb.virq = (v->vmcb.virq & ~VIRQ_TPR) | (value & VIRQ_TPR);
		return;
	case ABI_VCPU_DR0:
	case ABI_VCPU_DR1:
	case ABI_VCPU_DR2:
	case ABI_VCPU_DR3: vcpu_sync(v); break;
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

/* --- threads --- */
void vcpu_update_guest(struct tcb *t)
{
	t->arch.guest = t->arch.vcpu && t->arch.vcpu->exit_message;
	if (t->arch.guest)
		t->arch.context.by_syscall = 0; /* svm.S is where IRET is */
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
	doorbell_destroy(v);
}

/* --- exits --- */

/* By exit code: the label from the reason's place on, length included. */
#define REASON(name, bytes) ((ABI_EXIT_##name) | (bytes) << 6)
static const uint16_t reasons[] = {
	[0x64 - EXIT_CODES_FROM] = REASON(WINDOW, 0),
	[0x6f - EXIT_CODES_FROM] = REASON(RDPMC, 2),
	[0x72 - EXIT_CODES_FROM] = REASON(CPUID, 2),
	[0x73 - EXIT_CODES_FROM] = REASON(NESTED, 2), /* RSM */
	[0x76 - EXIT_CODES_FROM] = REASON(INVD, 2),
	[0x78 - EXIT_CODES_FROM] = REASON(HLT, 1),
	[0x7a - EXIT_CODES_FROM] = REASON(NESTED, 3),
	[0x7b - EXIT_CODES_FROM] = REASON(PORT, 0),
	[0x7c - EXIT_CODES_FROM] = REASON(MSR_READ, 2),
	[0x7d - EXIT_CODES_FROM] = REASON(TASK, 0),
	[0x7f - EXIT_CODES_FROM] = REASON(SHUTDOWN, 0),
	[0x80 - EXIT_CODES_FROM] = REASON(NESTED, 3),
	[0x81 - EXIT_CODES_FROM] = REASON(HYPERCALL, 3),
	[0x82 - EXIT_CODES_FROM] = REASON(NESTED, 3),
	[0x83 - EXIT_CODES_FROM] = REASON(NESTED, 3),
	[0x84 - EXIT_CODES_FROM] = REASON(NESTED, 3),
	[0x85 - EXIT_CODES_FROM] = REASON(NESTED, 3),
	[0x86 - EXIT_CODES_FROM] = REASON(NESTED, 3),
	[0x89 - EXIT_CODES_FROM] = REASON(INVD, 2),
	[0x8a - EXIT_CODES_FROM] = REASON(MONITOR, 3),
	[0x8b - EXIT_CODES_FROM] = REASON(MWAIT, 3),
	[0x8c - EXIT_CODES_FROM] = REASON(MWAIT, 3),
	[0x8d - EXIT_CODES_FROM] = REASON(XSETBV, 3),
};
#define REASON_MASK 63u

struct exit {
	word_t code;   /* reason and length, as in reasons[] */
	word_t detail; /* 32 bits */
};

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
	return (struct exit){ REASON(OTHER, 0), code };
}

static struct exit classify(const struct vmcb *c)
{
	word_t i = c->exit_code - EXIT_CODES_FROM;
	struct exit e = { 0, 0 };

	if (i < sizeof(reasons) / sizeof(reasons[0]))
		e.code = reasons[i];
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
	struct vmcb *c = &v->vmcb;
	struct exit e = classify(c);
	word_t open = (c->rflags >> RFLAGS_IF_SHIFT & ~c->shadow & 1) * ABI_EXIT_OPEN;

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

/* RIP, a general register, RFLAGS. */
static void access_reply(struct vcpu *v, const struct arch_context *m, unsigned count)
{
	if (count > 0)
		v->vmcb.rip = m->r10;
	if (count > 2 && m->r8 < ABI_VCPU_RIP)
		*reg_at(v, (unsigned)m->r8) = m->r9;
	if (count > 3)
		v->vmcb.rflags = sanitised(ABI_VCPU_RFLAGS, m->r15);
}

bool arch_exit_reply(struct tcb *faulter, const struct tcb *from, word_t label, unsigned count)
{
	const struct arch_context *m = &from->arch.context;
	struct vcpu *v = faulter->arch.vcpu;

	if (label != ABI_EXIT_DONE || !v)
		return label == ABI_EXIT_AGAIN;
	struct exit e = classify(&v->vmcb);
	v->vmcb.shadow = 0;
	if ((e.code & REASON_MASK) >= ABI_EXIT_FIRST_ACCESS) {
		access_reply(v, m, count);
		return true;
	}
	v->vmcb.rip += e.code >> 6 & ABI_EXIT_BYTES_MASK;
	if (count > 0)
		v->vmcb.rax = m->r10;
	if (count > 1)
		v->gpr[ABI_VCPU_RCX] = m->r8;
	if (count > 2)
		v->gpr[ABI_VCPU_RDX] = m->r9;
	if (count > 3)
		v->gpr[ABI_VCPU_RBX] = m->r15;
	return true;
}
