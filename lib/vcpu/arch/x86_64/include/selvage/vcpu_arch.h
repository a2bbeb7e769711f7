/*
 * x86-64 vCPU, under SVM and VT-x alike: register numbers, details of exits,
 * exception injection and the back end that runs on the kernel's VCPU object.
 */
#pragma once

#include <abi/ext.h>
#include <abi/vcpu.h>
#include <stdbool.h>
#include <stdint.h>

struct vcpu;
struct vcpu_exit;

/* Register numbers of struct vcpu: general registers as instructions encode
 * them, then the rest (abi/vcpu.h says what they hold). */
enum vcpu_reg {
#define X(name) VCPU_##name = ABI_VCPU_##name,
	ABI_VCPU_REGS(X)
#undef X
		VCPU_REGS = ABI_VCPU_REG_COUNT
};
#define VCPU_NO_REG 63
#define VCPU_PC VCPU_RIP

/*
 * Exits. Reasons of <selvage/vcpu.h> and what struct vcpu_exit has:
 *
 *   PORT         code: port; size, write, value (OUT); syndrome: detail, with
 *                ABI_EXIT_PORT_*; vcpu_exit_is_string: INS, OUTS, not done
 *                by vcpu_finish_in
 *   MSR          syndrome: number; write, value
 *   FEATURES     CPUID: leaf and subleaf are in RAX and RCX
 *   WAIT_IRQ     HLT
 *   HYPERCALL    VMMCALL, VMCALL: RAX, RCX, RDX, RBX came along
 *   MMIO_OPAQUE, FETCH   gpa, gva (0: not known), write; to be decoded: the
 *                first ABI_EXIT_STATE registers came along
 *   CONTROL      code: number of the control register, + 16: debug register;
 *                write; reg: general register, or VCPU_NO_REG: to be decoded
 *   DEBUG        exception that the monitor asked for; code: vector, value:
 *                error code, gva: address (#PF)
 *   IRQ_WINDOW   the guest takes interrupts now
 *   TASK_SWITCH  code: selector, syndrome and value: the processor's details
 *   SHUTDOWN     triple fault
 *   BAD_STATE    registers that the processor refuses to run
 *   INSTRUCTION  code: enum abi_exit_reason (XSETBV, RDPMC, INVD, MONITOR, ...)
 *   UNDEFINED    SVM's and VT-x's own instructions
 *
 * vcpu_advance skips the instruction: by its length where the exit says so,
 * else the monitor decodes it and sets RIP itself (vcpu_exit_bytes).
 */
#define VCPU_SEG_SELECTOR(seg) ((uint16_t)(seg))
#define VCPU_SEG_ATTRIBUTES(seg) ((uint16_t)((seg) >> 16 & 0xfff))
#define VCPU_SEG_LIMIT(seg) ((uint32_t)((seg) >> 32))
#define VCPU_SEG(selector, attributes, limit)                                    \
	((uint64_t)(uint16_t)(selector) | (uint64_t)((attributes)&0xfff) << 16 | \
	 (uint64_t)(uint32_t)(limit) << 32)
/* Attributes: SDM 3, 3.4.5, without the limit's four bits between. */
#define VCPU_ATTR_CODE 0x09bu     /* present, DPL 0, code, readable, accessed */
#define VCPU_ATTR_DATA 0x093u     /* present, DPL 0, data, writable, accessed */
#define VCPU_ATTR_LDT 0x082u      /* present, LDT */
#define VCPU_ATTR_TSS_BUSY 0x08bu /* present, 32- or 64-bit TSS, busy */
#define VCPU_ATTR_DPL_SHIFT 5
#define VCPU_ATTR_LONG 0x200u /* L: 64-bit code */
#define VCPU_ATTR_DB 0x400u   /* D/B: 32-bit */
#define VCPU_ATTR_GRANULAR 0x800u
#define VCPU_RFLAGS_TF (1u << 8)  /* an instruction ends in #DB */
#define VCPU_DR7_GUARD (1u << 13) /* GD: an access of a debug register is #DB */

/* Bytes of the instruction that exited; 0: not known. */
unsigned vcpu_exit_bytes(const struct vcpu_exit *e);
bool vcpu_exit_is_string(const struct vcpu_exit *e);

/* A general register's part as an instruction without REX names it: of 1 byte
 * AL to BL and AH to BH (high: from bit 8). Setting 4 bytes clears the rest. */
uint64_t vcpu_get_part(struct vcpu *v, unsigned reg, unsigned size, bool high);
void vcpu_set_part(struct vcpu *v, unsigned reg, unsigned size, bool high, uint64_t value);

/* Answers: AL, AX or EAX of IN; EDX:EAX of RDMSR; the four of CPUID. Each also
 * advances. */
void vcpu_finish_in(struct vcpu *v, const struct vcpu_exit *e, uint32_t value);
void vcpu_finish_msr(struct vcpu *v, uint64_t value);
void vcpu_finish_cpuid(struct vcpu *v, uint32_t a, uint32_t b, uint32_t c, uint32_t d);

/* As after RESET (SDM 3, 10.1.4): real mode at f000:fff0. */
void vcpu_reset(struct vcpu *v);

/* The guest takes an exception instead of going on; in real mode without its code. */
void vcpu_inject_exception(struct vcpu *v, uint8_t vector, bool has_code, uint32_t code);
void vcpu_inject_undefined(struct vcpu *v);
void vcpu_inject_protection(struct vcpu *v);
/* #DB behind a single step, with what the processor does to DR6 and DR7. */
void vcpu_inject_step(struct vcpu *v);
void vcpu_inject_nmi(struct vcpu *v);
/* The guest gets the interrupt as soon as it takes any; replaces an earlier
 * one that is still pending. */
void vcpu_set_irq(struct vcpu *v, uint8_t vector);
/* Takes back the one that is pending, if any. */
void vcpu_clear_irq(struct vcpu *v);
/* Instead: an exit IRQ_WINDOW as soon as the guest takes interrupts. */
void vcpu_want_window(struct vcpu *v);
/* At this exit: one is still pending; the guest takes interrupts. */
bool vcpu_irq_is_pending(const struct vcpu_exit *e);
bool vcpu_takes_irqs(const struct vcpu_exit *e);

struct vcpu_caps {
	uint64_t tcb, vcpu, fault_ep, reply;
	/* Notification that is signalled in the same system call in which the
	 * handler first waits for an exit; 0: none. */
	uint64_t ready;
	uint64_t features; /* enum abi_ext_feature bits of this kernel */
};
