/* AArch64's part of abi/fault.h. */
#pragma once

enum abi_fault_syscall_word {
	ABI_SYSFAULT_X0 = 0, /* to X7 = 7 */
	ABI_SYSFAULT_IP = 8,
	ABI_SYSFAULT_SP,
	ABI_SYSFAULT_LR,
	ABI_SYSFAULT_SPSR,
	ABI_SYSFAULT_NUMBER,
	ABI_SYSFAULT_WORDS,
	ABI_SYSFAULT_REPLY_WORDS = 12
};

enum abi_fault_exception_word {
	ABI_EXCFAULT_IP,
	ABI_EXCFAULT_SP,
	ABI_EXCFAULT_SPSR,
	ABI_EXCFAULT_NUMBER,
	ABI_EXCFAULT_CODE,
	ABI_EXCFAULT_WORDS,
	ABI_EXCFAULT_REPLY_WORDS = 3
};

/* Registers that the answer to a timeout writes, in context order. */
#define ABI_TIMEOUT_REPLY_WORDS 34
