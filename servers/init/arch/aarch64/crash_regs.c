/* Of a process's crash, what AArch64 has. */
#include "board.h"

#include <abi/fault.h>
#include <selvage/log.h>

/* Arm ARM D13.2.37: the fields of ESR_ELx that tell a person something. */
void board_log_fault(const uint64_t mr[SEL4_MSG_REGS])
{
	bool write = (mr[ABI_VMFAULT_FSR] & (1u << 6)) != 0;

	log_error("  %s at address 0x%lx, ESR 0x%lx",
		  mr[ABI_VMFAULT_IS_FETCH] != 0 ? "instruction fetch" : write ? "write"
									      : "read",
		  (unsigned long)mr[ABI_VMFAULT_ADDR], (unsigned long)mr[ABI_VMFAULT_FSR]);
}

/* Context order to the names people know. */
void board_log_registers(const uint64_t *regs,
			 void (*symbol_text)(const struct process *p, uint64_t addr, char *out,
					     size_t size),
			 const struct process *p)
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
