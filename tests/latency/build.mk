# The emulator's plugin (a shared object of the host), and a root task that
# does what should take the kernel longest.
LATENCY_PLUGIN := $(HOUT)/latency/latency.so
$(LATENCY_PLUGIN): tests/latency/latency.c tests/qemu_plugin.h
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -fvisibility=hidden -Itests -shared -fPIC -o $@ $<

$(eval $(call target_prog,latency,tests/latency/worst.c,rt_root rt sel4 base))
$(TOUT)/latency.img: tests/kernel/pack.py $(TOUT)/loader.img $(TOUT)/kernel.elf \
		$(TOUT)/bin/latency.elf
	@echo "  IMG   $@"
	$(Q)python3 $^ $@
TARGET_OUT += $(call built,images,$(TOUT)/latency.img)
