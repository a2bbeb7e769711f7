# The monitor, and its portable parts for host tests and fuzzers.
DECODE_SRCS := $(sort $(wildcard vmm/decode/*.c))
VMM_PORTABLE := $(DECODE_SRCS) vmm/diagnose.c vmm/gmem.c vmm/bus.c vmm/psci.c vmm/board/virt.c \
	vmm/board/vexpress_a9.c \
	vmm/boot/arm64_image.c vmm/boot/layout.c vmm/boot/layout_other.c vmm/boot/fdt.c vmm/boot/fdt_pci.c vmm/boot/fdt_watchdog.c \
	vmm/arch/aarch64/sysreg.c vmm/arch/aarch64/sysreg_narrow.c vmm/arch/aarch64/walk.c vmm/arch/aarch64/walk_narrow.c \
	vmm/arch/aarch64/a9_regs.c
VMM_TARGET := $(filter-out $(VMM_PORTABLE),$(wildcard $(addprefix vmm/,*.c gdb/*.c boot/*.c arch/aarch64/*.c)))
VMM_INC := -Ivmm -Ivmm/decode -Ivmm/arch/aarch64
VMM_LIBS := gdb vcpu virtio_link virtio virtio_driver dev ipc rt sel4 image base

# An image is its table of parts; the linker takes from the library what that
# needs.
PC_BOOT_SRCS := $(sort $(wildcard vmm/boot/pc/*.c))
MONITOR_SRCS_aarch64 := $(sort $(VMM_PORTABLE) $(VMM_TARGET))
MONITOR_SRCS_x86_64 := $(addprefix vmm/,main.c vm.c report.c diagnose.c console.c gmem.c bus.c board/pc.c \
	virtio.c virtio_mem.c virtio_ways.c balloon_ram.c pci.c link.c) \
	$(sort $(wildcard vmm/gdb/*.c vmm/arch/x86_64/*.c)) $(PC_BOOT_SRCS)
MONITOR_INC_aarch64 := $(VMM_INC)
MONITOR_INC_x86_64 := -Ivmm -Ivmm/arch/x86_64 -Ivmm/decode/x86
MONITOR_LIBS_aarch64 := $(VMM_LIBS)
MONITOR_LIBS_x86_64 := gdb decode_x86 vcpu dev_pc virtio_link virtio virtio_driver dev ipc rt sel4 image base
MONITOR_FOREIGN_aarch64 := $(LIBFDT_A)
MONITOR_FOREIGN_x86_64 := $(TOUT)/lib/zydis.a
# Every image, of which a PC has some; mk/checks.py counts their lines. The table of one is
# the architecture's if that has its own.
MONITOR_IMAGES_aarch64 := $(patsubst vmm/image/%.c,%,$(sort $(wildcard vmm/image/*.c)))
MONITOR_IMAGES_x86_64 := vmm vmm-virtio vmm-pci vmm-debug
monitor_image = $(firstword $(wildcard vmm/arch/$(ARCH)/image/$(1).c) vmm/image/$(1).c)

INC_monitor := $(MONITOR_INC_$(ARCH)) -isystem $(LIBFDT_INC)
VMM_IMAGES := $(MONITOR_IMAGES_$(ARCH))
$(eval $(call target_lib,monitor,$(MONITOR_SRCS_$(ARCH)),$(MONITOR_LIBS_$(ARCH))))
$(foreach s,$(MONITOR_SRCS_$(ARCH)),$(TOUT)/obj/lib-monitor/$(s).o): $(LIBFDT_STAMP)
$(foreach i,$(VMM_IMAGES),$(eval PROG_LIBS_$(i) := $(MONITOR_FOREIGN_$(ARCH))) \
	$(eval $(call target_prog,$(i),$(call monitor_image,$(i)),monitor $(MONITOR_LIBS_$(ARCH)),$(MONITOR_INC_$(ARCH)))) \
	$(eval $(TOUT)/bin/$(i).elf: $(MONITOR_FOREIGN_$(ARCH))))

VMM_ELFS := $(VMM_IMAGES:%=$(TOUT)/bin/%.elf)

INC_vmm := $(VMM_INC)
LIB_SRCS_vmm := $(VMM_PORTABLE)
VMM_TEST_LIBS := vmm vcpu_host dev image base
$(foreach t,vmm vmm_fdt guest_boot psci,$(eval UNIT_LIBS_$(t) := -lfdt))
$(eval $(call unit_test,vmm,tests/unit/vmm_test.c,$(VMM_TEST_LIBS)))
$(eval $(call unit_test,vmm_fdt,tests/unit/vmm_fdt_test.c,$(VMM_TEST_LIBS)))
$(eval $(call unit_test,decode,tests/unit/decode_test.c $(DECODE_SRCS),vcpu_host base,-Ivmm/decode))
$(eval $(call unit_test,diagnose,tests/unit/diagnose_test.c vmm/diagnose.c,base,-Ivmm))
$(eval $(call fuzz_target,decode,tests/fuzz/decode_fuzz.c $(DECODE_SRCS),vcpu_host base,-Ivmm/decode))
$(eval $(call fuzz_target,guest_boot,tests/fuzz/guest_boot_fuzz.c,$(VMM_TEST_LIBS)))
$(eval $(call fuzz_target,psci,tests/fuzz/psci_fuzz.c,$(VMM_TEST_LIBS)))
$(eval $(call unit_test,console,tests/unit/console_test.c vmm/console.c,base,-Ivmm -Itests/unit/fake_sel4 -Ilib/sel4/include -Ilib/sel4/arch/aarch64/include))
$(eval $(call unit_test,balloon_ram,tests/unit/balloon_ram_test.c vmm/balloon_ram.c,base,-Ivmm -Ivmm/arch/aarch64 -Itests/unit/fake_sel4 -Ilib/sel4/include -Ilib/sel4/arch/aarch64/include -Idev/include -Ilib/ipc/include -Ilib/rt/include -Ilib/image/include -Ilib/vcpu/include -Ilib/vcpu/arch/aarch64/include))
# Boot protocols and firmware tables of PCs: no image of AArch64 has them.
$(eval $(call unit_test,pc_boot,tests/unit/pc_boot_test.c $(PC_BOOT_SRCS) vmm/gmem.c,base,-Ivmm))
$(eval $(call unit_test,pc_acpi,tests/unit/pc_acpi_test.c $(PC_BOOT_SRCS) vmm/gmem.c,base,-Ivmm))
$(foreach p,bzimage pvh multiboot,$(eval $(call fuzz_target,pc_$(p),tests/fuzz/pc_boot_fuzz.c $(PC_BOOT_SRCS) vmm/gmem.c,base,-Ivmm -DFUZZ_$(p))))
$(eval $(call unit_test,pc_enter,tests/unit/pc_enter_test.c vmm/arch/x86_64/enter.c vmm/boot/pc/entry.c,base,-Ivmm/arch/x86_64 -Ilib/vcpu/include -Ilib/vcpu/arch/x86_64/include -Iabi/include -Iabi/arch/x86_64/include))

$(eval $(call unit_test,walk_x86,tests/unit/walk_x86_test.c vmm/arch/x86_64/walk.c vmm/gmem.c,base,-Ivmm -Ivmm/arch/x86_64))

# The decoder of x86: a library of the target where that is an x86 machine, and its host tests.
DECODE_X86_SRCS := $(sort $(wildcard vmm/decode/x86/*.c))
DECODE_X86_INC := -Ivmm/decode/x86 $(ZYDIS_INC)
ifeq ($(ARCH),x86_64)
INC_decode_x86 := $(DECODE_X86_INC)
$(eval $(call target_lib,decode_x86,$(DECODE_X86_SRCS),base))
$(DECODE_X86_SRCS:%=$(TOUT)/obj/lib-decode_x86/%.o): $(ZYDIS_STAMPS)
TARGET_OUT += $(TOUT)/lib/zydis.a
endif
UNIT_LIBS_decode_x86 := -lunicorn
HOST_LIBS_x86-diff := -lunicorn
DIFF_X86_SRCS := tests/decode/x86/gen.c tests/decode/x86/diff.c
$(eval $(call unit_test,decode_x86,tests/unit/decode_x86_test.c $(DIFF_X86_SRCS) $(DECODE_X86_SRCS),base,$(DECODE_X86_INC) -Itests/decode/x86))
$(eval $(call fuzz_target,decode_x86_insn,tests/fuzz/decode_x86_insn_fuzz.c $(DECODE_X86_SRCS),base,$(DECODE_X86_INC)))
$(eval $(call host_prog,x86-diff,tests/decode/x86/main.c $(DIFF_X86_SRCS) $(DECODE_X86_SRCS),base,,$(DECODE_X86_INC) -Itests/decode/x86))
# It needs a package of the tests: not with `make host`.
HOST_PROGS := $(filter-out $(HOUT)/bin/x86-diff,$(HOST_PROGS))
$(HOUT)/unit/decode_x86 $(HOUT)/fuzz/decode_x86_insn $(HOUT)/bin/x86-diff: $(HOUT)/lib/zydis.a
$(foreach d,unit-decode_x86 fuzz-decode_x86_insn x86-diff,$(patsubst %,$(HOUT)/obj/$(d)/%.o,$(DECODE_X86_SRCS) $(DIFF_X86_SRCS))): $(ZYDIS_STAMPS)
