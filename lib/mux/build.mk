$(eval $(call target_lib,mux,lib/mux/mux.c,base))
$(eval $(call unit_test,mux,tests/unit/mux_test.c,mux base))
$(eval $(call fuzz_target,mux,tests/fuzz/mux_fuzz.c,mux base))
