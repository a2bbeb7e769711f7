$(eval $(call target_prog,block,$(wildcard servers/block/src/*.c),virtio virtio_driver ipc rt sel4 image base))

# All but the system calls is tested on the host.
INC_partition := -Iservers/block/src
LIB_SRCS_partition := servers/block/src/partition.c
$(eval $(call unit_test,partition,tests/unit/partition_test.c,partition base))
$(eval $(call fuzz_target,partition,tests/fuzz/partition_fuzz.c,partition base))
INC_slow := -Iservers/block/src
LIB_SRCS_slow := servers/block/src/slow.c servers/block/src/mdisk.c
$(eval $(call unit_test,slow,tests/unit/slow_test.c $(VIRTIO_TEST),slow virtio_driver_host virtio dev base))
