/* Registers of threads: contexts, FS and GS bases, x87 and SSE. */
#include "pc_tests.h"

#define NOT_CANONICAL (1ull << 47)

static struct {
	cap_t wake[2];
	volatile uint64_t seen[2], rounds[2];
	uint64_t regs[ABI_CTX_COUNT], again[ABI_CTX_COUNT];
} s;

/* --- contexts --- */

static void all_registers(void)
{
	cap_t t = kt_make(ABI_OBJ_TCB, 0);

	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		s.regs[i] = 0x1000 * (i + 1);
	s.regs[ABI_CTX_RFLAGS] = 0xcd7;
	CHECK_OK(sel4_tcb_write_registers(t, 0, ABI_CTX_COUNT, s.regs));
	CHECK_OK(sel4_tcb_read_registers(t, 0, ABI_CTX_COUNT, s.again));
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		CHECK_EQ(s.again[i], i == ABI_CTX_RFLAGS ? 0xed7 : s.regs[i]);
	for (unsigned n = 1; n < ABI_CTX_COUNT; n++) {
		s.regs[n - 1] = n == 3 ? 0x202 : 7 * n;
		CHECK_OK(sel4_tcb_write_registers(t, 0, n, s.regs));
		CHECK_OK(sel4_tcb_read_registers(t, 0, ABI_CTX_COUNT, s.again));
		CHECK_EQ(s.again[n - 1], s.regs[n - 1]);
		if (n != 2)
			CHECK_EQ(s.again[n], 0x1000 * (n + 1));
	}
	CHECK_ERROR2(sel4_tcb_read_registers(t, 0, ABI_CTX_COUNT + 1, s.again), ABI_RANGE_ERROR, 1,
		     ABI_CTX_COUNT);
	CHECK_ERROR2(sel4_tcb_read_registers(t, 0, 0, s.again), ABI_RANGE_ERROR, 1, ABI_CTX_COUNT);
}

/* What would stop the kernel on its way back, or give a user what is not his. */
static void made_safe(void)
{
	cap_t t = kt_make(ABI_OBJ_TCB, 0);

	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		s.regs[i] = ~0ull;
	s.regs[ABI_CTX_RIP] = s.regs[ABI_CTX_FS_BASE] = s.regs[ABI_CTX_GS_BASE] = NOT_CANONICAL;
	CHECK_OK(sel4_tcb_write_registers(t, 0, ABI_CTX_COUNT, s.regs));
	CHECK_OK(sel4_tcb_read_registers(t, 0, ABI_CTX_COUNT, s.again));
	CHECK_EQ(s.again[ABI_CTX_RIP], 0);
	CHECK_EQ(s.again[ABI_CTX_FS_BASE], 0);
	CHECK_EQ(s.again[ABI_CTX_GS_BASE], 0);
	CHECK_EQ(s.again[ABI_CTX_RFLAGS], 0xed7);
	CHECK_EQ(s.again[ABI_CTX_RSP], ~0ull);
}

/* Runs at addresses where nothing is, with every register as bad as it can be. */
static void runs_nowhere(void)
{
	static const uint64_t at[] = { 0, NOT_CANONICAL - 1, NOT_CANONICAL, ~NOT_CANONICAL + 1,
				       ABI_USER_TOP, ~0ull, ~0ull << 47 };

	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct watched w = watch((void (*)(void *))(1ull << 32), NULL);

		CHECK(watch_faulted(&w));
		for (unsigned r = 0; r < ABI_CTX_COUNT; r++)
			s.regs[r] = at[i];
		CHECK_OK(sel4_tcb_write_registers(w.t.tcb, 1, ABI_CTX_COUNT, s.regs));
		CHECK(watch_faulted(&w));
		CHECK_OK(kt_delete(w.t.tcb));
	}
}

/* A register of each kind that a system call and an interrupt must keep. */
static void keeps_registers(void *arg)
{
	uint64_t bad = 0;

	(void)arg;
	for (;;) {
		__asm__ volatile("mov $0x11, %%rax\n\tmov $0x15, %%rbp\n\tmov $0x1e, %%r14\n\t"
				 "mov %1, %%rdx\n\txor %%edi, %%edi\n\txor %%esi, %%esi\n\t"
				 "syscall\n\t"
				 "xor $0x11, %%rax\n\txor $0x15, %%rbp\n\txor $0x1e, %%r14\n\t"
				 "or %%rbp, %%rax\n\tor %%r14, %%rax\n\tmov %%rax, %0"
				 : "=&b"(bad)
				 : "i"(ABI_SYS_YIELD)
				 : "rax", "rbp", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
				   "r11", "r14", "r15", "memory");
		s.seen[0] |= bad;
		s.rounds[0]++;
	}
}

