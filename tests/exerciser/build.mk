# The exerciser: a root task, and a bootable image with it.
$(eval $(call target_prog,exerciser,$(sort $(wildcard tests/exerciser/*.c)),rt_root rt sel4 base,-Itests/exerciser))

$(TOUT)/exerciser.img: tests/kernel/pack.py $(TOUT)/loader.img $(TOUT)/kernel.elf \
		$(TOUT)/bin/exerciser.elf
	@echo "  IMG   $@"
	$(Q)python3 $^ $@
TARGET_OUT += $(call built,images,$(TOUT)/exerciser.img)
