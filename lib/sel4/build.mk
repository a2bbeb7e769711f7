$(eval $(call target_lib,sel4,lib/sel4/src/ipcbuf.c,sel4))
