/* System calls that only a kernel for benchmarks has (make BENCHMARK=1). */
#include <kernel/benchmark.h>

#include <abi/error.h>
#include <abi/object.h>
#include <abi/syscall.h>
#include <kernel/arch.h>
#include <kernel/cnode.h>
#include <kernel/tcb.h>

static bool has_buffer;

/* A large frame of ordinary memory, as seL4 asks for. Nothing is written to
 * it: this kernel has no trace points (the extension SET_TRACE is its own). */
static word_t set_log_buffer(const struct tcb *t)
{
	struct lookup_failure f;
	struct slot *s = cnode_lookup(t, arch_cap_reg(t), &f);

	if (!s || !arch_cap_is_ipc_frame(s->cap) ||
	    arch_cap_size_bits(s->cap) != ABI_LARGE_PAGE_BITS)
		return ABI_INVALID_CAPABILITY;
	has_buffer = true;
	return ABI_OK;
}

bool benchmark_syscall(struct tcb *t, int64_t nr)
{
	switch (nr) {
	case ABI_SYS_BENCHMARK_FLUSH_CACHES:
		arch_flush_caches();
		return true;
	case ABI_SYS_BENCHMARK_RESET_LOG:
		arch_set_badge_reg(t, has_buffer ? ABI_OK : ABI_ILLEGAL_OPERATION);
		return true;
	case ABI_SYS_BENCHMARK_FINALIZE_LOG:
		arch_set_badge_reg(t, 0); /* entries in the log */
		return true;
	case ABI_SYS_BENCHMARK_SET_LOG_BUFFER:
		arch_set_badge_reg(t, set_log_buffer(t));
		return true;
	case ABI_SYS_BENCHMARK_NULL_SYSCALL:
		return true;
	default:
		return false;
	}
}
