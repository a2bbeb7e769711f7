/*
 * VCPU objects. What the hardware keeps of a guest is in struct vmcb (AMD64
 * Architecture Programmer's Manual 2, appendix B), the rest behind it.
 */
#pragma once

#include <abi/vcpu.h>
#include <kernel/notification.h>
#include <kernel/tcb.h>

#define VMCB_SEGMENT_BYTES 16

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
_Static_assert(sizeof(struct vmcb) == 4096 && offsetof(struct vmcb, asid) == 0x58, "APM 2, B");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x70 && offsetof(struct vmcb, event) == 0xa8 &&
		       offsetof(struct vmcb, next_rip) == 0xc8,
	       "APM 2, B");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0 && offsetof(struct vmcb, rip) == 0x578 &&
		       offsetof(struct vmcb, rax) == 0x5f8 && offsetof(struct vmcb, cr2) == 0x640 &&
		       offsetof(struct vmcb, pat) == 0x668,
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

struct doorbell {
	struct slot ntfn;
	word_t port, how, value; /* VCPU_SET_DOORBELL's MR1, MR2, MR3 */
};

struct vcpu {
	struct vmcb vmcb;
	/* While it does not run; RAX and RSP are in the VMCB. */
	word_t gpr[16];
	word_t vmcb_paddr;   /* 0: not initialised */
	word_t unchecked;    /* registers were written that the hardware could refuse */
	struct tcb *tcb;     /* its thread, or NULL */
	word_t dr[4];        /* while another's are loaded */
	word_t epoch;        /* of which its ASID and nested root are; 0: of none */
	uint32_t exceptions; /* that the VMM asked for */
	bool exit_message;   /* its thread is the guest */
	unsigned n_bells;    /* doorbells in use are below */
	struct doorbell bell[ABI_DOORBELLS];
};
_Static_assert(sizeof(struct vcpu) <= 1u << ABI_VCPU_BITS, "ABI");
_Static_assert(offsetof(struct vcpu, gpr) == ARCH_VCPU_GPR, "svm.S");
_Static_assert(offsetof(struct vcpu, vmcb_paddr) == ARCH_VCPU_VMCB, "svm.S");
_Static_assert(offsetof(struct vcpu, unchecked) == ARCH_VCPU_UNCHECKED, "svm.S");

/* --- svm.c, svm.S --- */
/* Looks for SVM and switches it on. */
void svm_init(void);
/* Guests can run here: VCPU and EPT objects can be made. */
bool vcpu_exists(void);
void svm_vcpu_init(struct vcpu *v);
/* Makes `t`, a guest, the next thread. */
struct tcb *vcpu_switch_to(struct tcb *t) __attribute__((returns_nonnull));
/* From svm.S: after an exit; before an entry with registers not yet looked at:
 * NULL if they may stand, else the thread that runs next. */
struct tcb *trap_guest(struct vcpu *v);
struct tcb *guest_check(struct vcpu *v);
/* Nested page tables changed: translations are to be forgotten. */
void npt_changed(void);
/* Its debug registers are in memory. */
void vcpu_sync(struct vcpu *v);

/* --- vcpu.c --- */
void vcpu_bind(struct vcpu *v, struct tcb *t); /* either may be NULL */
void vcpu_update_guest(struct tcb *t);
void vcpu_destroy(struct vcpu *v);
word_t vcpu_get_reg(struct vcpu *v, unsigned reg);
void vcpu_set_reg(struct vcpu *v, unsigned reg, word_t value);
bool svm_state_ok(const struct vmcb *c);

/* --- object/vcpu.c, doorbell.c, object/ept.c --- */
struct invocation;
int vcpu_invoke(struct invocation *inv);
int doorbell_invoke(struct invocation *inv, struct vcpu *v);
/* An OUT to a port: it was one, and is done. */
bool doorbell_ring(struct vcpu *v);
void doorbell_destroy(struct vcpu *v);
/* Puts `c`, or nothing, into a slot that is no thread's and no CNode's. */
void hidden_slot_set(struct slot *s, struct cap c, struct slot *src);
int ept_table_invoke(struct invocation *inv);
int ept_frame_map(struct invocation *inv);
void ept_frame_unmap(struct cap c);
void ept_table_unmap(struct cap c);
int ept_set_root(struct invocation *inv);
unsigned ept_table_level(enum cap_type type);
