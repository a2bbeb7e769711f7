INC_timerq := -Iservers/time/src -Ilib/ipc/include
LIB_SRCS_timerq := servers/time/src/timerq.c
TIME_SRCS := servers/time/src/main.c servers/time/src/timerq.c \
	servers/time/arch/$(ARCH)/timer_hw.c
$(eval $(call target_prog,time,$(TIME_SRCS),ipc rt sel4 base,-Iservers/time/src))
$(eval $(call unit_test,timerq,tests/unit/timerq_test.c,timerq))
