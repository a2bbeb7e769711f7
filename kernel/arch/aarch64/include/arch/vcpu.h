/* VCPU objects: a guest's EL1 state, virtual interrupts, virtual timer. */
#pragma once

#include <abi/ext.h>
#include <abi/object.h>
#include <abi/regs.h>
#include <arch/sysreg.h>
#include <kernel/slot.h>

#define VGIC_LRS 16
#define VGIC_APRS 4
#define VCPU_REGS32 7 /* ABI_EXTV_DACR32 to VPIDR */
#define VCPU_VPIDR 6
#define VCPU_DBG_REGS 16

/* The virtual CPU interface, in GICv3's formats whatever the hardware. */
struct vgic_state {
	uint64_t lr[VGIC_LRS];
	uint32_t ap0r[VGIC_APRS], ap1r[VGIC_APRS];
	uint32_t vmcr;
	uint32_t hcr; /* with ICH_HCR_EL2.En */
};

/* A store of the guest that signals a notification (doorbell.c). */
struct doorbell {
	struct slot ntfn; /* empty: none */
	vptr_t gpa;
	word_t value;
	word_t how; /* size in bytes or 0, | ABI_DOORBELL_MATCH */
};

/* Direct interrupts (direct_irq.c); a source is a bit or an index. */
struct vcpu_direct {
	unsigned lrs;            /* list registers set aside, 0: off */
	bool timer_listed;       /* the timer's was filled and has not been seen empty */
	word_t pending, enabled; /* without what is in a list register */
	uint64_t conf[ABI_DIRECT_SOURCES];
	struct notification *ntfn[ABI_DIRECT_SOURCES - ABI_DIRECT_NTFN0];
	struct slot wake;
	vptr_t sgir;       /* GICv2: where the guest's GICD_SGIR is */
	struct vcpu *next; /* ring of the group */
};

struct vcpu {
	struct tcb *tcb;
	word_t regs[ABI_VCPU_REG_COUNT]; /* enum abi_vcpu_reg */
	word_t csselr;
	word_t vdisr;       /* DISR_EL1 as the guest sees it (FEAT_RAS) */
	uint64_t id;        /* never given to another: for the TLB */
	word_t hcr;         /* HCR_EL2 while it runs: traps and width are its own */
	bool vtimer_masked; /* VPPIEvent sent, not acknowledged */
	ticks_t left_at;    /* kernel/debug/plain */
	bool exit_message;  /* ABI_EXT_VCPU_SET_EXIT_MESSAGE */
	uint8_t debug;      /* ABI_EXT_DEBUG_* */
	word_t regs32[VCPU_REGS32];
	word_t dbg[4][VCPU_DBG_REGS]; /* DBGBVR, DBGBCR, DBGWVR, DBGWCR */
	struct vgic_state vgic;
	struct vcpu_direct direct;
	unsigned n_bells; /* the highest one in use + 1 */
	struct doorbell bell[ABI_DOORBELLS];
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
/* The bits of SPSR that the thread, with or without a VCPU, may have. */
word_t spsr_sanitise(word_t spsr, const struct tcb *t);
static inline bool vcpu_is_aarch32(const struct vcpu *v) { return !(v->hcr & HCR_RW); }
bool vcpu_has_aarch32(unsigned el);
/* False: the machine has no AArch32 at EL1. */
bool vcpu_set_aarch32(struct vcpu *v, bool on);

/* --- vcpu_debug.c --- */
void debug_enter(const struct vcpu *v);
void debug_leave(void);
void vcpu_set_debug(struct vcpu *v, uint8_t mode);
/* NULL: no such register here. Otherwise what of it can be written. */
word_t *debug_register(struct vcpu *v, word_t field, word_t *mask);

/* --- direct_irq.c --- */
struct invocation;
struct arch_context;
int direct_invoke(struct invocation *inv, struct vcpu *v);
bool direct_read(const struct vcpu *v, word_t field, word_t *value);
bool direct_write(struct vcpu *v, word_t field, word_t value);
bool direct_write_lr(struct vcpu *v, unsigned i, uint64_t lr); /* set aside */
/* How many list registers are the VMM's. */
unsigned direct_user_lrs(const struct vcpu *v);
/* A trapped MSR of the live guest: true if it was an SGI, and is done. */
bool direct_sysreg(struct vcpu *v, struct arch_context *c, word_t esr);
/* Its store to GICD_SGIR. */
void direct_sgir(struct vcpu *v, word_t value);
/* Its timer has fired: true if that is in a list register now. */
bool direct_vtimer(struct vcpu *v);
/* Refills what of its list registers reported an end; what the VMM is told. */
uint32_t direct_maintenance(struct vcpu *v, uint32_t eoi);
/* If `timer_listed`: its timer is about to be off; its list registers have
 * been saved (false) or loaded. */
void direct_timer_leave(struct vcpu *v);
void direct_timer_link(const struct vcpu *v, bool active);
/* The object goes. */
void direct_destroy(struct vcpu *v);

/* --- doorbell.c --- */
int doorbell_invoke(struct invocation *inv, struct vcpu *v);
/* A data abort of the live guest at `ipa`: true if it was a doorbell. */
bool doorbell_ring(struct vcpu *v, struct arch_context *c, word_t esr, word_t ipa);
void doorbell_destroy(struct vcpu *v);
bool doorbell_cap_ok(struct cap c, word_t right); /* a notification with it */
/* Replaces a slot's notification; c may be null. */
void doorbell_set_slot(struct slot *s, struct cap c, struct slot *src);

/* --- object/vcpu_object.c --- */
int vcpu_invoke(struct invocation *inv);
