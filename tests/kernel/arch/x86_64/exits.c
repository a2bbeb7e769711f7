/* Exits of a thread without a VCPU (abi/thread_exit.h): message, answer, address space. */
#include "pc_tests.h"

#include <abi/thread_exit.h>
#include <string.h>

#define NUMBER 0x5e11ull
#define NOWHERE 0x2000000010ull
#define SYSCALL_BYTES 2u
#define RFLAGS_ALL 0xed7u /* that a user may have; IF and bit 1 */
#define SPIN 1000u        /* some microseconds */
#define NOT_CANONICAL 0x800000000000ull
#define REG(name) (ABI_THREAD_REGS + ABI_CTX_##name)

static struct {
	volatile unsigned step;
	uint64_t rax, rbx, seen;
	uint64_t msg[ABI_THREAD_WORDS], regs[ABI_CTX_COUNT];
} s;

static struct watched exits_in(cap_t space, void (*entry)(void *), void *arg)
{
	struct watched w = watch_made(space, entry, arg);

	s.step = 1;
	CHECK_OK(sel4_ext_tcb_set_syscall_fault(w.t.tcb, ABI_THREAD_EXITS));
	CHECK_OK(sel4_tcb_resume(w.t.tcb));
	return w;
}

static struct watched exits(void (*entry)(void *), void *arg)
{
	return exits_in(ABI_ROOT_VSPACE, entry, arg);
}

/* The message, which says what the registers are. */
static void note(struct watched *w, uint64_t vector)
{
	CHECK(watch_faulted(w));
	CHECK_EQ(w->info, msginfo(ABI_EXT_FAULT_THREAD, 0, ABI_THREAD_WORDS));
	for (unsigned i = 0; i < ABI_THREAD_WORDS; i++)
		s.msg[i] = i < SEL4_MSG_REGS ? w->mr[i] : sel4_ipcbuf->msg[i];
	CHECK_EQ(s.msg[ABI_THREAD_VECTOR], vector);
	CHECK_OK(sel4_tcb_read_registers(w->t.tcb, 0, ABI_CTX_COUNT, s.regs));
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		CHECK_EQ(s.msg[ABI_THREAD_REGS + i], s.regs[i]);
}

/* With the words of s.msg. */
static void answer(struct watched *w, uint64_t label, unsigned words)
{
	for (unsigned i = 0; i < words; i++) {
		sel4_ipcbuf->msg[i] = s.msg[i];
		if (i < SEL4_MSG_REGS)
			w->mr[i] = s.msg[i];
	}
	watch_answer(w, label, words);
}

/* Another address space comes along. */
static void answer_in(struct watched *w, cap_t space)
{
	sel4_ipcbuf->caps_or_badges[0] = space;
	sel4_send(w->reply, msginfo(0, 1, 0), w->mr);
}

/* --- system calls --- */

static void calls(void *arg)
{
	uint64_t rbx = 0xb, rax = 0xa;

	(void)arg;
	__asm__ volatile("syscall"
			 : "+b"(rbx), "+a"(rax)
			 : "d"(NUMBER)
			 : "rcx", "r11", "memory");
	s.rax = rax;
	s.rbx = rbx;
	s.step = 2;
	kt_stop();
}

