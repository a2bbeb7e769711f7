TIME_SRCS := servers/time/src/main.c servers/time/src/timers.c \
	$(wildcard servers/time/arch/$(ARCH)/*.c)
$(eval $(call target_prog,time,$(TIME_SRCS),event ipc rt sel4 base,-Iservers/time/src -Iservers/time/arch/$(ARCH)))
# What it knows, apart from the machine: tested on the host.
INC_timers := -Iservers/time/src -Ilib/ipc/include -Ilib/rt/include
LIB_SRCS_timers := servers/time/src/timers.c
$(eval $(call unit_test,timers,tests/unit/timers_test.c,timers event base))
