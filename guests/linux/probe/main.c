#include "probe.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t counter(void)
{
	uint64_t v;

	__asm__ volatile("isb; mrs %0, cntvct_el0"
			 : "=r"(v)
			 :
			 : "memory");
	return v;
}

uint64_t counter_hz(void)
{
	uint64_t v;

	__asm__("mrs %0, cntfrq_el0"
		: "=r"(v));
	return v;
}

uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof set, &set);
}

uint64_t number_arg(int argc, char **argv, int n, uint64_t fallback)
{
	return n < argc ? strtoull(argv[n], NULL, 0) : fallback;
}

static int probe_mark(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	mark();
	return 0;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} probes[] = {
	{ "clock", probe_clock },
	{ "sleep", probe_sleep },
	{ "load", probe_load },
	{ "ping", probe_ping },
	{ "storm", probe_storm },
	{ "oncpu", probe_oncpu },
	{ "mem", probe_mem },
	{ "gic", probe_gic },
	{ "undef", probe_undef },
	{ "hold", probe_hold },
	{ "mark", probe_mark },
	{ "disk", probe_disk },
	{ "net", probe_net },
	{ "vsock", probe_vsock },
	{ "plant", probe_plant },
	{ "into", probe_into },
	{ "scan", probe_scan },
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < sizeof probes / sizeof *probes; i++)
		if (strcmp(argv[1], probes[i].name) == 0)
			return probes[i].run(argc - 1, argv + 1);
	fprintf(stderr, "usage: probe clock|sleep|load|ping|oncpu|"
			"mem|gic|undef|mark|disk|net|vsock|hold|plant|into|scan [argument...]\n");
	return 2;
}
