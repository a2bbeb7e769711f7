# Bare 32-bit guests: an ELF file in build/assets/micro32-NAME, its bytes for
# 0x40010000 in micro32-NAME.raw, and packed for U-Boot in micro32-NAME.uimage.
MICRO32_GUESTS := low copy insns svc svct
# low, filling the vectors' page itself.
MICRO32_SRC_copy := low
MICRO32_CFLAGS_copy := -DCOPY
MICRO32_LOAD := 0x40010000

define micro32_guest
$(ASSETS)/micro32-$(1): guests/micro32/$(or $(MICRO32_SRC_$(1)),$(1)).S guests/micro32/start.inc guests/micro32/micro32.ld guests/micro32/build.mk
	@mkdir -p $$(@D)
	@echo "  IMG   $$@"
	$(Q)$(ARM32_CC) $(MICRO32_CFLAGS_$(1)) -nostdlib -static -Wl,-T,guests/micro32/micro32.ld -Wl,--build-id=none \
	  -Wl,-Ttext=$(MICRO32_LOAD) -Wl,--no-warn-rwx-segments -o $$@ $$<
$(ASSETS)/micro32-$(1).raw: $(ASSETS)/micro32-$(1)
	$(Q)$(ARM32_OBJCOPY) -O binary $$< $$@
$(ASSETS)/micro32-$(1).uimage: $(ASSETS)/micro32-$(1).raw mk/mkuimage.py
	$(Q)python3 mk/mkuimage.py $$< $$@ $(MICRO32_LOAD)
endef
$(foreach g,$(MICRO32_GUESTS),$(eval $(call micro32_guest,$(g))))

MICRO32_FILES := $(foreach g,$(MICRO32_GUESTS),$(addprefix $(ASSETS)/micro32-$(g),/ .raw .uimage))
MICRO32_FILES := $(MICRO32_FILES:/=)
ASSET_FILES += $(MICRO32_FILES)
assets: $(MICRO32_FILES)
