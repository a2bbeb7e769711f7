INIT_LIBS := rt_root rt ipc sel4 alloc vspace image mux base
INIT_INC := -Ilib/virtio/include
PROG_LIBS_init := $(LIBFDT_A)
$(eval $(call target_prog,init,$(wildcard servers/init/*.c),$(INIT_LIBS),$(INIT_INC) -isystem $(LIBFDT_INC)))
$(TOUT)/obj/bin-init/servers/init/machine.c.o: | $(LIBFDT_STAMP)
$(TOUT)/bin/init.elf: $(LIBFDT_A)

INC_request := -Iservers/init -Ilib/ipc/include
LIB_SRCS_request := servers/init/request.c
$(eval $(call unit_test,request,tests/unit/request_test.c,request base))
$(eval $(call fuzz_target,request,tests/fuzz/request_fuzz.c,request base))
$(eval $(call fuzz_target,upload,tests/fuzz/upload_fuzz.c servers/init/upload.c,image base,\
  -Iservers/init -Itests/unit/fake_sel4 -Ilib/sel4/include -Ilib/sel4/arch/aarch64/include -Ilib/rt/include -Ilib/alloc/include \
  -DSELVAGE_PA_BITS=44))
