/* When the kernel itself fails: say all that is known, then stop. */
#include <arch/link.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <kernel/arch.h>
#include <kernel/panic.h>
#include <kernel/printk.h>
#include <plat/uart.h>

#define PSCI_SYSTEM_OFF 0x84000008ull
#define BACKTRACE_MAX 32

void arch_putc(char c)
{
	if (c == '\n')
		plat_uart_putc('\r');
	plat_uart_putc(c);
}

/* Frame records {fp, lr}, as -fno-omit-frame-pointer keeps them. `selvage run`
 * makes names of sym(kernel,...). */
static void backtrace(word_t fp)
{
	word_t low = (word_t)__rodata_end, high = (word_t)__kernel_end;

	printk_always("backtrace:");
	for (unsigned i = 0; i < BACKTRACE_MAX; i++) {
		if (fp < low || fp > high - 16 || (fp & 7))
			break;
		const word_t *frame = paddr_to_ptr(fp);
		if (frame[1] < (word_t)__kernel_start || frame[1] >= (word_t)__text_end)
			break;
		printk_always(" sym(kernel,0x%lx)", frame[1] - 4);
		if (frame[0] <= fp)
			break;
		fp = frame[0];
	}
	printk_always("\n");
}

void arch_dump(void)
{
	printk_always("hcr %lx vttbr %lx esr %lx far %lx hpfar %lx elr %lx spsr %lx\n",
		      SYSREG_READ(hcr_el2), SYSREG_READ(vttbr_el2), SYSREG_READ(esr_el2),
		      SYSREG_READ(far_el2), SYSREG_READ(hpfar_el2), SYSREG_READ(elr_el2),
		      SYSREG_READ(spsr_el2));
	backtrace((word_t)__builtin_frame_address(0));
}

/* kind: vector / 128: 4-7 are synchronous, IRQ, FIQ, SError at EL2. */
void panic_exception(unsigned kind, const struct arch_context *c)
{
	static const char *const kinds[] = { "synchronous", "IRQ", "FIQ", "SError" };
	word_t esr = SYSREG_READ(esr_el2);

	printk_always("\nselvage: %s exception in the kernel: class 0x%x, esr %lx far %lx\n",
		      kinds[kind & 3], ESR_EC(esr), esr,
		      SYSREG_READ(far_el2));
	printk_always("pc %lx sym(kernel,0x%lx) sp %lx spsr %lx\n", c->elr, c->elr, c->sp,
		      c->spsr);
	for (unsigned i = 0; i < 31; i++)
		printk_always("x%u %016lx%c", i, c->x[i], i % 4 == 3 ? '\n' : ' ');
	printk_always("\n");
	backtrace(c->x[29]);
	panic("exception at %lx", c->elr);
}

void arch_halt(void)
{
	register word_t x0 __asm__("x0") = PSCI_SYSTEM_OFF;

	/* Without firmware the call is undefined: the vectors come back here
	 * once, so go no further than a loop the second time. */
	static bool tried;
	if (!tried) {
		tried = true;
		__asm__ volatile("smc #0"
				 : "+r"(x0)::"memory");
	}
	for (;;)
		__asm__ volatile("wfi");
}
