BASE_SRCS := lib/base/chacha.c lib/base/crc32.c lib/base/drbg.c lib/base/fdt.c lib/base/fmt.c lib/base/regions.c lib/base/ring.c lib/base/tree.c

$(eval $(call target_lib,base,$(BASE_SRCS),))
$(eval $(call unit_test,chacha,tests/unit/chacha_test.c,base))
$(eval $(call unit_test,base,tests/unit/base_test.c,base))
