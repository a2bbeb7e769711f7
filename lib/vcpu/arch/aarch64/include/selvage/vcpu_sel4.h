/* The back end of <selvage/vcpu.h> on the kernel's TCB and VCPU objects. */
#pragma once

#include <selvage/vcpu.h>

/* How the exit that is being handled wants to be answered. */
enum vcpu_answer {
	VCPU_ANSWER_NONE,    /* no exit yet */
	VCPU_ANSWER_RESTART, /* empty reply: VM, VCPU, VPPI, maintenance */
	VCPU_ANSWER_SYSCALL, /* UnknownSyscall: x0-x7 and PC go along */
	VCPU_ANSWER_EXIT,    /* exit message: flags and values */
};

struct vcpu_sel4 {
	struct vcpu cpu; /* first: ops get a pointer to it */
	struct vcpu_caps caps;
	enum vcpu_answer answer;
	uint8_t insn_bytes; /* of the exit being handled */
	/* VCPU_ANSWER_EXIT: the register that the answer's first word is, or
	 * VCPU_NO_REG; and the number of registers from there. */
	uint8_t first, carried;
};

/* Switches the exit message on where the kernel has it. */
void vcpu_sel4_init(struct vcpu_sel4 *v, const struct vcpu_caps *caps);
/* Makes its registers 32 bits wide. False: the kernel, or the machine, has no
 * such thing. */
bool vcpu_sel4_narrow(struct vcpu_sel4 *v);
/* Writes all registers and starts the thread; false: the kernel refused. */
bool vcpu_sel4_start(struct vcpu_sel4 *v);

/* Fields of the VCPU object that struct vcpu does not cache (list registers,
 * ID registers); any thread may call. false: the kernel refused. */
bool vcpu_sel4_read(const struct vcpu_sel4 *v, unsigned field, uint64_t *value);
bool vcpu_sel4_write(const struct vcpu_sel4 *v, unsigned field, uint64_t value);
