/* VCPU objects: a guest's EL1 state, virtual interrupts, virtual timer. */
#pragma once

#include <abi/ext.h>
#include <abi/object.h>
#include <abi/regs.h>
#include <kernel/cap.h>

#define VGIC_LRS 16
#define VGIC_APRS 4

/* The virtual CPU interface, in GICv3's formats whatever the hardware. */
struct vgic_state {
	uint64_t lr[VGIC_LRS];
	uint32_t ap0r[VGIC_APRS], ap1r[VGIC_APRS];
	uint32_t vmcr;
	uint32_t hcr; /* with ICH_HCR_EL2.En */
};

struct vcpu {
	struct tcb *tcb;
	word_t regs[ABI_VCPU_REG_COUNT]; /* enum abi_vcpu_reg */
	word_t csselr;
	word_t vdisr;       /* DISR_EL1 as the guest sees it (FEAT_RAS) */
	uint64_t id;        /* never given to another: for the TLB */
	word_t traps;       /* ABI_EXT_TRAP_* */
	bool vtimer_masked; /* VPPIEvent sent, not acknowledged */
	bool exit_message;  /* ABI_EXT_VCPU_SET_EXIT_MESSAGE */
	struct vgic_state vgic;
};
_Static_assert(sizeof(struct vcpu) <= 1u << ABI_VCPU_BITS, "ABI");

static inline struct cap cap_vcpu(struct vcpu *v)
{
	return cap_make(CAP_VCPU, ptr_to_paddr(v), 0, 0);
}

/* --- vcpu.c --- */
void vcpu_init(struct vcpu *v);
/* Loads the guest's registers (lazily: only what is not live). */
void vcpu_enter(struct vcpu *v);
/* A native thread is next: saves what acts on EL0, silences the guest. */
void vcpu_leave(void);
/* Saves everything that is live of `v`; nothing of it stays loaded. */
void vcpu_evict(struct vcpu *v);
void vcpu_bind(struct vcpu *v, struct tcb *t);
void vcpu_unbind(struct vcpu *v);
word_t vcpu_read(struct vcpu *v, enum abi_vcpu_reg field);
void vcpu_write(struct vcpu *v, enum abi_vcpu_reg field, word_t value);
/* Extension fields: false if there is no such field (or it is read-only). */
bool vcpu_read_ext(struct vcpu *v, word_t field, word_t *value);
bool vcpu_write_ext(struct vcpu *v, word_t field, word_t value);
/* The bits of SPSR that a thread with or without a VCPU may have. */
word_t spsr_sanitise(word_t spsr, bool guest);

/* --- object/vcpu_object.c --- */
struct invocation;
int vcpu_invoke(struct invocation *inv);