static void over_calls(void)
{
	s.seen[0] = s.rounds[0] = 0;
	(void)kt_start(0, keeps_registers, NULL, KT_PRIO);
	for (unsigned i = 0; i < 20; i++)
		sel4_yield();
	CHECK(s.rounds[0] > 2);
	CHECK_EQ(s.seen[0], 0);
}

/* --- FS and GS --- */

static void tls_base(void)
{
	cap_t t = kt_make(ABI_OBJ_TCB, 0);
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	CHECK_EQ(sel4_invoke(t, ABI_INV_TCB_SET_TLS_BASE, 0, 0, mr), ABI_TRUNCATED_MESSAGE);
	CHECK_OK(sel4_tcb_set_tls_base(t, NOT_CANONICAL - 1));
	CHECK_ERROR1(sel4_tcb_set_tls_base(t, NOT_CANONICAL), ABI_INVALID_ARGUMENT, 0);
	CHECK_ERROR1(sel4_tcb_set_tls_base(t, 1ull << 63), ABI_INVALID_ARGUMENT, 0);
	CHECK_OK(sel4_tcb_read_registers(t, 0, ABI_CTX_COUNT, s.regs));
	CHECK_EQ(s.regs[ABI_CTX_FS_BASE], NOT_CANONICAL - 1);
	CHECK_EQ(s.regs[ABI_CTX_GS_BASE], 0);
	CHECK_OK(sel4_tcb_set_tls_base(t, 0xffff800000000000ull));
	/* One's own: at once. */
	uint64_t fs, now;
	__asm__ volatile("rdfsbase %0"
			 : "=r"(fs));
	CHECK_OK(sel4_tcb_set_tls_base(ABI_ROOT_TCB, 0x123456000));
	__asm__ volatile("rdfsbase %0"
			 : "=r"(now));
	CHECK_OK(sel4_tcb_set_tls_base(ABI_ROOT_TCB, fs));
	CHECK_EQ(now, 0x123456000);
}

/* Each has bases of its own, which it writes without the kernel. */
static void has_bases(void *arg)
{
	uint64_t id = (uint64_t)arg, fs, gs;

	for (uint64_t i = 1;; i++) {
		__asm__ volatile("wrfsbase %0\n\twrgsbase %1" ::"r"(0x1000 * i + id),
				 "r"(0x100000 * i + id));
		__asm__ volatile("" ::
					 : "memory");
		s.rounds[id] = i;
		(void)sel4_wait(s.wake[id]);
		__asm__ volatile("rdfsbase %0\n\trdgsbase %1"
				 : "=r"(fs), "=r"(gs));
		if (fs != 0x1000 * i + id || gs != 0x100000 * i + id)
			s.seen[id]++;
	}
}

static void bases_are_kept(void)
{
	struct kt_thread t[2];

	for (unsigned i = 0; i < 2; i++) {
		s.wake[i] = kt_make(ABI_OBJ_NOTIFICATION, 0);
		s.seen[i] = s.rounds[i] = 0;
		t[i] = kt_start(i, has_bases, (void *)(uintptr_t)i, KT_HIGH);
	}
	for (unsigned i = 0; i < 20; i++)
		sel4_signal(s.wake[i % 3 % 2]);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(s.rounds[i] > 3);
		CHECK_EQ(s.seen[i], 0);
		CHECK_OK(sel4_tcb_read_registers(t[i].tcb, 0, ABI_CTX_COUNT, s.regs));
		CHECK_EQ(s.regs[ABI_CTX_FS_BASE], 0x1000 * s.rounds[i] + i);
		CHECK_EQ(s.regs[ABI_CTX_GS_BASE], 0x100000 * s.rounds[i] + i);
	}
	/* Copied with the integer registers; the source's are in use or not. */
	cap_t copy = kt_make(ABI_OBJ_TCB, 0);
	CHECK_OK(sel4_tcb_copy_registers(copy, t[1].tcb, 8));
	CHECK_OK(sel4_tcb_read_registers(copy, 0, ABI_CTX_COUNT, s.again));
	CHECK_EQ(s.again[ABI_CTX_GS_BASE], s.regs[ABI_CTX_GS_BASE]);
	CHECK_EQ(s.again[ABI_CTX_RBX], 0);
}

