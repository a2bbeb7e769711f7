# FreeRTOS as a guest: its kernel's sources as they are, with an application of
# ours, in build/assets/freertos-{a9,virt32,virt64}, raw, and .elf beside each.
FREERTOS := $(OUT)/freertos/kernel
FREERTOS_STAMP := $(OUT)/freertos/stamp

$(FREERTOS_STAMP): mk/packages/crate guests/freertos/Cargo.toml guests/freertos/Cargo.lock \
		$(call foreign,cargo-web)
	@mkdir -p $(@D)
	$(Q)sh mk/packages/crate $(CARGO) guests/freertos freertos-next/FreeRTOS-Kernel $(FREERTOS)
	@touch $@

FREERTOS_KERNEL := tasks.c queue.c list.c timers.c portable/MemMang/heap_4.c
FREERTOS_APP := main.c parts.c measure.c print.c devices.c fpu.c
FREERTOS_HEADERS := $(wildcard guests/freertos/*.h guests/freertos/*/*.h)
FREERTOS_FLAGS := -std=gnu17 -O2 -g $(REPRO) -ffile-prefix-map=$(FREERTOS)=freertos \
	-ffreestanding -fno-stack-protector -fno-pic -fno-pie -fno-asynchronous-unwind-tables \
	-fno-tree-loop-distribute-patterns -ffunction-sections -fdata-sections \
	-Iguests/freertos -I$(FREERTOS)/include
FREERTOS_FLAGS_arm := -marm -march=armv7-a -mfpu=neon -mfloat-abi=hard -mno-unaligned-access
FREERTOS_FLAGS_aarch64 := -mno-outline-atomics -mstrict-align -DGUEST
FREERTOS_CC_arm := $(ARM32_CC)
FREERTOS_CC_aarch64 := $(TARGET_CC)
FREERTOS_OBJCOPY_arm := $(ARM32_OBJCOPY)
FREERTOS_OBJCOPY_aarch64 := $(TARGET_OBJCOPY)

# $(1)=name $(2)=instruction set $(3)=port $(4)=board $(5)=start address $(6)=1: it watches only
define freertos_guest
FREERTOS_DIR_$(1) := $(OUT)/obj/freertos-$(1)
FREERTOS_CFLAGS_$(1) := $(FREERTOS_FLAGS) $(FREERTOS_FLAGS_$(2)) -Iguests/freertos/$(2) \
	-I$(FREERTOS)/portable/GCC/$(3) -DBOARD_$(call freertos_upper,$(4)) -DPORT_NAME='"$(3)"' -DAPP_WATCH=$(if $(6),$(6),0)
FREERTOS_OBJS_$(1) := $$(patsubst %,$$(FREERTOS_DIR_$(1))/%.o,$(2)/start.S $(FREERTOS_APP) $(4).c) \
	$$(patsubst %,$$(FREERTOS_DIR_$(1))/kernel/%.o,$(FREERTOS_KERNEL) portable/GCC/$(3)/port.c \
	  portable/GCC/$(3)/portASM.S)
$$(FREERTOS_DIR_$(1))/%.o: guests/freertos/% $(FREERTOS_STAMP) $(FREERTOS_HEADERS) guests/freertos/build.mk
	@mkdir -p $$(@D)
	$(Q)$(FREERTOS_CC_$(2)) $$(FREERTOS_CFLAGS_$(1)) $(WARN) \
	  $$(if $$(filter fpu.c %.S,$$(notdir $$*)),,-mgeneral-regs-only) -c -o $$@ $$<
$$(FREERTOS_DIR_$(1))/kernel/%.o: $(FREERTOS_STAMP) $(FREERTOS_HEADERS) guests/freertos/build.mk
	@mkdir -p $$(@D)
	$(Q)$(FREERTOS_CC_$(2)) $$(FREERTOS_CFLAGS_$(1)) -w -D__NO_INLINE__ \
	  $$(if $$(filter %.S,$$*),,-mgeneral-regs-only) -c -o $$@ $(FREERTOS)/$$*
$(ASSETS)/freertos-$(1).elf: $$(FREERTOS_OBJS_$(1)) guests/freertos/freertos.ld
	@mkdir -p $$(@D)
	@echo "  LD    $$@"
	$(Q)$(FREERTOS_CC_$(2)) $$(FREERTOS_CFLAGS_$(1)) -nostdlib -static -Wl,--gc-sections \
	  -Wl,--defsym=START=$(5) -Wl,-T,guests/freertos/freertos.ld -Wl,--build-id=none \
	  -Wl,--no-warn-rwx-segments -Wl,-z,noexecstack -Wl,--wrap=vPortRestoreTaskContext -o $$@ $$(FREERTOS_OBJS_$(1)) -lgcc
