/*
 * Driver of a virtio network device of the machine's. The device reaches one piece
 * of memory, which has rings and buffers; frames are copied out of it before
 * anybody looks at them.
 */
#pragma once

#include <selvage/vmmio.h>

#define NIC_RX 128u
#define NIC_TX 128u
#define NIC_BUFFER 2048u
#define NIC_FRAME_MIN 14u
#define NIC_FRAME_MAX 1518u
/* What it needs of memory that the device reaches. */
#define NIC_MEMORY_BYTES (0x8000u + (NIC_RX + NIC_TX) * NIC_BUFFER)

struct nic {
	struct vmmio t;
	struct vqueue rx, tx;
	uint8_t *memory;
	uint64_t at; /* the same for the device */
	uint8_t mac[6];
	uint16_t tx_free[NIC_TX]; /* buffers */
	unsigned n_tx_free;
	const char *error;     /* it does nothing until nic_start: static text, or NULL */
	uint64_t received_bad; /* frames of an impossible size */
	uint8_t frame[NIC_FRAME_MAX];
};

/* `memory` (NIC_MEMORY_BYTES, VQUEUE_ALIGN) is at `at` for the device. NULL or
 * what is wrong, as in `error`. */
const char *nic_start(struct nic *n, const struct vmmio_regs *regs, void *memory, uint64_t at);
/* False: no room. The frame goes out at the next nic_flush at the latest. */
bool nic_send(struct nic *n, const uint8_t *frame, uint32_t bytes);
/* Hands over up to `most` frames that came, each a copy; how many buffers that took. */
unsigned nic_receive(struct nic *n, unsigned most,
		     void (*take)(void *opaque, const uint8_t *frame, uint32_t bytes),
		     void *opaque);
/* After an interrupt: the device's line is low then. */
void nic_interrupt(struct nic *n);
/* Ends a run of the above: tells the device of new buffers. True: frames have come
 * since; else it will interrupt when they do. */
bool nic_flush(struct nic *n);
