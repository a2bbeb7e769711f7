/*
 * From the boot loader, by Multiboot 1 or 2: 32-bit protected mode, paging off,
 * EAX the magic number, EBX the information. The addresses in the headers let a
 * loader take the image as it is, whatever its format.
 */
#include <arch/offsets.h>
#include <arch/window.h>

#define HEADER_MAGIC 0x1badb002
#define HEADER_FLAGS 0x00010003 /* pages, memory information, addresses */
#define HEADER_2_MAGIC 0xe85250d6
#define HEADER_2_BYTES (header_2_end - multiboot_header_2)

.section .head, "ax"
.balign 8
.global multiboot_header
multiboot_header:
	.long	HEADER_MAGIC, HEADER_FLAGS, -(HEADER_MAGIC + HEADER_FLAGS)
	.long	multiboot_header, __load_start, __load_end, __kernel_phys_end, _start
/* Of version 2, which has the RSDP for who was started by UEFI. */
.balign 8
.global multiboot_header_2
multiboot_header_2:
	.long	HEADER_2_MAGIC, 0, HEADER_2_BYTES, -(HEADER_2_MAGIC + HEADER_2_BYTES)
	.short	2, 0                    /* addresses */
	.long	24, multiboot_header_2, __load_start, __load_end, __kernel_phys_end
	.short	3, 0                    /* entry */
	.long	12, _start, 0
	.short	6, 0                    /* modules at pages */
	.long	8
	.short	0, 0
	.long	8
header_2_end:

.code32
.global _start
_start:
	cli
	cld
	mov	$stack_top, %esp
	mov	%eax, %edi
	mov	%ebx, %esi
	/* 4 GiB in pages of 1 GiB, one-to-one and in the window. */
	mov	$0x80000001, %eax
	cpuid
	test	$(1 << 26), %edx
	jz	no_huge_pages
	mov	$boot_pdpt, %ecx
	movl	$0x083, (%ecx)
	movl	$0x40000083, 8(%ecx)
	movl	$0x80000083, 16(%ecx)
	movl	$0xc0000083, 24(%ecx)
	or	$3, %ecx
	mov	$boot_pml4, %eax
	mov	%ecx, (%eax)
	mov	%ecx, 8 * ARCH_WINDOW_INDEX(%eax)
	mov	%eax, %cr3
	mov	$0x20, %eax             /* PAE */
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx       /* EFER.LME, NXE */
	rdmsr
	or	$0x900, %eax
	wrmsr
	mov	$0x80010011, %eax       /* PG, WP, ET, PE */
	mov	%eax, %cr0
	lgdt	boot_gdt_pointer
	ljmp	$SEL_KERNEL_CODE, $long_mode
no_huge_pages:
	/* Nothing else works yet: one letter on the serial line. */
	mov	$0x3f8, %edx
	mov	$'1', %al
	out	%al, (%dx)
1:	hlt
	jmp	1b

.code64
long_mode:
	xor	%eax, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	xor	%ebp, %ebp
	mov	%esi, %esi
	mov	%edi, %edi
	call	loader_main
	mov	%rax, %rdi
	movabs	$kernel_start, %rax
	jmp	*%rax

.balign 8
boot_gdt:
	.quad	0, 0x00209a0000000000
boot_gdt_pointer:
	.word	15
	.long	boot_gdt

.section .bss
.balign 4096
boot_pml4:
	.skip	4096
boot_pdpt:
	.skip	4096
	.skip	8192
stack_top:
