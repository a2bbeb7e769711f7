/* System calls for benchmarks (make BENCHMARK=1); elsewhere they are unknown. */
#include "kt.h"

#define FIRST ABI_SYS_BENCHMARK_FLUSH_CACHES
#define LAST (-29) /* of those for utilisation, which no build has */

static volatile uint64_t result;
static int64_t number;

static uint64_t benchmark_call(int64_t nr, uint64_t arg)
{
	register uint64_t x0 __asm__("x0") = arg;
	register int64_t x7 __asm__("x7") = nr;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x7)
			 : "memory");
	return x0;
}

static void caller(void *arg)
{
	(void)arg;
	result = benchmark_call(number, 1);
	kt_stop();
}

/* A call that does not exist is the thread's fault. */
static bool faults(int64_t nr)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	struct kt_thread t = kt_thread(0, caller, NULL, KT_HIGH, ep, true);
	uint64_t badge, mr[SEL4_MSG_REGS];
	msginfo_t info;

	number = nr;
	result = ~0ull;
	CHECK_OK(sel4_tcb_resume(t.tcb));
	if (result != ~0ull)
		return false;
	info = sel4_recv(ep, &badge, mr, kt_make(ABI_OBJ_REPLY, 0));
	CHECK_EQ(msginfo_label(info), ABI_FAULT_UNKNOWN_SYSCALL);
	return true;
}

static void which_there_are(void)
{
	for (int64_t nr = FIRST; nr >= LAST; nr--)
		CHECK_EQ(faults(nr), !SELVAGE_BENCHMARK || nr < ABI_SYS_BENCHMARK_NULL_SYSCALL);
}

static void log_buffer(void)
{
	cap_t large = kt_make(ABI_OBJ_LARGE_PAGE, 0);

	if (!SELVAGE_BENCHMARK)
		return;
	CHECK_EQ(benchmark_call(ABI_SYS_BENCHMARK_RESET_LOG, 0), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(benchmark_call(ABI_SYS_BENCHMARK_SET_LOG_BUFFER, kt_make(ABI_OBJ_SMALL_PAGE, 0)),
		 ABI_INVALID_CAPABILITY);
	CHECK_EQ(benchmark_call(ABI_SYS_BENCHMARK_SET_LOG_BUFFER, kt_slot()),
		 ABI_INVALID_CAPABILITY);
	CHECK_EQ(benchmark_call(ABI_SYS_BENCHMARK_SET_LOG_BUFFER, large), ABI_OK);
	CHECK_EQ(benchmark_call(ABI_SYS_BENCHMARK_RESET_LOG, 0), ABI_OK);
	CHECK_EQ(benchmark_call(ABI_SYS_BENCHMARK_FINALIZE_LOG, 7), 0);
	CHECK_EQ(benchmark_call(ABI_SYS_BENCHMARK_NULL_SYSCALL, 7), 7);
	(void)benchmark_call(ABI_SYS_BENCHMARK_FLUSH_CACHES, 0);
}

static const struct kt_case cases[] = {
	{ "benchmark: which calls there are", which_there_are },
	{ "benchmark: log buffer", log_buffer },
};
KT_GROUP(kt_benchmark);
