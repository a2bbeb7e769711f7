# Macros for build.mk files.
#
#   $(eval $(call target_lib,NAME,SOURCES,LIBS))
#       a library of the target: $(TOUT)/lib/NAME.a; public headers in
#       lib/NAME/include; LIBS are the libraries whose headers it may include.
#   $(eval $(call target_prog,NAME,SOURCES,LIBS,EXTRA_CFLAGS))
#       a process of the target: $(TOUT)/bin/NAME.elf, linked with LIBS in
#       that order (list every library, users before what they use).
#   $(eval $(call host_prog,NAME,SOURCES,LIBDIRS,PKGS,EXTRA_CFLAGS))
#       a program of the host: $(HOUT)/bin/NAME; LIBDIRS are libraries of
#       lib/ whose sources (LIB_SRCS_name) are compiled in.
#   $(eval $(call unit_test,NAME,SOURCES,LIBDIRS,EXTRA_CFLAGS))
#       a cmocka test: $(HOUT)/unit/NAME, run by `make unit`.
#   $(eval $(call fuzz_target,NAME,SOURCES,LIBDIRS,EXTRA_CFLAGS))
#       a libFuzzer target: $(HOUT)/fuzz/NAME, run by `make fuzz`; seeds in
#       tests/fuzz/corpus/NAME/.
#
# A folder that is not lib/NAME but is used like one (dev, abi) is named by
# INC_name and LIB_SRCS_name, which its build.mk sets.

TARGET_OUT :=
# What a configuration builds of the target; PARTS_CONFIG unset: everything.
built = $(if $(PARTS_$(CONFIG)),$(if $(filter $(PARTS_$(CONFIG)),$(1)),$(2)),$(2))
HOST_PROGS :=
UNIT_RUNS :=
FUZZ_RUNS :=
FUZZ_BINS :=

INC_abi := -Iabi/include -Iabi/arch/$(ARCH)/include
LIB_SRCS_abi :=
# Include flags of a list of library names: lib/NAME/include and, for what
# depends on the architecture, lib/NAME/arch/$(ARCH)/include.
incs_of = -Iabi/include -Iabi/arch/$(1)/include $(foreach l,$(2),$(if $(INC_$(l)),$(INC_$(l)),-Ilib/$(l)/include $(addprefix -I,$(wildcard lib/$(l)/arch/$(1)/include))))
incs = $(call incs_of,$(ARCH),$(1))
# Programs and tests of the host do not depend on CONFIG.
host_incs = $(call incs_of,aarch64,$(1))
# Object paths of sources under an output folder.
objs = $(patsubst %,$(1)/%.o,$(2))

# $(1)=objdir $(2)=sources $(3)=compiler $(4)=flags: compile rules.
define compile_rules
$(foreach s,$(2),$(eval $(call compile_one,$(1)/$(s).o,$(s),$(3),$(4))))
endef
define compile_one
$(1): $(2) mk/config.mk
	@mkdir -p $$(@D)
	$(Q)$(3) $(4) -MMD -MP -c -o $$@ $$<
-include $(1:.o=.d)
endef
Q := $(if $(V),,@)

define target_lib
LIB_SRCS_$(1) := $(2)
$(call compile_rules,$(TOUT)/obj/lib-$(1),$(2),$(TARGET_CC),$(USER_CFLAGS) $(call incs,$(1) $(3)))
$(call objs,$(TOUT)/obj/lib-$(1),$(2)): | $(LIBC_FIRST_$(ARCH))
$(TOUT)/lib/$(1).a: $(call objs,$(TOUT)/obj/lib-$(1),$(2))
	@mkdir -p $$(@D)
	@echo "  AR    $$@"
	$(Q)rm -f $$@ && $(TARGET_AR) rcsD $$@ $$^
TARGET_OUT += $(call built,$(1),$(TOUT)/lib/$(1).a)
endef

