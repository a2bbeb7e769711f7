# The monitor, and its portable parts for host tests and fuzzers.
DECODE_SRCS := $(sort $(wildcard vmm/decode/*.c))
VMM_PORTABLE := $(DECODE_SRCS) vmm/diagnose.c vmm/gmem.c vmm/bus.c vmm/psci.c vmm/board/virt.c \
	vmm/board/vexpress_a9.c \
	vmm/boot/arm64_image.c vmm/boot/layout.c vmm/boot/fdt.c \
	vmm/arch/aarch64/sysreg.c vmm/arch/aarch64/walk.c
VMM_TARGET := vmm/main.c vmm/vm.c vmm/exits.c vmm/devices.c vmm/a9.c vmm/kick.c vmm/console.c \
	vmm/gdb/hold.c vmm/gdb/points.c vmm/gdb/target.c vmm/gdb/monitor.c \
	vmm/arch/aarch64/debug_arch.c vmm/arch/aarch64/debug_regs.c \
	vmm/report.c vmm/boot/load.c vmm/arch/aarch64/vgic_glue.c \
	vmm/arch/aarch64/direct.c vmm/arch/aarch64/vtime.c vmm/arch/aarch64/vtimer.c \
	vmm/arch/aarch64/sysreg_exit.c vmm/arch/aarch64/insn.c \
	vmm/arch/aarch64/report_arch.c \
	vmm/arch/aarch64/hypercall.c
VMM_INC := -Ivmm -Ivmm/decode -Ivmm/arch/aarch64

PROG_LIBS_vmm := $(LIBFDT_A)
$(eval $(call target_prog,vmm,$(VMM_PORTABLE) $(VMM_TARGET),gdb vcpu dev ipc rt sel4 image base,$(VMM_INC) -isystem $(LIBFDT_INC)))
$(foreach s,$(VMM_PORTABLE) $(VMM_TARGET),$(TOUT)/obj/bin-vmm/$(s).o): $(LIBFDT_STAMP)

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
$(eval $(call unit_test,console,tests/unit/console_test.c vmm/console.c,base,-Ivmm -Itests/unit/fake_sel4 -Ilib/sel4/include))
