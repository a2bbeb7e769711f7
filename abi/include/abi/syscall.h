/* System-call numbers and the message words of the seL4 16.0.0 MCS ABI. */
#pragma once

/*
 * X(name, number). The number travels sign-extended in x7. Numbers of
 * debug and benchmark calls stay fixed when a build leaves them out.
 */
#define ABI_SYSCALLS(X)                  \
	X(CALL, -1)                      \
	X(REPLY_RECV, -2)                \
	X(NB_SEND_RECV, -3)              \
	X(NB_SEND_WAIT, -4)              \
	X(SEND, -5)                      \
	X(NB_SEND, -6)                   \
	X(RECV, -7)                      \
	X(NB_RECV, -8)                   \
	X(WAIT, -9)                      \
	X(NB_WAIT, -10)                  \
	X(YIELD, -11)                    \
	X(DEBUG_PUT_CHAR, -12)           \
	X(DEBUG_DUMP_SCHEDULER, -13)     \
	X(DEBUG_HALT, -14)               \
	X(DEBUG_CAP_IDENTIFY, -15)       \
	X(DEBUG_SNAPSHOT, -16)           \
	X(DEBUG_NAME_THREAD, -17)        \
	X(BENCHMARK_FLUSH_CACHES, -21)   \
	X(BENCHMARK_RESET_LOG, -22)      \
	X(BENCHMARK_FINALIZE_LOG, -23)   \
	X(BENCHMARK_SET_LOG_BUFFER, -24) \
	X(BENCHMARK_NULL_SYSCALL, -25)

enum abi_syscall {
#define X(name, number) ABI_SYS_##name = (number),
	ABI_SYSCALLS(X)
#undef X
};

/* Message-info word: length 0-6, extraCaps 7-8, capsUnwrapped 9-11, label. */
#define ABI_MSG_MAX_WORDS 120
#define ABI_MSG_MAX_CAPS 3
#define ABI_MSG_REGS 4
#define ABI_MSGINFO_LENGTH_MASK 0x7full
#define ABI_MSGINFO_CAPS_SHIFT 7
#define ABI_MSGINFO_UNWRAPPED_SHIFT 9
#define ABI_MSGINFO_LABEL_SHIFT 12

/* Capability rights word. */
#define ABI_RIGHT_WRITE 1u
#define ABI_RIGHT_READ 2u
#define ABI_RIGHT_GRANT 4u
#define ABI_RIGHT_GRANT_REPLY 8u
#define ABI_RIGHTS_ALL 15u

/* CNode capability data word: guard size in bits 0-5, guard above. */
#define ABI_CNODE_GUARD_SIZE_MASK 0x3full
#define ABI_CNODE_GUARD_SHIFT 6