static void system_call(void)
{
	struct watched w = exits(calls, NULL);

	note(&w, ABI_THREAD_SYSCALL);
	CHECK_EQ(s.msg[ABI_THREAD_ADDRESS], NUMBER);
	CHECK_EQ(s.msg[REG(RAX)], 0xa);
	CHECK_EQ(s.msg[REG(RBX)], 0xb);
	CHECK_EQ(s.msg[REG(RCX)], s.msg[REG(RIP)]);
	CHECK_EQ(s.msg[REG(R11)], s.msg[REG(RFLAGS)]);
	CHECK_EQ(*(const uint16_t *)(s.msg[REG(RIP)] - SYSCALL_BYTES), 0x050f);
	s.msg[REG(RAX)] = 0xaa;
	answer(&w, 0, REG(RAX) + 1);
	CHECK_EQ(s.step, 2);
	CHECK_EQ(s.rax, 0xaa);
	CHECK_EQ(s.rbx, 0xb);
	note(&w, ABI_THREAD_SYSCALL); /* kt_stop's, which the kernel knows */
	CHECK_EQ(s.msg[ABI_THREAD_ADDRESS], (uint64_t)ABI_SYS_WAIT);
	/* Off: what comes is as ever. */
	CHECK_OK(sel4_ext_tcb_set_syscall_fault(w.t.tcb, 0));
	s.msg[REG(RIP)] = (uint64_t)calls;
	s.step = 1;
	answer(&w, 0, REG(RIP) + 1);
	CHECK(watch_faulted(&w));
	CHECK_EQ(w.info, msginfo(ABI_FAULT_UNKNOWN_SYSCALL, 0, ABI_SYSFAULT_WORDS));
	CHECK_EQ(s.step, 1);
}

/* Nothing in the answer: it goes on behind its call, registers as SYSRET leaves them. */
static void empty_answer(void)
{
	struct watched w = exits(calls, NULL);

	note(&w, ABI_THREAD_SYSCALL);
	answer(&w, 0, 0);
	CHECK_EQ(s.step, 2);
	CHECK_EQ(s.rax, 0xa);
	CHECK_EQ(s.rbx, 0xb);
}

/* Of every length: what it does not have stays. */
static void answers(void)
{
	for (unsigned n = 0; n <= ABI_THREAD_WORDS + 1; n++) {
		struct watched w = exits(calls, NULL);
		uint64_t now[ABI_CTX_COUNT];

		note(&w, ABI_THREAD_SYSCALL);
		for (unsigned i = ABI_CTX_RAX; i < ABI_CTX_COUNT; i++)
			s.msg[ABI_THREAD_REGS + i] = 0x1000 + i;
		s.msg[REG(RIP)] = NOWHERE;
		s.msg[REG(RSP)] = 0x5000;
		s.msg[REG(RFLAGS)] = ~0ull;
		for (unsigned i = 0; i < ABI_THREAD_REGS; i++)
			s.msg[i] = ~0ull;
		sel4_ipcbuf->msg[ABI_THREAD_WORDS] = ~0ull;
		memcpy(sel4_ipcbuf->msg, s.msg, sizeof(s.msg));
		for (unsigned i = 0; i < SEL4_MSG_REGS; i++)
			w.mr[i] = s.msg[i];
		watch_answer(&w, 1, n); /* stopped */
		CHECK_EQ(s.step, 1);
		CHECK_OK(sel4_tcb_read_registers(w.t.tcb, 0, ABI_CTX_COUNT, now));
		for (unsigned i = 0; i < ABI_CTX_COUNT; i++) {
			const uint64_t is = i == ABI_CTX_RIP      ? NOWHERE
					    : i == ABI_CTX_RSP    ? 0x5000
					    : i == ABI_CTX_RFLAGS ? RFLAGS_ALL
								  : 0x1000 + i;

			CHECK_EQ(now[i], ABI_THREAD_REGS + i < n ? is : s.regs[i]);
		}
		CHECK(!watch_faulted(&w));
		CHECK_OK(kt_delete(w.t.tcb));
	}
}

/* What is no address is 0. */
static void wild_answer(void)
{
	struct watched w = exits(calls, NULL);

	note(&w, ABI_THREAD_SYSCALL);
	s.msg[REG(RIP)] = NOT_CANONICAL;
	s.msg[REG(FS_BASE)] = s.msg[REG(GS_BASE)] = ~NOT_CANONICAL;
	answer(&w, 0, ABI_THREAD_WORDS);
	note(&w, 14);
	CHECK_EQ(s.msg[ABI_THREAD_ADDRESS], 0);
	CHECK_EQ(s.msg[REG(RIP)], 0);
	CHECK_EQ(s.msg[REG(FS_BASE)], 0);
	CHECK_EQ(s.msg[REG(GS_BASE)], 0);
	CHECK_EQ(s.step, 1);
}

