/* Whether what a guest's memory held shows in memory that it shares. */
#include "probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS_A_PAGE 512u
#define READ_BYTES 65536u

/* A word that nothing else has; argument 1 tells several of them apart. */
static uint64_t marker(int argc, char **argv)
{
	return 0x5eec2e7fa57a1e00u | (number_arg(argc, argv, 1, 0) & 0xff);
}

static volatile uint64_t *fill(size_t bytes, uint64_t with)
{
	volatile uint64_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	for (size_t i = 0; p != MAP_FAILED && i < bytes / sizeof(*p); i++)
		p[i] = with;
	return p == MAP_FAILED ? NULL : p;
}

/* plant MARKER MIB: fills so much memory, and gives it back with what is in it. */
int probe_plant(int argc, char **argv)
{
	const uint64_t mib = number_arg(argc, argv, 2, 1);

	if (fill((size_t)mib << 20, marker(argc, argv)) == NULL)
		return perror("plant: mmap"), 1;
	printf("plant: %llu MiB\n", (unsigned long long)mib);
	return 0;
}

/* into MARKER DEVICE: reads of the device, past all caches, into memory that is filled. */
int probe_into(int argc, char **argv)
{
	volatile uint64_t *p = fill(READ_BYTES, marker(argc, argv));
	int fd = open(argc > 2 ? argv[2] : "", O_RDONLY | O_DIRECT);

	if (p == NULL || fd < 0)
		return perror("into"), 1;
	printf("into: begins\n");
	printf("into: %lld bytes\n", (long long)read(fd, (void *)(uintptr_t)p, READ_BYTES));
	return 0;
}

/* scan MARKER ADDRESS BYTES: how often it is in physical memory. */
int probe_scan(int argc, char **argv)
{
	const uint64_t wanted = marker(argc, argv), bytes = number_arg(argc, argv, 3, 4096);
	unsigned long long words = 0, pages = 0, used = 0;
	int fd = open("/dev/mem", O_RDONLY);
	const volatile uint64_t *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd,
					  (off_t)number_arg(argc, argv, 2, 0));

	if (p == MAP_FAILED)
		return perror("scan: mmap"), 1;
	for (uint64_t i = 0; i < bytes / sizeof(*p); i += WORDS_A_PAGE) {
		unsigned long long before = words, other = 0;

		for (unsigned j = 0; j < WORDS_A_PAGE; j++) {
			const uint64_t word = p[i + j];

			words += word == wanted;
			other += word != 0;
		}
		pages += words != before;
		used += other != 0;
	}
	printf("scan: %llu words in %llu pages, %llu pages in use\n", words, pages, used);
	return 0;
}
