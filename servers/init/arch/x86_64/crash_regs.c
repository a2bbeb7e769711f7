/* Of a process's crash, what x86-64 has. */
#include "board.h"

#include <abi/fault.h>
#include <selvage/base.h>
#include <selvage/log.h>

#define ERROR_WRITE (1u << 1) /* of a page fault's code (SDM 3A, 4.7) */

void board_log_fault(const uint64_t mr[SEL4_MSG_REGS])
{
	log_error("  %s at address 0x%lx, error code 0x%lx",
		  mr[ABI_VMFAULT_IS_FETCH] != 0       ? "instruction fetch"
		  : mr[ABI_VMFAULT_FSR] & ERROR_WRITE ? "write"
						      : "read",
		  (unsigned long)mr[ABI_VMFAULT_ADDR], (unsigned long)mr[ABI_VMFAULT_FSR]);
}

void board_log_registers(const uint64_t *regs,
			 void (*symbol_text)(const struct process *p, uint64_t addr, char *out,
					     size_t size),
			 const struct process *p)
{
	static const struct {
		const char *name;
		unsigned field;
	} order[] = {
		{ "rax", ABI_CTX_RAX },
		{ "rbx", ABI_CTX_RBX },
		{ "rcx", ABI_CTX_RCX },
		{ "rdx", ABI_CTX_RDX },
		{ "rsi", ABI_CTX_RSI },
		{ "rdi", ABI_CTX_RDI },
		{ "rbp", ABI_CTX_RBP },
		{ "r8 ", ABI_CTX_R8 },
		{ "r9 ", ABI_CTX_R9 },
		{ "r10", ABI_CTX_R10 },
		{ "r11", ABI_CTX_R11 },
		{ "r12", ABI_CTX_R12 },
		{ "r13", ABI_CTX_R13 },
		{ "r14", ABI_CTX_R14 },
		{ "r15", ABI_CTX_R15 },
	};
	char symbol[80];

	symbol_text(p, regs[ABI_CTX_PC], symbol, sizeof(symbol));
	log_error("  rip %016lx%s", (unsigned long)regs[ABI_CTX_PC], symbol);
	log_error("  rsp %016lx rflags %lx", (unsigned long)regs[ABI_CTX_SP],
		  (unsigned long)regs[ABI_CTX_RFLAGS]);
	for (unsigned i = 0; i < ARRAY_SIZE(order); i += 3)
		log_error("  %s %016lx %s %016lx %s %016lx", order[i].name,
			  (unsigned long)regs[order[i].field], order[i + 1].name,
			  (unsigned long)regs[order[i + 1].field], order[i + 2].name,
			  (unsigned long)regs[order[i + 2].field]);
}
