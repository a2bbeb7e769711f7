$(eval $(call target_prog,block,servers/block/src/main.c,virtio ipc rt sel4 image base))
