/*
 * The boot sector of a disk that bochs.c makes: reads the kernel and its
 * Multiboot information to where they belong, and enters the kernel. It stands
 * in for a boot loader where one would take longer than what it starts.
 */
#define START 0x7c00
#define BUFFER 0x10000
#define CHUNK_SECTORS 64
#define INFO 0x1000000
#define INFO_MAP_BYTES 44
#define INFO_MAP 48
#define INFO_ENTRY 116
#define MAP 0x9000
#define LOADER_MAGIC 0x2badb002
#define EXTENTS 2

.code16
.global start
start:
	cli
	xor	%eax, %eax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$START, %sp
	cld
	in	$0x92, %al              /* address line 20 */
	or	$2, %al
	out	%al, $0x92
/* FS reaches 4 GiB from here on: its limit survives the way back. */
	lgdtl	gdt_pointer
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	jmp	1f
1:	mov	$16, %bx
	mov	%bx, %fs
	and	$0xfe, %al
	mov	%eax, %cr0
	jmp	1f
1:	xor	%bx, %bx
	mov	%bx, %fs
	sti

	mov	$extents, %bp
extent:
	mov	(%bp), %eax
	mov	%eax, packet_sector
	mov	4(%bp), %ecx            /* chunks */
	mov	8(%bp), %edi            /* to */
chunk:
	mov	$packet, %si
	mov	$0x42, %ah
	mov	$0x80, %dl
	push	%ecx
	push	%edi
	push	%bp
	int	$0x13
	pop	%bp
	pop	%edi
	jc	failed
	mov	$BUFFER, %esi
	mov	$(CHUNK_SECTORS * 512 / 4), %ecx
word:
	movl	%fs:(%esi), %eax
	movl	%eax, %fs:(%edi)
	add	$4, %esi
	add	$4, %edi
	dec	%ecx
	jnz	word
	addl	$CHUNK_SECTORS, packet_sector
	pop	%ecx
	dec	%ecx
	jnz	chunk
	add	$12, %bp
	cmp	$(extents + 12 * EXTENTS), %bp
	jne	extent

/* The memory map, each entry behind its size. */
	xor	%ebx, %ebx
	mov	$MAP, %di
entry:
	mov	$0xe820, %eax
	mov	$0x534d4150, %edx
	mov	$20, %ecx
	mov	%ecx, (%di)
	add	$4, %di
	int	$0x15
	jc	failed
	add	$20, %di
	test	%ebx, %ebx
	jnz	entry

	cli
	movzwl	%di, %esi
	sub	$MAP, %esi
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$8, $protected
failed:
	mov	$'!', %al
	out	%al, $0xe9
	hlt
.code32
protected:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$INFO, %ebx
	mov	%esi, INFO_MAP_BYTES(%ebx)
	movl	$MAP, INFO_MAP(%ebx)
	mov	$LOADER_MAGIC, %eax
	jmp	*INFO_ENTRY(%ebx)

.balign 8
gdt:
	.quad	0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt
.balign 4
packet: /* INT 13h, AH = 42h */
	.word	16, CHUNK_SECTORS, 0, BUFFER >> 4
packet_sector:
	.quad	0
/* Sector, chunks, address of each; bochs.c writes them. */
	.org	start + 480
extents:
	.skip	12 * EXTENTS
	.org	start + 510
	.byte	0x55, 0xaa
