/*
 * A network interface of the machine's, whoever drives it (virtio_nic.h, e1000.h). The
 * device reaches one piece of memory, which has rings and buffers; frames are copied out
 * of it before anybody looks at them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NIC_RX 128u
#define NIC_TX 128u
#define NIC_BUFFER 2048u
#define NIC_FRAME_MIN 14u
#define NIC_FRAME_MAX 1518u
/* What it needs of memory that the device reaches: rings, and buffers behind them. */
#define NIC_BUFFERS 0x8000u
#define NIC_MEMORY_BYTES (NIC_BUFFERS + (NIC_RX + NIC_TX) * NIC_BUFFER)
#define NIC_RX_BUFFER(i) (NIC_BUFFERS + (i)*NIC_BUFFER)
#define NIC_TX_BUFFER(i) NIC_RX_BUFFER(NIC_RX + (i))

typedef void (*nic_take)(void *opaque, const uint8_t *frame, uint32_t bytes);

struct nic;
struct nic_ops {
	bool (*send)(struct nic *n, const uint8_t *frame, uint32_t bytes);
	unsigned (*receive)(struct nic *n, unsigned most, nic_take take, void *opaque);
	void (*interrupt)(struct nic *n);
	bool (*flush)(struct nic *n);
};

/* The first member of a driver's own. */
struct nic {
	const struct nic_ops *ops;
	uint8_t mac[6];
	const char *error;     /* it does nothing until it is started: static text, or NULL */
	uint64_t received_bad; /* frames of an impossible size */
	uint8_t frame[NIC_FRAME_MAX];
};

/* False: no room. The frame goes out at the next nic_flush at the latest. */
static inline bool nic_send(struct nic *n, const uint8_t *frame, uint32_t bytes)
{
	return n->error == NULL && bytes <= NIC_FRAME_MAX && n->ops->send(n, frame, bytes);
}

/* Hands over up to `most` frames that came, each a copy; how many buffers that took. */
static inline unsigned nic_receive(struct nic *n, unsigned most, nic_take take, void *opaque)
{
	return n->error == NULL ? n->ops->receive(n, most, take, opaque) : 0;
}

/* After an interrupt: the device's line is low then. */
static inline void nic_interrupt(struct nic *n) { n->ops->interrupt(n); }

/* Ends a run of the above: tells the device of new buffers. True: frames have come
 * since; else it will interrupt when they do. */
static inline bool nic_flush(struct nic *n) { return n->error == NULL && n->ops->flush(n); }
