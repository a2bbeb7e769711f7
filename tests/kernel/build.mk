# The on-target tests: a root task, and a bootable image with it.
KT_PORTABLE := $(addprefix tests/kernel/,budget.c cnode.c delete.c domain.c donation.c fastpath.c \
	ipc.c main.c notification.c recorder.c reply.c runtime.c sched.c stopped.c transfer.c untyped.c)
KT_SRCS_aarch64 := $(wildcard tests/kernel/*.c tests/kernel/*.S)
KT_SRCS_x86_64 := $(KT_PORTABLE)
KT_SRCS := $(sort $(KT_SRCS_$(ARCH)) $(wildcard tests/kernel/arch/$(ARCH)/*.[cS]))
KT_LIBS_x86_64 := vcpu
$(eval $(call target_prog,kernel_tests,$(KT_SRCS),$(KT_LIBS_$(ARCH)) rt_root rt sel4 base,-Itests/kernel -Itests/kernel/arch/$(ARCH) -DSELVAGE_BENCHMARK=$(BENCHMARK) -DSELVAGE_DOMAINS=$(DOMAINS)))

$(TOUT)/kernel-tests.img: tests/kernel/pack.py $(TOUT)/loader.img $(TOUT)/kernel.elf \
		$(TOUT)/bin/kernel_tests.elf
	@echo "  IMG   $@"
	$(Q)python3 $^ $@
TARGET_OUT += $(call built,images,$(TOUT)/kernel-tests.img)

# A stand-in for a kernel that is linked high: what the loader hands over.
$(TOUT)/handover.elf: tests/kernel/handover/kernel.c tests/kernel/handover/kernel.ld
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(KERNEL_CFLAGS) $(FREE_LDFLAGS) -Wl,-T,tests/kernel/handover/kernel.ld -o $@ $<
$(TOUT)/handover.img: tests/kernel/pack.py $(TOUT)/loader.img $(TOUT)/handover.elf \
		$(TOUT)/bin/kernel_tests.elf
	$(Q)python3 $^ $@
TARGET_OUT += $(call built,images,$(TOUT)/handover.img)

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
TARGET_OUT += $(call built,images,$(TOUT)/foreign-$(1).img)
endef
$(foreach f,unaligned shared,$(eval $(call foreign_root,$(f))))
