ALLOC_SRCS := lib/alloc/alloc.c lib/alloc/arena.c lib/alloc/idalloc.c \
	lib/alloc/objsize.c

$(eval $(call target_lib,alloc,$(ALLOC_SRCS) lib/alloc/arch/$(ARCH)/objsize_arch.c,base))
LIB_SRCS_alloc := $(ALLOC_SRCS) lib/alloc/arch/aarch64/objsize_arch.c
$(eval $(call unit_test,idalloc,tests/unit/idalloc_test.c,alloc base))
$(eval $(call unit_test,alloc,tests/unit/alloc_test.c \
	tests/unit/untyped_model.c,alloc base))
$(eval $(call unit_test,arena,tests/unit/arena_test.c \
	tests/unit/untyped_model.c,alloc base))