$(ASSETS)/freertos-$(1): $(ASSETS)/freertos-$(1).elf
	$(Q)$(FREERTOS_OBJCOPY_$(2)) -O binary $$< $$@
FREERTOS_FILES += $(ASSETS)/freertos-$(1)
endef
freertos_upper = $(if $(filter virt,$(1)),VIRT,VEXPRESS)

$(eval $(call freertos_guest,a9,arm,ARM_CA9,vexpress,0x60010000))
$(eval $(call freertos_guest,virt32,arm,ARM_CA9,virt,0x40010000))
$(eval $(call freertos_guest,virt64,aarch64,ARM_AARCH64,virt,0x40080000))
$(eval $(call freertos_guest,watch,aarch64,ARM_AARCH64,virt,0x40080000,1))
# Vectors for address 0 that branch to those of freertos-virt32: `ldr pc, [pc, #24]` and its target, eight times.
$(ASSETS)/freertos-vectors: guests/freertos/build.mk
	@mkdir -p $(@D)
	$(Q)python3 -c "import struct, sys; sys.stdout.buffer.write(struct.pack('<16I', \
	  *[0xe59ff018] * 8, *[0x40010000 + 4 * n for n in range(8)]))" >$@
FREERTOS_FILES += $(ASSETS)/freertos-vectors

ASSET_FILES += $(FREERTOS_FILES)
assets: $(FREERTOS_FILES)
freertos: $(FREERTOS_FILES)
.PHONY: freertos

# For PCs: a raw image that Multiboot loads; no C library.
FREERTOS_PC_DIR := $(OUT)/obj/freertos-pc
FREERTOS_PC_CFLAGS := $(FREERTOS_FLAGS) -m32 -march=i686 -fcf-protection=none -Iguests/freertos/ia32 \
	-Iguests/freertos/ia32/libc -I$(FREERTOS)/portable/GCC/IA32_flat -DPORT_NAME='"IA32_flat"'
FREERTOS_PC_CC := $(CROSS_x86_64)gcc -Iguests/freertos/ia32
FREERTOS_PC_OBJS := $(patsubst %,$(FREERTOS_PC_DIR)/%.o,ia32/start.S ia32/main.c ia32/pc.c ia32/net.c ia32/fpu.c parts.c print.c) \
	$(patsubst %,$(FREERTOS_PC_DIR)/kernel/%.o,$(FREERTOS_KERNEL) $(addprefix portable/GCC/IA32_flat/,port.c portASM.S))
$(FREERTOS_PC_DIR)/%.o: guests/freertos/% $(FREERTOS_STAMP) $(FREERTOS_HEADERS) \
		$(wildcard guests/freertos/ia32/libc/*.h) guests/freertos/build.mk
	@mkdir -p $(@D)
	$(Q)$(FREERTOS_PC_CC) $(FREERTOS_PC_CFLAGS) $(WARN) \
	  $(if $(filter fpu.c %.S,$(notdir $*)),-mfpmath=387,-mgeneral-regs-only) -c -o $@ $<
$(FREERTOS_PC_DIR)/kernel/%.o: $(FREERTOS_STAMP) $(FREERTOS_HEADERS) guests/freertos/build.mk
	@mkdir -p $(@D)
	$(Q)$(FREERTOS_PC_CC) $(FREERTOS_PC_CFLAGS) -w -mgeneral-regs-only -c -o $@ $(FREERTOS)/$*
$(ASSETS)/freertos-pc.elf: $(FREERTOS_PC_OBJS) guests/freertos/ia32/ia32.ld
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(FREERTOS_PC_CC) $(FREERTOS_PC_CFLAGS) -nostdlib -static -no-pie -Wl,-m,elf_i386 -Wl,--gc-sections \
	  -Wl,-T,guests/freertos/ia32/ia32.ld -Wl,--build-id=none -Wl,--no-warn-rwx-segments -Wl,-z,noexecstack \
	  -o $@ $(FREERTOS_PC_OBJS)
$(ASSETS)/freertos-pc: $(ASSETS)/freertos-pc.elf
	$(Q)$(CROSS_x86_64)objcopy -O binary $< $@
assets: $(ASSETS)/freertos-pc
