# Device models: a library for the VMM, and for host tests and fuzzers.
INC_dev := -Idev/include
$(eval $(call target_lib,dev,dev/reg.c dev/countdown.c dev/pl011.c dev/pl031.c \
	dev/sp804.c dev/sp805.c dev/a9mp.c dev/vexpress.c dev/pl310.c dev/gicc.c dev/vgic.c \
	dev/vgic_direct.c dev/vgic_lpi.c dev/vgic_lr.c dev/vgic_regs.c,))

$(eval $(call unit_test,dev_pl011,tests/unit/dev_pl011_test.c,dev))
$(eval $(call unit_test,dev_pl031,tests/unit/dev_pl031_test.c,dev))
$(eval $(call unit_test,dev_vgic,tests/unit/dev_vgic_test.c,dev))
VGIC_SIM := tests/unit/vgic_sim.c tests/unit/vgic_ref.c
$(eval $(call unit_test,dev_vgic_random,tests/unit/dev_vgic_random_test.c \
	$(VGIC_SIM),dev))

$(eval $(call fuzz_target,pl011,tests/fuzz/pl011_fuzz.c,dev))
$(eval $(call fuzz_target,pl031,tests/fuzz/pl031_fuzz.c,dev))
$(eval $(call fuzz_target,vgicv2,tests/fuzz/vgic_fuzz.c $(VGIC_SIM),dev,-DVGIC_VERSION=2))
$(eval $(call fuzz_target,vgicv3,tests/fuzz/vgic_fuzz.c $(VGIC_SIM),dev,-DVGIC_VERSION=3))
$(eval $(call unit_test,dev_vexpress,tests/unit/dev_vexpress_test.c,dev))
$(eval $(call unit_test,dev_gicc,tests/unit/dev_gicc_test.c,dev))
$(eval $(call fuzz_target,vexpress,tests/fuzz/vexpress_fuzz.c,dev))
$(eval $(call fuzz_target,gicc,tests/fuzz/gicc_fuzz.c,dev))

# Virtio: a library of its own, for monitors that have such a device.
INC_virtio := -Idev/include -Ilib/virtio/include
$(eval $(call target_lib,virtio,dev/virtio/virtq.c dev/virtio/device.c dev/virtio/mmio.c \
	dev/virtio/rng.c dev/virtio/console.c dev/virtio/blk.c dev/virtio/ramdisk.c dev/virtio/net.c dev/virtio/balloon.c \
	dev/virtio/vsock.c dev/virtio/vsock_switch.c \
	dev/virtio/link_server.c dev/virtio/virtio_pci.c dev/pci.c \
	dev/gicv2m.c dev/its.c,base))
VIRTIO_TEST := tests/unit/virtio_driver.c
$(eval $(call unit_test,dev_virtq,tests/unit/dev_virtq_test.c $(VIRTIO_TEST),virtio dev base))
$(eval $(call unit_test,dev_virtio,tests/unit/dev_virtio_test.c $(VIRTIO_TEST),virtio dev base))
$(eval $(call unit_test,dev_vsock,tests/unit/dev_vsock_test.c $(VIRTIO_TEST),virtio dev base))
$(eval $(call unit_test,dev_pci,tests/unit/dev_pci_test.c $(VIRTIO_TEST),virtio dev base))
$(eval $(call unit_test,dev_its,tests/unit/dev_its_test.c,virtio dev base))
$(eval $(call fuzz_target,its,tests/fuzz/its_fuzz.c,virtio dev base))
$(eval $(call fuzz_target,virtq_split,tests/fuzz/virtq_fuzz.c,virtio dev base,-DVIRTQ_PACKED=0))
$(eval $(call fuzz_target,virtq_packed,tests/fuzz/virtq_fuzz.c,virtio dev base,-DVIRTQ_PACKED=1))
$(foreach d,rng console blk net balloon vsock,$(eval $(call fuzz_target,virtio_$(d),tests/fuzz/virtio_fuzz.c,virtio dev base,-DFUZZ_$(d))))
$(eval $(call fuzz_target,virtio_pci,tests/fuzz/virtio_fuzz.c,virtio dev base,-DFUZZ_console -DFUZZ_PCI))
# The monitor's end of a connection.
INC_virtio_link := -Idev/include
$(eval $(call target_lib,virtio_link,dev/virtio/link_driver.c dev/virtio/link_shadow.c,virtio base))
# Both ends of a connection.
$(eval $(call unit_test,vlink,tests/unit/vlink_test.c $(VIRTIO_TEST),virtio_link virtio virtio_driver_host dev base))
$(eval $(call fuzz_target,vlink_server,tests/fuzz/vlink_server_fuzz.c,virtio_link virtio virtio_driver_host dev base))
$(eval $(call fuzz_target,vlink_driver,tests/fuzz/vlink_driver_fuzz.c,virtio_link virtio virtio_driver_host dev base))
$(eval $(call unit_test,dev_net,tests/unit/dev_net_test.c $(VIRTIO_TEST),virtio_driver_host virtio dev base))

# The driver's side (lib/virtio), on these devices and on one that lies.
$(eval $(call unit_test,vqueue,tests/unit/vqueue_test.c $(VIRTIO_TEST),virtio_driver_host virtio dev base))
$(eval $(call fuzz_target,vqueue,tests/fuzz/vqueue_fuzz.c,virtio_driver_host base))
$(eval $(call unit_test,pcibus,tests/unit/pcibus_test.c,pcibus virtio dev base))

include dev/pc/build.mk
