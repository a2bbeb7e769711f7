#include "crash.h"

#include "board.h"

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

static void report_cause(uint64_t label, const uint64_t mr[SEL4_MSG_REGS])
{
	switch (label) {
	case ABI_FAULT_VM:
		board_log_fault(mr);
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

void crash_report(const struct process *p, unsigned thread, msginfo_t info,
		  const uint64_t mr[SEL4_MSG_REGS])
{
	uint64_t regs[ABI_CTX_COUNT] = { 0 };

	log_error("process %s crashed (thread %u)", p->name, thread);
	report_cause(msginfo_label(info), mr);
	if (thread < sizeof(p->tcb) / sizeof(p->tcb[0]) && p->tcb[thread] != 0 &&
	    sel4_tcb_read_registers(p->tcb[thread], 1, ABI_CTX_COUNT, regs) == ABI_OK)
		board_log_registers(regs, symbol_text, p);
}
