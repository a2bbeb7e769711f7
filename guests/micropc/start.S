/* Multiboot, with addresses since the image is raw; into long mode with the first 4 GiB
 * mapped one to one; exceptions end the attempt that caused them. */
#define MAGIC 0x1badb002
#define FLAGS 0x10003 /* pages, memory, addresses */
#define CODE32 0x08
#define CODE64 0x18

	.section .start, "ax"
	.code32
	.global _start
	.balign 4
header:
	.long MAGIC, FLAGS, -(MAGIC + FLAGS)
	.long header, header, load_end, bss_end, _start
_start:
	cli
	cld
	mov %ebx, boot_info
	mov $directories, %edi
	mov $0x83, %eax /* a page of 2 MiB */
	mov $2048, %ecx
1:	mov %eax, (%edi)
	movl $0, 4(%edi)
	add $0x200000, %eax
	add $8, %edi
	loop 1b
	mov $2f, %ebx

	.global long_mode
long_mode: /* to EBX; without paging so far */
	lgdt gdt_pointer
	mov $0x620, %eax /* PAE, OSFXSR, OSXMMEXCPT */
	mov %eax, %cr4
	mov $root, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	mov $0x100, %eax
	xor %edx, %edx
	wrmsr
	mov $0x80010033, %eax
	mov %eax, %cr0
	ljmp $CODE64, $1f
	.code64
1:	mov %ebx, %ebx
	jmp *%rbx
2:	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	mov $stack_top, %esp
	call idt_fill
	lidt idt_pointer
	fninit
	call main
	call pc_off
3:	hlt
	jmp 3b

/* unsigned attempt(void (*f)(uint64_t), uint64_t a): NO_TRAP, or the vector that ended it. */
	.text
	.global attempt, trap_entries
attempt:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, attempt_stack
	mov %rdi, %rax
	mov %rsi, %rdi
	call *%rax
	mov $0x100, %eax
back:	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	cld
	ret

/* 256 entries of 16 bytes; those with an error code have one word more. */
	.balign 16
trap_entries:
	.set vector, 0
	.rept 256
	.balign 16
	.if !((vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17))
	push $0
	.endif
	push $vector
	jmp trap
	.set vector, vector + 1
	.endr
	.balign 16
trap:
	cli
	push %rax
	mov 8(%rsp), %rax
	mov %rax, trap_vector
	mov 16(%rsp), %rax
	mov %rax, trap_error
	mov 24(%rsp), %rax
	mov %rax, trap_rip
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov trap_vector, %eax
	.global attempt_ends
attempt_ends: /* by vector EAX */
	mov attempt_stack, %rsp
	jmp back

	.data
	.balign 16
	.global gdt, gdt_pointer, idt_pointer, root
gdt:	.quad 0
	.quad 0x00cf9b000000ffff /* 08: 32 bits */
	.quad 0x00cf93000000ffff /* 10: data */
	.quad 0x00af9b000000ffff /* 18: 64 bits */
	.quad 0x00009b000000ffff /* 20: 16 bits */
	.quad 0x000093000000ffff /* 28: data of 16 bits */
	.quad 0x0000890010000067 /* 30: a task of 32 bits at 0x1000 */
	.fill 11, 8, 0 /* 38 and on: random.c */
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.quad gdt
idt_pointer:
	.word 0xfff
	.quad idt
	.balign 4096
root:	.quad level3 + 7
	.fill 511, 8, 0
level3:	.quad directories + 7, directories + 0x1007, directories + 0x2007, directories + 0x3007
	.fill 508, 8, 0
	.bss
	.balign 4096
directories: .skip 0x4000
	.balign 16
	.skip 8192
stack_top:
	.global idt, boot_info, trap_vector, trap_error, trap_rip
idt:	.skip 4096
attempt_stack: .skip 8
trap_vector: .skip 8
trap_error: .skip 8
trap_rip: .skip 8
boot_info: .skip 8
	.section .note.GNU-stack, "", @progbits
