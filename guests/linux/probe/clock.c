/* Does the guest's time agree with the virtual counter? */
#include "probe.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct sample {
	uint64_t ticks;
	uint64_t ns;
};

/* The clock between two counter reads; of many tries the tightest, so that
 * an interrupt in between does not count. */
static struct sample sample_both(void)
{
	struct sample best = { 0, 0 };
	uint64_t best_width = UINT64_MAX;

	for (int i = 0; i < 100; i++) {
		uint64_t before = counter();
		uint64_t ns = clock_ns();
		uint64_t width = counter() - before;

		if (width < best_width) {
			best_width = width;
			best = (struct sample){ before + width / 2, ns };
		}
	}
	return best;
}

/* Reads that went backwards, among `n` of each clock, over all CPUs. */
static unsigned backward_steps(unsigned n)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t last_ticks = 0, last_ns = 0;
	unsigned bad = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t ticks, ns;

		if (i % 256 == 0)
			pin_to((int)((i / 256) % (unsigned)cpus));
		ticks = counter();
		ns = clock_ns();
		bad += ticks < last_ticks;
		bad += ns < last_ns;
		last_ticks = ticks;
		last_ns = ns;
	}
	return bad;
}

/* clock [MILLISECONDS [PPM]] */
int probe_clock(int argc, char **argv)
{
	uint64_t ms = number_arg(argc, argv, 1, 2000);
	int64_t limit_ppm = (int64_t)number_arg(argc, argv, 2, 200);
	struct timespec pause = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };
	struct sample a, b;
	double expected, seen;
	int64_t ppm;
	unsigned backward;

	a = sample_both();
	nanosleep(&pause, NULL);
	b = sample_both();
	expected = (double)(b.ticks - a.ticks) / (double)counter_hz() * 1e9;
	seen = (double)(b.ns - a.ns);
	ppm = (int64_t)((seen - expected) / expected * 1e6);
	backward = backward_steps(20000);
	printf("clock: %lld ppm off the counter over %llu ms, %u backward steps\n",
	       (long long)ppm, (unsigned long long)ms, backward);
	return ppm > limit_ppm || ppm < -limit_ppm || backward != 0;
}

/* sleep [COUNT [MILLISECONDS [LIMIT_MS]]]: never early, never LIMIT_MS late. */
int probe_sleep(int argc, char **argv)
{
	uint64_t count = number_arg(argc, argv, 1, 20);
	uint64_t ms = number_arg(argc, argv, 2, 50);
	uint64_t limit_us = number_arg(argc, argv, 3, 250) * 1000;
	struct timespec pause = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };
	uint64_t worst_us = 0;
	unsigned early = 0;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t start = counter(), us;

		nanosleep(&pause, NULL);
		us = (counter() - start) * 1000000u / counter_hz();
		early += us < ms * 1000;
		if (us > ms * 1000 && us - ms * 1000 > worst_us)
			worst_us = us - ms * 1000;
	}
	printf("sleep: %llu times %llu ms, at most %llu us late, %u early\n",
	       (unsigned long long)count, (unsigned long long)ms,
	       (unsigned long long)worst_us, early);
	return early != 0 || worst_us > limit_us;
}
