# Bare guests for PCs, each a raw Multiboot image in build/assets/micro-pc-NAME.
MICRO_PC_GUESTS := bench
MICRO_PC_CFLAGS := $(CSTD) $(WARN) -O2 $(REPRO) -ffreestanding -mgeneral-regs-only -mno-red-zone \
	-fno-stack-protector -fno-pic -fno-pie -fcf-protection=none -fno-asynchronous-unwind-tables

define micro_pc_guest
$(OUT)/obj/micro-pc/$(1).elf: $(addprefix guests/micro-pc/,start.S $(1).c micro.ld build.mk)
	@mkdir -p $$(@D)
	$(Q)$(CROSS_x86_64)gcc $(MICRO_PC_CFLAGS) -nostdlib -static -no-pie -Wl,-T,guests/micro-pc/micro.ld \
	  -Wl,--build-id=none -Wl,--no-warn-rwx-segments -Wl,-z,noexecstack -Wl,-z,max-page-size=4096 \
	  -o $$@ $$(filter %.S %.c,$$^)
$(ASSETS)/micro-pc-$(1): $(OUT)/obj/micro-pc/$(1).elf
	@mkdir -p $$(@D)
	@echo "  IMG   $$@"
	$(Q)$(CROSS_x86_64)objcopy -O binary $$< $$@
endef
$(foreach g,$(MICRO_PC_GUESTS),$(eval $(call micro_pc_guest,$(g))))

MICRO_PC_FILES := $(addprefix $(ASSETS)/micro-pc-,$(MICRO_PC_GUESTS))
ASSET_FILES += $(MICRO_PC_FILES)
assets: $(MICRO_PC_FILES)
