/*
 * On-target tests of the kernel: a root task that makes objects, calls the
 * kernel rightly and wrongly, and says what happened in TAP.
 *
 * A case makes its objects out of one pool and puts them into fresh slots;
 * when it returns, the pool is revoked and everything is gone.
 */
#pragma once

#include <abi/fault.h>
#include <kt_arch.h>
#include <selvage/rt.h>
#include <selvage/sel4.h>
#include <stdbool.h>

struct kt_case {
	const char *name;
	void (*run)(void);
};

struct kt_group {
	const struct kt_case *cases;
	unsigned count;
	/* Instead of cases: by number. The name into a buffer; false: there is
	 * no such case. */
	void (*run)(unsigned);
	bool (*name)(unsigned, char *, unsigned bytes);
};

#define KT_GROUP(name) \
	const struct kt_group name = { cases, sizeof(cases) / sizeof(cases[0]), NULL, NULL }
#define KT_NAME_BYTES 120u

extern const struct kt_group kt_calls;
extern const struct kt_group kt_lookups;
extern const struct kt_group kt_bad;
extern const struct kt_group kt_syscall;
extern const struct kt_group kt_runtime, kt_untyped;
extern const struct kt_group kt_cnode;
extern const struct kt_group kt_deletion;
extern const struct kt_group kt_ipc;
extern const struct kt_group kt_transfer;
extern const struct kt_group kt_notification;
extern const struct kt_group kt_reply;
extern const struct kt_group kt_fault;
extern const struct kt_group kt_answered;
extern const struct kt_group kt_boot;
extern const struct kt_group kt_tcb;
extern const struct kt_group kt_sched;
extern const struct kt_group kt_budget, kt_expiry;
extern const struct kt_group kt_donation;
extern const struct kt_group kt_irq;
extern const struct kt_group kt_domain;
extern const struct kt_group kt_memory;
extern const struct kt_group kt_vspace;
extern const struct kt_group kt_vcpu;
extern const struct kt_group kt_state, kt_stopped;
extern const struct kt_group kt_exit_message;
extern const struct kt_group kt_extension;
extern const struct kt_group kt_direct;
extern const struct kt_group kt_hostile, kt_el0;
extern const struct kt_group kt_edges, kt_plain_kernel, kt_corners, kt_benchmark, kt_fastpath;

/* --- the architecture: tests/kernel/arch --- */
/* All groups, in the order in which they run. */
extern const struct kt_group *const kt_groups[];
extern const unsigned kt_group_count;
/* Whether the running kernel has what the group asks for. */
bool kt_has_group(const struct kt_group *g);
/* The console is the board's, so that release kernels report too; then put_char
 * works. `normal`: an untyped for tables. */
void kt_console_open(cap_t normal);
void kt_console_put(char c);
/* The first table that misses on the way to vaddr. */
int kt_map_table(cap_t vspace, uint64_t vaddr);
/* Whether the kernel makes objects of that type. */
bool kt_has_object(unsigned type);
/* What is to be done first. */
void kt_arch_set_up(void);

/* --- checks; both go on after a failure --- */
void kt_check(bool ok, const char *what, const char *file, int line);
void kt_check_eq(uint64_t got, uint64_t want, const char *what, const char *file, int line);
void kt_check_between(uint64_t got, uint64_t low, uint64_t high, const char *what,
		      const char *file, int line);
#define CHECK(cond) kt_check(cond, #cond, __FILE__, __LINE__)
#define CHECK_EQ(got, want) kt_check_eq((uint64_t)(got), (uint64_t)(want), #got, __FILE__, __LINE__)
#define CHECK_OK(call) CHECK_EQ(call, ABI_OK)
#define CHECK_BETWEEN(got, low, high) kt_check_between(got, low, high, #got, __FILE__, __LINE__)
/* An error with its details. */
#define CHECK_ERROR1(call, error, word0)             \
	do {                                         \
		CHECK_EQ(call, error);               \
		CHECK_EQ(sel4_error_word(0), word0); \
	} while (0)
#define CHECK_ERROR2(call, error, word0, word1)      \
	do {                                         \
		CHECK_ERROR1(call, error, word0);    \
		CHECK_EQ(sel4_error_word(1), word1); \
	} while (0)
#define CHECK_ERROR3(call, error, word0, word1, word2)   \
	do {                                             \
		CHECK_ERROR2(call, error, word0, word1); \
		CHECK_EQ(sel4_error_word(2), word2);     \
	} while (0)

/* --- objects --- */
#define KT_DEPTH 64
#define KT_CNODE ABI_ROOT_CNODE
#define KT_POOL_BITS 24
#define KT_ALL ABI_RIGHTS_ALL

extern cap_t kt_pool;       /* the untyped of the running case */
cap_t kt_slot(void);        /* a fresh empty slot */
cap_t kt_slots(unsigned n); /* n in a row */
cap_t kt_make(enum abi_object type, unsigned size_bits);
cap_t kt_mint(cap_t src, uint64_t rights, uint64_t badge);
cap_t kt_copy(cap_t src);
int kt_delete(cap_t slot);
int kt_revoke(cap_t slot);
/* Whether the slot is empty. */
bool kt_is_empty(cap_t slot);
cap_t kt_device_untyped(void);
cap_t kt_sched_control(void);
cap_t kt_image_frame(const void *address);
uint64_t kt_now_us(void);
uint64_t kt_ticks(uint64_t us); /* of the counter */
/* A kernel that behaves as plain seL4 (make EXTENSIONS=0): no extension, and
 * calls of a guest can be system calls. */
bool kt_plain(void);

/* At its start no other thread ran before the root task. */
extern bool kt_began_highest;

/* --- threads: several stacks and IPC buffers --- */
#define KT_THREADS 6
#define KT_PRIO 100 /* of the main thread */
#define KT_HIGH 150
#define KT_LOW 50
#define KT_TICKER 250

struct kt_thread {
	cap_t tcb, sc; /* sc 0: passive */
	unsigned index;
};
/* Everything but running: registers set, context bound. */
struct kt_thread kt_thread(unsigned index, void (*entry)(void *), void *arg, unsigned prio,
			   cap_t fault_ep, bool with_sc);
/* The same, resumed: if prio > KT_PRIO it has run until it waited. */
struct kt_thread kt_start(unsigned index, void (*entry)(void *), void *arg, unsigned prio);
uint64_t *kt_registers(unsigned index);
struct abi_ipcbuf *kt_buffer(unsigned index);
/* Lets other threads run until a time (a millisecond more or less) has passed. */
void kt_sleep_us(uint64_t us);
/* Off: nothing else runs while all wait; nobody can sleep. */
void kt_ticker(bool on);
/* A thread's end: waits for ever. */
_Noreturn void kt_stop(void);
