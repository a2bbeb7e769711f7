/* Time: the TSC; deadlines: the LAPIC's timer, by the TSC where it can do so. */
#include <arch/apic.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <kernel/arch.h>
#include <kernel/panic.h>

#define PIT_HZ 1193182u
#define PIT_COUNT 23864u /* 20 ms */
#define PIT_DATA2 0x42
#define PIT_COMMAND 0x43
#define PIT_CHANNEL2_ONCE 0xb0
#define PORT_B 0x61 /* bit 0: channel 2 counts; 1: speaker; 5: it is done */
#define DIVIDE_BY_1 0xb
#define LAPIC_MAX 0xffffffffull
#define CPUID_TSC_DEADLINE (1u << 24)

static uint64_t mhz;
static bool by_tsc;
/* LAPIC ticks per TSC tick, in 2^-32. */
static uint64_t ratio;

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc"
			 : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

/* Both clocks' ticks in PIT_COUNT ticks of the PIT. */
static void count(uint64_t *tsc, uint64_t *apic)
{
	uint8_t b = (uint8_t)(in8(PORT_B) & ~3);

	out8(PORT_B, b);
	out8(PIT_COMMAND, PIT_CHANNEL2_ONCE);
	out8(PIT_DATA2, PIT_COUNT & 0xff);
	out8(PIT_DATA2, PIT_COUNT >> 8);
	lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)LAPIC_MAX);
	out8(PORT_B, b | 1);
	uint64_t start = read_tsc(), from = lapic_read(LAPIC_TIMER_CURRENT);
	/* Bounded: without a PIT there is no time, and no kernel. */
	for (unsigned i = 0; !(in8(PORT_B) & 0x20); i++)
		if (i == 100000000)
			panic("the PIT does not count");
	*tsc = read_tsc() - start;
	*apic = from - lapic_read(LAPIC_TIMER_CURRENT);
	lapic_write(LAPIC_TIMER_INITIAL, 0);
	out8(PORT_B, b);
}

void timer_init(void)
{
	uint64_t tsc, apic;

	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	count(&tsc, &apic);
	mhz = (tsc * PIT_HZ / PIT_COUNT + 500000) / 1000000;
	if (!mhz || !apic)
		panic("the TSC or the LAPIC's timer does not count");
	ratio = (apic << 32) / tsc;
	by_tsc = cpuid(1, 0).c & CPUID_TSC_DEADLINE;
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | (by_tsc ? LVT_TSC_DEADLINE : 0));
}

unsigned timer_mhz(void) { return (unsigned)mhz; }
ticks_t arch_now(void) { return read_tsc(); }

/* One that is too far away comes early, and is set again. */
void arch_timer_set(ticks_t deadline)
{
	if (by_tsc) {
		__asm__ volatile("mfence" ::
					 : "memory");
		msr_write(MSR_TSC_DEADLINE, deadline);
		return;
	}
	ticks_t now = arch_now(), left = deadline > now ? deadline - now : 0;
	uint64_t n = left >> 32 ? LAPIC_MAX : (left * (ratio >> 8) >> 24) + 1;
	lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)(n < LAPIC_MAX ? n : LAPIC_MAX));
}

ticks_t arch_us_to_ticks(uint64_t us) { return us * mhz; }
uint64_t arch_ticks_to_us(ticks_t t) { return t / mhz; }
uint64_t arch_max_us(void) { return UINT64_MAX / mhz / 8; }
