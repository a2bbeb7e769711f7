INC_logmerge := -Iservers/log/src -Ilib/rt/include -Ilib/ipc/include
LIB_SRCS_logmerge := servers/log/src/merge.c servers/log/src/format.c
LOG_SRCS := servers/log/src/main.c $(LIB_SRCS_logmerge)
$(eval $(call target_prog,log,$(LOG_SRCS),ipc rt sel4 base,-Iservers/log/src))
$(eval $(call unit_test,logmerge,tests/unit/logmerge_test.c,logmerge logring base))
