/*
 * First instructions of a thread made by rt_thread_prepare():
 * RDI entry, RSI argument, RDX IPC buffer, RCX thread pointer; RSP is set.
 */
	.section .text.rt_thread_entry, "ax"
	.global rt_thread_entry
	.type rt_thread_entry, %function
rt_thread_entry:
	xor	%ebp, %ebp
	wrfsbase %rcx
	call	rt_thread_main
	ud2
	.size rt_thread_entry, . - rt_thread_entry

	.section .note.GNU-stack, "", %progbits
