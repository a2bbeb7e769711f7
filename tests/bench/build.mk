# The instruction counter for QEMU (a shared object of the host).
INSN_PLUGIN := $(HOUT)/bench/insn.so
$(INSN_PLUGIN): tests/bench/insn.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -fvisibility=hidden -shared -fPIC -o $@ $<

bench: host target assets $(INSN_PLUGIN) ## measure; prints and writes build/bench.json
	@python3 tests/bench/run.py
.PHONY: bench
