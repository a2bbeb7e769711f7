/* What a VM of arm64 has: a GIC, registers by number. */
#include "vm.h"

#include <stddef.h>
#include <sys/ioctl.h>

#define GICD 0x08000000ull
#define GICC 0x08010000ull
#define GICR 0x080a0000ull
#define GIC_INTERRUPTS 96u

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

	vm_create_vcpu(vm);
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
