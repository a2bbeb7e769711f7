/* Time: CNTPCT_EL0; deadlines: the EL2 physical timer, PPI 26. */
#include <arch/sysreg.h>
#include <kernel/arch.h>

#define US_PER_S 1000000ull

static uint64_t frequency(void)
{
	static uint64_t hz;

	if (!hz) {
		hz = SYSREG_READ(cntfrq_el0);
		if (!hz) /* firmware forgot; the division must not */
			hz = 62500000;
	}
	return hz;
}

ticks_t arch_now(void)
{
	/* No barrier: an exception is one. */
	return SYSREG_READ(cntpct_el0);
}

void arch_timer_set(ticks_t deadline)
{
	SYSREG_WRITE(cnthp_cval_el2, deadline);
	SYSREG_WRITE(cnthp_ctl_el2, 1);
	isb();
}

ticks_t arch_us_to_ticks(uint64_t us)
{
	return us / US_PER_S * frequency() + us % US_PER_S * frequency() / US_PER_S;
}

uint64_t arch_ticks_to_us(ticks_t t)
{
	uint64_t hz = frequency();

	return t / hz * US_PER_S + t % hz * US_PER_S / hz;
}

uint64_t arch_max_us(void) { return arch_ticks_to_us(UINT64_MAX / 8); }
