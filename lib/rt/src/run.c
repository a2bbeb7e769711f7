/* What every start-up shares: constructors, threads, the end. */
#include "internal.h"

#include <selvage/rt_arch.h>
#include <string.h>

extern void (*const __init_array_start[])(void);
extern void (*const __init_array_end[])(void);

static void (*panic_output)(const char *text);
static const struct abi_bootinfo *bootinfo;

void rt_set_bootinfo(const struct abi_bootinfo *info)
{
	bootinfo = info;
}

const struct abi_bootinfo *rt_bootinfo(void)
{
	return bootinfo;
}

void rt_run_constructors(void)
{
	for (void (*const *f)(void) = __init_array_start;
	     f < __init_array_end; f++)
		(*f)();
}

void rt_thread_prepare(uint64_t regs[ABI_CTX_COUNT], void *stack_top,
		       void *ipcbuf, void (*entry)(void *), void *arg)
{
	uintptr_t block = ((uintptr_t)stack_top - rt_tls_bytes()) &
			  ~(uintptr_t)63;

	memset(regs, 0, ABI_CTX_COUNT * sizeof(regs[0]));
	regs[ABI_CTX_PC] = (uintptr_t)rt_thread_entry;
	regs[ABI_CTX_SP] = block;
	regs[RT_ARCH_ARG0] = (uintptr_t)entry;
	regs[RT_ARCH_ARG1] = (uintptr_t)arg;
	regs[RT_ARCH_ARG2] = (uintptr_t)ipcbuf;
	regs[RT_ARCH_ARG3] = rt_tls_init((void *)block);
}

_Noreturn void rt_thread_main(void (*entry)(void *), void *arg,
			      struct abi_ipcbuf *ipcbuf)
{
	sel4_ipcbuf = ipcbuf;
	entry(arg);
	rt_panic("thread entry returned");
}

void rt_set_panic_output(void (*output)(const char *text))
{
	panic_output = output;
}

_Noreturn void rt_panic(const char *text)
{
	void (*output)(const char *) = panic_output;

	panic_output = NULL; /* a crash inside it does not come back here */
	if (output)
		output(text);
	rt_arch_crash(text);
}
