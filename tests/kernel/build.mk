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

# Root tasks that are linked otherwise than ours, without our runtime.
FOREIGN_CFLAGS := $(filter-out -flto,$(USER_CFLAGS)) -fno-builtin $(INC_abi) $(call incs,sel4 base)
define foreign_root
$(TOUT)/bin/foreign-$(1).elf: tests/kernel/foreign/root.c tests/kernel/foreign/foreign.S tests/kernel/foreign/$(1).ld lib/sel4/src/ipcbuf.c
	@mkdir -p $$(@D)
	@echo "  LD    $$@"
	$(Q)$(TARGET_CC) $(FOREIGN_CFLAGS) -static -nostdlib -Wl,--build-id=none \
	  -Wl,-z,max-page-size=4096 \
	  -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,-T,tests/kernel/foreign/$(1).ld -o $$@ $$(filter %.c %.S,$$^)
$(TOUT)/foreign-$(1).img: tests/kernel/pack.py $(TOUT)/loader.img $(TOUT)/kernel.elf $(TOUT)/bin/foreign-$(1).elf
	$(Q)python3 $$^ $$@
TARGET_OUT += $(TOUT)/foreign-$(1).img
endef
$(foreach f,unaligned shared,$(eval $(call foreign_root,$(f))))
