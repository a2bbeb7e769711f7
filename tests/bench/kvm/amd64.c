/*
 * KVM-AMD's side of the benchmarks: the first and only program of a Linux host for
 * PCs. It runs the guest of guests/micropc as the smallest monitor that can, and
 * times a pipe. Prints `bench ROW min median max` in ticks of the TSC, which under
 * icount are instructions.
 */
#define _GNU_SOURCE
#include "rows.h"
#include "vm.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RAM_BYTES 0x1000000u
#define IMAGE 0x100000u
#define IMAGE_ENTRY 28u /* of the Multiboot header, which comes first */
#define BOOT_MAGIC 0x2badb002u
#define BOOT_INFO 0x8000u
#define BOOT_CMDLINE 0x9000u
#define INFO_CMDLINE 4u
#define CPUID_ENTRIES 100
#define COM1 0x3f8
#define COM1_STATUS 0x3fd
#define COM1_EMPTY 0x20
#define POWER 0x604
#define DOORBELL 0xb00
#define KICK 0xb04
#define KICK_LINE 15u

uint64_t now(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc"
			 : "=a"(low), "=d"(high)
			 :
			 : "memory");
	return (uint64_t)high << 32 | low;
}

/* --- the host --- */

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	must(fd >= 0 && syscall(SYS_finit_module, fd, "", 0) == 0, path);
	close(fd);
}

/* --- the guest --- */

static void put32(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
}

/* A Multiboot image and what it is told. Returns its entry. */
static uint32_t load(uint8_t *ram)
{
	int fd = open("/micropc-bench", O_RDONLY | O_CLOEXEC);
	uint32_t entry;

	must(fd >= 0 && read(fd, ram + IMAGE, RAM_BYTES - IMAGE) > 0, "the guest");
	close(fd);
	put32(ram + BOOT_INFO, INFO_CMDLINE);
	put32(ram + BOOT_INFO + 16, BOOT_CMDLINE);
	strcpy((char *)ram + BOOT_CMDLINE, "bench-hypercall bench-doorbell bench-kick");
	memcpy(&entry, ram + IMAGE + IMAGE_ENTRY, sizeof(entry));
	return entry;
}

/* What KVM can give. */
static void set_cpuid(struct vm *vm)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entry[CPUID_ENTRIES];
	} cpuid = { .head.nent = CPUID_ENTRIES };

	MUST(ioctl(vm_kvm, KVM_GET_SUPPORTED_CPUID, &cpuid));
	MUST(ioctl(vm->vcpu, KVM_SET_CPUID2, &cpuid));
}

/* Flat protected mode. */
static void set_entry(struct vm *vm, uint32_t entry)
{
	const struct kvm_segment data = {
		.limit = 0xffffffff,
		.selector = 16,
		.type = 3,
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1,
	};
	struct kvm_regs regs = { .rax = BOOT_MAGIC, .rbx = BOOT_INFO, .rip = entry, .rflags = 2 };
	struct kvm_sregs sregs;

	MUST(ioctl(vm->vcpu, KVM_GET_SREGS, &sregs));
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = sregs.cs = data;
	sregs.cs.selector = 8;
	sregs.cs.type = 11;
	sregs.cr0 |= 1;
	MUST(ioctl(vm->vcpu, KVM_SET_SREGS, &sregs));
	MUST(ioctl(vm->vcpu, KVM_SET_REGS, &regs));
}

static void set_line(struct vm *vm, unsigned level)
{
	struct kvm_irq_level line = { .irq = KICK_LINE, .level = level };

	MUST(ioctl(vm->fd, KVM_IRQ_LINE, &line));
}

/* Returns false at the end. */
static bool port(struct vm *vm)
{
	uint8_t *data = (uint8_t *)vm->run + vm->run->io.data_offset;

	if (vm->run->io.direction == KVM_EXIT_IO_IN) {
		memset(data, vm->run->io.port == COM1_STATUS ? COM1_EMPTY : 0, vm->run->io.size);
		return true;
	}
	switch (vm->run->io.port) {
	case KICK:
		set_line(vm, 1);
		set_line(vm, 0);
		return true;
	case COM1: console_write((char)*data); return true;
	default: return vm->run->io.port != POWER;
	}
}

static void run_guest(void)
{
	struct kvm_ioeventfd doorbell = { .addr = DOORBELL,
					  .len = 1,
					  .fd = eventfd(0, EFD_CLOEXEC),
					  .flags = KVM_IOEVENTFD_FLAG_PIO };
	uint8_t *ram = vm_memory(RAM_BYTES);
	uint32_t entry = load(ram), reason;
	struct vm vm;

	vm_create(&vm);
	MUST(ioctl(vm.fd, KVM_CREATE_IRQCHIP));
	vm_add_memory(&vm, 0, ram, RAM_BYTES);
	vm_create_vcpu(&vm);
	set_cpuid(&vm);
	set_entry(&vm, entry);
	MUST(ioctl(vm.fd, KVM_IOEVENTFD, &doorbell));
	for (;;) {
		reason = vm_run(&vm);
		if (reason == KVM_EXIT_MMIO && !vm.run->mmio.is_write)
			memset(vm.run->mmio.data, 0, 8);
		else if (reason != KVM_EXIT_IO || !port(&vm))
			break;
	}
	must(reason == KVM_EXIT_IO, "the guest's end");
	vm_destroy(&vm);
}

int main(void)
{
	mkdir("/dev", 0755);
	must(mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) == 0, "mount /dev");
	load_module("/irqbypass.ko");
	load_module("/kvm.ko");
	load_module("/kvm-amd.ko");
	vm_open_kvm();
	measure_pipe("x86_ipc_call_reply");
	run_guest();
	reboot(RB_POWER_OFF);
}
