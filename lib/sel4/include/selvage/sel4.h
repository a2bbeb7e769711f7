/*
 * The kernel's interface for processes: system calls, message-info words and
 * the thread's IPC buffer. Invocations of kernel objects: sel4_invoke.h,
 * which this header includes. Everything is inline; the one object is the
 * thread-local sel4_ipcbuf (lib/sel4), set by lib/rt at thread start.
 *
 * Message words 0-3 travel in the caller's mr[SEL4_MSG_REGS] (registers),
 * words 4 and up in sel4_ipcbuf->msg[4..]. Words past the received length
 * keep what the caller had there.
 */
#pragma once

#include <abi/ipcbuf.h>
#include <abi/syscall.h>
#include <selvage/sel4_arch.h>
#include <stdint.h>

typedef uint64_t cap_t;     /* capability address in the own CSpace */
typedef uint64_t msginfo_t; /* message-info word */

#define SEL4_MSG_REGS ABI_MSG_REGS

extern _Thread_local struct abi_ipcbuf *sel4_ipcbuf;

static inline msginfo_t msginfo(uint64_t label, unsigned caps, unsigned words)
{
	return label << ABI_MSGINFO_LABEL_SHIFT |
	       (uint64_t)caps << ABI_MSGINFO_CAPS_SHIFT | words;
}

static inline uint64_t msginfo_label(msginfo_t info)
{
	return info >> ABI_MSGINFO_LABEL_SHIFT;
}

static inline unsigned msginfo_words(msginfo_t info)
{
	return (unsigned)(info & ABI_MSGINFO_LENGTH_MASK);
}

static inline unsigned msginfo_caps(msginfo_t info)
{
	return (unsigned)(info >> ABI_MSGINFO_CAPS_SHIFT) & 3u;
}

/* Data word of a CNode capability (CNode_Mint, TCB_Configure). */
static inline uint64_t sel4_cnode_data(uint64_t guard, unsigned guard_bits)
{
	return guard << ABI_CNODE_GUARD_SHIFT | guard_bits;
}

/* Call: sends mr[], waits for the answer in mr[]; returns its info word. */
static inline msginfo_t sel4_call(cap_t dest, msginfo_t info,
				  uint64_t mr[SEL4_MSG_REGS])
{
	struct sel4_trap t = { .cap = dest, .info = info, .mr = mr };

	sel4_arch_trap(ABI_SYS_CALL, &t);
	return t.info;
}

static inline void sel4_send(cap_t dest, msginfo_t info,
			     const uint64_t mr[SEL4_MSG_REGS])
{
	uint64_t words[SEL4_MSG_REGS] = { mr[0], mr[1], mr[2], mr[3] };
	struct sel4_trap t = { .cap = dest, .info = info, .mr = words };

	sel4_arch_trap(ABI_SYS_SEND, &t);
}

static inline void sel4_nb_send(cap_t dest, msginfo_t info,
				const uint64_t mr[SEL4_MSG_REGS])
{
	uint64_t words[SEL4_MSG_REGS] = { mr[0], mr[1], mr[2], mr[3] };
	struct sel4_trap t = { .cap = dest, .info = info, .mr = words };

	sel4_arch_trap(ABI_SYS_NB_SEND, &t);
}

/*
 * Receives on an endpoint or notification; `reply` is the reply object that
 * a caller gets bound to. A signal of the bound notification (or of `src`
 * itself) shows as its badge with info 0.
 */
static inline msginfo_t sel4_recv(cap_t src, uint64_t *badge,
				  uint64_t mr[SEL4_MSG_REGS], cap_t reply)
{
	struct sel4_trap t = { .cap = src, .mr = mr, .reply = reply };

	sel4_arch_trap(ABI_SYS_RECV, &t);
	*badge = t.cap;
	return t.info;
}

/* As sel4_recv, but returns at once; *badge is 0 if nothing was there. */
static inline msginfo_t sel4_nb_recv(cap_t src, uint64_t *badge,
				     uint64_t mr[SEL4_MSG_REGS], cap_t reply)
{
	struct sel4_trap t = { .cap = src, .mr = mr, .reply = reply };

	sel4_arch_trap(ABI_SYS_NB_RECV, &t);
	*badge = t.cap;
	return t.info;
}

/*
 * Answers the caller of `reply` with info and mr[], then receives on `src`.
 * After a bare signal the returned info word is the one that was sent: tell
 * signals by their badge.
 */
