VSPACE_SRCS := lib/vspace/range.c lib/vspace/table.c lib/vspace/vspace.c

$(eval $(call target_lib,vspace,$(VSPACE_SRCS),base))
$(eval $(call unit_test,vspace,tests/unit/vspace_test.c,vspace base))
