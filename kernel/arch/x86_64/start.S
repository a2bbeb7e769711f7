/* From the loader, in long mode on its page tables: RDI is what it hands over. */
#include <arch/offsets.h>

.text
.global kernel_start
kernel_start:
	lea	kernel_stack_top(%rip), %rsp
	call	arch_boot
	mov	%rax, %rdi
	jmp	return_to_user

.section .bss
.balign 4096
/* mmu.c leaves the page below the stack out: an overflow is a panic. */
.global kernel_stack_guard, kernel_stack_top, panic_stack_top
kernel_stack_guard:
	.skip	4096
	.skip	KERNEL_STACK_BYTES
kernel_stack_top:
	.skip	8192
panic_stack_top:
