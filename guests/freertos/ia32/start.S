/* Multiboot: the header, with addresses, since the image is raw; then a table of
 * segments of our own (that of the boot loader need not be there), a stack, main. */
#define MAGIC 0x1badb002
#define FLAGS 0x10003 /* pages, memory, addresses */

	.section .start, "ax"
	.global _start
	.balign 4
header:
	.long MAGIC, FLAGS, -(MAGIC + FLAGS)
	.long header, header, load_end, bss_end, _start
_start:
	cli
	cld
	/* What main tells about it. */
	movl %eax, boot_eax
	movl %ebx, boot_ebx
	orl %edx, %ecx
	orl %esi, %ecx
	orl %edi, %ecx
	orl %ebp, %ecx
	movl %ecx, boot_others
	lgdt gdt_pointer
	ljmp $0x08, $1f
1:	movw $0x10, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %fs
	movw %ax, %gs
	movw %ax, %ss
	movl $stack_top, %esp
	/* The FPU: no emulation, no task switch pending. */
	movl %cr0, %eax
	andl $~0xc, %eax
	orl $0x22, %eax
	movl %eax, %cr0
	fninit
	call main
2:	hlt
	jmp 2b

	.data
	.balign 8
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	.word . - gdt - 1
	.long gdt
	.global boot_eax, boot_ebx, boot_others
boot_eax: .long 0
boot_ebx: .long 0
boot_others: .long 0
	.bss
	.balign 16
	.skip 4096
stack_top:
	.section .note.GNU-stack, "", @progbits
