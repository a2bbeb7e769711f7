#include "mock_arch.h"

#include <abi/error.h>
#include <kernel/cap.h>
#include <kernel/cpu.h>
#include <kernel/fault.h>
#include <kernel/invoke.h>
#include <kernel/ipc.h>
#include <kernel/irq.h>
#include <kernel/tcb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TICKS_PER_US 10

ticks_t mock_time, mock_deadline;
unsigned mock_preempt_every;
static unsigned questions;

void *mock_memory(size_t bytes)
{
	static uintptr_t next = 0x20000000;
	void *p = mmap((void *)next, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		abort();
	}
	next += (bytes + 0xffffff) & ~(size_t)0xffffff;
	return p;
}

/* Registers: messages in x2.., as on AArch64. */
word_t arch_msg_reg(const struct tcb *t, unsigned i) { return t->arch.regs[ABI_CTX_X2 + i]; }
void arch_set_msg_reg(struct tcb *t, unsigned i, word_t v) { t->arch.regs[ABI_CTX_X2 + i] = v; }
cptr_t arch_cap_reg(const struct tcb *t) { return t->arch.regs[ABI_CTX_X0]; }
word_t arch_msginfo_reg(const struct tcb *t) { return t->arch.regs[ABI_CTX_X1]; }
cptr_t arch_reply_reg(const struct tcb *t) { return t->arch.regs[ABI_CTX_X6]; }
cptr_t arch_nbsend_dest_reg(const struct tcb *t) { return t->arch.regs[ABI_CTX_X8]; }
void arch_set_badge_reg(struct tcb *t, word_t v) { t->arch.regs[ABI_CTX_X0] = v; }
void arch_set_msginfo_reg(struct tcb *t, word_t v) { t->arch.regs[ABI_CTX_X1] = v; }
word_t arch_restart_pc(const struct tcb *t) { return t->arch.restart_pc; }
word_t arch_pc(const struct tcb *t) { return t->arch.pc; }
void arch_restart(struct tcb *t) { t->arch.pc = t->arch.restart_pc; }
void arch_restart_here(struct tcb *t) { t->arch.restart_pc = t->arch.pc; }
word_t arch_context_get(const struct tcb *t, unsigned index) { return t->arch.regs[index]; }
void arch_context_set(struct tcb *t, unsigned index, word_t v) { t->arch.regs[index] = v; }
bool arch_tls_base_ok(word_t base) { return base || true; }
void arch_set_tls_base(struct tcb *t, word_t base) { t->arch.regs[ABI_CTX_TPIDR_EL0] = base; }
void arch_tcb_destroy(struct tcb *t) { (void)t; }
void arch_tcb_flags_changed(struct tcb *t) { (void)t; }

unsigned arch_fault_message(const struct tcb *t, struct tcb *to, struct abi_ipcbuf *buffer)
{
	ipc_put(to, buffer, 0, t->arch.restart_pc);
	ipc_put(to, buffer, 1, t->fault.word[0]);
	return 2;
}

bool arch_fault_reply(struct tcb *t, word_t label, const struct tcb *from,
		      const struct abi_ipcbuf *buffer, unsigned count)
{
	if (count > 0)
		t->arch.restart_pc = ipc_get(from, buffer, 0);
	return label == 0;
}

word_t arch_exit_message(const struct tcb *t, struct tcb *to)
{
	for (unsigned i = 0; i < ABI_MSG_REGS; i++)
		arch_set_msg_reg(to, i, t->fault.word[i]);
	return t->fault.kind;
}

bool arch_exit_reply(struct tcb *t, const struct tcb *from, word_t label, unsigned count)
{
	if (count > 0)
		t->arch.restart_pc = arch_msg_reg(from, 0);
	return label == 0;
}

bool arch_cap_is_valid_vspace(struct cap c) { return cap_type(c) == CAP_VSPACE; }
struct tcb *arch_switch_to(struct tcb *t) { return t; }
void arch_space_changed(struct tcb *t) { (void)t; }
void arch_switch_to_idle(void) {}
struct tcb *arch_next(void) { return this_cpu()->current; }
bool arch_cap_is_ipc_frame(struct cap c) { return cap_type(c) == CAP_FRAME; }

