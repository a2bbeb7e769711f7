/*
 * Into any mode, with any registers, and back: random.c. What is needed below 1 MiB is copied to
 * REAL; struct state (random.c) is at STATE. An exception in the new mode ends the attempt.
 */
#define REAL 0x7000
#define STATE 0x7800
#define RIP 128
#define CS 136
#define FLAGS 144
#define SS 152
#define DS 160
#define CR0 168
#define CR3 176
#define CR4 184
#define IDT 192
#define KIND 208
#define VECTOR 216
#define GDT 224

	.text
	.code64
	.global enter, enter_stub
enter:
	cmpl $0, STATE + KIND
	jne legacy
	mov STATE + CR4, %rax
	mov %rax, %cr4
	mov STATE + CR3, %rax
	mov %rax, %cr3
	mov STATE + DS, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	push STATE + SS
	push STATE + 32
	push STATE + FLAGS
	push STATE + CS
	push STATE + RIP
	mov STATE, %rax
	mov STATE + 8, %rcx
	mov STATE + 16, %rdx
	mov STATE + 24, %rbx
	mov STATE + 40, %rbp
	mov STATE + 48, %rsi
	mov STATE + 56, %rdi
	mov STATE + 64, %r8
	mov STATE + 72, %r9
	mov STATE + 80, %r10
	mov STATE + 88, %r11
	mov STATE + 96, %r12
	mov STATE + 104, %r13
	mov STATE + 112, %r14
	mov STATE + 120, %r15
	iretq
legacy:
	push $0x08
	push $1f
	lretq
	.code32
1:	mov %cr0, %eax
	and $0x7fffffff, %eax
	mov %eax, %cr0
	mov $0xc0000080, %ecx
	xor %eax, %eax
	xor %edx, %edx
	wrmsr
	mov STATE + CR4, %eax
	mov %eax, %cr4
	mov STATE + CR3, %eax
	mov %eax, %cr3
	lidt STATE + IDT
	cmpl $2, STATE + KIND
	je 3f
	mov STATE + CR0, %eax
	mov %eax, %cr0
	mov STATE + 32, %esp
	cmpl $0x10, STATE + SS /* at privilege level 0 it stays as it is */
	je 2f
	push STATE + SS
	push STATE + 32
2:	push STATE + FLAGS
	push STATE + CS
	push STATE + RIP
	mov STATE + DS, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %cs:STATE, %eax
	mov %cs:STATE + 8, %ecx
	mov %cs:STATE + 16, %edx
	mov %cs:STATE + 24, %ebx
	mov %cs:STATE + 40, %ebp
	mov %cs:STATE + 48, %esi
	mov %cs:STATE + 56, %edi
	iretl
3:	mov $0x28, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	ljmp $0x20, $0 /* real_code, at REAL */

/* One of 256 that are written for the gates of 32 bits: PUSH vector, JMP here. */
enter_stub:
	cli
	mov (%esp), %ebx
	mov $0x10, %eax
	mov %eax, %ds
	mov %ebx, STATE + VECTOR
back32:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %cr0, %eax
	and $0x7fffffff, %eax
	mov %eax, %cr0
	mov $1f, %ebx
	jmp long_mode
	.code64
1:	lidt idt_pointer
	mov STATE + VECTOR, %rax
	jmp attempt_ends

	.section .rodata
	.code16
	.global real_code, real_code_end
real_code:
	mov %cr0, %eax
	and $~1, %al
	mov %eax, %cr0
	ljmp $REAL >> 4, $1f - real_code
1:	mov $REAL >> 4, %ax
	mov %ax, %ds
	mov 0x800 + SS, %ss
	mov 0x800 + 32, %esp
	pushw 0x800 + FLAGS
	pushw 0x800 + CS
	pushw 0x800 + RIP
	mov 0x800 + 8, %ecx
	mov 0x800 + 16, %edx
	mov 0x800 + 24, %ebx
	mov 0x800 + 40, %ebp
	mov 0x800 + 48, %esi
	mov 0x800 + 56, %edi
	mov 0x800, %eax
	mov 0x800 + DS, %es
	mov 0x800 + DS, %ds
	iretw
/* Vector N comes with CS (REAL + 0x400) / 16 - N and IP 16 * N. */
	.org real_code + 0x400
	cli
	mov %cs, %bx
	mov $REAL >> 4, %ax
	mov %ax, %ds
	mov $(REAL + 0x400) >> 4, %ax
	sub %bx, %ax
	movzwl %ax, %eax
	mov %eax, 0x800 + VECTOR
	lgdtl 0x800 + GDT
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $0x08, $back32
real_code_end:
	.section .note.GNU-stack, "", @progbits
