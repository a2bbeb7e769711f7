/*
 * A bare guest for PCs: a raw Multiboot image that goes on to long mode, with the
 * first 4 GiB mapped one to one in pages of 2 MiB, and calls micro_main(info).
 */
#define MAGIC 0x1badb002
#define FLAGS 0x10003 /* pages, memory, addresses */
#define CR0_PG_PE 0x80000001
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define PRESENT_WRITABLE 3
#define LARGE 0x80

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
	movl $tables + PRESENT_WRITABLE + 0x1000, tables
	movl $4, %ecx
1:	movl %ecx, %eax
	shll $12, %eax
	addl $tables + PRESENT_WRITABLE + 0x1000, %eax
	movl %eax, tables + 0x1000 - 8(, %ecx, 8)
	loop 1b
	movl $4 * 512, %ecx
	movl $LARGE + PRESENT_WRITABLE, %eax
	movl $tables + 0x2000, %edi
2:	movl %eax, (%edi)
	addl $8, %edi
	addl $0x200000, %eax
	loop 2b
	movl $tables, %eax
	movl %eax, %cr3
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $MSR_EFER, %ecx
	movl $EFER_LME, %eax
	xorl %edx, %edx
	wrmsr
	movl $CR0_PG_PE, %eax
	movl %eax, %cr0
	lgdt gdt_pointer
	ljmp $0x08, $3f
	.code64
3:	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $stack_top, %esp
	movl %ebx, %edi
	call micro_main
4:	hlt
	jmp 4b

	.data
	.balign 8
gdt:	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	.word . - gdt - 1
	.long gdt
	.bss
	.balign 4096
tables:
	.skip 6 * 4096
	.skip 8192
stack_top:
	.section .note.GNU-stack, "", @progbits
