# The portable core on the host, above a mocked architecture.
KERNEL_HOST_SRCS := $(wildcard kernel/object/*.c) $(filter-out kernel/core/boot.c,\
	$(wildcard kernel/core/*.c)) tests/unit/mock_arch/mock_arch.c
KERNEL_HOST_INC := -Ikernel/include -Itests/unit/mock_arch

$(eval $(call unit_test,kernel_caps,tests/unit/kernel_caps_test.c $(KERNEL_HOST_SRCS),,$(KERNEL_HOST_INC)))
