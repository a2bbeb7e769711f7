ALLOC_SRCS := lib/alloc/alloc.c lib/alloc/arena.c lib/alloc/idalloc.c \
	lib/alloc/objsize.c

$(eval $(call target_lib,alloc,$(ALLOC_SRCS),base))