WATCHED_DOES(interrupts, "int $0xf0")

/* Nobody has received the message: the call is made again. */
static void suspended(void)
{
	struct watched w = exits(interrupts, NULL);

	CHECK_OK(sel4_tcb_suspend(w.t.tcb));
	CHECK(!watch_faulted(&w));
	CHECK_OK(sel4_tcb_resume(w.t.tcb));
	CHECK_EQ(s.step, 1);
	note(&w, 0xf0);
	answer(&w, 0, 0);
	CHECK_EQ(s.step, 2);
	CHECK_OK(kt_delete(w.t.tcb));
	w = exits(calls, NULL);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_OK(sel4_tcb_suspend(w.t.tcb));
		CHECK(!watch_faulted(&w));
		CHECK_OK(sel4_tcb_resume(w.t.tcb));
		CHECK_EQ(s.step, 1);
	}
	note(&w, ABI_THREAD_SYSCALL);
	CHECK_EQ(s.msg[REG(RAX)], 0xa);
	answer(&w, 0, 0);
	CHECK_EQ(s.step, 2);
}

static void loops(void *arg)
{
	(void)arg;
	__asm__ volatile("rdfsbase %0"
			 : "=r"(s.seen));
	for (;;) {
		__asm__ volatile("syscall" ::"d"(NUMBER)
				 : "rcx", "r11", "memory");
		s.step++;
		for (unsigned i = 0; i < SPIN; i++)
			__asm__ volatile("");
	}
}

/* The end of a budget loses none. */
static void short_budget(void)
{
	struct watched w = watch_made(ABI_ROOT_VSPACE, loops, NULL);
	uint64_t badge;

	s.step = 0;
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), w.t.sc, 100, 150, 4, 0, 0));
	CHECK_OK(sel4_ext_tcb_set_syscall_fault(w.t.tcb, ABI_THREAD_EXITS));
	CHECK_OK(sel4_tcb_resume(w.t.tcb));
	w.info = sel4_recv(w.ep, &badge, w.mr, w.reply);
	for (unsigned i = 0; i < 1000; i++) {
		CHECK_EQ(w.info, msginfo(ABI_EXT_FAULT_THREAD, 0, ABI_THREAD_WORDS));
		CHECK_EQ(s.step, i);
		w.info = sel4_reply_recv(w.ep, msginfo(0, 0, 0), &badge, w.mr, w.reply);
	}
	CHECK_OK(kt_delete(w.t.tcb));
}

/* Who waits for the message has it at once, and answers while it waits for the next. */
static void waiting(void)
{
	struct watched w = watch_made(ABI_ROOT_VSPACE, loops, NULL);
	uint64_t badge = 0;

	s.step = 0;
	CHECK_OK(sel4_tcb_set_priority(w.t.tcb, ABI_ROOT_TCB, KT_LOW));
	CHECK_OK(sel4_ext_tcb_set_syscall_fault(w.t.tcb, ABI_THREAD_EXITS));
	CHECK_OK(sel4_tcb_resume(w.t.tcb));
	w.info = sel4_recv(w.ep, &badge, w.mr, w.reply);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(w.info, msginfo(ABI_EXT_FAULT_THREAD, 0, ABI_THREAD_WORDS));
		CHECK_EQ(w.mr[ABI_THREAD_ADDRESS], NUMBER);
		CHECK_EQ(*(const uint16_t *)(w.mr[REG(RIP)] - SYSCALL_BYTES), 0x050f);
		CHECK(s.seen != 0);
		CHECK_EQ(sel4_ipcbuf->msg[REG(FS_BASE)], s.seen);
		CHECK_EQ(sel4_ipcbuf->msg[REG(RCX)], w.mr[REG(RIP)]);
		CHECK_EQ(s.step, i);
		if (i)
			CHECK_EQ(sel4_ipcbuf->msg[REG(R15)], i - 1);
		/* With all its registers, one of them another, and with an address space or not. */
		sel4_ipcbuf->msg[REG(R15)] = i;
		sel4_ipcbuf->caps_or_badges[0] = ABI_ROOT_VSPACE;
		w.info = sel4_reply_recv(w.ep, msginfo(0, i & 1, ABI_THREAD_WORDS), &badge, w.mr,
					 w.reply);
	}
	CHECK_OK(kt_delete(w.t.tcb));
}

