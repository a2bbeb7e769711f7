INIT_LIBS := rt_root rt ipc sel4 alloc image mux base
PROG_LIBS_init = $(LIBFDT_DIR)/lib/libfdt.a
$(eval $(call target_prog,init,$(wildcard servers/init/*.c),$(INIT_LIBS),$(LIBFDT_CFLAGS)))
