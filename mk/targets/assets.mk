# What the two commands of the README build.
demo-parts: host target $(ASSETS)/linux-debian $(ASSETS)/initrd-busybox

# Both kernel configurations: systems on cortex-a76 need pa40.
configs: $(addprefix config-,$(CONFIGS))
config-%:
	@$(MAKE) --no-print-directory CONFIG=$* target

test-parts: host configs assets $(UNIT_BINS) $(FUZZ_BINS) $(INSN_PLUGIN)
.PHONY: demo-parts configs test-parts
