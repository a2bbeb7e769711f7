#include "virtio_nic.h"

#include <selvage/base.h>
#include <selvage/virtio_abi.h>
#include <string.h>

enum { RX,
       TX };
#define RX_RING 0x0000u
#define TX_RING 0x4000u

static struct virtio_nic *of(struct nic *n)
{
	return CONTAINER_OF(n, struct virtio_nic, nic);
}

static const char *give_up(struct virtio_nic *n, const char *why)
{
	n->nic.error = why;
	vmmio_reset(&n->t);
	return why;
}

static void give_rx_buffer(struct virtio_nic *n, uint32_t i)
{
	struct vqueue_segment s = { n->at + NIC_RX_BUFFER(i), NIC_BUFFER };

	(void)vqueue_add(&n->rx, &s, 0, 1, i);
}

/* What was sent, back. A token is a buffer's number: vqueue gives back only what it
 * was given. */
static void reclaim(struct virtio_nic *n)
{
	uint32_t token, written;

	while (vqueue_take(&n->tx, &token, &written))
		n->tx_free[n->n_tx_free++] = (uint16_t)token;
}

static bool send(struct nic *nic, const uint8_t *frame, uint32_t bytes)
{
	struct virtio_nic *n = of(nic);
	struct vqueue_segment s;
	unsigned i;
	uint8_t *to;

	if (n->n_tx_free == 0)
		reclaim(n);
	if (n->n_tx_free == 0)
		return false;
	i = n->tx_free[--n->n_tx_free];
	to = n->memory + NIC_TX_BUFFER(i);
	memset(to, 0, VIRTIO_NET_HDR_BYTES);
	memcpy(to + VIRTIO_NET_HDR_BYTES, frame, bytes);
	s = (struct vqueue_segment){ n->at + NIC_TX_BUFFER(i), VIRTIO_NET_HDR_BYTES + bytes };
	return vqueue_add(&n->tx, &s, 1, 0, i);
}

static bool take_frame(struct virtio_nic *n, uint32_t i, uint32_t written)
{
	uint32_t bytes = written - VIRTIO_NET_HDR_BYTES;

	if (written < VIRTIO_NET_HDR_BYTES + NIC_FRAME_MIN || bytes > NIC_FRAME_MAX) {
		n->nic.received_bad++;
		return false;
	}
	memcpy(n->nic.frame, n->memory + NIC_RX_BUFFER(i) + VIRTIO_NET_HDR_BYTES, bytes);
	return true;
}

static unsigned receive(struct nic *nic, unsigned most, nic_take take, void *opaque)
{
	struct virtio_nic *n = of(nic);
	uint32_t token, written;
	unsigned taken = 0;

	for (; taken < most && vqueue_take(&n->rx, &token, &written); taken++) {
		bool good = take_frame(n, token, written);

		give_rx_buffer(n, token);
		if (good)
			take(opaque, nic->frame, written - VIRTIO_NET_HDR_BYTES);
	}
	return taken;
}

static void interrupt(struct nic *nic)
{
	struct virtio_nic *n = of(nic);
	const char *wrong = vmmio_attend(&n->t);

	if (nic->error == NULL && wrong != NULL)
		(void)give_up(n, wrong);
}

static bool flush(struct nic *nic)
{
	struct virtio_nic *n = of(nic);

	if (vqueue_publish(&n->rx))
		vmmio_kick(&n->t, RX);
	if (vqueue_publish(&n->tx))
		vmmio_kick(&n->t, TX);
	if (n->rx.error != NULL || n->tx.error != NULL) {
		(void)give_up(n, n->rx.error != NULL ? n->rx.error : n->tx.error);
		return false;
	}
	return vqueue_listen(&n->rx);
}

static const struct nic_ops ops = { send, receive, interrupt, flush };

const char *virtio_nic_start(struct virtio_nic *n, const struct vmmio_regs *regs, void *memory,
			     uint64_t at)
{
	const char *wrong;
	bool event_idx;

	*n = (struct virtio_nic){ .nic.ops = &ops, .memory = memory, .at = at };
	wrong = vmmio_begin(&n->t, regs, VIRTIO_ID_NET, VIRTIO_F_EVENT_IDX, VIRTIO_NET_F_MAC);
	if (wrong != NULL) {
		n->nic.error = wrong;
		return wrong;
	}
	event_idx = n->t.features & VIRTIO_F_EVENT_IDX;
	vqueue_init(&n->rx, NIC_RX, n->memory + RX_RING, at + RX_RING, event_idx);
	vqueue_init(&n->tx, NIC_TX, n->memory + TX_RING, at + TX_RING, event_idx);
	wrong = vmmio_queue(&n->t, RX, &n->rx);
	if (wrong == NULL)
		wrong = vmmio_queue(&n->t, TX, &n->tx);
	if (wrong == NULL && !vmmio_config(&n->t, 0, n->nic.mac, 1, sizeof(n->nic.mac)))
		wrong = "its configuration does not stand still";
	if (wrong == NULL)
		wrong = vmmio_go(&n->t);
	if (wrong != NULL)
		return give_up(n, wrong);
	for (unsigned i = 0; i < NIC_RX; i++)
		give_rx_buffer(n, i);
	for (unsigned i = 0; i < NIC_TX; i++)
		n->tx_free[n->n_tx_free++] = (uint16_t)i;
	vqueue_mute(&n->tx);
	(void)flush(&n->nic);
	return n->nic.error;
}
