RT_ARCH_x86_64 := lib/rt/arch/x86_64/clock.c
RT_SRCS := lib/rt/arch/$(ARCH)/thread.S lib/rt/src/run.c lib/rt/src/tls.c \
	lib/rt/arch/$(ARCH)/start.S lib/rt/arch/$(ARCH)/mem.S lib/rt/src/start.c \
	lib/rt/src/libc.c $(RT_ARCH_$(ARCH))
$(eval $(call target_lib,rt,$(RT_SRCS),sel4 base))
# The root task's start: link `rt_root` before `rt`.
RT_ROOT_SRCS := lib/rt/arch/$(ARCH)/root.S lib/rt/src/root.c
$(eval $(call target_lib,rt_root,$(RT_ROOT_SRCS),rt sel4 base))
INC_clock := -Ilib/rt/include
LIB_SRCS_clock :=
$(eval $(call unit_test,clock,tests/unit/clock_test.c,clock))
