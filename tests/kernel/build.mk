# The on-target tests: a root task, and a bootable image with it.
KT_SRCS := $(sort $(wildcard tests/kernel/*.c tests/kernel/*.S))
$(eval $(call target_prog,kernel_tests,$(KT_SRCS),rt_root rt sel4 base,-Itests/kernel -DSELVAGE_BENCHMARK=$(BENCHMARK) -DSELVAGE_DOMAINS=$(DOMAINS)))

$(TOUT)/kernel-tests.img: tests/kernel/pack.py $(TOUT)/loader.img $(TOUT)/kernel.elf \
		$(TOUT)/bin/kernel_tests.elf
	@echo "  IMG   $@"
	$(Q)python3 $^ $@
TARGET_OUT += $(TOUT)/kernel-tests.img

# A stand-in for a kernel that is linked high: what the loader hands over.
$(TOUT)/handover.elf: tests/kernel/handover/kernel.c tests/kernel/handover/kernel.ld
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(KERNEL_CFLAGS) $(FREE_LDFLAGS) -Wl,-T,tests/kernel/handover/kernel.ld -o $@ $<
$(TOUT)/handover.img: tests/kernel/pack.py $(TOUT)/loader.img $(TOUT)/handover.elf \
		$(TOUT)/bin/kernel_tests.elf
	$(Q)python3 $^ $@
TARGET_OUT += $(TOUT)/handover.img
