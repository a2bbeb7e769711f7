/* Clearing of memory that is about to become objects. */
#include <kernel/arch.h>

void arch_clear_memory(void *p, word_t bytes)
{
	word_t n = bytes / sizeof(word_t);

	/* clang-format off */
	__asm__ volatile("rep stosq" : "+D"(p), "+c"(n) : "a"(0) : "memory");
	/* clang-format on */
}
