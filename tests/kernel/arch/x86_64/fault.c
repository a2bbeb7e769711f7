/* Fault messages of x86-64, word by word, and what the answers write. */
#include "pc_tests.h"

#define NO_MEMORY 0x2000000010ull
#define HIGH_HALF 0xffff800000000000ull
#define WINDOW 0xffffff8000000000ull
#define UNKNOWN_NUMBER (-1000)
#define DOOMED_FLAGS (1ull << 14 | 1ull << 17 | 3ull << 12 | 1ull << 8) /* NT, VM, IOPL, TF */
#define FIXED_FLAGS 0x202ull
#define ANY ~0u

static struct {
	volatile unsigned step;
	uint64_t before[ABI_CTX_COUNT], after[ABI_CTX_COUNT], msg[ABI_SYSFAULT_WORDS];
} s;

/* The message, and the registers as they are now. */
static void note(struct watched *w)
{
	CHECK(watch_faulted(w));
	for (unsigned i = 0; i < ABI_SYSFAULT_WORDS; i++)
		s.msg[i] = i < SEL4_MSG_REGS ? w->mr[i] : sel4_ipcbuf->msg[i];
	CHECK_OK(sel4_tcb_read_registers(w->t.tcb, 0, ABI_CTX_COUNT, s.before));
}

/* --- exceptions --- */

WATCHED_DOES(undefined, "ud2")
static void divides(void *arg)
{
	(void)arg;
	__asm__ volatile("xor %%edx, %%edx\n\txor %%ecx, %%ecx\n\tdiv %%ecx" ::
				 : "eax", "ecx", "edx");
	s.step = 2;
	kt_stop();
}
WATCHED_DOES(breaks, "int3")
WATCHED_DOES(privileged, "hlt")
/* There is no local table, in which it would be. */
static void selects(void *arg)
{
	(void)arg;
	__asm__ volatile("mov %0, %%ds" ::"r"(0x1234));
	s.step = 2;
	kt_stop();
}
static void not_canonical(void *arg)
{
	(void)arg;
	(void)*(volatile uint64_t *)(1ull << 50);
	s.step = 2;
	kt_stop();
}
static void single_steps(void *arg)
{
	(void)arg;
	__asm__ volatile("pushf\n\torl $0x100, (%%rsp)\n\tpopf\n\tnop" ::
				 : "memory");
	s.step = 2;
	kt_stop();
}
static void takes_a_vector(void *arg)
{
	(void)arg;
	__asm__ volatile("int $0x30"); /* of a user's interrupt */
	s.step = 2;
	kt_stop();
}

static const struct {
	void (*entry)(void *);
	unsigned vector, code; /* ANY: QEMU 7.2 shifts it otherwise */
	unsigned bytes;        /* of the instruction, if it is to be skipped */
} exceptions[] = {
	{ undefined, 6, 0, 2 },
	{ divides, 0, 0, 2 },
	{ breaks, 3, 0, 0 },
	{ privileged, 13, 0, 1 },
	{ selects, 13, 0x1234, 2 },
	{ not_canonical, 13, 0, 0 },
	{ takes_a_vector, 13, ANY, 2 },
};

static void user_exceptions(void)
{
	for (unsigned i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
		s.step = 1;
		struct watched w = watch(exceptions[i].entry, NULL);
		note(&w);
		CHECK_EQ(w.info, msginfo(ABI_FAULT_USER_EXCEPTION, 0, ABI_EXCFAULT_WORDS));
		CHECK_EQ(s.msg[ABI_EXCFAULT_IP], s.before[ABI_CTX_RIP]);
		CHECK_EQ(s.msg[ABI_EXCFAULT_SP], s.before[ABI_CTX_RSP]);
		CHECK_EQ(s.msg[ABI_EXCFAULT_FLAGS], s.before[ABI_CTX_RFLAGS]);
		CHECK_EQ(s.msg[ABI_EXCFAULT_NUMBER], exceptions[i].vector);
		if (exceptions[i].code != ANY)
			CHECK_EQ(s.msg[ABI_EXCFAULT_CODE], exceptions[i].code);
		if (exceptions[i].bytes) {
			w.mr[ABI_EXCFAULT_IP] += exceptions[i].bytes;
			watch_answer(&w, 0, 1);
			CHECK_EQ(s.step, 2);
		}
		CHECK_OK(kt_delete(w.t.tcb));
	}
}

/* A user's own TF is a debug exception behind the next instruction. */
static void single_step(void)
{
	struct watched w = watch(single_steps, NULL);

	note(&w);
	CHECK_EQ(w.info, msginfo(ABI_FAULT_USER_EXCEPTION, 0, ABI_EXCFAULT_WORDS));
	CHECK_EQ(s.msg[ABI_EXCFAULT_NUMBER], 1);
}

