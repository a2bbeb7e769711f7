/* What picolibc asks of its system. */
#include <assert.h>
#include <errno.h>
#include <selvage/fmt.h>
#include <selvage/rt.h>
#include <stdlib.h>
#include <unistd.h>

extern uintptr_t __stack_chk_guard;

static char *heap_next, *heap_end;

void rt_set_heap(void *start, size_t bytes)
{
	heap_next = start;
	heap_end = heap_next + bytes;
}

void *sbrk(ptrdiff_t increment)
{
	char *old = heap_next;

	if (increment < 0 || increment > heap_end - heap_next) {
		errno = ENOMEM;
		return (void *)-1;
	}
	heap_next += increment;
	return old;
}

void _exit(int status)
{
	(void)status;
	rt_panic("_exit()");
}

void abort(void)
{
	rt_panic("abort()");
}

void __assert_func(const char *file, int line, const char *function,
		   const char *expression)
{
	char text[160];

	fmt_print(text, sizeof(text), "%s:%d: %s: assertion failed: %s", file,
		  line, function ? function : "?", expression);
	rt_panic(text);
}

/* Debian's libfdt.a is built with the stack protector. The guard is a fixed
 * word with a zero byte: it stops string overruns, it is no secret. */
uintptr_t __stack_chk_guard = 0x00c0ffee5e1fa9e5u;

_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void)
{
	rt_panic("a stack guard was overwritten");
}
