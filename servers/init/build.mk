# A PC has its devices on a PCI bus.
INIT_LIBS_x86_64 := pcibus
INIT_LIBS := rt_root rt ipc sel4 alloc vspace image mux $(INIT_LIBS_$(ARCH)) base
INIT_INC := -Ilib/virtio/include
# What the machine is: a devicetree says so, or, on a PC, ACPI's tables.
INIT_FDT_aarch64 := $(LIBFDT_A)
INIT_INC_aarch64 := -isystem $(LIBFDT_INC)
PROG_LIBS_init := $(INIT_FDT_$(ARCH))
$(eval $(call target_prog,init,$(wildcard servers/init/*.c servers/init/arch/$(ARCH)/*.c),$(INIT_LIBS),-Iservers/init -Iservers/init/arch/$(ARCH) $(INIT_INC) $(INIT_INC_$(ARCH))))
$(TOUT)/obj/bin-init/servers/init/arch/aarch64/machine.c.o: | $(LIBFDT_STAMP)
$(TOUT)/bin/init.elf: $(INIT_FDT_$(ARCH))

INC_request := -Iservers/init -Ilib/ipc/include
LIB_SRCS_request := servers/init/request.c
$(eval $(call unit_test,request,tests/unit/request_test.c,request base))
$(eval $(call fuzz_target,request,tests/fuzz/request_fuzz.c,request base))
# Parts of it against a kernel that the test plays.
INIT_FAKE := -Iservers/init -Iservers/init/arch/aarch64 -Itests/unit/fake_sel4 -Ilib/sel4/include \
  -Ilib/sel4/arch/aarch64/include -Ilib/rt/include -Ilib/alloc/include -DSELVAGE_PA_BITS=44
$(eval $(call fuzz_target,upload,tests/fuzz/upload_fuzz.c servers/init/upload.c,image base,$(INIT_FAKE)))
$(eval $(call unit_test,balloon,tests/unit/balloon_test.c servers/init/balloon.c,image base,$(INIT_FAKE) -Ilib/ipc/include -Ilib/vcpu/include -Ilib/vcpu/arch/aarch64/include))
INC_acpi := -Iservers/init/arch/x86_64
LIB_SRCS_acpi := servers/init/arch/x86_64/acpi.c
$(eval $(call unit_test,acpi,tests/unit/acpi_test.c,acpi base))
$(eval $(call fuzz_target,acpi,tests/fuzz/acpi_fuzz.c,acpi base))
