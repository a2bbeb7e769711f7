/* The guest's instructions, as its monitor sees them. */
#pragma once

#include "vm.h"
#include "walk.h"

#include <decode.h>

/* Registers of a vCPU as the decoder takes them. */
void insn_state(struct vcpu *v, struct decode_state *s);
/* Its tables, and an address in them: false: not mapped. */
struct walk_regs insn_walk_regs(const struct vm *vm, struct vcpu *v);
bool insn_translate(const struct vm *vm, struct vcpu *v, uint64_t va, gpa_t *gpa);
/* The decoder of the VM's 32-bit code; NULL: it has none. */
const struct decode_narrow *insn_narrow(const struct vm *vm);
/* The four bytes at a guest-virtual address, through the guest's own page
 * tables. False: no memory there. */
bool insn_fetch(struct vm_vcpu *vc, uint64_t va, uint32_t *insn);

/*
 * A data abort that the hardware does not describe: the instruction is decoded
 * and its accesses carried out. NULL, or why it cannot be: the VM stops.
 */
const char *insn_emulate(struct vm_vcpu *vc, const struct vcpu_exit *e);
/* Whether what the hardware describes names a register of another mode
 * (docs/emulators.md). */
bool insn_is_misdescribed(struct vcpu *v, const struct vcpu_exit *e);