define target_prog
$(call compile_rules,$(TOUT)/obj/bin-$(1),$(2),$(TARGET_CC),$(USER_CFLAGS) $(4) $(call incs,$(3)))
$(call objs,$(TOUT)/obj/bin-$(1),$(2)): | $(LIBC_FIRST_$(ARCH))
$(TOUT)/bin/$(1).elf: $(call objs,$(TOUT)/obj/bin-$(1),$(2)) \
		$(foreach l,$(3),$(TOUT)/lib/$(l).a) $(LIBC_$(ARCH)) lib/rt/process.ld
	@mkdir -p $$(@D)
	@echo "  LD    $$@"
	$(Q)$(TARGET_CC) $(USER_CFLAGS) $(if $(USER_LTO),-flto-partition=one) \
	  -static -nostdlib -nostartfiles -Wl,--gc-sections \
	  -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--build-id=none \
	  -Wl,-T,lib/rt/process.ld -Wl,-Map=$$@.map -o $$@ \
	  $(call objs,$(TOUT)/obj/bin-$(1),$(2)) -Wl,--start-group \
	  $(PROG_LIBS_$(1)) $(foreach l,$(3),$(TOUT)/lib/$(l).a) \
	  $(LIBC_$(ARCH)) -lgcc -Wl,--end-group
TARGET_OUT += $(call built,$(1),$(TOUT)/bin/$(1).elf)
endef

define host_prog
$(call compile_rules,$(HOUT)/obj/$(1),$(2) $(foreach l,$(3),$(LIB_SRCS_$(l))),$(HOST_CC),$(HOST_CFLAGS) $(5) $(call host_incs,$(3)) $(if $(4),$(shell pkg-config --cflags $(4) 2>/dev/null)))
$(HOUT)/bin/$(1): $(call objs,$(HOUT)/obj/$(1),$(2) $(foreach l,$(3),$(LIB_SRCS_$(l))))
	@mkdir -p $$(@D)
	@echo "  LD    $$@"
	$(Q)$(HOST_CC) -o $$@ $$^ $(HOST_LIBS_$(1)) $(if $(4),$(shell pkg-config --libs $(4) 2>/dev/null))
HOST_PROGS += $(HOUT)/bin/$(1)
endef

define unit_test
$(call compile_rules,$(HOUT)/obj/unit-$(1),$(2) $(foreach l,$(3),$(LIB_SRCS_$(l))),$(HOST_CC),$(TEST_CFLAGS) $(SAN) $(4) $(call host_incs,$(3)))
$(HOUT)/unit/$(1): $(call objs,$(HOUT)/obj/unit-$(1),$(2) $(foreach l,$(3),$(LIB_SRCS_$(l))))
	@mkdir -p $$(@D)
	$(Q)$(HOST_CC) $(SAN) -o $$@ $$^ -lcmocka $(UNIT_LIBS_$(1))
unit-$(1): $(HOUT)/unit/$(1)
	@echo "  UNIT  $(1)"
	$(Q)timeout 120 $(HOUT)/unit/$(1) > $(HOUT)/unit/$(1).log 2>&1 || \
	  { cat $(HOUT)/unit/$(1).log; echo "unit test $(1) failed"; exit 1; }
.PHONY: unit-$(1)
UNIT_RUNS += unit-$(1)
UNIT_BINS += $(HOUT)/unit/$(1)
endef

define fuzz_target
$(call compile_rules,$(HOUT)/obj/fuzz-$(1),$(2) $(foreach l,$(3),$(LIB_SRCS_$(l))),$(FUZZ_CC),$(TEST_CFLAGS) $(SAN) -fsanitize=fuzzer-no-link $(4) $(call host_incs,$(3)))
$(HOUT)/fuzz/$(1): $(call objs,$(HOUT)/obj/fuzz-$(1),$(2) $(foreach l,$(3),$(LIB_SRCS_$(l))))
	@mkdir -p $$(@D)
	$(Q)$(FUZZ_CC) $(SAN) -fsanitize=fuzzer -o $$@ $$^ $(UNIT_LIBS_$(1))
fuzz-$(1): $(HOUT)/fuzz/$(1)
	@echo "  FUZZ  $(1) ($(FUZZ_SECONDS) s)"
	@mkdir -p $(HOUT)/fuzz/corpus-$(1)
	$(Q)$(HOUT)/fuzz/$(1) -max_total_time=$(FUZZ_SECONDS) -seed=1 -verbosity=0 \
	  -print_final_stats=0 -artifact_prefix=$(HOUT)/fuzz/$(1)- \
	  $(HOUT)/fuzz/corpus-$(1) $(wildcard tests/fuzz/corpus/$(1))
.PHONY: fuzz-$(1)
FUZZ_RUNS += fuzz-$(1)
FUZZ_BINS += $(HOUT)/fuzz/$(1)
endef
