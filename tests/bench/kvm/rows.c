#include "rows.h"

#include "vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static uint64_t samples[ROW_SAMPLES_MAX];

void put_line(const char *line)
{
	printf("%s\n", line);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
}

void console_write(char c)
{
	static char line[200];
	static size_t n;

	if (c != '\n') {
		if (n < sizeof(line) - 1)
			line[n++] = c;
		return;
	}
	line[n] = '\0';
	n = 0;
	put_line(line);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void sample(unsigned round, uint64_t ticks)
{
	samples[round < WARM_UP ? 0 : round - WARM_UP] = ticks;
}

void report(const char *row, unsigned n)
{
	char line[100];

	qsort(samples, n, sizeof(samples[0]), compare);
	snprintf(line, sizeof(line), "bench %s %lu %lu %lu", row, samples[0], samples[n / 2],
		 samples[n - 1]);
	put_line(line);
}

void measure_pipe(const char *row)
{
	int to[2], from[2];
	char byte = 0;
	pid_t child;

	must(pipe(to) == 0 && pipe(from) == 0, "pipe");
	child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		close(to[1]);
		while (read(to[0], &byte, 1) == 1 && write(from[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	for (unsigned i = 0; i < ROW_SAMPLES_MAX + WARM_UP; i++) {
		uint64_t start = now();

		must(write(to[1], &byte, 1) == 1 && read(from[0], &byte, 1) == 1, "pipe");
		sample(i, now() - start);
	}
	close(to[1]);
	waitpid(child, NULL, 0);
	report(row, ROW_SAMPLES_MAX);
}