void *arch_ipc_buffer(struct cap c, vptr_t vaddr, bool write)
{
	(void)write;
	return cap_type(c) == CAP_FRAME ? (char *)cap_object(c) + (vaddr & 0xc00) : NULL;
}

bool arch_object_type_ok(word_t type) { return type == ABI_OBJ_SMALL_PAGE; }

unsigned arch_object_bits(word_t type)
{
	(void)type;
	return ABI_PAGE_BITS;
}

bool arch_cap_shrink(struct cap c)
{
	(void)c;
	return false;
}

bool arch_object_is_frame(word_t type) { return type == ABI_OBJ_SMALL_PAGE; }

struct cap arch_object_create(word_t type, paddr_t addr, bool device)
{
	(void)type;
	return cap_make(CAP_FRAME, addr, device ? 16 : 0, 0);
}

int arch_cap_derive(struct cap c, struct cap *out)
{
	*out = c;
	return ABI_OK;
}

struct cap arch_cap_mask_rights(struct cap c, word_t rights)
{
	(void)rights;
	return c;
}

struct cap arch_cap_update_data(struct cap c, word_t data, bool preserve)
{
	(void)data;
	(void)preserve;
	return c;
}

bool arch_cap_same_object(struct cap a, struct cap b) { return cap_addr(a) == cap_addr(b); }
word_t arch_cap_size_bits(struct cap c) { return cap_type(c) == CAP_FRAME ? ABI_PAGE_BITS : 0; }

void arch_cap_finalise(struct cap c, bool final)
{
	(void)c;
	(void) final;
}

int arch_invoke(struct invocation *inv)
{
	(void)inv;
	return ABI_ILLEGAL_OPERATION;
}

int arch_invoke_irq_control(struct invocation *inv)
{
	struct slot *dest;
	int error;

	if (inv->label != ABI_INV_IRQ_CONTROL_GET)
		return arch_invoke(inv);
	error = irq_check(inv, inv_arg(inv, 0), inv_arg(inv, 1), inv_arg(inv, 2), &dest);
	if (!error)
		irq_issue(inv, inv_arg(inv, 0), dest);
	return error;
}

int arch_invoke_tcb_ext(struct invocation *inv) { return arch_invoke(inv); }

unsigned arch_debug_cap_identify(struct cap c)
{
	(void)c;
	return 0;
}

unsigned arch_irq_count(void) { return ARCH_IRQ_COUNT; }
bool arch_irq_valid(word_t irq) { return irq >= 32; }
void arch_sgi_send(struct cap c) { (void)c; }
void arch_irq_mask(irq_t irq) { (void)irq; }
void arch_irq_unmask(irq_t irq) { (void)irq; }
void arch_irq_ack(irq_t irq) { (void)irq; }

bool arch_irq_pending(void)
{
	return mock_preempt_every && ++questions % mock_preempt_every == 0;
}

ticks_t arch_now(void) { return mock_time; }
void arch_timer_set(ticks_t deadline) { mock_deadline = deadline; }
ticks_t arch_us_to_ticks(uint64_t us) { return us * TICKS_PER_US; }
uint64_t arch_ticks_to_us(ticks_t t) { return t / TICKS_PER_US; }
uint64_t arch_max_us(void) { return ~0ull / TICKS_PER_US / 8; }
void arch_clear_memory(void *p, word_t bytes) { memset(p, 0, bytes); }

bool mock_silent;
void (*mock_console)(char c);
void (*mock_halt)(void);

void arch_putc(char c)
{
	if (mock_console)
		mock_console(c);
	else if (!mock_silent)
		putchar(c);
}

void arch_dump(void) {}

_Noreturn void arch_halt(void)
{
	if (mock_halt)
		mock_halt(); /* may jump out of the kernel */
	abort();
}

void arch_trace(bool on) { (void)on; }
void arch_direct_signal(struct notification *n) { (void)n; }
void arch_direct_unbind(struct notification *n) { (void)n; }
