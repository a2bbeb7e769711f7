# Bare guests, each an arm64 Image in build/assets/micro-NAME.
MICRO_GUESTS := spin wild undef gic calls reset wake insns fault meter bench tick virtio reach blk net hold watchdog
MICRO_CFLAGS := $(CSTD) $(WARN) -O2 $(REPRO) -ffreestanding -mgeneral-regs-only -mstrict-align \
	-fno-stack-protector -fpie -fno-asynchronous-unwind-tables -mno-outline-atomics

# What drives virtio devices of more than one kind.
MICRO_MORE_blk := $(addprefix guests/micro/,vdev.c vpci.c its.c)
MICRO_MORE_net := $(MICRO_MORE_blk)

define micro_guest
$(OUT)/obj/micro/$(1).elf: guests/micro/start.S guests/micro/micro.c guests/micro/$(1).c \
		$(MICRO_MORE_$(1)) guests/micro/micro.h guests/micro/vdev.h guests/micro/micro.ld guests/micro/build.mk
	@mkdir -p $$(@D)
	$(Q)$(TARGET_CC) $(MICRO_CFLAGS) -nostdlib -static -Wl,-T,guests/micro/micro.ld \
	  -Wl,--build-id=none -Wl,--no-warn-rwx-segments -o $$@ $$(filter %.S %.c,$$^)
$(ASSETS)/micro-$(1): $(OUT)/obj/micro/$(1).elf
	@mkdir -p $$(@D)
	@echo "  IMG   $$@"
	$(Q)$(TARGET_OBJCOPY) -O binary $$< $$@
endef
$(foreach g,$(MICRO_GUESTS),$(eval $(call micro_guest,$(g))))

MICRO_FILES := $(addprefix $(ASSETS)/micro-,$(MICRO_GUESTS))
ASSET_FILES += $(MICRO_FILES)
assets: $(MICRO_FILES)