/* --- exceptions --- */

static void reads(void *at)
{
	__asm__ volatile("mov (%0), %%eax" ::"r"(at)
			 : "eax", "memory");
	s.step = 2;
	kt_stop();
}

WATCHED_DOES(undefined, "ud2")
WATCHED_DOES(privileged, "hlt")
WATCHED_DOES(breaks, "int3")
WATCHED_DOES(interrupts_not, "int $0x80")

static void exceptions(void)
{
	static const struct {
		void (*entry)(void *);
		unsigned vector, error, bytes; /* to skip */
		uint64_t address;
	} of[] = {
		{ reads, 14, PF_USER, 2, NOWHERE },
		{ undefined, 6, 0, 2, 0 },
		{ privileged, 13, 0, 1, 0 },
		{ breaks, 3, 0, 0, 0 },
		{ interrupts, 0xf0, 0, 0, 0 },
		{ interrupts_not, 13, 0, 2, 0 },
	};

	for (unsigned i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		struct watched w = exits(of[i].entry, (void *)NOWHERE);

		note(&w, of[i].vector);
		if (of[i].entry == interrupts_not) /* QEMU has 16 n there */
			CHECK(s.msg[ABI_THREAD_ERROR] == 0x402 ||
			      s.msg[ABI_THREAD_ERROR] == 0x802);
		else
			CHECK_EQ(s.msg[ABI_THREAD_ERROR], of[i].error);
		CHECK_EQ(s.msg[ABI_THREAD_ADDRESS], of[i].address);
		s.msg[REG(RIP)] += of[i].bytes;
		answer(&w, 0, of[i].bytes ? REG(RIP) + 1 : 0);
		CHECK_EQ(s.step, 2);
		CHECK_OK(kt_delete(w.t.tcb));
	}
}

/* The FPU's first use is the kernel's affair. */
WATCHED_DOES(floats, "pxor %xmm0, %xmm0")

static void fpu(void)
{
	struct watched w = exits(floats, NULL);

	note(&w, ABI_THREAD_SYSCALL);
	CHECK_EQ(s.step, 2);
}

/* --- address spaces --- */

static void looks(void *at)
{
	for (;;) {
		s.seen = *(volatile uint64_t *)at;
		s.step++;
		__asm__ volatile("syscall" ::"d"(NUMBER)
				 : "rcx", "r11", "memory");
	}
}

/* A space with the tests' own pages and one that holds `value`. */
static cap_t space_with(uint64_t value)
{
	cap_t space = make_space(true), frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);
	cap_t here = kt_copy(frame);

	CHECK_OK(map_small(here, ABI_ROOT_VSPACE, FREE_VADDR));
	*(volatile uint64_t *)FREE_VADDR = value;
	CHECK_OK(sel4_page_unmap(here));
	CHECK_OK(map_small(frame, space, FREE_VADDR));
	return space;
}

static void spaces(void)
{
	cap_t a = space_with(0xa), b = space_with(0xb);
	struct watched w = exits_in(a, looks, (void *)FREE_VADDR);

	for (unsigned i = 0; i < 4; i++) {
		note(&w, ABI_THREAD_SYSCALL);
		CHECK_EQ(s.seen, i & 1 ? 0xb : 0xa);
		answer_in(&w, i & 1 ? a : b);
	}
	/* It stays there. */
	note(&w, ABI_THREAD_SYSCALL);
	answer_in(&w, b);
	note(&w, ABI_THREAD_SYSCALL);
	answer(&w, 0, 0);
	note(&w, ABI_THREAD_SYSCALL);
	CHECK_EQ(s.seen, 0xb);
	CHECK_OK(kt_delete(w.t.tcb));
}

