/* Numbers of virtio 1.2 that devices and drivers share. */
#pragma once

/* Kinds of devices (5). */
#define VIRTIO_ID_NET 1u
#define VIRTIO_ID_BLOCK 2u
#define VIRTIO_ID_CONSOLE 3u
#define VIRTIO_ID_RNG 4u
#define VIRTIO_ID_VSOCK 19u

/* Feature bits of every device (6) and device status (2.1). */
#define VIRTIO_F_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_EVENT_IDX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33)
#define VIRTIO_F_RING_PACKED (1ull << 34)
#define VIRTIO_F_ORDER_PLATFORM (1ull << 36)

#define VIRTIO_STATUS_ACKNOWLEDGE (1u << 0)
#define VIRTIO_STATUS_DRIVER (1u << 1)
#define VIRTIO_STATUS_DRIVER_OK (1u << 2)
#define VIRTIO_STATUS_FEATURES_OK (1u << 3)
#define VIRTIO_STATUS_NEEDS_RESET (1u << 6)
#define VIRTIO_STATUS_FAILED (1u << 7)

/* Descriptors of both ring formats (2.7.5, 2.8.13): 16 bytes, flags where they differ. */
#define VRING_DESC_BYTES 16u
#define VRING_DESC_F_NEXT (1u << 0)
#define VRING_DESC_F_WRITE (1u << 1)
#define VRING_DESC_F_INDIRECT (1u << 2)

/* Split: offsets in the driver area, which is the available ring ... */
#define VRING_AVAIL_FLAGS 0u
#define VRING_AVAIL_IDX 2u
#define VRING_AVAIL_RING 4u
#define VRING_AVAIL_F_NO_INTERRUPT 1u
/* ... and in the device area, which is the used ring (2.7.6, 2.7.8). */
#define VRING_USED_FLAGS 0u
#define VRING_USED_IDX 2u
#define VRING_USED_RING 4u
#define VRING_USED_ENTRY 8u
#define VRING_USED_F_NO_NOTIFY 1u

/* Network device (5.1): feature bits, status, header of a frame. */
#define VIRTIO_NET_F_MTU (1ull << 3)
#define VIRTIO_NET_F_MAC (1ull << 5)
#define VIRTIO_NET_F_MRG_RXBUF (1ull << 15)
#define VIRTIO_NET_F_STATUS (1ull << 16)
#define VIRTIO_NET_S_LINK_UP 1u
#define VIRTIO_NET_HDR_BYTES 12u
