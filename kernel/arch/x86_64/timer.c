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
#define PIT_ROUNDS_MAX 100000000u
#define HPET_ROUNDS_MAX 1000000u
/* Words of the HPET's registers; femtoseconds. */
enum { HPET_PERIOD = 0x4 / 4,
       HPET_CONFIG = 0x10 / 4,
       HPET_COUNTER = 0xf0 / 4 };
#define HPET_PERIOD_MIN 100000u /* 10 GHz */
#define HPET_PERIOD_MAX 100000000u
#define HPET_FS 20000000000000ull /* 20 ms */
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

	/* clang-format off */
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	/* clang-format on */
	return (uint64_t)high << 32 | low;
}

/* Both clocks' ticks in that time. */
struct counted {
	uint64_t ns, tsc, apic;
};

static void count_start(struct counted *c)
{
	lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)LAPIC_MAX);
	c->tsc = read_tsc();
	c->apic = lapic_read(LAPIC_TIMER_CURRENT);
}

static void count_end(struct counted *c)
{
	c->tsc = read_tsc() - c->tsc;
	c->apic -= lapic_read(LAPIC_TIMER_CURRENT);
	lapic_write(LAPIC_TIMER_INITIAL, 0);
}

/* HPET 1.0a, 2.3. It goes on as it was found. */
static bool count_by_hpet(struct counted *c, volatile uint32_t *hpet)
{
	uint32_t period_fs = hpet[HPET_PERIOD], config = hpet[HPET_CONFIG], passed = 0;

	if (period_fs < HPET_PERIOD_MIN || period_fs > HPET_PERIOD_MAX)
		return false;
	uint32_t wanted = (uint32_t)(HPET_FS / period_fs);
	hpet[HPET_CONFIG] = config | 1;
	count_start(c);
	uint32_t from = hpet[HPET_COUNTER];
	/* Bounded: one that does not count is none. It is not read all the time: that is slow,
	 * and most of all where it is emulated. */
	for (unsigned i = 0; passed < wanted && i < HPET_ROUNDS_MAX; i++) {
		for (unsigned wait = 0; wait < 1000; wait++)
			__asm__ volatile("");
		passed = hpet[HPET_COUNTER] - from;
	}
	count_end(c);
	hpet[HPET_CONFIG] = config;
	c->ns = (uint64_t)passed * period_fs / 1000000;
	return passed >= wanted;
}

static void count_by_pit(struct counted *c)
{
	uint8_t b = (uint8_t)(in8(PORT_B) & ~3);

	out8(PORT_B, b);
	out8(PIT_COMMAND, PIT_CHANNEL2_ONCE);
	out8(PIT_DATA2, PIT_COUNT & 0xff);
	out8(PIT_DATA2, PIT_COUNT >> 8);
	out8(PORT_B, b | 1);
	count_start(c);
	/* Bounded: without HPET and PIT there is no time, and no kernel. */
	for (unsigned i = 0; !(in8(PORT_B) & 0x20); i++)
		if (i == PIT_ROUNDS_MAX)
			panic("neither HPET nor PIT counts");
	count_end(c);
	out8(PORT_B, b);
	c->ns = PIT_COUNT * 1000000000ull / PIT_HZ;
}

void timer_init(paddr_t hpet)
{
	struct counted c;

	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	if (!hpet || !count_by_hpet(&c, paddr_to_ptr(hpet)))
		count_by_pit(&c);
	mhz = (c.tsc * 1000 + c.ns / 2) / c.ns;
	if (!mhz || !c.apic)
		panic("the TSC or the LAPIC's timer does not count");
	ratio = (c.apic << 32) / c.tsc;
	by_tsc = cpuid(1, 0).c & CPUID_TSC_DEADLINE;
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | (by_tsc ? LVT_TSC_DEADLINE : 0));
}

unsigned timer_mhz(void) { return (unsigned)mhz; }
ticks_t arch_now(void) { return read_tsc(); }

/* One that is too far away comes early, and is set again. */
void arch_timer_set(ticks_t deadline)
{
	if (by_tsc) {
		/* clang-format off */
		__asm__ volatile("mfence" : : : "memory");
		/* clang-format on */
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