/* --- x87 and SSE --- */

/* XMM15, MXCSR, and the depth of x87's stack, which is to be as at the start. */
static void has_fpu(void *arg)
{
	uint64_t id = (uint64_t)arg, got;
	uint32_t mxcsr;
	uint16_t status;

	__asm__ volatile("stmxcsr %0\n\tfnstsw %1\n\tmovq %%xmm15, %2"
			 : "=m"(mxcsr), "=m"(status), "=r"(got));
	if (mxcsr != 0x1f80 || status || got)
		s.seen[id] += 1000;
	for (uint64_t i = 1;; i++) {
		uint32_t set = 0x1f80 | (uint32_t)(id << 13) /* rounding */, now;

		__asm__ volatile("ldmxcsr %1\n\tmovq %0, %%xmm15\n\t"
				 "fninit\n\tfld1" ::"r"(i * 3 + id),
				 "m"(set));
		s.rounds[id] = i;
		(void)sel4_wait(s.wake[id]);
		__asm__ volatile("movq %%xmm15, %0\n\tstmxcsr %1\n\tfnstsw %2"
				 : "=r"(got), "=m"(now), "=m"(status));
		if (got != i * 3 + id || now != set || status >> 11 != 7)
			s.seen[id]++;
	}
}

static void fpu_is_kept(void)
{
	for (unsigned i = 0; i < 2; i++) {
		s.wake[i] = kt_make(ABI_OBJ_NOTIFICATION, 0);
		s.seen[i] = s.rounds[i] = 0;
		(void)kt_start(i, has_fpu, (void *)(uintptr_t)i, KT_HIGH);
	}
	for (unsigned i = 0; i < 30; i++)
		sel4_signal(s.wake[i % 3 % 2]);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(s.rounds[i] > 3);
		CHECK_EQ(s.seen[i], 0);
	}
	/* A new thread in an old one's place begins with clear registers. */
	s.seen[0] = 0;
	(void)kt_start(2, has_fpu, NULL, KT_HIGH);
	CHECK_EQ(s.seen[0], 0);
}

/* Switched off it is an exception; on again it goes on where it was. */
static void fpu_disabled(void)
{
	uint64_t flags = 9;

	s.wake[0] = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.seen[0] = s.rounds[0] = 0;
	struct watched w = watch(has_fpu, NULL);
	CHECK_EQ(s.rounds[0], 1);
	CHECK_OK(sel4_tcb_set_flags(w.t.tcb, 0, 1, &flags));
	CHECK_EQ(flags, 1);
	sel4_signal(s.wake[0]);
	CHECK(watch_faulted(&w));
	CHECK_EQ(msginfo_label(w.info), ABI_FAULT_USER_EXCEPTION);
	CHECK_EQ(w.mr[ABI_EXCFAULT_NUMBER], 7);
	CHECK_OK(sel4_tcb_set_flags(w.t.tcb, 1, 0, &flags));
	CHECK_EQ(flags, 0);
	watch_answer(&w, 0, 0);
	CHECK_EQ(s.rounds[0], 2);
	CHECK_EQ(s.seen[0], 0);
	CHECK_OK(sel4_tcb_set_flags(w.t.tcb, ~0ull, ~1ull, &flags));
	CHECK_EQ(flags, 0);
}

/* AVX is not switched on: its registers would not be kept. */
static void uses_avx(void *arg)
{
	(void)arg;
	__asm__ volatile("vxorps %ymm1, %ymm1, %ymm1");
	kt_stop();
}

static void no_avx(void)
{
	struct watched w = watch(uses_avx, NULL);

	CHECK(watch_faulted(&w));
	CHECK_EQ(w.mr[ABI_EXCFAULT_NUMBER], 6);
}

static const struct kt_case cases[] = {
	{ "registers: all of them, as many as asked for", all_registers },
	{ "registers: values that are made safe", made_safe },
	{ "registers: a thread that runs nowhere", runs_nowhere },
	{ "registers: what a call keeps", over_calls },
	{ "registers: SetTLSBase", tls_base },
	{ "registers: FS and GS bases over switches", bases_are_kept },
	{ "registers: x87 and SSE over switches", fpu_is_kept },
	{ "registers: the FPU switched off and on", fpu_disabled },
	{ "registers: no AVX", no_avx },
};
KT_GROUP(kt_registers_pc);
