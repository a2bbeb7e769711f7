/* Register order of x86-64 messages and register transfers. */
#pragma once

/*
 * TCB_ReadRegisters/WriteRegisters order: X(name). All but the last two are the
 * frame registers.
 */
/* clang-format off */
#define ABI_CONTEXT_REGS(X)                                                    \
	X(RIP) X(RSP) X(RFLAGS) X(RAX) X(RBX) X(RCX) X(RDX) X(RSI) X(RDI)      \
	X(RBP) X(R8) X(R9) X(R10) X(R11) X(R12) X(R13) X(R14) X(R15)           \
	X(FS_BASE) X(GS_BASE)
/* clang-format on */

enum abi_context_reg {
#define X(name) ABI_CTX_##name,
	ABI_CONTEXT_REGS(X)
#undef X
		ABI_CTX_COUNT
};
_Static_assert(ABI_CTX_COUNT == 20, "context order has 20 words");
#define ABI_CTX_FRAME_COUNT 18
/* What every architecture has. */
#define ABI_CTX_PC ABI_CTX_RIP
#define ABI_CTX_SP ABI_CTX_RSP
