# Bare guests of a PC, each a raw Multiboot image in build/assets/micropc-NAME.
MICROPC_GUESTS := sweep bench random wake
MICROPC_CC := $(CROSS_x86_64)gcc
MICROPC_CFLAGS := $(CSTD) $(WARN) -O2 $(REPRO) -ffreestanding -m64 -mno-red-zone -mgeneral-regs-only -mcmodel=small \
	-fno-pic -fno-pie -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables

define micropc_guest
$(OUT)/obj/micropc/$(1).elf: guests/micropc/start.S guests/micropc/micropc.c guests/micropc/$(1).c $(if $(filter random,$(1)),guests/micropc/modes.S) \
		guests/micropc/micropc.h guests/micropc/micropc.ld guests/micropc/build.mk
	@mkdir -p $$(@D)
	$(Q)$(MICROPC_CC) $(MICROPC_CFLAGS) -nostdlib -static -no-pie -Wl,-T,guests/micropc/micropc.ld \
	  -Wl,--build-id=none -Wl,--no-warn-rwx-segments -Wl,-z,noexecstack -o $$@ $$(filter %.S %.c,$$^)
$(ASSETS)/micropc-$(1): $(OUT)/obj/micropc/$(1).elf
	@mkdir -p $$(@D)
	@echo "  IMG   $$@"
	$(Q)$(CROSS_x86_64)objcopy -O binary $$< $$@
endef
$(foreach g,$(MICROPC_GUESTS),$(eval $(call micropc_guest,$(g))))

MICROPC_FILES := $(addprefix $(ASSETS)/micropc-,$(MICROPC_GUESTS))
ASSET_FILES += $(MICROPC_FILES)
assets: $(MICROPC_FILES)
