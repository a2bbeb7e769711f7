/*
 * First instructions of a thread made by rt_thread_prepare():
 * x0 entry, x1 argument, x2 IPC buffer, x3 thread pointer; SP is set.
 */
	.section .text.rt_thread_entry, "ax"
	.global rt_thread_entry
	.type rt_thread_entry, %function
rt_thread_entry:
	mov	x29, xzr
	mov	x30, xzr
	msr	tpidr_el0, x3
	b	rt_thread_main
	.size rt_thread_entry, . - rt_thread_entry
