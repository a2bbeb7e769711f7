/*
 * VCPU objects. What the hardware keeps of a guest is in struct vmcb (AMD64
 * Architecture Programmer's Manual 2, appendix B) or in a VMCS, whose format is
 * the processor's own (vmx.h); the rest is behind it.
 */
#pragma once

#include <abi/vcpu.h>
#include <kernel/endpoint.h>
#include <kernel/notification.h>
#include <kernel/sched.h>
#include <kernel/tcb.h>

struct vmcb {
	uint32_t cr_accesses, dr_accesses, exceptions, intercepts[3];
	uint8_t pad0[0x40 - 0x18];
	uint64_t io_map, msr_map, tsc_offset;
	uint32_t asid, tlb_control;
	uint64_t virq, shadow, exit_code, exit_info1, exit_info2, exit_event;
	uint64_t nested, pad1[2], event, nested_root, pad2[2], next_rip;
	uint8_t pad3[0x400 - 0xd0];
	struct {
		uint64_t word, base;
	} seg[10]; /* enum vmcb_seg */
	uint8_t pad4[0x4cb - 0x4a0], cpl;
	uint8_t pad5[4];
	uint64_t efer;
	uint8_t pad6[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t pad7[0x5d8 - 0x580];
	uint64_t rsp, pad8[3], rax, star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs,
		sysenter_esp, sysenter_eip, cr2;
	uint64_t pad9[4], pat;
	uint8_t pad10[0x1000 - 0x670];
};
_Static_assert(sizeof(struct vmcb) == 4096 && offsetof(struct vmcb, next_rip) == 0xc8 &&
		       offsetof(struct vmcb, efer) == 0x4d0 &&
		       offsetof(struct vmcb, rip) == 0x578 && offsetof(struct vmcb, pat) == 0x668,
	       "APM 2, B");
/* clang-format off */
enum vmcb_seg { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_GDTR, SEG_LDTR, SEG_IDTR,
		SEG_TR };
/* clang-format on */

/* virq: V_TPR 7:0, and these. */
#define VIRQ_TPR 0xfull
#define VIRQ_PENDING (1ull << 8)
#define VIRQ_IGNORE_TPR (1ull << 20)
#define VIRQ_MASKING (1ull << 24)
#define VIRQ_VECTOR_SHIFT 32
#define INTERCEPT_VIRQ (1u << 4) /* in intercepts[0] */

struct invocation;

struct doorbell {
	struct slot ntfn;
	word_t port, how, value; /* VCPU_SET_DOORBELL's MR1, MR2, MR3 */
};

/* SDM 3, 25.7.2. */
struct msr_load {
	uint32_t msr, reserved;
	uint64_t value;
};
#define LOADS 3u /* STAR, LSTAR, FMASK */

/* What VT-x leaves to software. */
struct vmx_state {
	word_t soft[ABI_VCPU_REG_COUNT - ABI_VCPU_CR2]; /* from CR2 on: those of VMX_REGS */
	word_t launched;                                /* since its VMCS was cleared */
	word_t failed;                                  /* the last entry, by itself */
	struct msr_load load[LOADS] __attribute__((aligned(16)));
	/* Of the last exit (SVM: as in reasons[]); pin-based controls as the VMM wrote them. */
	uint32_t reason, pin;
	word_t ports_epoch; /* in which EnableIOPort opened some; 0: none are */
};

struct vcpu {
	union {
		struct vmcb vmcb;
		uint32_t vmcs_revision;
	};
	/* While it does not run; RAX and RSP are in the VMCB, RSP is in the VMCS. */
	word_t gpr[16];
	word_t vmcb_paddr; /* VMCB or VMCS; 0: not initialised */
	word_t unchecked;  /* registers were written that the hardware could refuse */
	struct vmx_state vmx;
	struct tcb *tcb;     /* its thread, or NULL */
	word_t dr[4];        /* while another's are loaded */
	paddr_t root;        /* of its memory */
	uint32_t tag;        /* ASID or VPID */
	word_t epoch;        /* of which those two are; 0: of none */
	uint32_t exceptions; /* that the VMM asked for */
	bool exit_message;   /* its thread is the guest */
	unsigned n_bells;    /* doorbells in use are below */
	struct doorbell bell[ABI_DOORBELLS];
	struct fpu_state fpu;
	/* VT-x: ports that are exits. */
	uint8_t ports[2 * 4096] __attribute__((aligned(4096)));
};
_Static_assert(sizeof(struct vcpu) <= 1u << ABI_VCPU_BITS, "ABI");
/* clang-format off */
#define AT(member, name) offsetof(struct vcpu, member) == ARCH_VCPU_##name
_Static_assert(AT(gpr, GPR) && AT(vmcb_paddr, VMCB) && AT(unchecked, UNCHECKED) &&
	AT(vmx.soft, CR2) && AT(vmx.soft[6], DR6) && AT(vmx.soft[15], KERNEL_GS) &&
	AT(vmx.launched, LAUNCHED) && AT(vmx.failed, FAILED), "guest.S");
#undef AT
/* clang-format on */
/* Registers by number that are in memory under VT-x: general ones but RSP, CR2, CR8, DR0 to DR6,
 * STAR to KERNEL_GS_BASE, TSC_OFFSET. CR8 and CSTAR mean nothing to the kernel. */
#define VMX_REGS 0x43e1fc000000ffefull

/* --- vcpu.c --- */
extern word_t guest_entry; /* where entry.S goes with a guest: guest.S */
/* Guests can run here: VCPU and EPT objects can be made. */
static inline bool vcpu_exists(void) { return guest_entry; }
void vcpu_bind(struct vcpu *v, struct tcb *t); /* either may be NULL */
void vcpu_update_guest(struct tcb *t);
/* The thread leaves the VMEnter that it is in, if it is. */
void vcpu_leave_call(struct tcb *t);
void vcpu_destroy(struct vcpu *v);
/* The ABI's order: eax ebx ecx edx esi edi ebp r8-r15. */
static inline unsigned vcpu_abi_reg(unsigned i) { return i < 7 ? 0x5762130 >> 4 * i & 7 : i + 1; }
word_t vcpu_get_reg(struct vcpu *v, unsigned reg);
void vcpu_set_reg(struct vcpu *v, unsigned reg, word_t value);
/* Makes `t`, a guest, the next thread. */
struct tcb *vcpu_switch_to(struct tcb *t) __attribute__((returns_nonnull));
/* Translations of guests changed: they are to be forgotten. */
void npt_changed(void);
extern word_t guest_epoch;
/* Of a new epoch: root and tag; true: tags are used again. */
bool vcpu_renew(struct vcpu *v, uint32_t tags);
/* Its debug registers are in memory. */
void vcpu_sync(struct vcpu *v);
/* A user's debug exception, or the guest's, changed DR6: as the guest has it. */
void vcpu_debug_taken(void);
/* #DB and #AC could keep the processor busy for ever by themselves; #MC. */
#define GUEST_EXCEPTIONS (1u << 1 | 1u << 17 | 1u << 18)
/* What CR4 may have, so that it is a guest's own alone. */
word_t guest_cr4(void);
#define RFLAGS_IF_SHIFT 9

/* --- svm.c, guest.S --- */
/* Looks for SVM and switches it on. */
void svm_init(void);
void svm_vcpu_init(struct vcpu *v);
void svm_renew(struct vcpu *v);
bool svm_state_ok(const struct vmcb *c);
/* From guest.S: after an exit; before an entry with registers not yet looked at:
 * NULL if they may stand, else the thread that runs next. */
struct tcb *trap_guest(struct vcpu *v);
struct tcb *guest_check(struct vcpu *v);

/* --- vmx.c, guest.S --- */
extern bool vmx_on;
void vmx_init(void);
void vmx_vcpu_init(struct vcpu *v);
void vmx_vcpu_destroy(struct vcpu *v);
/* Its VMCS is the current one. */
void vmx_use(struct vcpu *v);
struct tcb *vmx_switch_to(struct arch_cpu *cpu, struct vcpu *v) __attribute__((returns_nonnull));
/* From guest.S: NULL: enter; and after an exit. Else the thread that runs next. */
struct tcb *vmx_before(struct vcpu *v);
struct tcb *vmx_exited(struct vcpu *v);
/* VMEnter's words, in the handler's message. */
void vmx_exit_words(struct vcpu *v, struct tcb *to);
/* The exit's instruction is done. */
void vmx_advance(void);
/* VMEnter: the system call. */
struct tcb *vmx_call(struct tcb *t);

/* --- object/vmcs.c --- */
/* What fields may have; false: the processor cannot do what is needed. */
bool vmx_find_limits(void);
/* Within those limits: the value that there is then. */
word_t vmx_write(struct vcpu *v, unsigned field, word_t value);
void vmx_write_initial(struct vcpu *v);
/* A register of VMX_REGS, or IRQ, that the processor has to hear of. */
void vmx_reg_written(struct vcpu *v, unsigned reg);
/* The state, if the guest runs: no shadow, no event. */
bool vmx_takes_irq(struct vcpu *v);
/* ReadVMCS and WriteVMCS; EnableIOPort and DisableIOPort. */
int vmx_field_invoke(struct invocation *inv, struct vcpu *v, bool write);
int vmx_ports_invoke(struct invocation *inv, struct vcpu *v);
void vmx_close_ports(struct vcpu *v);
/* Port capabilities that went, and 1. */
extern word_t ports_epoch;

/* --- object/vcpu.c, doorbell.c --- */
int vcpu_invoke(struct invocation *inv);
int doorbell_invoke(struct invocation *inv, struct vcpu *v);
void doorbell_destroy(struct vcpu *v);
/* Puts `c`, or nothing, into a slot of a thread or VCPU, in place of what it holds. */
void hidden_slot_set(struct slot *s, struct cap c, struct slot *src);
/* An OUT to a port: it was one, of which the threads now know. */
static inline bool doorbell_fits(const struct doorbell *b, word_t port, word_t bytes, word_t value)
{
	word_t size = b->how & 15;

	return b->port == port && !slot_is_empty(&b->ntfn) && (!size || size == bytes) &&
	       (!(b->how & ABI_DOORBELL_MATCH) || b->value == value);
}

static inline bool doorbell_ring(struct vcpu *v, word_t port, word_t bytes, word_t value)
{
	value &= ~0ull >> (64 - 8 * (bytes ? bytes : 1));
	for (struct doorbell *b = v->bell; b < v->bell + v->n_bells; b++)
		if (doorbell_fits(b, port, bytes, value)) {
			sched_time_enter();
			ntfn_signal(cap_object(b->ntfn.cap), cap_badge(b->ntfn.cap));
			(void)sched_check_budget();
			sched_finish();
			return true;
		}
	return false;
}
