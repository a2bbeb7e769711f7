/* Cache maintenance and clearing, through the kernel's identity mapping. */
#include <arch/sysreg.h>
#include <kernel/arch.h>

static word_t dcache_line(void) { return 4ull << ((SYSREG_READ(ctr_el0) >> 16) & 15); }

static word_t icache_line(void) { return 4ull << (SYSREG_READ(ctr_el0) & 15); }

/* CTR_EL0.L1Ip: PIPT. */
static bool icache_is_physical(void) { return (SYSREG_READ(ctr_el0) >> 14 & 3) == 3; }

#define FOR_LINES(op, line, start, bytes)                                             \
	for (word_t a_ = (start) & ~((line)-1); a_ < (start) + (bytes); a_ += (line)) \
	__asm__ volatile(op ", %0" ::"r"(a_)                                          \
			 : "memory")

void cache_clean(paddr_t start, word_t bytes)
{
	word_t line = dcache_line();

	FOR_LINES("dc cvac", line, start, bytes);
	dsb_sy();
}

void cache_clean_invalidate(paddr_t start, word_t bytes)
{
	word_t line = dcache_line();

	FOR_LINES("dc civac", line, start, bytes);
	dsb_sy();
}

void cache_unify(paddr_t start, word_t bytes)
{
	word_t line = dcache_line();

	FOR_LINES("dc cvau", line, start, bytes);
	dsb_ish();
	/* Lines of a cache that is not indexed by the physical address alone
	 * (cortex-a53) have other places under the users' addresses. */
	if (icache_is_physical()) {
		line = icache_line();
		FOR_LINES("ic ivau", line, start, bytes);
	} else {
		__asm__ volatile("ic ialluis" ::
					 : "memory");
	}
	dsb_ish();
	isb();
}

/*
 * Clears memory that is about to become objects. It is also cleaned to the
 * point of coherency here, where the work is preemptible, so that a user who
 * maps it uncached never sees what was there before. Stale lines of the
 * instruction cache are the user's concern (Unify_Instruction).
 */
void arch_clear_memory(void *p, word_t bytes)
{
	word_t dczid = SYSREG_READ(dczid_el0), block = 4ull << (dczid & 15);
	word_t start = (word_t)p, end = start + bytes, a = start;

	if (!(dczid & 16) && !((start | bytes) & (block - 1)))
		for (; a < end; a += block)
			__asm__ volatile("dc zva, %0" ::"r"(a)
					 : "memory");
	for (; a < end; a += sizeof(word_t))
		*(volatile word_t *)a = 0;
	cache_clean(start, bytes);
}
