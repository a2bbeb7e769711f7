/*
 * KVM's side of the benchmarks: the first and only program of a Linux host. It
 * runs the guest of guests/micro as the smallest monitor that can, and times
 * what no guest can see. Prints `bench ROW min median max` in ticks of the
 * counter, which under icount are instructions.
 */
#define _GNU_SOURCE
#include "guest.h"
#include "rows.h"
#include "vm.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define CREATE_ROUNDS 100u
#define START_ROUNDS 40u
#define MEMORY_VMS 32u

uint64_t now(void)
{
	uint64_t v;

	__asm__ volatile("mrs %0, cntvct_el0"
			 : "=r"(v)
			 :
			 : "memory");
	return v;
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
	vm_add_memory(vm, GUEST_RAM, page, 4096);
	if (with_gic)
		version = vm_add_gic(vm);
	vm_add_vcpu(vm);
	if (with_gic)
		vm_start_gic(vm, version);
	vm_set_entry(vm, GUEST_RAM, 0);
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

static uint64_t free_bytes(void)
{
	struct sysinfo info;

	must(sysinfo(&info) == 0, "sysinfo");
	return (uint64_t)info.freeram * info.mem_unit;
}

/* What the kernel needs for one VM that has run, beyond the guest's page. The
 * first of them makes what all share. */
static void measure_memory(void)
{
	static struct vm vms[MEMORY_VMS + 1];
	uint64_t before = 0;

	for (unsigned i = 0; i <= MEMORY_VMS; i++) {
		(void)first_instruction(&vms[i], vm_memory(4096), true);
		if (i == 0)
			before = free_bytes();
	}
	sample(WARM_UP, (before - free_bytes()) / MEMORY_VMS - 4096);
	report("vm_memory", 1);
	for (unsigned i = 0; i <= MEMORY_VMS; i++)
		vm_destroy(&vms[i]);
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
	if (access("/linux", R_OK) == 0) {
		guest_run_linux();
		reboot(RB_POWER_OFF);
	}
	measure_pipe("ipc_call_reply");
	measure_create("vm_create", false);
	measure_create("vm_create_gic", true);
	measure_start();
	measure_memory();
	guest_run_micro();
	reboot(RB_POWER_OFF);
}
