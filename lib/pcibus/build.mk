$(eval $(call target_lib,pcibus,$(wildcard lib/pcibus/*.c),base))
$(eval $(call fuzz_target,pcibus,tests/fuzz/pcibus_fuzz.c,pcibus base))
