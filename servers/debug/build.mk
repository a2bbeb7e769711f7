# What it knows, apart from its channels: tested and fuzzed on the host.
INC_shell := -Iservers/debug/src -Ilib/ipc/include
LIB_SRCS_shell := servers/debug/src/shell.c servers/debug/src/edit.c servers/debug/src/answer.c
INC_keys := -Iservers/debug/arch/x86_64 -Iservers/debug/src
LIB_SRCS_keys := servers/debug/arch/x86_64/keys.c
DEBUG_LIBS_x86_64 := dev_pc
DEBUG_SRCS := servers/debug/src/main.c $(wildcard servers/debug/arch/$(ARCH)/*.c) $(LIB_SRCS_shell)
$(eval $(call target_prog,debug,$(DEBUG_SRCS),$(DEBUG_LIBS_$(ARCH)) ipc rt sel4 base,-Iservers/debug/src))
$(eval $(call unit_test,shell,tests/unit/shell_test.c,shell base))
$(eval $(call fuzz_target,shell,tests/fuzz/shell_fuzz.c,shell base))
$(eval $(call unit_test,keys,tests/unit/keys_test.c,keys dev_pc virtio dev base))
$(eval $(call fuzz_target,keys,tests/fuzz/keys_fuzz.c,keys dev_pc virtio dev base))
