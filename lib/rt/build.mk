# x86-64 has root tasks alone so far, and no C library (mk/config.mk).
RT_ARCH_aarch64 := lib/rt/arch/aarch64/start.S lib/rt/arch/aarch64/mem.S lib/rt/src/start.c \
	lib/rt/src/libc.c
RT_ARCH_x86_64 := lib/rt/arch/x86_64/clock.c lib/rt/arch/x86_64/string.c lib/base/freestanding/memory.c
RT_SRCS := lib/rt/arch/$(ARCH)/thread.S lib/rt/src/run.c lib/rt/src/tls.c $(RT_ARCH_$(ARCH))
$(eval $(call target_lib,rt,$(RT_SRCS),sel4 base))
# The root task's start: link `rt_root` before `rt`.
RT_ROOT_SRCS := lib/rt/arch/$(ARCH)/root.S lib/rt/src/root.c
$(eval $(call target_lib,rt_root,$(RT_ROOT_SRCS),rt sel4 base))
INC_clock := -Ilib/rt/include
LIB_SRCS_clock :=
$(eval $(call unit_test,clock,tests/unit/clock_test.c,clock))
