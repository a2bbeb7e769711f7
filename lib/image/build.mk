$(eval $(call target_lib,image,lib/image/payload.c lib/image/sysdesc.c,base))
$(eval $(call unit_test,image,tests/unit/image_test.c,image base))
$(eval $(call fuzz_target,sysdesc,tests/fuzz/sysdesc_fuzz.c,image base))
$(eval $(call fuzz_target,payload,tests/fuzz/payload_fuzz.c,image base))
