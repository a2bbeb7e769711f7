# What it knows, apart from its channels: tested and fuzzed on the host.
INC_shell := -Iservers/debug/src -Ilib/ipc/include
LIB_SRCS_shell := servers/debug/src/shell.c servers/debug/src/edit.c servers/debug/src/answer.c
DEBUG_SRCS := servers/debug/src/main.c $(LIB_SRCS_shell)
$(eval $(call target_prog,debug,$(DEBUG_SRCS),ipc rt sel4 base,-Iservers/debug/src))
$(eval $(call unit_test,shell,tests/unit/shell_test.c,shell base))
$(eval $(call fuzz_target,shell,tests/fuzz/shell_fuzz.c,shell base))
