#include "nic.h"

#include <selvage/base.h>
#include <selvage/virtio_abi.h>
#include <string.h>

enum { RX,
       TX };
#define RX_RING 0x0000u
#define TX_RING 0x4000u
#define BUFFERS 0x8000u

static uint32_t rx_buffer(unsigned i)
{
	return BUFFERS + i * NIC_BUFFER;
}
static uint32_t tx_buffer(unsigned i) { return BUFFERS + (NIC_RX + i) * NIC_BUFFER; }

static const char *give_up(struct nic *n, const char *why)
{
	n->error = why;
	vmmio_reset(&n->t);
	return why;
}

static void give_rx_buffer(struct nic *n, uint32_t i)
{
	struct vqueue_segment s = { n->at + rx_buffer(i), NIC_BUFFER };

	(void)vqueue_add(&n->rx, &s, 0, 1, i);
}

const char *nic_start(struct nic *n, const struct vmmio_regs *regs, void *memory, uint64_t at)
{
	const char *wrong;
	bool event_idx;

	*n = (struct nic){ .memory = memory, .at = at };
	wrong = vmmio_begin(&n->t, regs, VIRTIO_ID_NET, VIRTIO_F_EVENT_IDX, VIRTIO_NET_F_MAC);
	if (wrong != NULL) {
		n->error = wrong;
		return wrong;
	}
	event_idx = n->t.features & VIRTIO_F_EVENT_IDX;
	vqueue_init(&n->rx, NIC_RX, n->memory + RX_RING, at + RX_RING, event_idx);
	vqueue_init(&n->tx, NIC_TX, n->memory + TX_RING, at + TX_RING, event_idx);
	wrong = vmmio_queue(&n->t, RX, &n->rx);
	if (wrong == NULL)
		wrong = vmmio_queue(&n->t, TX, &n->tx);
	if (wrong == NULL && !vmmio_config(&n->t, 0, n->mac, 1, sizeof(n->mac)))
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
	(void)nic_flush(n);
	return n->error;
}

/* What was sent, back. A token is a buffer's number: vqueue gives back only what it
 * was given. */
static void reclaim(struct nic *n)
{
	uint32_t token, written;

	while (vqueue_take(&n->tx, &token, &written))
		n->tx_free[n->n_tx_free++] = (uint16_t)token;
}

bool nic_send(struct nic *n, const uint8_t *frame, uint32_t bytes)
{
	struct vqueue_segment s;
	unsigned i;
	uint8_t *to;

	if (n->error != NULL || bytes > NIC_FRAME_MAX)
		return false;
	if (n->n_tx_free == 0)
		reclaim(n);
	if (n->n_tx_free == 0)
		return false;
	i = n->tx_free[--n->n_tx_free];
	to = n->memory + tx_buffer(i);
	memset(to, 0, VIRTIO_NET_HDR_BYTES);
	memcpy(to + VIRTIO_NET_HDR_BYTES, frame, bytes);
	s = (struct vqueue_segment){ n->at + tx_buffer(i), VIRTIO_NET_HDR_BYTES + bytes };
	return vqueue_add(&n->tx, &s, 1, 0, i);
}

static bool take_frame(struct nic *n, uint32_t i, uint32_t written)
{
	uint32_t bytes = written - VIRTIO_NET_HDR_BYTES;

	if (written < VIRTIO_NET_HDR_BYTES + NIC_FRAME_MIN || bytes > NIC_FRAME_MAX) {
		n->received_bad++;
		return false;
	}
	memcpy(n->frame, n->memory + rx_buffer(i) + VIRTIO_NET_HDR_BYTES, bytes);
	return true;
}

unsigned nic_receive(struct nic *n, unsigned most,
		     void (*take)(void *opaque, const uint8_t *frame, uint32_t bytes),
		     void *opaque)
{
	uint32_t token, written;
	unsigned taken = 0;

	if (n->error != NULL)
		return 0;
	for (; taken < most && vqueue_take(&n->rx, &token, &written); taken++) {
		bool good = take_frame(n, token, written);

		give_rx_buffer(n, token);
		if (good)
			take(opaque, n->frame, written - VIRTIO_NET_HDR_BYTES);
	}
	return taken;
}

void nic_interrupt(struct nic *n)
{
	const char *wrong = vmmio_attend(&n->t);

	if (n->error == NULL && wrong != NULL)
		(void)give_up(n, wrong);
}

bool nic_flush(struct nic *n)
{
	if (n->error != NULL)
		return false;
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
