/*
 * Every system call with capabilities that it cannot use: a capability fault
 * with exactly these words, an error, or nothing at all, and no change.
 */
#include "world.h"

#include <selvage/fmt.h>

#define FAR (1ull << 60 | 7) /* the root CNode's guard does not match */
#define ROOT_GUARD_BITS (64 - ABI_ROOT_CNODE_BITS)
#define UNTOUCHED 0x5e1f0000ull

/* What becomes of the call. */
enum outcome { RETURNS, /* at once */
	       BLOCKS,  /* waits */
	       SENDING, /* capability fault at `at`, in the sending phase */
	       RECEIVING /* the same, in the receiving phase */ };

static const struct call {
	const char *name;
	int64_t number;
	uint64_t x0, x6, x8, at;
	uint64_t info; /* as sent */
	uint64_t back; /* as returned, of a call that returns */
	enum outcome outcome;
} calls[] = {
#define INFO(label, caps, words) ((uint64_t)(label) << 12 | (caps) << 7 | (words))
#define SAME INFO(9, 0, 2) /* not written: as sent */
#define SEND_LIKE(call, what, cap, ...)                            \
	{                                                          \
		.name = #call ": " what, .number = ABI_SYS_##call, \
		.x0 = cap, .info = SAME, __VA_ARGS__               \
	}
#define NO_ANSWER .back = SAME, .outcome = RETURNS
#define NO_CAP .back = INFO(ABI_INVALID_CAPABILITY, 0, 1), .outcome = RETURNS

	SEND_LIKE(SEND, "an empty slot", AT(EMPTY), NO_ANSWER),
	SEND_LIKE(SEND, "an endpoint without Write", AT(EP_READ), NO_ANSWER),
	SEND_LIKE(SEND, "a notification without Write", AT(NTFN_READ), NO_ANSWER),
	SEND_LIKE(SEND, "a reply object nobody waits for", AT(REPLY), NO_ANSWER),
	SEND_LIKE(SEND, "an object that knows no such label", AT(TCB), NO_ANSWER),
	SEND_LIKE(SEND, "an address that misses", FAR, .at = FAR, .outcome = SENDING),
	SEND_LIKE(SEND, "an endpoint without a receiver", AT(EP_WRITE), .outcome = BLOCKS),
	SEND_LIKE(NB_SEND, "an empty slot", AT(EMPTY), NO_ANSWER),
	SEND_LIKE(NB_SEND, "an endpoint without Write", AT(EP_READ), NO_ANSWER),
	SEND_LIKE(NB_SEND, "a notification without Write", AT(NTFN_READ), NO_ANSWER),
	SEND_LIKE(NB_SEND, "a reply object nobody waits for", AT(REPLY), NO_ANSWER),
	SEND_LIKE(NB_SEND, "an address that misses", FAR, NO_ANSWER),
	SEND_LIKE(NB_SEND, "an endpoint without a receiver", AT(EP), NO_ANSWER),
	SEND_LIKE(CALL, "an empty slot", AT(EMPTY), NO_CAP),
	SEND_LIKE(CALL, "an endpoint without Write", AT(EP_READ), NO_CAP),
	SEND_LIKE(CALL, "a notification without Write", AT(NTFN_READ), NO_CAP),
	SEND_LIKE(CALL, "a reply object nobody waits for", AT(REPLY), .back = 0,
		  .outcome = RETURNS),
	SEND_LIKE(CALL, "an object that knows no such label", AT(VCPU),
		  .back = INFO(ABI_ILLEGAL_OPERATION, 0, 0), .outcome = RETURNS),
	SEND_LIKE(CALL, "an address that misses", FAR, .at = FAR, .outcome = SENDING),
	SEND_LIKE(CALL, "an endpoint without a receiver", AT(EP), .outcome = BLOCKS),

#define RECV_LIKE(call, what, src, reply, ...)                     \
	{                                                          \
		.name = #call ": " what, .number = ABI_SYS_##call, \
		.x0 = src, .x6 = reply, .info = SAME, __VA_ARGS__  \
	}
#define FAULT(where) .at = where, .outcome = RECEIVING
#define SOURCES(call, reply)                                                                 \
	RECV_LIKE(call, "from an empty slot", AT(EMPTY), reply, FAULT(AT(EMPTY))),           \
		RECV_LIKE(call, "from an address that misses", FAR, reply, FAULT(FAR)),      \
		RECV_LIKE(call, "from an endpoint without Read", AT(EP_WRITE), reply,        \
			  FAULT(AT(EP_WRITE))),                                              \
		RECV_LIKE(call, "from a notification without Read", AT(NTFN_WRITE), reply,   \
			  FAULT(AT(NTFN_WRITE))),                                            \
		RECV_LIKE(call, "from another thread's notification", AT(NTFN_BOUND), reply, \
			  FAULT(AT(NTFN_BOUND))),                                            \
		RECV_LIKE(call, "from a reply object", AT(REPLY), reply, FAULT(AT(REPLY))),  \
		RECV_LIKE(call, "from a thread", AT(TCB), reply, FAULT(AT(TCB)))
#define REPLIES(call)                                                                          \
	RECV_LIKE(call, "with an empty slot for the reply", AT(EP_READ), AT(EMPTY),            \
		  FAULT(AT(EMPTY))),                                                           \
		RECV_LIKE(call, "with an address that misses for the reply", AT(EP_READ), FAR, \
			  FAULT(FAR)),                                                         \
		RECV_LIKE(call, "with an endpoint for the reply", AT(EP_READ), AT(EP),         \
			  FAULT(AT(EP))),                                                      \
		RECV_LIKE(call, "with a notification for the reply", AT(EP_READ), AT(NTFN),    \
			  FAULT(AT(NTFN)))
#define NOTHING .back = SAME, .outcome = RETURNS
	SOURCES(RECV, AT(REPLY)),
	REPLIES(RECV),
	RECV_LIKE(RECV, "nothing there", AT(EP_READ), AT(REPLY), .outcome = BLOCKS),
	RECV_LIKE(RECV, "no signal there", AT(NTFN_READ), AT(EMPTY), .outcome = BLOCKS),
	SOURCES(NB_RECV, AT(REPLY)),
	REPLIES(NB_RECV),
	RECV_LIKE(NB_RECV, "nothing there", AT(EP_READ), AT(REPLY), NOTHING),
	RECV_LIKE(NB_RECV, "no signal there", AT(NTFN_READ), AT(EMPTY), NOTHING),
	SOURCES(WAIT, FAR),
	RECV_LIKE(WAIT, "nothing there", AT(EP_READ), FAR, .outcome = BLOCKS),
	SOURCES(NB_WAIT, FAR),
	RECV_LIKE(NB_WAIT, "nothing there", AT(EP_READ), FAR, NOTHING),
	RECV_LIKE(NB_WAIT, "no signal there", AT(NTFN_READ), FAR, NOTHING),
	SOURCES(REPLY_RECV, AT(REPLY)),
	REPLIES(REPLY_RECV),
	RECV_LIKE(REPLY_RECV, "nothing there", AT(EP_READ), AT(REPLY), .outcome = BLOCKS),
	SOURCES(NB_SEND_RECV, AT(REPLY)),
	REPLIES(NB_SEND_RECV),
#define TO(call, what, dest) \
	RECV_LIKE(call, "to " what, AT(EMPTY), dest, FAULT(AT(EMPTY)))
#define TO_X8(what, dest)                                        \
	{                                                        \
		.name = "NB_SEND_RECV: to " what, .info = SAME,  \
		.number = ABI_SYS_NB_SEND_RECV, .x0 = AT(EMPTY), \
		.x6 = AT(REPLY), .x8 = dest, FAULT(AT(EMPTY))    \
	}
	TO_X8("an empty slot", AT(EMPTY)),
	TO_X8("an address that misses", FAR),
	TO_X8("an endpoint without Write", AT(EP_READ)),
	TO_X8("a thread", AT(TCB)),
	SOURCES(NB_SEND_WAIT, AT(EMPTY)),
	TO(NB_SEND_WAIT, "an address that misses", FAR),
	TO(NB_SEND_WAIT, "an endpoint without Write", AT(EP_READ)),
	TO(NB_SEND_WAIT, "a thread", AT(TCB)),
	TO(NB_SEND_WAIT, "a CNode", AT(CNODE)),
	TO(NB_SEND_WAIT, "a scheduling context", AT(SC_BOUND)),
	RECV_LIKE(YIELD, "ignores its registers", FAR, FAR, .back = SAME,
		  .outcome = RETURNS),
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static struct {
	const struct call *call;
	volatile bool done;
	uint64_t x[6]; /* as returned */
	uint64_t pc;
} s;

static void caller(void *arg)
{
	/* No function may be called once registers have their values. */
	uint64_t in0 = kt_at(s.call->x0), in6 = kt_at(s.call->x6), in8 = kt_at(s.call->x8);
	register uint64_t x0 __asm__("x0") = in0;
	register uint64_t x6 __asm__("x6") = in6;
	register uint64_t x8 __asm__("x8") = in8;
	register uint64_t x1 __asm__("x1") = s.call->info;
	register uint64_t x2 __asm__("x2") = UNTOUCHED + 2;
	register uint64_t x3 __asm__("x3") = UNTOUCHED + 3;
	register uint64_t x4 __asm__("x4") = UNTOUCHED + 4;
	register uint64_t x5 __asm__("x5") = UNTOUCHED + 5;
	register int64_t x7 __asm__("x7") = s.call->number;

	(void)arg;
	__asm__ volatile("adr x9, 1f\n\tstr x9, [%[pc]]\n1:\tsvc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6),
			   "+r"(x7), "+r"(x8)
			 : [pc] "r"(&s.pc)
			 : "x9", "memory");
	s.x[0] = x0;
	s.x[1] = x1;
	s.x[2] = x2;
	s.x[3] = x3;
	s.x[4] = x4;
	s.x[5] = x5;
	s.done = true;
	kt_stop();
}

/* --- the outcomes --- */

static void check_returned(const struct call *c)
{
	CHECK(s.done);
	CHECK_EQ(s.x[1], c->back);
	/* An InvalidCapability says which: the invoked one. */
	CHECK_EQ(s.x[2], c->back == INFO(ABI_INVALID_CAPABILITY, 0, 1) ? 0 : UNTOUCHED + 2);
	CHECK_EQ(s.x[3], UNTOUCHED + 3);
	CHECK_EQ(s.x[4], UNTOUCHED + 4);
	CHECK_EQ(s.x[5], UNTOUCHED + 5);
	if (c->number <= ABI_SYS_RECV && c->number > ABI_SYS_YIELD)
		CHECK_EQ(s.x[0], 0); /* no badge */
}

static void check_faulted(const struct call *c, msginfo_t info, const uint64_t *mr)
{
	bool misses = c->at == FAR;

	CHECK(!s.done);
	CHECK_EQ(info, msginfo(ABI_FAULT_CAP, 0, misses ? 7 : 5));
	CHECK_EQ(mr[ABI_CAPFAULT_IP], s.pc);
	CHECK_EQ(mr[ABI_CAPFAULT_ADDR], kt_at(c->at));
	CHECK_EQ(mr[ABI_CAPFAULT_IN_RECV], c->outcome == RECEIVING);
	CHECK_EQ(mr[ABI_CAPFAULT_LOOKUP],
		 misses ? ABI_LOOKUP_GUARD_MISMATCH : ABI_LOOKUP_MISSING_CAPABILITY);
	CHECK_EQ(sel4_ipcbuf->msg[4], misses ? 64 : 0);
	if (misses) {
		CHECK_EQ(sel4_ipcbuf->msg[5], 0);
		CHECK_EQ(sel4_ipcbuf->msg[6], ROOT_GUARD_BITS);
	}
}

static void run(unsigned i)
{
	const struct call *c = &calls[i];
	uint64_t badge = 0, mr[SEL4_MSG_REGS] = { 0 }, regs[1] = { 0 };

	kt_world_make();
	cap_t faults = kt_make(ABI_OBJ_ENDPOINT, 0), reply = kt_make(ABI_OBJ_REPLY, 0);
	struct kt_thread t =
		kt_thread(0, caller, NULL, KT_HIGH, kt_mint(faults, KT_ALL, 0xfa), true);
	s.call = c;
	s.done = false;
	kt_world_note();
	CHECK_OK(sel4_tcb_resume(t.tcb));
	msginfo_t info = sel4_nb_recv(faults, &badge, mr, reply);
	CHECK_EQ(badge, c->outcome >= SENDING ? 0xfa : 0);
	if (c->outcome == RETURNS) {
		check_returned(c);
	} else if (c->outcome == BLOCKS) {
		CHECK(!s.done);
		CHECK_OK(sel4_tcb_read_registers(t.tcb, 1, 1, regs));
		CHECK_EQ(regs[ABI_CTX_PC], s.pc);
	} else {
		check_faulted(c, info, mr);
	}
	CHECK_OK(kt_delete(t.tcb));
	kt_world_check();
}

static bool name(unsigned i, char *out, unsigned bytes)
{
	fmt_print(out, bytes, "syscall: %s", calls[i].name);
	return true;
}

const struct kt_group kt_syscall = { NULL, CALLS, run, name };
