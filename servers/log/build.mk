INC_logmerge := -Iservers/log/src -Ilib/rt/include -Ilib/ipc/include
LIB_SRCS_logmerge := servers/log/src/merge.c servers/log/src/format.c
# Both are tested on the host.
INC_screen := -Iservers/log/src -Ilib/rt/include -Ilib/ipc/include
LIB_SRCS_screen := servers/log/src/screen.c
LOG_SRCS := servers/log/src/main.c servers/log/arch/$(ARCH)/screen_hw.c $(LIB_SRCS_logmerge) \
	$(LIB_SRCS_screen)
$(eval $(call target_prog,log,$(LOG_SRCS),ipc rt sel4 base,-Iservers/log/src))
$(eval $(call unit_test,logmerge,tests/unit/logmerge_test.c,logmerge logring base))
$(eval $(call unit_test,screen,tests/unit/screen_test.c,screen base))
$(eval $(call fuzz_target,screen,tests/fuzz/screen_fuzz.c,screen base))
