/* Start of a process that init made. */
#include "internal.h"

#include <selvage/rt_arch.h>

_Static_assert(PROC_STACK_TOP == 0x11000000, "start.S has this number");

_Noreturn void rt_start_process(const struct procinfo *info, void *tls_block)
{
	rt_arch_set_thread_pointer(rt_tls_init(tls_block));
	sel4_ipcbuf = (struct abi_ipcbuf *)(uintptr_t)PROC_IPCBUF_BASE;
	if (info != procinfo_get() || info->magic != PROCINFO_MAGIC ||
	    info->version != PROCINFO_VERSION)
		rt_panic("start: no procinfo of this version");
	rt_set_heap((void *)(uintptr_t)PROC_HEAP_BASE, info->heap_bytes);
	rt_run_constructors();
	main();
	rt_panic("main() returned");
}
