/*
 * The hardware-neutral virtual CPU: registers with a validity mask, a unified
 * exit record, and a way to finish an exit. What a register number means and
 * how exits arrive is the back end's business (<selvage/vcpu_arch.h>).
 *
 * One vCPU belongs to one handler thread; other threads may touch its
 * registers only while it has not been started.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VCPU_MAX_REGS 64

enum vcpu_exit_reason {
	VCPU_EXIT_MMIO,        /* load or store outside RAM, decoded */
	VCPU_EXIT_MMIO_OPAQUE, /* the same, but the hardware did not decode it */
	VCPU_EXIT_FETCH,       /* instruction fetch outside RAM */
	VCPU_EXIT_HYPERCALL,   /* HVC; code: its immediate, where known */
	VCPU_EXIT_SECURE_CALL, /* SMC; code: its immediate */
	VCPU_EXIT_SYSREG,      /* code: enum-free encoding, see vcpu_arch.h */
	VCPU_EXIT_WAIT_IRQ,    /* WFI */
	VCPU_EXIT_WAIT_EVENT,  /* WFE */
	VCPU_EXIT_UNDEFINED,   /* a feature that the vCPU does not have */
	VCPU_EXIT_MAINTENANCE, /* interrupt controller; code: list register or
	                        * VCPU_NO_INDEX */
	VCPU_EXIT_TIMER,       /* a timer of the vCPU is due; code: its PPI */
	VCPU_EXIT_DEBUG,       /* breakpoint, watchpoint or step of a debugger's */
	VCPU_EXIT_UNKNOWN,     /* anything else; code: fault label */
	/* Those that not every architecture has: vcpu_arch.h says the rest. */
	VCPU_EXIT_PORT,        /* I/O port; code: its number */
	VCPU_EXIT_MSR,         /* model-specific register */
	VCPU_EXIT_FEATURES,    /* asks what the processor is */
	VCPU_EXIT_CONTROL,     /* control or debug register; code: its number */
	VCPU_EXIT_IRQ_WINDOW,  /* takes interrupts now, as the monitor wanted */
	VCPU_EXIT_TASK_SWITCH, /* by hardware */
	VCPU_EXIT_SHUTDOWN,    /* the processor gave up */
	VCPU_EXIT_BAD_STATE,   /* registers that the hardware refuses */
	VCPU_EXIT_INSTRUCTION, /* a privileged one; code: which */
};
#define VCPU_NO_INDEX 0xffffu

/* What the reason does not need means nothing. */
struct vcpu_exit {
	enum vcpu_exit_reason reason;
	uint64_t syndrome; /* as the hardware reports it; 0: none */
	uint64_t gpa;      /* MMIO, FETCH */
	uint64_t gva;      /* the same, guest-virtual; gpa where not known */
	uint64_t value;    /* MMIO and SYSREG writes: what is written */
	uint16_t code;
	uint8_t size;  /* MMIO: bytes accessed, 1, 2, 4, 8 */
	uint8_t reg;   /* register number in the instruction */
	uint8_t reg2;  /* SYSREG of 64 bits in two registers: the high one */
	bool write;    /* the guest writes */
	bool skip;     /* its condition says that it does nothing */
	uint8_t flags; /* the architecture's; for the questions in vcpu_arch.h */
};

struct vcpu;

struct vcpu_ops {
	/* Makes registers of `mask` valid. false: the kernel refused. */
	bool (*fetch)(struct vcpu *v, uint64_t mask);
	/* Writes the dirty registers of `mask` back. */
	bool (*store)(struct vcpu *v, uint64_t mask);
	/* Lets the guest go on and waits for its next exit; on the first call
	 * only waits. Fills *e; registers that came along become valid. */
	void (*run)(struct vcpu *v, struct vcpu_exit *e);
};

struct vcpu {
	const struct vcpu_ops *ops;
	uint64_t valid; /* reg[i] is what the vCPU has, or shall have */
	uint64_t dirty; /* reg[i] has to be written back; subset of valid */
	bool advance;   /* resume after the instruction that exited */
	bool failed;    /* the kernel refused a transfer */
	bool narrow;    /* its registers are 32 bits wide */
	uint64_t reg[VCPU_MAX_REGS];
};

static inline uint64_t vcpu_bit(unsigned reg)
{
	return 1ull << reg;
}

void vcpu_init(struct vcpu *v, const struct vcpu_ops *ops);
/* The rest of vcpu_get: the register is not valid, or there is none such. */
uint64_t vcpu_fetch(struct vcpu *v, unsigned reg);

static inline uint64_t vcpu_get(struct vcpu *v, unsigned reg)
{
	if (reg < VCPU_MAX_REGS && (v->valid & vcpu_bit(reg)))
		return v->reg[reg];
	return vcpu_fetch(v, reg);
}

/* The first `n` registers as an array, valid until the next one is asked for
 * or set. */
static inline const uint64_t *vcpu_get_first(struct vcpu *v, unsigned n)
{
	for (unsigned i = 0; ~v->valid & (vcpu_bit(n) - 1) && i < n; i++)
		(void)vcpu_get(v, i);
	return v->reg;
}

static inline void vcpu_set(struct vcpu *v, unsigned reg, uint64_t value)
{
	if (reg >= VCPU_MAX_REGS)
		return;
	v->reg[reg] = value;
	v->valid |= vcpu_bit(reg);
	v->dirty |= vcpu_bit(reg);
}

/* For back ends: the register's value came with the exit. */
void vcpu_learn(struct vcpu *v, unsigned reg, uint64_t value);
/* Writes every dirty register back now. */
bool vcpu_flush(struct vcpu *v);
/* Forgets every cached register that is not dirty. */
void vcpu_forget(struct vcpu *v);

/* Resumes after the instruction that exited rather than at it. */
static inline void vcpu_advance(struct vcpu *v)
{
	v->advance = true;
}

static inline void vcpu_run(struct vcpu *v, struct vcpu_exit *e)
{
	v->ops->run(v, e);
}

/*
 * Pending interrupt vectors, 256 of them, highest number first (the order of
 * a local APIC); for controllers that keep no list of their own.
 */
struct vcpu_irqs {
	uint64_t word[4];
};

void vcpu_irqs_set(struct vcpu_irqs *p, uint8_t vector);
void vcpu_irqs_clear(struct vcpu_irqs *p, uint8_t vector);
bool vcpu_irqs_test(const struct vcpu_irqs *p, uint8_t vector);
/* The highest pending vector, or -1. */
int vcpu_irqs_highest(const struct vcpu_irqs *p);

#include <selvage/vcpu_arch.h>
