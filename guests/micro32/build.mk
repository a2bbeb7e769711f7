# Bare 32-bit guests: an ELF file in build/assets/micro32-NAME, its bytes for
# 0x40010000 in micro32-NAME.raw.
MICRO32_GUESTS := low insns
MICRO32_LOAD := 0x40010000

define micro32_guest
$(ASSETS)/micro32-$(1): guests/micro32/$(1).S guests/micro32/micro32.ld guests/micro32/build.mk
	@mkdir -p $$(@D)
	@echo "  IMG   $$@"
	$(Q)$(ARM32_CC) -nostdlib -static -Wl,-T,guests/micro32/micro32.ld -Wl,--build-id=none \
	  -Wl,-Ttext=$(MICRO32_LOAD) -Wl,--no-warn-rwx-segments -o $$@ $$<
$(ASSETS)/micro32-$(1).raw: $(ASSETS)/micro32-$(1)
	$(Q)$(ARM32_OBJCOPY) -O binary $$< $$@
endef
$(foreach g,$(MICRO32_GUESTS),$(eval $(call micro32_guest,$(g))))

MICRO32_FILES := $(foreach g,$(MICRO32_GUESTS),$(ASSETS)/micro32-$(g) $(ASSETS)/micro32-$(g).raw)
ASSET_FILES += $(MICRO32_FILES)
assets: $(MICRO32_FILES)
