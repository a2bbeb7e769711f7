/* What a hostile guest does from user space. Board `virt`. */
#include "probe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define GICD_BASE 0x08000000u
#define GICD_SIZE 0x10000u
#define GICC_BASE 0x08010000u /* GICv2 */
#define GICC_SIZE 0x1000u
#define GICR_BASE 0x080a0000u /* GICv3 */
#define GICR_SIZE 0x20000u    /* of one CPU */

static volatile uint8_t *map_physical(uint64_t address, size_t size)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	void *p;

	if (fd < 0) {
		perror("/dev/mem");
		return NULL;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)address);
	close(fd);
	if (p == MAP_FAILED) {
		perror("mmap");
		return NULL;
	}
	return p;
}

/* mem [ADDRESS]: reads where the board has nothing. */
int probe_mem(int argc, char **argv)
{
	uint64_t address = number_arg(argc, argv, 1, 0x3000000);
	volatile uint8_t *p = map_physical(address & ~0xfffull, 4096);

	if (!p)
		return 1;
	printf("mem: reading 0x%llx\n", (unsigned long long)address);
	fflush(stdout);
	usleep(100000); /* let the line reach the console */
	printf("mem: read 0x%x\n", *(volatile uint32_t *)(p + (address & 0xffc)));
	return 0;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void access_once(volatile uint8_t *at, uint64_t choice)
{
	uint32_t value = (uint32_t)(choice >> 32);

	switch (choice % 6) {
	case 0: (void)*at; break;
	case 1: (void)*(volatile uint16_t *)((uintptr_t)at & ~1ul); break;
	case 2: (void)*(volatile uint32_t *)((uintptr_t)at & ~3ul); break;
	case 3: *at = (uint8_t)value; break;
	case 4: *(volatile uint32_t *)((uintptr_t)at & ~3ul) = value; break;
	case 5: *(volatile uint64_t *)((uintptr_t)at & ~7ul) = choice; break;
	}
}

static void hammer(volatile uint8_t *dist, volatile uint8_t *cpu,
		   size_t cpu_size, unsigned count, uint64_t state)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t where = next_random(&state);

		if (where >> 20 & 3)
			access_once(dist + where % GICD_SIZE, next_random(&state));
		else
			access_once(cpu + where % cpu_size, next_random(&state));
	}
}

/* gic [ACCESSES [SEED [GIC_VERSION]]]: random reads and writes of the
 * interrupt controller. The guest itself may well not survive it; the others
 * must. Batches run in children, so that an abort ends one child only. */
int probe_gic(int argc, char **argv)
{
	uint64_t accesses = number_arg(argc, argv, 1, 20000);
	uint64_t state = number_arg(argc, argv, 2, 1) * 0x9e3779b97f4a7c15u | 1;
	int v3 = number_arg(argc, argv, 3, 3) == 3;
	size_t cpu_size = v3 ? GICR_SIZE : GICC_SIZE;
	volatile uint8_t *dist = map_physical(GICD_BASE, GICD_SIZE);
	volatile uint8_t *cpu = map_physical(v3 ? GICR_BASE : GICC_BASE, cpu_size);

	if (!dist || !cpu)
		return 1;
	printf("gic: %llu random accesses\n", (unsigned long long)accesses);
	fflush(stdout);
	usleep(100000); /* let the line reach the console */
	for (uint64_t done = 0; done < accesses; done += 500) {
		if (fork() == 0) {
			hammer(dist, cpu, cpu_size, 500, state);
			exit(0);
		}
		wait(NULL);
		next_random(&state);
	}
	printf("gic: survived\n");
	return 0;
}

/* undef [COUNT]: undefined instructions; each must end its process, no more. */
int probe_undef(int argc, char **argv)
{
	uint64_t count = number_arg(argc, argv, 1, 100), killed = 0;

	for (uint64_t i = 0; i < count; i++) {
		int status = 0;

		if (fork() == 0) {
			__asm__ volatile("udf #0");
			exit(0);
		}
		wait(&status);
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGILL;
	}
	printf("undef: %llu of %llu processes got SIGILL\n",
	       (unsigned long long)killed, (unsigned long long)count);
	return killed != count;
}
