/* Text output by arch_putc, and panic. */
#include <kernel/printk.h>

#include <kernel/arch.h>
#include <kernel/cpu.h>
#include <kernel/panic.h>
#include <selvage/fmt.h>

static void put(void *ctx, char c)
{
	(void)ctx;
	arch_putc(c);
}

void printk_always(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fmt_emitv(put, NULL, fmt, args);
	va_end(args);
}

_Noreturn void panic(const char *fmt, ...)
{
	const struct tcb *t = this_cpu()->current;
	va_list args;

	printk_always("\nselvage: kernel panic: ");
	va_start(args, fmt);
	fmt_emitv(put, NULL, fmt, args);
	va_end(args);
	printk_always("\n");
	if (t) {
		printk_always("thread %p %s state %u priority %u\n", (const void *)t, t->name,
			      t->state, t->priority);
		for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
			printk_always("%016lx%c", (unsigned long)arch_context_get(t, i),
				      i % 4 == 3 ? '\n' : ' ');
	}
	arch_dump();
	arch_halt();
}
