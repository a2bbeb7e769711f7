/* When the kernel itself fails: say all that is known, then stop. */
#include <arch/cpu.h>
#include <arch/link.h>
#include <kernel/arch.h>
#include <kernel/panic.h>
#include <kernel/printk.h>
#include <plat/uart.h>

#define BACKTRACE_MAX 32

void arch_putc(char c)
{
	if (c == '\n')
		plat_uart_putc('\r');
	plat_uart_putc(c);
}

/* Frame records {rbp, rip}, as -fno-omit-frame-pointer keeps them. */
static void backtrace(word_t fp)
{
	word_t low = (word_t)__rodata_end, high = (word_t)__kernel_end;

	printk_always("backtrace:");
	for (unsigned i = 0; i < BACKTRACE_MAX; i++) {
		const word_t *frame = (const word_t *)fp;
		if (fp < low || fp > high - 16 || (fp & 7) ||
		    frame[1] < (word_t)__kernel_start || frame[1] >= (word_t)__text_end)
			break;
		printk_always(" sym(kernel,0x%lx)", frame[1] - 1);
		if (frame[0] <= fp)
			break;
		fp = frame[0];
	}
	printk_always("\n");
}

void arch_dump(void)
{
	printk_always("cr0 %lx cr2 %lx cr3 %lx cr4 %lx\n", CR_READ(0), CR_READ(2), CR_READ(3),
		      CR_READ(4));
	backtrace((word_t)__builtin_frame_address(0));
}

void arch_halt(void)
{
	for (;;)
		__asm__ volatile("cli\n\thlt");
}
