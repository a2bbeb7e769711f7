/* From an entry to the core's entry functions. */
#include <arch/trap.h>

#include <abi/thread_exit.h>
#include <arch/apic.h>
#include <arch/cpu.h>
#include <arch/link.h>
#include <arch/vcpu.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>
#include <kernel/entry.h>
#include <kernel/fastpath.h>
#include <kernel/panic.h>
#include <kernel/printk.h>
#include <kernel/trace.h>

#define VECTOR_DEBUG 1
#define VECTOR_NO_FPU 7
#define VECTOR_PAGE_FAULT 14
#define EXCEPTIONS 32
#define MESSAGES 16     /* the LAPIC takes messages for vectors from here on */
#define SYSCALL_BYTES 2 /* and INT n */
#define FETCH 16        /* page fault's error code */
#define ERROR_BITS 0xfffffffull

static void interrupt(unsigned vector)
{
	if (vector >= IRQ_VECTOR && vector < IRQ_VECTOR + ARCH_IRQ_COUNT) {
		irq_handle(vector - IRQ_VECTOR);
	} else if (vector == VECTOR_TIMER) {
		lapic_eoi();
		timer_handle();
	} else {
		/* A message to a vector that is nobody's, or none at all: that has no end. */
		if (lapic_in_service(vector))
			lapic_eoi();
		irq_other();
	}
}

struct tcb *arch_next(void)
{
	struct arch_cpu *cpu = &this_cpu()->arch;

	while (!this_cpu()->current) {
		if (trace_is_on())
			trace_event(NULL, ABI_TRACE_IDLE, 0);
		cpu->taken = 0;
		/* Nothing comes between the two: STI works one instruction late.
		 * trap_kernel masks again. */
		/* clang-format off */
		__asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
		/* clang-format on */
		if (cpu->taken)
			interrupt(cpu->taken);
	}
	return this_cpu()->current;
}

void trap_kernel(struct arch_context *f)
{
	unsigned vector = (unsigned)f->vector;

	if (vector >= EXCEPTIONS || (vector >= MESSAGES && lapic_in_service(vector))) {
		this_cpu()->arch.taken = vector;
		f->rflags &= ~(1ull << 9);
		return;
	}
	printk_always("\nselvage: exception %lu in the kernel: error %lx, address %lx\n", f->vector,
		      f->error, CR_READ(2));
	printk_always("rip %lx sym(kernel,0x%lx) rsp %lx rflags %lx cs %lx\n", f->rip, f->rip,
		      f->rsp, f->rflags, f->cs);
	for (unsigned i = 0; i < 15; i++)
		printk_always("%016lx%c", (&f->rax)[i], i % 5 == 4 ? '\n' : ' ');
	panic("exception at %lx", f->rip);
}

static struct tcb *exception(struct tcb *t, unsigned vector)
{
	word_t error = t->arch.context.error;

	if (vector == VECTOR_DEBUG)
		vcpu_debug_taken();
	if (vector == VECTOR_NO_FPU && !t->arch.fpu_disabled) {
		fpu_take(&t->arch.fpu);
		return t;
	}
	if (unlikely(t->arch.special & SPECIAL_EXITS))
		return fault_general(ABI_EXT_FAULT_THREAD, vector, error & ERROR_BITS,
				     vector == VECTOR_PAGE_FAULT ? CR_READ(2) : 0);
	if (vector == VECTOR_PAGE_FAULT)
		return fault_current(t, ABI_FAULT_VM, CR_READ(2), (error & FETCH) != 0, error & 31);
	return fault_current(t, ABI_FAULT_USER_EXCEPTION, vector, error & ERROR_BITS, 0);
}

/* INT n: a system call that nobody knows. */
static struct tcb *software_interrupt(struct tcb *t, unsigned vector)
{
	uint32_t number = vector << 24 | (uint32_t)(t->arch.context.rax & 0xffffff);

	t->arch.context.fault_ip = t->arch.context.rip - SYSCALL_BYTES;
	if (t->arch.special & SPECIAL_EXITS)
		return fault_general(ABI_EXT_FAULT_THREAD, vector, 0, 0);
	return fault_current(t, ABI_FAULT_UNKNOWN_SYSCALL, (word_t)(int64_t)(int32_t)number, 0, 0);
}

_Static_assert(offsetof(struct tcb, arch.context) == 0, "entry.S");
/* Between exceptions, INT n and messages only the LAPIC can tell, where more than
 * one of them can be. */
static bool is_interrupt(unsigned vector)
{
	return (vector >= EXCEPTIONS && vector <= VECTOR_TIMER) ||
	       (vector >= MESSAGES && lapic_in_service(vector));
}

struct tcb *trap_vector(struct tcb *t)
{
	unsigned vector = (unsigned)t->arch.context.vector;

	t->arch.context.fault_ip = t->arch.context.rip;
	if (is_interrupt(vector))
		return checked(trap_taken(t, vector));
	if (vector == VECTOR_SPURIOUS)
		return t;
	if (unlikely(trace_is_on()))
		trace_event(t, ABI_TRACE_FAULT, vector);
	return checked(vector < EXCEPTIONS ? exception(t, vector) : software_interrupt(t, vector));
}

struct tcb *trap_syscall(struct tcb *t, word_t nr)
{
	struct arch_context *c = &t->arch.context;

	c->fault_ip = c->rip - SYSCALL_BYTES;
	if (unlikely(trace_is_on()))
		trace_event(t, ABI_TRACE_SYSCALL, nr);
	if (unlikely(t->arch.special)) {
		if (t->arch.special & SPECIAL_EXITS) {
			c->rcx = c->rip;
			c->r11 = c->rflags;
			return checked(fault_general(ABI_EXT_FAULT_THREAD, ABI_THREAD_SYSCALL, 0,
						     nr));
		}
		if (t->arch.special & SPECIAL_CALLS)
			return checked(fault_current(t, ABI_FAULT_UNKNOWN_SYSCALL, nr, 0, 0));
		if (nr == (word_t)ABI_SYS_VM_ENTER)
			return checked(vmx_call(t));
	}
	return checked(syscall_handle(t, (int64_t)nr));
}

struct tcb *trap_taken(struct tcb *t, unsigned vector)
{
	if (unlikely(trace_is_on()))
		trace_event(t, ABI_TRACE_INTERRUPT, 0);
	interrupt(vector);
	return arch_next();
}

struct tcb *trap_interrupt(struct tcb *t)
{
	struct arch_cpu *cpu = &this_cpu()->arch;

	cpu->taken = 0;
	/* clang-format off */
	__asm__ volatile("sti\n\tnop\n\tcli" : : : "memory");
	/* clang-format on */
	return cpu->taken ? trap_taken(t, cpu->taken) : t;
}

struct tcb *trap_first(void) { return checked(arch_next()); }
/* The entries look whether it is on. */
void arch_trace(bool on) { (void)on; }
