/* Kernel entries and exits while they are traced: vectors of their own. */
#include <kernel/trace.h>

#include <arch/link.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>

void arch_trace(bool on)
{
	SYSREG_WRITE(vbar_el2, on ? vectors_traced : vectors);
	isb();
}

/* From entry.S, before and after what the vectors call. */
void trace_enter(const struct tcb *t, bool sync)
{
	word_t esr = SYSREG_READ(esr_el2);

	if (!sync)
		trace_event(t, ABI_TRACE_INTERRUPT, 0);
	else if (ESR_EC(esr) == EC_SVC64)
		trace_event(t, ABI_TRACE_SYSCALL, t->arch.context.x[7]);
	else
		trace_event(t, t->arch.vcpu ? ABI_TRACE_EXIT : ABI_TRACE_FAULT, esr);
}

struct tcb *trace_return(struct tcb *t)
{
	trace_event(t, ABI_TRACE_RETURN, 0);
	return t;
}
