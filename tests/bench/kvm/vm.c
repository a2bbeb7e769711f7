#include "vm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE_PAGE 0x200000u

int vm_kvm;
static int run_bytes;

void must(bool good, const char *what)
{
	if (good)
		return;
	fflush(stdout);
	fprintf(stderr, "kvm bench: error: %s: %m\n", what);
	exit(1);
}

void vm_open_kvm(void)
{
	vm_kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	must(vm_kvm >= 0, "/dev/kvm");
	run_bytes = ioctl(vm_kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	must(run_bytes > 0, "KVM_GET_VCPU_MMAP_SIZE");
}

void vm_create(struct vm *vm)
{
	*vm = (struct vm){ .fd = ioctl(vm_kvm, KVM_CREATE_VM, 0), .vcpu = -1, .gic = -1 };
	must(vm->fd >= 0, "KVM_CREATE_VM");
}

void vm_destroy(struct vm *vm)
{
	munmap(vm->run, (size_t)run_bytes);
	close(vm->vcpu);
	if (vm->gic >= 0)
		close(vm->gic);
	close(vm->fd);
}

void vm_create_vcpu(struct vm *vm)
{
	vm->vcpu = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
	must(vm->vcpu >= 0, "KVM_CREATE_VCPU");
	vm->run = mmap(NULL, (size_t)run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu, 0);
	must(vm->run != MAP_FAILED, "mmap of kvm_run");
}

uint8_t *vm_memory_by_large_pages(uint64_t bytes)
{
	uint8_t *p = mmap(NULL, bytes + LARGE_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	p += -(uintptr_t)p % LARGE_PAGE;
	MUST(madvise(p, bytes, MADV_HUGEPAGE));
	return p;
}

uint8_t *vm_memory(uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	MUST(madvise(p, bytes, MADV_NOHUGEPAGE));
	return p;
}

static void add_memory(struct vm *vm, uint64_t address, void *memory, uint64_t bytes,
		       uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = vm->slots++,
		.flags = flags,
		.guest_phys_addr = address,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)memory,
	};

	MUST(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region));
}

void vm_add_memory(struct vm *vm, uint64_t address, void *memory, uint64_t bytes)
{
	add_memory(vm, address, memory, bytes, 0);
}

void vm_add_read_only(struct vm *vm, uint64_t address, void *memory, uint64_t bytes)
{
	add_memory(vm, address, memory, bytes, KVM_MEM_READONLY);
}

void vm_add_doorbell(struct vm *vm, uint64_t address, int eventfd)
{
	struct kvm_ioeventfd doorbell = { .addr = address, .len = 4, .fd = eventfd };

	MUST(ioctl(vm->fd, KVM_IOEVENTFD, &doorbell));
}

void vm_add_doorbell_for(struct vm *vm, uint64_t address, uint32_t value, int eventfd)
{
	struct kvm_ioeventfd doorbell = { .addr = address,
					  .len = 4,
					  .fd = eventfd,
					  .datamatch = value,
					  .flags = KVM_IOEVENTFD_FLAG_DATAMATCH };

	MUST(ioctl(vm->fd, KVM_IOEVENTFD, &doorbell));
}

uint32_t vm_run(struct vm *vm)
{
	MUST(ioctl(vm->vcpu, KVM_RUN, 0));
	return vm->run->exit_reason;
}
