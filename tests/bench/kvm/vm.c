#include "vm.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define GICD 0x08000000ull
#define GICC 0x08010000ull
#define GICR 0x080a0000ull
#define GIC_INTERRUPTS 96u
#define LARGE_PAGE 0x200000u

static int kvm, run_bytes;

void must(bool good, const char *what)
{
	if (good)
		return;
	fflush(stdout);
	fprintf(stderr, "kvm bench: error: %s: %m\n", what);
	exit(1);
}
#define MUST(call) must((call) >= 0, #call)

void vm_open_kvm(void)
{
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	must(kvm >= 0, "/dev/kvm");
	run_bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	must(run_bytes > 0, "KVM_GET_VCPU_MMAP_SIZE");
}

void vm_create(struct vm *vm)
{
	*vm = (struct vm){ .fd = ioctl(kvm, KVM_CREATE_VM, 0), .vcpu = -1, .gic = -1 };
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

static void set_gic(struct vm *vm, uint32_t group, uint64_t attribute, void *value)
{
	struct kvm_device_attr attr = { .group = group,
					.attr = attribute,
					.addr = (uintptr_t)value };

	MUST(ioctl(vm->gic, KVM_SET_DEVICE_ATTR, &attr));
}

int vm_add_gic(struct vm *vm)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t distributor = GICD, cpu_interface = GICC;
	uint32_t interrupts = GIC_INTERRUPTS;
	int version = 3;

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &device) < 0) {
		device.type = KVM_DEV_TYPE_ARM_VGIC_V2;
		version = 2;
		MUST(ioctl(vm->fd, KVM_CREATE_DEVICE, &device));
	}
	vm->gic = (int)device.fd;
	set_gic(vm, KVM_DEV_ARM_VGIC_GRP_ADDR,
		version == 3 ? KVM_VGIC_V3_ADDR_TYPE_DIST : KVM_VGIC_V2_ADDR_TYPE_DIST,
		&distributor);
	if (version == 2)
		set_gic(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_CPU, &cpu_interface);
	set_gic(vm, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &interrupts);
	return version;
}

void vm_start_gic(struct vm *vm, int version)
{
	uint64_t redistributor = GICR;

	if (version == 3)
		set_gic(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST,
			&redistributor);
	set_gic(vm, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

void vm_add_vcpu(struct vm *vm)
{
	struct kvm_vcpu_init init = { 0 };

	vm->vcpu = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
	must(vm->vcpu >= 0, "KVM_CREATE_VCPU");
	vm->run = mmap(NULL, (size_t)run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu, 0);
	must(vm->run != MAP_FAILED, "mmap of kvm_run");
	MUST(ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init));
	init.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2;
	MUST(ioctl(vm->vcpu, KVM_ARM_VCPU_INIT, &init));
}

static void set_register(struct vm *vm, size_t offset, uint64_t value)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | offset / 4,
		.addr = (uintptr_t)&value,
	};

	MUST(ioctl(vm->vcpu, KVM_SET_ONE_REG, &reg));
}

void vm_set_entry(struct vm *vm, uint64_t pc, uint64_t x0)
{
	set_register(vm, offsetof(struct kvm_regs, regs.pc), pc);
	set_register(vm, offsetof(struct kvm_regs, regs.regs[0]), x0);
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

void vm_add_interrupt(struct vm *vm, unsigned spi, int eventfd)
{
	struct kvm_irqfd interrupt = { .fd = (uint32_t)eventfd, .gsi = spi };

	MUST(ioctl(vm->fd, KVM_IRQFD, &interrupt));
}

void vm_raise(struct vm *vm, unsigned intid)
{
	struct kvm_irq_level line = {
		.irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | intid,
		.level = 1,
	};

	MUST(ioctl(vm->fd, KVM_IRQ_LINE, &line));
}

uint32_t vm_run(struct vm *vm)
{
	MUST(ioctl(vm->vcpu, KVM_RUN, 0));
	return vm->run->exit_reason;
}
