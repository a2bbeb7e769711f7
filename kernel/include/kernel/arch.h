/*
 * The architecture contract: what kernel/core and kernel/object ask of
 * arch/<name>, declared once. arch/types.h (found in the architecture's
 * include folder) defines struct arch_tcb, struct arch_cpu and the register
 * numbers.
 */
#pragma once

#include <abi/regs.h>
#include <arch/types.h>
#include <kernel/cap.h>
#include <kernel/types.h>

struct tcb;
struct slot;
struct invocation;
struct notification;
struct fault;
struct abi_ipcbuf;

/* --- registers of a thread (struct tcb's arch.context) --- */
word_t arch_msg_reg(const struct tcb *t, unsigned i); /* MR i, i < 4 */
void arch_set_msg_reg(struct tcb *t, unsigned i, word_t v);
cptr_t arch_cap_reg(const struct tcb *t);           /* capability invoked */
word_t arch_msginfo_reg(const struct tcb *t);       /* message info */
cptr_t arch_reply_reg(const struct tcb *t);         /* of receives */
cptr_t arch_nbsend_dest_reg(const struct tcb *t);   /* NBSendRecv */
void arch_set_badge_reg(struct tcb *t, word_t v);   /* on return */
void arch_set_msginfo_reg(struct tcb *t, word_t v); /* on return */
/* PC of the instruction to run again if the system call restarts. */
word_t arch_restart_pc(const struct tcb *t);
/* Makes the thread run the instruction at its fault/restart PC (again). */
void arch_restart(struct tcb *t);
word_t arch_pc(const struct tcb *t);
/* A later arch_restart goes on at the present PC: a running thread (not one
 * inside a system call) is suspended, or a suspending call has completed. */
void arch_restart_here(struct tcb *t);
/* Context-order register access (abi/regs.h), values sanitised on write. */
word_t arch_context_get(const struct tcb *t, unsigned index);
void arch_context_set(struct tcb *t, unsigned index, word_t v);
bool arch_tls_base_ok(word_t base);
void arch_set_tls_base(struct tcb *t, word_t base);
void arch_tcb_destroy(struct tcb *t); /* unbind VCPU, drop FPU ownership */
void arch_tcb_flags_changed(struct tcb *t);

/* --- faults --- */
/* Writes the message of the faulter's fault (UnknownSyscall, UserException,
 * VM, VCPU, ...) by ipc_put; returns its word count. */
unsigned arch_fault_message(const struct tcb *faulter, struct tcb *to, struct abi_ipcbuf *buffer);
/* Takes the reply's words by ipc_get; true if the thread is to be resumed. */
bool arch_fault_reply(struct tcb *faulter, word_t label, const struct tcb *from,
		      const struct abi_ipcbuf *buffer, unsigned count);
/* The same for exit messages (abi/ext.h), which are in message registers only
 * and are read and written there. The message's label; `count` words. */
word_t arch_exit_message(const struct tcb *faulter, struct tcb *to);
bool arch_exit_reply(struct tcb *faulter, const struct tcb *from, word_t label, unsigned count);

/* --- address spaces --- */
bool arch_cap_is_valid_vspace(struct cap c); /* a VSpace with an ASID */
/* Prepares registers to run `t` (VTTBR, HCR, TLS, VCPU, FPU traps): the last
 * act before the return to user level, which synchronises. Returns `t`. */
struct tcb *arch_switch_to(struct tcb *t) __attribute__((returns_nonnull));
/* What arch_switch_to looks at has changed: again, if `t` is current. */
void arch_space_changed(struct tcb *t);
void arch_switch_to_idle(void);
/* The current thread; while there is none, takes interrupts that may give one. */
struct tcb *arch_next(void);
/* A frame that may hold an IPC buffer: not device, and large enough. */
bool arch_cap_is_ipc_frame(struct cap c);
/* Kernel pointer to the buffer at vaddr within frame cap c, or NULL if the
 * rights do not allow (write = whether the kernel will write it). */
void *arch_ipc_buffer(struct cap c, vptr_t vaddr, bool write);

/* --- architecture's objects --- */
bool arch_object_type_ok(word_t type);
unsigned arch_object_bits(word_t type); /* log2 bytes */
/* Whether the type may be made from a device untyped. */
bool arch_object_is_frame(word_t type);
/* Initialises memory (already zero unless device) and returns the cap. */
struct cap arch_object_create(word_t type, paddr_t addr, bool device);
/* Cap derivation: returns error code (abi/error.h); *out may be CAP_NULL. */
int arch_cap_derive(struct cap c, struct cap *out);
struct cap arch_cap_mask_rights(struct cap c, word_t rights);
struct cap arch_cap_update_data(struct cap c, word_t data, bool preserve);
bool arch_cap_same_object(struct cap a, struct cap b);
/* Physical range of the object, for untyped ancestry; 0 if none. */
word_t arch_cap_size_bits(struct cap c);
/* Before the last cap goes: a part of what takes long; false: nothing more. */
bool arch_cap_shrink(struct cap c);
/* Called when a cap of the architecture goes; `final` if it is the last. */
void arch_cap_finalise(struct cap c, bool final);
/* Invocation of an architecture cap: decode and commit. Returns abi error. */
int arch_invoke(struct invocation *inv);
/* Methods of IRQControl (kernel/irq.h has what is common), architecture labels
 * on a TCB: returns abi error, ABI_ILLEGAL_OPERATION if unknown. */
int arch_invoke_irq_control(struct invocation *inv);
int arch_invoke_tcb_ext(struct invocation *inv);
unsigned arch_debug_cap_identify(struct cap c);

/* --- interrupts and time --- */
unsigned arch_irq_count(void);   /* interrupts that exist, at most ARCH_IRQ_COUNT */
bool arch_irq_valid(word_t irq); /* may be handed to userland; irq < arch_irq_count() */
void arch_irq_mask(irq_t irq);
void arch_irq_unmask(irq_t irq);
void arch_irq_ack(irq_t irq); /* deactivate after handling */
/* Raises the inter-processor interrupt that a signal capability names. */
void arch_sgi_send(struct cap c);
/* Whether an unmasked interrupt waits (preemption point of long work). */
bool arch_irq_pending(void);
ticks_t arch_now(void);
void arch_timer_set(ticks_t deadline);
ticks_t arch_us_to_ticks(uint64_t us);
uint64_t arch_ticks_to_us(ticks_t t);
uint64_t arch_max_us(void); /* greatest budget or period */

/* Extension: the notification is bound to a virtual interrupt. */
void arch_direct_signal(struct notification *n);
void arch_direct_unbind(struct notification *n);

/* --- memory --- */
void arch_clear_memory(void *p, word_t bytes);

/* --- debug --- */
void arch_trace(bool on); /* whether entries and exits become trace events */
void arch_putc(char c);
void arch_dump(void); /* registers and backtrace, for a panic */
_Noreturn void arch_halt(void);
