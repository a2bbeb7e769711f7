#include <kernel/benchmark.h>

#include <arch/sysreg.h>

/* Cleans and invalidates one data cache by set and way (Arm ARM D7.4.8). */
static void flush_level(word_t level)
{
	SYSREG_WRITE(csselr_el1, level << 1);
	isb();
	word_t ccsidr = SYSREG_READ(ccsidr_el1);
	unsigned line = (unsigned)(ccsidr & 7) + 4;
	word_t ways = (ccsidr >> 3 & 0x3ff) + 1, sets = (ccsidr >> 13 & 0x7fff) + 1;
	unsigned shift = ways > 1 ? (unsigned)__builtin_clz((unsigned)(ways - 1)) : 0;

	for (word_t way = 0; way < ways; way++)
		for (word_t set = 0; set < sets; set++)
			__asm__ volatile("dc cisw, %0" ::"r"(way << shift | set << line |
							     level << 1)
					 : "memory");
}

void arch_flush_caches(void)
{
	word_t clidr = SYSREG_READ(clidr_el1), saved = SYSREG_READ(csselr_el1);

	dsb_sy();
	for (word_t level = 0; level < 7; level++)
		if ((clidr >> 3 * level & 7) >= 2)
			flush_level(level);
	SYSREG_WRITE(csselr_el1, saved);
	__asm__ volatile("ic iallu" ::
				 : "memory");
	dsb_sy();
	isb();
}
