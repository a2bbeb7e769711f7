/*
 * KVM's side of the benchmarks: the first and only program of a Linux host. It
 * runs the guest of guests/micro as the smallest monitor that can, and times
 * what no guest can see. Prints `bench ROW min median max` in ticks of the
 * counter, which under icount are instructions.
 */
#define _GNU_SOURCE
#include "vm.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define RAM 0x40000000ull
#define RAM_BYTES 0x400000ull
#define IMAGE_OFFSET 0x80000u
#define UART 0x09000000ull
#define UART_FR 0x18
#define UART_FR_TX_EMPTY 0x90u
#define UART_BYTES 0x1000u
/* tests/bench/README.md */
#define DOORBELL 0x0b000000ull
#define KICK 0x0b001000ull
#define KICK_INTID 40u
#define LAZY_MEMORY 0x48000000ull
#define LAZY_BYTES 0x800000ull

#define PIPE_ROUNDS 2000u
#define CREATE_ROUNDS 100u
#define START_ROUNDS 40u
#define WARM_UP 10u

static uint64_t samples[PIPE_ROUNDS];

/* The same count in a process and, without an offset, in a guest. */
static inline uint64_t now(void)
{
	uint64_t v;

	__asm__ volatile("mrs %0, cntvct_el0"
			 : "=r"(v)
			 :
			 : "memory");
	return v;
}

/* --- output --- */

/* Waits until all of it is out, so that no interrupt of the host's UART comes
 * while the next row is measured. */
static void put_line(const char *line)
{
	printf("%s\n", line);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void report(const char *row, unsigned n)
{
	char line[100];

	qsort(samples, n, sizeof(samples[0]), compare);
	snprintf(line, sizeof(line), "bench %s %lu %lu %lu", row, samples[0], samples[n / 2],
		 samples[n - 1]);
	put_line(line);
}

static void sample(unsigned round, uint64_t ticks)
{
	samples[round < WARM_UP ? 0 : round - WARM_UP] = ticks;
}

/* --- the guest of guests/micro --- */

static size_t load(const char *path, uint8_t *to, size_t room)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	must(fd >= 0, path);
	n = read(fd, to, room);
	must(n > 0 && (size_t)n < room, path);
	close(fd);
	return (size_t)n;
}

static void console_write(char c)
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

static void mmio(struct vm *vm)
{
	uint64_t address = vm->run->mmio.phys_addr;
	uint8_t *data = vm->run->mmio.data;

	if (address == KICK)
		vm_raise(vm, KICK_INTID);
	else if (address == UART && vm->run->mmio.is_write)
		console_write((char)data[0]);
	else if (!vm->run->mmio.is_write)
		memset(data, address == UART + UART_FR ? UART_FR_TX_EMPTY : 0, 8);
}

static void run_micro_guest(void)
{
	uint8_t *ram = vm_memory(RAM_BYTES);
	struct vm vm;
	int version;
	uint32_t reason;

	load("/bench.dtb", ram, IMAGE_OFFSET);
	load("/micro-bench", ram + IMAGE_OFFSET, RAM_BYTES - IMAGE_OFFSET);
	vm_create(&vm);
	vm_add_memory(&vm, RAM, ram, RAM_BYTES);
	vm_add_memory(&vm, LAZY_MEMORY, vm_memory(LAZY_BYTES), LAZY_BYTES);
	version = vm_add_gic(&vm);
	vm_add_vcpu(&vm);
	vm_start_gic(&vm, version);
	vm_add_doorbell(&vm, DOORBELL, eventfd(0, EFD_CLOEXEC));
	vm_set_entry(&vm, RAM + IMAGE_OFFSET, RAM);
	while ((reason = vm_run(&vm)) == KVM_EXIT_MMIO)
		mmio(&vm);
	must(reason == KVM_EXIT_SYSTEM_EVENT, "the guest's end");
	vm_destroy(&vm);
}

/* --- rows of the host --- */

static void measure_pipe(void)
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
	for (unsigned i = 0; i < PIPE_ROUNDS + WARM_UP; i++) {
		uint64_t start = now();

		must(write(to[1], &byte, 1) == 1 && read(from[0], &byte, 1) == 1, "pipe");
		sample(i, now() - start);
	}
	close(to[1]);
	waitpid(child, NULL, 0);
	report("ipc_call_reply", PIPE_ROUNDS);
}

/* Makes a VM with one page; the time of its first instruction. */
static uint64_t first_instruction(struct vm *vm, uint8_t *page, bool with_gic)
{
	static const uint32_t code[] = {
		0xd53be020, /* mrs x0, cntpct_el0: has no offset, unlike cntvct_el0 */
		0xf9000020, /* str x0, [x1]: x1 = 0, where no memory is */
	};
	int version = 0;
	uint64_t time;

	memcpy(page, code, sizeof(code));
	vm_create(vm);
	vm_add_memory(vm, RAM, page, 4096);
	if (with_gic)
		version = vm_add_gic(vm);
	vm_add_vcpu(vm);
	if (with_gic)
		vm_start_gic(vm, version);
	vm_set_entry(vm, RAM, 0);
	must(vm_run(vm) == KVM_EXIT_MMIO, "the guest's first exit");
	memcpy(&time, vm->run->mmio.data, sizeof(time));
	return time;
}

static void measure_create(const char *row, bool with_gic)
{
	for (unsigned i = 0; i < CREATE_ROUNDS + WARM_UP; i++) {
		uint8_t *page = vm_memory(4096);
		struct vm vm;
		uint64_t start = now();

		sample(i, first_instruction(&vm, page, with_gic) - start);
		vm_destroy(&vm);
		munmap(page, 4096);
	}
	report(row, CREATE_ROUNDS);
}

/* The monitor's process included. */
static void measure_start(void)
{
	char name[] = "vm", *const arguments[] = { name, NULL };
	int from[2];
	posix_spawn_file_actions_t actions;

	must(pipe(from) == 0, "pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
	for (unsigned i = 0; i < START_ROUNDS + WARM_UP; i++) {
		uint64_t time, start = now();
		pid_t child;

		must(posix_spawn(&child, "/init", &actions, NULL, arguments, NULL) == 0, "spawn");
		must(read(from[0], &time, sizeof(time)) == sizeof(time), "the VM's process");
		sample(i, time - start);
		waitpid(child, NULL, 0);
	}
	report("vm_start", START_ROUNDS);
}

static int be_a_vm(void)
{
	struct vm vm;
	uint64_t time;

	vm_open_kvm();
	time = first_instruction(&vm, vm_memory(4096), true);
	return write(STDOUT_FILENO, &time, sizeof(time)) == sizeof(time) ? 0 : 1;
}

int main(int argc, char **argv)
{
	(void)argc;
	if (strcmp(argv[0], "vm") == 0)
		return be_a_vm();
	mkdir("/dev", 0755);
	must(mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) == 0, "mount /dev");
	vm_open_kvm();
	measure_pipe();
	measure_create("vm_create", false);
	measure_create("vm_create_gic", true);
	measure_start();
	run_micro_guest();
	reboot(RB_POWER_OFF);
}
