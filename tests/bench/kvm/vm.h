/* A virtual machine with one vCPU over Linux's /dev/kvm. Linux only; a call
 * that fails ends the program with its name. */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

struct vm {
	int fd, vcpu, gic;
	struct kvm_run *run;
	unsigned slots;
};

/* Opens /dev/kvm, as vm_kvm, once and before anything else. */
void vm_open_kvm(void);
extern int vm_kvm;

void vm_create(struct vm *vm);
/* Frees all of it but the memory. */
void vm_destroy(struct vm *vm);
/* Anonymous memory in small pages, none of them touched yet. */
uint8_t *vm_memory(uint64_t bytes);
/* The same in pages of 2 MiB, as far as Linux has them. */
uint8_t *vm_memory_by_large_pages(uint64_t bytes);
void vm_add_memory(struct vm *vm, uint64_t address, void *memory, uint64_t bytes);
/* The same, but what the guest writes there are exits. */
void vm_add_read_only(struct vm *vm, uint64_t address, void *memory, uint64_t bytes);
/* The vCPU as it is after a reset; of arm64 by vm_add_vcpu. */
void vm_create_vcpu(struct vm *vm);
/* GICv3, or GICv2 where that is what there is, at QEMU virt's addresses;
 * before vm_add_vcpu. Returns the version. */
int vm_add_gic(struct vm *vm);
void vm_add_vcpu(struct vm *vm);
/* After vm_add_vcpu: the interrupt controller's redistributor, if it has one. */
void vm_start_gic(struct vm *vm, int version);
void vm_set_entry(struct vm *vm, uint64_t pc, uint64_t x0);
/* A 32-bit write there makes the event of `eventfd`. */
void vm_add_doorbell(struct vm *vm, uint64_t address, int eventfd);
/* The same for one value. */
void vm_add_doorbell_for(struct vm *vm, uint64_t address, uint32_t value, int eventfd);
/* The event of `eventfd` raises the edge-triggered interrupt `spi`; after
 * vm_start_gic. */
void vm_add_interrupt(struct vm *vm, unsigned spi, int eventfd);
/* The shared peripheral interrupt `intid` becomes high. */
void vm_raise(struct vm *vm, unsigned intid);
/* To the next exit; its reason. */
uint32_t vm_run(struct vm *vm);

void must(bool good, const char *what);
#define MUST(call) must((call) >= 0, #call)
