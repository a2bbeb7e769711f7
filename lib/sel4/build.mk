INC_sel4 := -Ilib/sel4/include -Ilib/sel4/arch/aarch64/include
$(eval $(call target_lib,sel4,lib/sel4/src/ipcbuf.c,sel4))
