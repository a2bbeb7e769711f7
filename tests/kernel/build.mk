# The on-target tests: a root task, and a bootable image with it.
KT_SRCS := $(sort $(wildcard tests/kernel/*.c tests/kernel/*.S))
$(eval $(call target_prog,kernel_tests,$(KT_SRCS),rt_root rt sel4 base,-Itests/kernel))

$(TOUT)/kernel-tests.img: tests/kernel/pack.py $(TOUT)/loader.img $(TOUT)/kernel.elf \
		$(TOUT)/bin/kernel_tests.elf
	@echo "  IMG   $@"
	$(Q)python3 $^ $@
TARGET_OUT += $(TOUT)/kernel-tests.img
