/*
 * A guest that runs a piece of guest_code.S at EL1, its MMU off. One exit at a time:
 * kt_exit is the one that came last, answered by going on.
 */
#pragma once

#include "kt.h"

#include <abi/ext.h>
#include <abi/regs.h>

#define PAGE 4096u
#define GUEST_BASE 0x40000000ull
#define OUTSIDE 0x50000000ull /* nothing is mapped there */
#define GUEST_GICC (GUEST_BASE + 0x10000)
#define SPSR_EL1H 0x3c5u

#define EC(esr) ((unsigned)((esr) >> 26) & 63)
#define EC_WFX 0x01
#define EC_SMC 0x17
#define EC_SYSREG 0x18

extern const char guest_code[];

struct kt_guest {
	cap_t vspace, tcb, sc, vcpu, ep, reply;
};

struct kt_exit {
	uint64_t label, badge, mr[SEL4_MSG_REGS];
	uint64_t more[ABI_SYSFAULT_WORDS]; /* from word 4 on */
	unsigned words;
};
extern struct kt_exit kt_exit;
uint64_t kt_exit_word(unsigned i);
/* ESR_EL2 in the label of an exit message. */
uint64_t kt_exit_syndrome(void);

/* Bound, its code mapped, not started; `badge` is its fault endpoint's. */
struct kt_guest kt_guest(uint64_t badge);
/* Guest-physical address of a piece of guest_code.S. */
uint64_t kt_guest_gpa(const char *code);
/* A frame of the device untyped that holds the GICv2's virtual interface. */
cap_t kt_gicv_frame(void);
void kt_guest_map_page(cap_t frame, cap_t vspace, uint64_t vaddr, uint64_t attr);
void kt_guest_set_pc(const struct kt_guest *g, const char *code, uint64_t x0, int resume);
void kt_guest_set_reg(const struct kt_guest *g, unsigned index, uint64_t v);
void kt_guest_receive(const struct kt_guest *g);
/* From `code` to the first exit. */
void kt_guest_start(const struct kt_guest *g, const char *code, uint64_t x0);
/* Replies with kt_exit.mr, `words` of it, and receives the next exit. */
void kt_guest_go_on(const struct kt_guest *g, unsigned words);
/* The same with a label other than 0. */
void kt_guest_answer(const struct kt_guest *g, uint64_t label, unsigned words);
/* Answers an UnknownSyscall: x0, and on behind the HVC. */
void kt_guest_answer_hvc(const struct kt_guest *g, uint64_t x0);
/* Past the instruction that trapped, for faults that only restart. */
void kt_guest_skip(const struct kt_guest *g);
