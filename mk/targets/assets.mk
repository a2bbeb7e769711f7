# What the two commands of the README build.
demo-parts: host target $(ASSETS)/linux-debian $(ASSETS)/initrd-busybox freertos
demo-parts-pc: host
	@$(MAKE) -s --no-print-directory CONFIG=pc target

# Both kernel configurations of AArch64: systems on cortex-a76 need pa40.
configs: $(addprefix config-,$(CONFIGS))
config-%:
	@$(MAKE) -s --no-print-directory CONFIG=$* target
# x86-64: the kernel, its tests, the services.
config-pc:
	@$(MAKE) -s --no-print-directory CONFIG=pc target
	@$(MAKE) -s --no-print-directory CONFIG=pc BUILD=debug target
config-debug:
	@$(MAKE) -s --no-print-directory BUILD=debug target
# The stand-in for seL4's kernel, under which the userland is tested too, the
# kernel for benchmarks, and those with several domains.
config-plain:
	@$(MAKE) -s --no-print-directory EXTENSIONS=0 $(OUT)/$(CONFIG)-plain/kernel-tests.img
	@$(MAKE) -s --no-print-directory BENCHMARK=1 $(OUT)/$(CONFIG)-benchmark/kernel-tests.img
	@$(MAKE) -s --no-print-directory DOMAINS=4 $(OUT)/$(CONFIG)-domains4/kernel-tests.img
	@$(MAKE) -s --no-print-directory DOMAINS=4 BUILD=debug $(OUT)/$(CONFIG)-debug-domains4/kernel-tests.img
	@$(MAKE) -s --no-print-directory EXTENSIONS=0 GUEST_TIME=stands \
	  $(OUT)/$(CONFIG)-plain-stands/kernel-tests.img

# What each group of ./check needs.
PARTS := static unit bad tool fuzz decode pcboot kernel exerciser system bench
parts-static: $(LIBFDT_STAMP) $(VMM_ELFS)
parts-unit: $(UNIT_BINS)
parts-fuzz: $(FUZZ_BINS)
parts-bad parts-tool: host
parts-pcboot: $(PCBOOT_TEST)
parts-decode: $(DECODE_TEST)
parts-kernel: host configs config-debug config-plain config-pc
parts-system: host configs config-plain config-pc assets $(INSN_PLUGIN)
parts-exerciser: configs config-debug $(LATENCY_PLUGIN)
parts-bench: host target config-pc assets $(INSN_PLUGIN) $(PEERS)
$(addprefix parts-,$(PARTS)):
	@:
.PHONY: demo-parts demo-parts-pc configs config-pc $(addprefix parts-,$(PARTS))
