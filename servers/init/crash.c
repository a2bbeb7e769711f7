#include "crash.h"

#include <abi/fault.h>
#include <selvage/log.h>

/* "name+0x12" of an address in the process's image, or nothing. */
static void symbol_text(const struct process *p, uint64_t addr, char *out, size_t size)
{
	uint64_t offset;
	const char *name = elf_symbol(&p->image->elf, addr, &offset);

	if (name == NULL)
		out[0] = '\0';
	else
		fmt_print(out, size, " (%s+0x%lx)", name, (unsigned long)offset);
}

/* Arm ARM D13.2.37: the fields of ESR_ELx that tell a person something. */
static void report_memory_fault(const uint64_t mr[SEL4_MSG_REGS])
{
	bool write = (mr[ABI_VMFAULT_FSR] & (1u << 6)) != 0;

	log_error("  %s at address 0x%lx, ESR 0x%lx",
		  mr[ABI_VMFAULT_IS_FETCH] != 0 ? "instruction fetch" : write ? "write"
									      : "read",
		  (unsigned long)mr[ABI_VMFAULT_ADDR], (unsigned long)mr[ABI_VMFAULT_FSR]);
}

static void report_cause(uint64_t label, const uint64_t mr[SEL4_MSG_REGS])
{
	switch (label) {
	case ABI_FAULT_VM:
		report_memory_fault(mr);
		break;
	case ABI_FAULT_CAP:
		log_error("  no capability at 0x%lx (%s)", (unsigned long)mr[ABI_CAPFAULT_ADDR],
			  mr[ABI_CAPFAULT_IN_RECV] != 0 ? "receiving" : "sending");
		break;
	case ABI_FAULT_UNKNOWN_SYSCALL:
		log_error("  unknown system call");
		break;
	case ABI_FAULT_USER_EXCEPTION:
		log_error("  exception 0x%lx", (unsigned long)mr[ABI_EXCFAULT_NUMBER]);
		break;
	default:
		log_error("  fault %lu", (unsigned long)label);
	}
}

/* Context order to the names people know. */
static void report_registers(const struct process *p, const uint64_t *regs)
{
	static const uint8_t order[31] = {
		ABI_CTX_X0,
		ABI_CTX_X1,
		ABI_CTX_X2,
		ABI_CTX_X3,
		ABI_CTX_X4,
		ABI_CTX_X5,
		ABI_CTX_X6,
		ABI_CTX_X7,
		ABI_CTX_X8,
		ABI_CTX_X9,
		ABI_CTX_X10,
		ABI_CTX_X11,
		ABI_CTX_X12,
		ABI_CTX_X13,
		ABI_CTX_X14,
		ABI_CTX_X15,
		ABI_CTX_X16,
		ABI_CTX_X17,
		ABI_CTX_X18,
		ABI_CTX_X19,
		ABI_CTX_X20,
		ABI_CTX_X21,
		ABI_CTX_X22,
		ABI_CTX_X23,
		ABI_CTX_X24,
		ABI_CTX_X25,
		ABI_CTX_X26,
		ABI_CTX_X27,
		ABI_CTX_X28,
		ABI_CTX_X29,
		ABI_CTX_X30,
	};
	char symbol[80];

	symbol_text(p, regs[ABI_CTX_PC], symbol, sizeof(symbol));
	log_error("  pc  %016lx%s", (unsigned long)regs[ABI_CTX_PC], symbol);
	symbol_text(p, regs[ABI_CTX_X30], symbol, sizeof(symbol));
	log_error("  lr  %016lx%s", (unsigned long)regs[ABI_CTX_X30], symbol);
	log_error("  sp  %016lx spsr %lx", (unsigned long)regs[ABI_CTX_SP],
		  (unsigned long)regs[ABI_CTX_SPSR]);
	for (unsigned i = 0; i < 30; i += 3)
		log_error("  x%-2u %016lx x%-2u %016lx x%-2u %016lx", i,
			  (unsigned long)regs[order[i]], i + 1,
			  (unsigned long)regs[order[i + 1]], i + 2,
			  (unsigned long)regs[order[i + 2]]);
}

void crash_report(const struct process *p, unsigned thread, msginfo_t info,
		  const uint64_t mr[SEL4_MSG_REGS])
{
	uint64_t regs[ABI_CTX_COUNT] = { 0 };

	log_error("process %s crashed (thread %u)", p->name, thread);
	report_cause(msginfo_label(info), mr);
	if (thread < sizeof(p->tcb) / sizeof(p->tcb[0]) && p->tcb[thread] != 0 &&
	    sel4_tcb_read_registers(p->tcb[thread], 1, ABI_CTX_COUNT, regs) == ABI_OK)
		report_registers(p, regs);
}
