/* Symbols of the linker script and of assembly. */
#pragma once

#include <arch/types.h>

/* --- kernel.ld: addresses --- */
extern char __kernel_start[], __text_end[], __rodata_end[], __kernel_end[];

/* --- start.S --- */
extern char kernel_stack_guard[]; /* a page, not mapped */
extern char kernel_stack_top[];
extern char panic_stack_top[]; /* of what may come at any time: NMI, double faults */

/* --- entry.S --- */
extern char syscall_entry[];
extern char vector_stubs[]; /* 256 of VECTOR_STUB_BYTES */
#define VECTOR_STUB_BYTES 16

/* --- guest.S: RDI is the thread, or where an exit arrives --- */
extern char guest_enter[], vmx_enter[], vmx_exit[];
