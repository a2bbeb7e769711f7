/* Start of the root task: the kernel gives boot information and no stack. */
#include "internal.h"

#include <selvage/rt_arch.h>

#define ROOT_STACK_BYTES 0x10000u

/* root.S starts at the end of it. */
_Alignas(64) char rt_root_stack[ROOT_STACK_BYTES];
char *const rt_root_stack_end = rt_root_stack + ROOT_STACK_BYTES;

_Noreturn void rt_start_root(const struct abi_bootinfo *info, void *tls_block)
{
	rt_arch_set_thread_pointer(rt_tls_init(tls_block));
	sel4_ipcbuf = (struct abi_ipcbuf *)info->ipc_buffer;
	rt_set_bootinfo(info);
	rt_run_constructors();
	main();
	rt_panic("main() returned");
}
