/* Text output by arch_putc, and panic. */
#include <kernel/printk.h>

#include <kernel/arch.h>
#include <kernel/cpu.h>
#include <kernel/panic.h>

#define MAX_DIGITS 20

static void put_number(uint64_t v, unsigned base, unsigned width, char pad)
{
	char digits[MAX_DIGITS];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v != 0);
	for (unsigned i = n; i < width; i++)
		arch_putc(pad);
	while (n > 0)
		arch_putc(digits[--n]);
}

static void put_signed(int64_t v, unsigned width, char pad)
{
	if (v < 0)
		arch_putc('-');
	put_number(v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, width, pad);
}

static void put_string(const char *s)
{
	for (; *s; s++)
		arch_putc(*s);
}

/* One conversion behind its '%'; returns its last character. */
static const char *convert(const char *f, va_list *args)
{
	char pad = ' ';
	unsigned width = 0;
	bool is_long = false;

	if (*f == '0')
		pad = *f++;
	for (; *f >= '0' && *f <= '9'; f++)
		width = width * 10 + (unsigned)(*f - '0');
	for (; *f == 'l'; f++)
		is_long = true;
	switch (*f) {
	case 's':
		put_string(va_arg(*args, const char *));
		break;
	case 'c':
		arch_putc((char)va_arg(*args, int));
		break;
	case 'd':
		put_signed(is_long ? va_arg(*args, long) : va_arg(*args, int), width, pad);
		break;
	case 'u':
	case 'x':
		put_number(is_long ? va_arg(*args, unsigned long) : va_arg(*args, unsigned),
			   *f == 'u' ? 10 : 16, width, pad);
		break;
	case 'p':
		put_number((uintptr_t)va_arg(*args, void *), 16, 16, '0');
		break;
	default:
		arch_putc(*f);
		break;
	}
	return f;
}

void vprintk(const char *fmt, va_list args)
{
	va_list copy;

	va_copy(copy, args);
	for (; *fmt; fmt++) {
		if (*fmt == '%' && fmt[1])
			fmt = convert(fmt + 1, &copy);
		else
			arch_putc(*fmt);
	}
	va_end(copy);
}

void printk_always(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
}

_Noreturn void panic(const char *fmt, ...)
{
	const struct tcb *t = this_cpu()->current;
	va_list args;

	printk_always("\nselvage: kernel panic: ");
	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
	printk_always("\n");
	if (t) {
		printk_always("thread %p %s state %u priority %u\n", (const void *)t, t->name,
			      t->state, t->priority);
		for (unsigned i = 0; i < arch_context_count(); i++)
			printk_always("%016lx%c", (unsigned long)arch_context_get(t, i),
				      i % 4 == 3 ? '\n' : ' ');
	}
	arch_dump();
	arch_halt();
}
