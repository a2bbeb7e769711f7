/* x86-64's part of abi/fault.h. */
#pragma once

enum abi_fault_syscall_word {
	ABI_SYSFAULT_RAX = 0, /* and on in the order of ABI_CONTEXT_REGS, to R15 */
	ABI_SYSFAULT_IP = 15,
	ABI_SYSFAULT_SP,
	ABI_SYSFAULT_FLAGS,
	ABI_SYSFAULT_NUMBER,
	ABI_SYSFAULT_WORDS,
	ABI_SYSFAULT_REPLY_WORDS = 18
};

enum abi_fault_exception_word {
	ABI_EXCFAULT_IP,
	ABI_EXCFAULT_SP,
	ABI_EXCFAULT_FLAGS,
	ABI_EXCFAULT_NUMBER, /* the vector */
	ABI_EXCFAULT_CODE,
	ABI_EXCFAULT_WORDS,
	ABI_EXCFAULT_REPLY_WORDS = 3
};

/* Registers that the answer to a timeout writes, in context order. */
#define ABI_TIMEOUT_REPLY_WORDS 19