static inline msginfo_t sel4_reply_recv(cap_t src, msginfo_t info,
					uint64_t *badge,
					uint64_t mr[SEL4_MSG_REGS],
					cap_t reply)
{
	struct sel4_trap t = {
		.cap = src, .info = info, .mr = mr, .reply = reply
	};

	sel4_arch_trap(ABI_SYS_REPLY_RECV, &t);
	*badge = t.cap;
	return t.info;
}

/* Non-blocking send to `dest`, then receive on `src`. */
static inline msginfo_t sel4_nb_send_recv(cap_t dest, msginfo_t info,
					  uint64_t mr[SEL4_MSG_REGS],
					  cap_t src, uint64_t *badge,
					  cap_t reply)
{
	struct sel4_trap t = { .cap = src, .info = info, .mr = mr, .reply = reply, .dest = dest };

	sel4_arch_trap(ABI_SYS_NB_SEND_RECV, &t);
	*badge = t.cap;
	return t.info;
}

/* Non-blocking send to `dest`, then wait on `src` without a reply object. */
static inline msginfo_t sel4_nb_send_wait(cap_t dest, msginfo_t info,
					  uint64_t mr[SEL4_MSG_REGS],
					  cap_t src, uint64_t *badge)
{
	struct sel4_trap t = {
		.cap = src, .info = info, .mr = mr, .reply = dest
	};

	sel4_arch_trap(ABI_SYS_NB_SEND_WAIT, &t);
	*badge = t.cap;
	return t.info;
}

/* Receives without a reply object, words included. */
static inline msginfo_t sel4_wait_msg(cap_t src, uint64_t *badge,
				      uint64_t mr[SEL4_MSG_REGS])
{
	struct sel4_trap t = { .cap = src, .mr = mr };

	sel4_arch_trap(ABI_SYS_WAIT, &t);
	*badge = t.cap;
	return t.info;
}

/* Waits for a notification; returns the badges that came. */
static inline uint64_t sel4_wait(cap_t notification)
{
	return sel4_arch_trap_bare(ABI_SYS_WAIT, notification, 0);
}

/* The badges that came since the last look, 0 if none; never waits. */
static inline uint64_t sel4_poll(cap_t notification)
{
	return sel4_arch_trap_bare(ABI_SYS_NB_WAIT, notification, 0);
}

static inline void sel4_signal(cap_t notification)
{
	(void)sel4_arch_trap_bare(ABI_SYS_SEND, notification, 0);
}

/* As sel4_signal(), but nothing happens if the slot is empty (a Send to an
 * empty slot is a fault of the caller). */
static inline void sel4_try_signal(cap_t notification)
{
	(void)sel4_arch_trap_bare(ABI_SYS_NB_SEND, notification, 0);
}

/* Gives up the rest of the current budget. */
static inline void sel4_yield(void)
{
	(void)sel4_arch_trap_bare(ABI_SYS_YIELD, 0, 0);
}

/* Debug calls: kernels built for debugging; elsewhere the caller faults. */
static inline void sel4_debug_put_char(char c)
{
	(void)sel4_arch_trap_bare(ABI_SYS_DEBUG_PUT_CHAR, (uint8_t)c, 0);
}

static inline void sel4_debug_dump_scheduler(void)
{
	(void)sel4_arch_trap_bare(ABI_SYS_DEBUG_DUMP_SCHEDULER, 0, 0);
}

static inline void sel4_debug_halt(void)
{
	(void)sel4_arch_trap_bare(ABI_SYS_DEBUG_HALT, 0, 0);
}

/* enum abi_debug_cap of the capability in a slot. */
static inline unsigned sel4_debug_cap_identify(cap_t cap)
{
	return (unsigned)sel4_arch_trap_bare(ABI_SYS_DEBUG_CAP_IDENTIFY, cap,
					     0);
}

static inline void sel4_debug_name_thread(cap_t tcb, const char *name)
{
	char *to = (char *)sel4_ipcbuf->msg;
	unsigned i;

	for (i = 0; name[i] != '\0' && i < 63; i++)
		to[i] = name[i];
	to[i] = '\0';
	(void)sel4_arch_trap_bare(ABI_SYS_DEBUG_NAME_THREAD, tcb, 0);
}

#include <selvage/sel4_invoke.h>
