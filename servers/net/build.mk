$(eval $(call target_prog,net,$(wildcard servers/net/src/*.c),virtio virtio_driver ipc rt sel4 image base))

# All but the system calls is tested on the host.
INC_switch := -Iservers/net/src
LIB_SRCS_switch := servers/net/src/switch.c
$(eval $(call unit_test,switch,tests/unit/switch_test.c,switch base))
INC_nic := -Iservers/net/src
LIB_SRCS_nic := servers/net/src/virtio_nic.c
$(eval $(call unit_test,nic,tests/unit/nic_test.c $(VIRTIO_TEST),nic virtio_driver_host virtio dev base))
INC_e1000 := -Iservers/net/src
LIB_SRCS_e1000 := servers/net/src/e1000.c
$(eval $(call unit_test,e1000,tests/unit/e1000_test.c,e1000 virtio_driver_host base))
$(eval $(call fuzz_target,e1000,tests/fuzz/e1000_fuzz.c,e1000 virtio_driver_host base))
INC_ports := -Iservers/net/src
LIB_SRCS_ports := servers/net/src/ports.c
$(eval $(call unit_test,ports,tests/unit/ports_test.c $(VIRTIO_TEST),ports switch virtio_link virtio_driver_host virtio dev base))
INC_sockets := -Iservers/net/src
LIB_SRCS_sockets := servers/net/src/sockets.c
$(eval $(call unit_test,sockets,tests/unit/sockets_test.c $(VIRTIO_TEST),sockets virtio_link virtio_driver_host virtio dev base))
