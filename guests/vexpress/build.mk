# The same program for QEMU's vexpress-a9 and for Selvage's board.
$(OUT)/obj/vexpress-probe.elf: guests/vexpress/probe.c guests/freertos/freertos.ld guests/vexpress/build.mk
	@mkdir -p $(@D)
	$(Q)$(ARM32_CC) -std=gnu17 -O2 $(REPRO) $(WARN) -marm -march=armv7-a -mfpu=neon -mfloat-abi=hard \
	  -mgeneral-regs-only -mno-unaligned-access -ffreestanding -fno-stack-protector -fno-pic -fno-pie \
	  -fno-tree-loop-distribute-patterns -nostdlib -static -Wl,--defsym=START=0x60010000 -Wl,-T,guests/freertos/freertos.ld -Wl,--build-id=none \
	  -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -o $@ $<
$(ASSETS)/vexpress-probe: $(OUT)/obj/vexpress-probe.elf
	@mkdir -p $(@D)
	@echo "  IMG   $@"
	$(Q)$(ARM32_OBJCOPY) -O binary $< $@
ASSET_FILES += $(ASSETS)/vexpress-probe
assets: $(ASSETS)/vexpress-probe
