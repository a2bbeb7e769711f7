# The driver's side of virtio (devices: dev/virtio).
INC_virtio_driver := -Ilib/virtio/include -Ilib/virtio/arch/$(ARCH)/include
VIRTIO_DRIVER_SRCS := lib/virtio/vqueue.c lib/virtio/vmmio.c lib/virtio/vpci.c
$(eval $(call target_lib,virtio_driver,$(VIRTIO_DRIVER_SRCS),base))
# On the host its device is one of dev/virtio.
INC_virtio_driver_host := -Ilib/virtio/include -Itests/unit/fake_dma
LIB_SRCS_virtio_driver_host := $(VIRTIO_DRIVER_SRCS)
