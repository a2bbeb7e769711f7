# What the two commands of the README build.
demo-parts: host target $(ASSETS)/linux-debian $(ASSETS)/initrd-busybox

# Both kernel configurations: systems on cortex-a76 need pa40.
configs: $(addprefix config-,$(CONFIGS))
config-%:
	@$(MAKE) -s --no-print-directory CONFIG=$* target
config-debug:
	@$(MAKE) -s --no-print-directory BUILD=debug target

# What each group of ./check needs.
PARTS := static unit bad tool fuzz kernel system bench
parts-static: $(LIBFDT_STAMP)
parts-unit: $(UNIT_BINS)
parts-fuzz: $(FUZZ_BINS)
parts-bad parts-tool: host
parts-kernel: host configs config-debug
parts-system: host configs assets $(INSN_PLUGIN)
parts-bench: host target assets $(INSN_PLUGIN) $(PEERS)
$(addprefix parts-,$(PARTS)):
	@:
.PHONY: demo-parts configs $(addprefix parts-,$(PARTS))
