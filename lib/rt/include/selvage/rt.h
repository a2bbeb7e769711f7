/*
 * The run time of a process: start-up, threads, the end.
 *
 * A process links `rt`; its `int main(void)` runs with stack, TLS, IPC buffer
 * and heap set up. The root task and on-target tests link `rt_root` before
 * `rt`: the same, but started by the kernel with boot information.
 */
#pragma once

#include <abi/bootinfo.h>
#include <abi/regs.h>
#include <selvage/sel4.h>
#include <stddef.h>
#include <stdint.h>

/* Root task only (NULL elsewhere). */
const struct abi_bootinfo *rt_bootinfo(void);

/* Gives malloc() its memory; a process gets procinfo's heap before main().
 * Call before the first malloc(). malloc() is for one thread. */
void rt_set_heap(void *start, size_t bytes);

/*
 * A further thread. rt_thread_prepare() builds a TLS block at the top of the
 * stack and fills the registers for TCB_WriteRegisters, with which the caller
 * starts the thread when it likes: entry(arg) runs with sel4_ipcbuf set. The
 * stack's top is 16-byte aligned and loses rt_tls_bytes() to the TLS block.
 * entry does not return (if it does, the process crashes).
 */
void rt_thread_prepare(uint64_t regs[ABI_CTX_COUNT], void *stack_top,
		       void *ipcbuf, void (*entry)(void *), void *arg);
size_t rt_tls_bytes(void);

/*
 * Says `text` in the log (if the process has one) and dies by an undefined
 * instruction, which init reports with registers and symbol.
 */
_Noreturn void rt_panic(const char *text);
/* Set by lib/ipc: where rt_panic() puts its text. */
void rt_set_panic_output(void (*output)(const char *text));
