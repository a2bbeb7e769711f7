/* Between the files of lib/rt. */
#pragma once

#include <selvage/procinfo.h>
#include <selvage/rt.h>

/* The linker script's numbers: their addresses are the values. */
extern const char __tls_image[], __tls_image_bytes[], __tls_bytes[];
extern const char __tls_align[], __tls_block_bytes[];

/* Fills a TLS block; returns the thread pointer. */
uintptr_t rt_tls_init(void *block);
void rt_run_constructors(void);
void rt_set_bootinfo(const struct abi_bootinfo *info);

/* Entered by start.S, root.S and thread.S. */
_Noreturn void rt_start_process(const struct procinfo *info, void *tls_block);
_Noreturn void rt_start_root(const struct abi_bootinfo *info, void *tls_block);
_Noreturn void rt_thread_main(void (*entry)(void *), void *arg,
			      struct abi_ipcbuf *ipcbuf);
void rt_thread_entry(void);

extern char rt_root_stack[];
extern char *const rt_root_stack_end;

int main(void);
