/* Everything at once that makes a monitor work: exits, SGIs, faults, timers. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GICD_BASE 0x08000000u
#define FAULT_BYTES (1u << 20)

/* Reads of the distributor: each leaves the guest. */
static int exits(void)
{
	int fd = open("/dev/mem", O_RDONLY | O_SYNC);
	volatile uint32_t *gicd = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, GICD_BASE);

	if (fd < 0 || gicd == MAP_FAILED)
		return 1;
	for (uint32_t i = 0; gicd[i % 3u] != 1u << 31; i++)
		;
	return 1;
}

/* Wake-ups across CPUs. */
static int sgis(void)
{
	for (;;)
		if (probe_ping(1, NULL))
			return 1;
}

static void on_fault(int signal)
{
	(void)signal;
}

/* Pages that come and go, and instructions that there are not. */
static int faults(void)
{
	struct sigaction action = { .sa_handler = on_fault };

	sigaction(SIGUSR1, &action, NULL);
	for (;;) {
		char *p = mmap(NULL, FAULT_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return 1;
		for (size_t at = 0; at < FAULT_BYTES; at += 4096)
			p[at] = 1;
		munmap(p, FAULT_BYTES);
		raise(SIGUSR1);
	}
}

static int timers(void)
{
	const struct timespec t = { .tv_nsec = 50000 };

	while (nanosleep(&t, NULL) == 0 || errno == EINTR)
		;
	return 1;
}

/* storm [SECONDS] */
int probe_storm(int argc, char **argv)
{
	int (*const parts[])(void) = { exits, sgis, faults, timers, timers };
	const int n = sizeof(parts) / sizeof(parts[0]);
	pid_t pid[sizeof(parts) / sizeof(parts[0])];
	int bad = 0;

	fflush(stdout);
	for (int i = 0; i < n; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			setpgid(0, 0);
			if (!freopen("/dev/null", "w", stdout))
				exit(1);
			exit(parts[i]());
		}
	}
	sleep((unsigned)number_arg(argc, argv, 1, 5));
	for (int i = 0; i < n; i++) {
		/* One that has ended did not storm. */
		bad |= waitpid(pid[i], NULL, WNOHANG) != 0;
		kill(-pid[i], SIGKILL);
		kill(pid[i], SIGKILL);
	}
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return bad;
}