/* Any label but 0 leaves it stopped; the registers are written all the same. */
static void exception_answers(void)
{
	static const uint8_t to[] = { ABI_CTX_RIP, ABI_CTX_RSP, ABI_CTX_RFLAGS };

	for (unsigned n = 0; n < 6; n++) {
		struct watched w = watch(undefined, NULL);

		note(&w);
		w.mr[0] = 0x1110;
		w.mr[1] = 0x2220;
		w.mr[2] = DOOMED_FLAGS | 0x91;
		w.mr[3] = 0x4440;
		watch_answer(&w, 1, n);
		CHECK_OK(sel4_tcb_read_registers(w.t.tcb, 0, ABI_CTX_COUNT, s.after));
		for (unsigned i = 0; i < n && i < 3; i++)
			s.before[to[i]] = i == 2 ? FIXED_FLAGS | 0x91 : w.mr[i];
		for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
			CHECK_EQ(s.after[i], s.before[i]);
		CHECK_OK(kt_delete(w.t.tcb));
	}
}

/* --- page faults --- */

static void jumps(void *at) { ((void (*)(void))at)(); }

static void page_faults(void)
{
	struct watched w = watch(jumps, (void *)NO_MEMORY);

	note(&w);
	CHECK_EQ(w.info, msginfo(ABI_FAULT_VM, 0, ABI_VMFAULT_WORDS));
	CHECK_EQ(s.msg[ABI_VMFAULT_IP], NO_MEMORY);
	CHECK_EQ(s.msg[ABI_VMFAULT_ADDR], NO_MEMORY);
	CHECK_EQ(s.msg[ABI_VMFAULT_IS_FETCH], 1);
	CHECK_EQ(s.msg[ABI_VMFAULT_FSR], PF_USER | PF_FETCH);
	/* The answer's label and words count for nothing: it runs again. */
	watch_answer(&w, 7, 4);
	CHECK(watch_faulted(&w));
	CHECK_EQ(w.mr[ABI_VMFAULT_ADDR], NO_MEMORY);
	CHECK_OK(kt_delete(w.t.tcb));
	CHECK_EQ(fault_of_read(NO_MEMORY), PF_USER);
	CHECK_EQ(fault_of_write(NO_MEMORY), PF_USER | PF_WRITE);
	CHECK_EQ(fault_of_read(ABI_USER_TOP + 1), PF_USER);
	CHECK_EQ(fault_of_read(HIGH_HALF), PF_USER);
}

/* The kernel's window is there, but not for users. */
static void kernel_window(void)
{
	CHECK_EQ(fault_of_read(WINDOW) & ~(uint64_t)PF_PRESENT, PF_USER);
	CHECK_EQ(fault_of_read(WINDOW + 0x200000), PF_USER | PF_PRESENT);
	CHECK_EQ(fault_of_write(WINDOW + 0x200000), PF_USER | PF_WRITE | PF_PRESENT);
	CHECK_EQ(fault_of_read(WINDOW + 0xfee00000), PF_USER | PF_PRESENT);
}

/* --- unknown system calls --- */

static volatile uint64_t rax_after, rdi_after, r15_after;

static void unknown(void *number)
{
	register uint64_t rax __asm__("rax") = 0xa0, rdi __asm__("rdi") = 0xd1;
	register uint64_t r15 __asm__("r15") = 0xf15, rdx __asm__("rdx") = (uint64_t)number;

	__asm__ volatile("syscall"
			 : "+r"(rax), "+r"(rdi), "+r"(r15), "+r"(rdx)
			 :
			 : "rcx", "r11", "memory");
	rax_after = rax;
	rdi_after = rdi;
	r15_after = r15;
	s.step = 2;
	kt_stop();
}

static void syscall_message(void)
{
	static const int64_t numbers[] = { 0, 1, 7, -33,
					   -60, UNKNOWN_NUMBER, INT64_MAX, INT64_MIN };

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		s.step = 1;
		struct watched w = watch(unknown, (void *)numbers[i]);
		note(&w);
		CHECK_EQ(w.info, msginfo(ABI_FAULT_UNKNOWN_SYSCALL, 0, ABI_SYSFAULT_WORDS));
		for (unsigned r = 0; r < ABI_SYSFAULT_IP; r++)
			CHECK_EQ(s.msg[r], s.before[ABI_CTX_RAX + r]);
		CHECK_EQ(s.msg[ABI_SYSFAULT_RAX], 0xa0);
		CHECK_EQ(s.msg[ABI_SYSFAULT_IP], s.before[ABI_CTX_RIP]);
		CHECK_EQ(s.msg[ABI_SYSFAULT_SP], s.before[ABI_CTX_RSP]);
		CHECK_EQ(s.msg[ABI_SYSFAULT_FLAGS], s.before[ABI_CTX_RFLAGS]);
		CHECK_EQ(s.msg[ABI_SYSFAULT_NUMBER], (uint64_t)numbers[i]);
		/* Written back, and skipped. */
		w.mr[0] = 0xaaa;
		sel4_ipcbuf->msg[ABI_SYSFAULT_IP] = s.msg[ABI_SYSFAULT_IP] + 2;
		for (unsigned r = SEL4_MSG_REGS; r < ABI_SYSFAULT_IP; r++)
			sel4_ipcbuf->msg[r] = s.msg[r];
		sel4_ipcbuf->msg[5] = 0xddd; /* RDI */
		sel4_ipcbuf->msg[ABI_SYSFAULT_IP - 1] = 0xfff;
		watch_answer(&w, 0, ABI_SYSFAULT_IP + 1);
		CHECK_EQ(s.step, 2);
		CHECK_EQ(rax_after, 0xaaa);
		CHECK_EQ(rdi_after, 0xddd);
		CHECK_EQ(r15_after, 0xfff);
		CHECK_OK(kt_delete(w.t.tcb));
	}
}

