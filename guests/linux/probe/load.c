/* Loads, and whether every CPU takes its share of them. */
#include "probe.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Computes on one CPU for `ms`; bad if it stood still for `limit_ms`. */
static int burn(int cpu, uint64_t ms, uint64_t limit_ms)
{
	uint64_t start, last, worst = 0, rounds = 0;
	volatile uint64_t x = 88172645463325252u;

	if (pin_to(cpu))
		return 1;
	start = last = clock_ns();
	while (last - start < ms * 1000000u) {
		uint64_t now;

		for (int i = 0; i < 1000; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
		rounds++;
		now = clock_ns();
		if (now - last > worst)
			worst = now - last;
		last = now;
	}
	printf("load: cpu%d %llu rounds, longest pause %llu us\n", cpu,
	       (unsigned long long)rounds, (unsigned long long)(worst / 1000));
	return rounds == 0 || worst > limit_ms * 1000000u;
}

/* load [MILLISECONDS [LIMIT_MS]]: one computing process on each CPU. */
int probe_load(int argc, char **argv)
{
	uint64_t ms = number_arg(argc, argv, 1, 2000);
	uint64_t limit_ms = number_arg(argc, argv, 2, 500);
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), bad = 0, status;

	fflush(stdout);
	for (int cpu = 0; cpu < cpus; cpu++)
		if (fork() == 0)
			exit(burn(cpu, ms, limit_ms));
	while (wait(&status) > 0 || errno == EINTR)
		bad |= status != 0;
	return bad;
}

/* A byte that goes back and forth; each hop wakes the other side. */
static uint64_t bounce(int in, int out, uint64_t rounds, int serves)
{
	char byte = 'x';
	uint64_t i;

	for (i = 0; i < rounds; i++) {
		if (serves && write(out, &byte, 1) != 1)
			break;
		if (read(in, &byte, 1) != 1)
			break;
		if (!serves && write(out, &byte, 1) != 1)
			break;
	}
	return i;
}

/* ping [ROUNDS]: between the first and the last CPU, by inter-processor
 * interrupts where they are two. */
int probe_ping(int argc, char **argv)
{
	uint64_t rounds = number_arg(argc, argv, 1, 1000), done, start;
	int last_cpu = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1, status = 0;
	int there[2], back[2];

	if (pipe(there) || pipe(back))
		return 1;
	if (fork() == 0)
		exit(pin_to(last_cpu) || bounce(there[0], back[1], rounds, 0) != rounds);
	if (pin_to(0))
		return 1;
	start = clock_ns();
	done = bounce(back[0], there[1], rounds, 1);
	wait(&status);
	printf("ping: %llu rounds between cpu0 and cpu%d, %llu ns each\n",
	       (unsigned long long)done, last_cpu,
	       (unsigned long long)((clock_ns() - start) / (rounds ? rounds : 1)));
	return done != rounds || status != 0;
}

/* oncpu CPU: is a process that was moved there really there? */
int probe_oncpu(int argc, char **argv)
{
	int cpu = (int)number_arg(argc, argv, 1, 0);

	if (pin_to(cpu)) {
		printf("oncpu: cannot move to cpu%d\n", cpu);
		return 1;
	}
	printf("oncpu: moved to cpu%d, on cpu%d\n", cpu, sched_getcpu());
	return sched_getcpu() != cpu;
}
