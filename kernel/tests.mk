# The portable core on the host, above a mocked architecture. What boots and
# what replaces the C library stays out.
KERNEL_HOST_SRCS := $(wildcard kernel/object/*.c) $(addprefix kernel/core/,entry.c fastpath.c invoke.c \
	ipc.c printk.c refill.c sched.c trace.c tcb_queue.c tcb_state.c) lib/base/fmt.c \
	$(wildcard kernel/debug/*.c) tests/unit/mock_arch/mock_arch.c tests/unit/mock_arch/mock_check.c
KERNEL_HOST_INC := -Ikernel/include -Ikernel/debug -Itests/unit/mock_arch -Ilib/base/include

$(eval $(call unit_test,kernel_caps,tests/unit/kernel_caps_test.c $(KERNEL_HOST_SRCS),,$(KERNEL_HOST_INC)))
$(eval $(call unit_test,kernel_refill,tests/unit/kernel_refill_test.c $(KERNEL_HOST_SRCS),,$(KERNEL_HOST_INC)))
$(eval $(call unit_test,kernel_syscall,tests/unit/kernel_syscall_test.c tests/unit/kernel_sim.c $(KERNEL_HOST_SRCS),,$(KERNEL_HOST_INC)))
$(eval $(call unit_test,kernel_invariants,tests/unit/kernel_invariants_test.c $(KERNEL_HOST_SRCS),,$(KERNEL_HOST_INC)))
$(eval $(call fuzz_target,kernel,tests/fuzz/kernel_fuzz.c tests/unit/kernel_sim.c $(KERNEL_HOST_SRCS),,$(KERNEL_HOST_INC)))

# What x86-64's boot reads of the loader.
MULTIBOOT_INC := $(KERNEL_HOST_INC) -Ikernel/arch/x86_64/include -Ikernel/loader/arch/x86_64
$(eval $(call unit_test,kernel_multiboot,tests/unit/kernel_multiboot_test.c kernel/loader/arch/x86_64/multiboot.c,,$(MULTIBOOT_INC)))
$(eval $(call fuzz_target,multiboot,tests/fuzz/multiboot_fuzz.c kernel/loader/arch/x86_64/multiboot.c,,$(MULTIBOOT_INC)))