static void syscall_answers(void)
{
	for (unsigned n = 0; n <= ABI_SYSFAULT_WORDS + 2; n++) {
		struct watched w = watch(unknown, (void *)(intptr_t)UNKNOWN_NUMBER);

		note(&w);
		for (unsigned i = 0; i < n; i++) {
			uint64_t v = 0x10000 + 16 * i;

			if (i == ABI_SYSFAULT_FLAGS)
				v = DOOMED_FLAGS | 0x44;
			*(i < SEL4_MSG_REGS ? &w.mr[i] : &sel4_ipcbuf->msg[i]) = v;
			if (i < ABI_SYSFAULT_IP)
				s.before[ABI_CTX_RAX + i] = v;
			else if (i == ABI_SYSFAULT_FLAGS)
				s.before[ABI_CTX_RFLAGS] = FIXED_FLAGS | 0x44;
			else if (i < ABI_SYSFAULT_FLAGS)
				s.before[ABI_CTX_RIP + i - ABI_SYSFAULT_IP] = v;
		}
		watch_answer(&w, 1, n); /* stays stopped */
		CHECK_OK(sel4_tcb_read_registers(w.t.tcb, 0, ABI_CTX_COUNT, s.after));
		for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
			CHECK_EQ(s.after[i], s.before[i]);
		CHECK_OK(kt_delete(w.t.tcb));
	}
}

/* INT n is a call that nobody knows: the vector in the number's top byte. */
static void interrupts_by_software(void *arg)
{
	(void)arg;
	__asm__ volatile("mov $0x123456, %%eax\n\tint $0xf0" ::
				 : "rax", "memory");
	s.step = 2;
	kt_stop();
}

static void software_interrupt(void)
{
	s.step = 1;
	struct watched w = watch(interrupts_by_software, NULL);
	note(&w);
	CHECK_EQ(w.info, msginfo(ABI_FAULT_UNKNOWN_SYSCALL, 0, ABI_SYSFAULT_WORDS));
	CHECK_EQ(s.msg[ABI_SYSFAULT_NUMBER], 0xfffffffff0123456ull);
	sel4_ipcbuf->msg[ABI_SYSFAULT_IP] = s.msg[ABI_SYSFAULT_IP] + 2;
	watch_answer(&w, 0, ABI_SYSFAULT_IP + 1);
	CHECK_EQ(s.step, 2);
}

/* Extension: every call is a fault, those that exist too. */
static void every_call_faults(void)
{
	struct watched w = watch(unknown, (void *)(intptr_t)UNKNOWN_NUMBER);

	note(&w);
	CHECK_OK(sel4_ext_tcb_set_syscall_fault(w.t.tcb, 1));
	w.mr[0] = 0;
	sel4_ipcbuf->msg[ABI_SYSFAULT_IP] = s.msg[ABI_SYSFAULT_IP] + 2;
	s.step = 1;
	watch_answer(&w, 0, ABI_SYSFAULT_IP + 1);
	CHECK_EQ(s.step, 2);
	note(&w); /* of its kt_stop */
	CHECK_EQ(s.msg[ABI_SYSFAULT_NUMBER], (uint64_t)ABI_SYS_WAIT);
	CHECK_EQ(sel4_ext_tcb_set_syscall_fault(w.t.tcb, 3), ABI_RANGE_ERROR);
}

static const struct kt_case cases[] = {
	{ "fault: exceptions of users", user_exceptions },
	{ "fault: a single step", single_step },
	{ "fault: answers to an exception, of every length", exception_answers },
	{ "fault: page faults", page_faults },
	{ "fault: the kernel's window", kernel_window },
	{ "fault: unknown system calls, registers written back", syscall_message },
	{ "fault: answers to an unknown system call, of every length", syscall_answers },
	{ "fault: interrupts by instruction", software_interrupt },
	{ "fault: every system call, by the extension", every_call_faults },
};
KT_GROUP(kt_fault_pc);