/* What is no address space leaves it stopped, and where it was. */
static void no_spaces(void)
{
	cap_t a = space_with(0xa);
	const cap_t wrong[] = { kt_slot(), kt_make(ABI_OBJ_VSPACE, 0),
				kt_make(ABI_OBJ_ENDPOINT, 0), kt_make(ABI_OBJ_PDPT, 0) };

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct watched w = exits_in(a, looks, (void *)FREE_VADDR);

		note(&w, ABI_THREAD_SYSCALL);
		s.step = 7;
		answer_in(&w, wrong[i]);
		CHECK(!watch_faulted(&w));
		CHECK_EQ(s.step, 7);
		CHECK_OK(sel4_tcb_resume(w.t.tcb));
		note(&w, ABI_THREAD_SYSCALL);
		CHECK_EQ(s.step, 8);
		CHECK_EQ(s.seen, 0xa);
		CHECK_OK(kt_delete(w.t.tcb));
	}
}

/* The thread has the last capability to a space, which goes with it. */
static void last_of_its_space(void)
{
	cap_t a = space_with(0xa), b = space_with(0xb);
	struct watched w = exits_in(a, looks, (void *)FREE_VADDR);

	note(&w, ABI_THREAD_SYSCALL);
	CHECK_OK(sel4_cnode_delete(KT_CNODE, a, 64));
	answer_in(&w, b);
	note(&w, ABI_THREAD_SYSCALL);
	CHECK_EQ(s.seen, 0xb);
	CHECK_OK(kt_delete(w.t.tcb));
}

/* A space that was selected goes: the thread is in an empty one. */
static void space_gone(void)
{
	cap_t a = space_with(0xa), b = space_with(0xb);
	struct watched w = exits_in(a, looks, (void *)FREE_VADDR);

	note(&w, ABI_THREAD_SYSCALL);
	answer_in(&w, b);
	note(&w, ABI_THREAD_SYSCALL);
	CHECK_OK(sel4_cnode_revoke(KT_CNODE, b, 64));
	CHECK_OK(kt_delete(b));
	answer(&w, 0, 0);
	note(&w, 14);
	CHECK_OK(kt_delete(w.t.tcb));
}

static void errors(void)
{
	struct watched w = exits(looks, (void *)NOWHERE);

	CHECK(sel4_ext_query(w.t.tcb) & ABI_EXTF_THREAD_EXIT);
	CHECK_ERROR2(sel4_ext_tcb_set_syscall_fault(w.t.tcb, 3), ABI_RANGE_ERROR, 0, 2);
	CHECK_ERROR2(sel4_ext_tcb_set_syscall_fault(w.t.tcb, ~0ull), ABI_RANGE_ERROR, 0, 2);
	note(&w, 14);
}

static const struct kt_case cases[] = {
	{ "exits: a system call", system_call },
	{ "exits: an empty answer", empty_answer },
	{ "exits: answers of every length", answers },
	{ "exits: an answer with what is no address", wild_answer },
	{ "exits: a call whose message nobody received", suspended },
	{ "exits: a budget's end loses no call", short_budget },
	{ "exits: to who waits for them", waiting },
	{ "exits: exceptions and interrupts by instruction", exceptions },
	{ "exits: the FPU's first use is none", fpu },
	{ "exits: an answer selects the address space", spaces },
	{ "exits: what is no address space", no_spaces },
	{ "exits: the last capability to a space", last_of_its_space },
	{ "exits: a selected space that goes", space_gone },
	{ "exits: errors", errors },
};
KT_GROUP(kt_exits_pc);
