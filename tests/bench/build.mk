# The instruction counter for QEMU (a shared object of the host).
INSN_PLUGIN := $(HOUT)/bench/insn.so
$(INSN_PLUGIN): tests/bench/insn.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -fvisibility=hidden -shared -fPIC -o $@ $<

# The benchmarks of native programs: a root task, and a bootable image with it.
$(eval $(call target_prog,bench_native,tests/bench/native/main.c,rt_root rt sel4 base))

$(TOUT)/bench-native.img: tests/kernel/pack.py $(TOUT)/loader.img $(TOUT)/kernel.elf \
		$(TOUT)/bin/bench_native.elf
	@echo "  IMG   $@"
	$(Q)python3 $^ $@
TARGET_OUT += $(TOUT)/bench-native.img

bench: host target assets $(INSN_PLUGIN) ## measure; prints and writes build/bench.json
	@python3 tests/bench/run.py
.PHONY: bench
