#include <selvage/vmmio.h>

#include <selvage/base.h>
#include <selvage/dma_arch.h>
#include <selvage/virtio_abi.h>
#include <string.h>

#include "registers.h"

/* How often we look for what a device ought to do at once. */
#define PATIENCE 100000u
#define CONFIG_TRIES 16u

static uint32_t frame_read(void *opaque, uint32_t offset, unsigned bytes)
{
	volatile uint8_t *at = (volatile uint8_t *)opaque + offset;
	uint32_t value = bytes == 1   ? *at
			 : bytes == 2 ? *(volatile uint16_t *)(volatile void *)at
				      : *(volatile uint32_t *)(volatile void *)at;

	dma_read_barrier();
	return value;
}

static void frame_write(void *opaque, uint32_t offset, uint32_t value, unsigned bytes)
{
	volatile uint8_t *at = (volatile uint8_t *)opaque + offset;

	dma_write_barrier();
	if (bytes == 1)
		*at = (uint8_t)value;
	else if (bytes == 2)
		*(volatile uint16_t *)(volatile void *)at = (uint16_t)value;
	else
		*(volatile uint32_t *)(volatile void *)at = value;
}

struct vmmio_regs vmmio_frame(volatile void *frame)
{
	return (struct vmmio_regs){ (void *)(uintptr_t)frame, frame_read, frame_write };
}

static uint32_t rd(struct vmmio *t, uint32_t offset)
{
	return t->regs.read(t->regs.opaque, offset, 4);
}

static void wr(struct vmmio *t, uint32_t offset, uint32_t value)
{
	t->regs.write(t->regs.opaque, offset, value, 4);
}

static void wr64(struct vmmio *t, uint32_t offset, uint64_t value)
{
	wr(t, offset, (uint32_t)value);
	wr(t, offset + 4, (uint32_t)(value >> 32));
}

static const char *give_up(struct vmmio *t, const char *why)
{
	wr(t, STATUS, rd(t, STATUS) | VIRTIO_STATUS_FAILED);
	return why;
}

static bool becomes_zero(struct vmmio *t, uint32_t offset)
{
	for (unsigned i = 0; i < PATIENCE; i++)
		if (rd(t, offset) == 0)
			return true;
	return false;
}

void vmmio_reset(struct vmmio *t)
{
	wr(t, STATUS, 0);
	(void)becomes_zero(t, STATUS);
}

static uint64_t offered(struct vmmio *t)
{
	uint64_t low;

	wr(t, DEVICE_FEATURES_SEL, 0);
	low = rd(t, DEVICE_FEATURES);
	wr(t, DEVICE_FEATURES_SEL, 1);
	return low | (uint64_t)rd(t, DEVICE_FEATURES) << 32;
}

const char *vmmio_begin(struct vmmio *t, const struct vmmio_regs *regs, uint32_t id,
			uint64_t wanted, uint64_t needed)
{
	*t = (struct vmmio){ .regs = *regs };
	if (rd(t, MAGIC) != MAGIC_VALUE || rd(t, VERSION) != MMIO_VERSION)
		return "no virtio device of version 2";
	if (rd(t, DEVICE_ID) != id)
		return "a device of another kind, or none";
	wr(t, STATUS, 0);
	if (!becomes_zero(t, STATUS))
		return "the device does not reset";
	wr(t, STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
	wr(t, STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	needed |= VIRTIO_F_VERSION_1;
	t->features = offered(t) & (wanted | needed);
	if ((t->features & needed) != needed)
		return give_up(t, "the device lacks a feature that is needed");
	wr(t, DRIVER_FEATURES_SEL, 0);
	wr(t, DRIVER_FEATURES, (uint32_t)t->features);
	wr(t, DRIVER_FEATURES_SEL, 1);
	wr(t, DRIVER_FEATURES, (uint32_t)(t->features >> 32));
	wr(t, STATUS,
	   VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK);
	if (!(rd(t, STATUS) & VIRTIO_STATUS_FEATURES_OK))
		return give_up(t, "the device does not take the features that it offered");
	return NULL;
}

unsigned vmmio_queue_max(struct vmmio *t, unsigned queue)
{
	wr(t, QUEUE_SEL, queue);
	return rd(t, QUEUE_NUM_MAX);
}

const char *vmmio_queue(struct vmmio *t, unsigned queue, const struct vqueue *q)
{
	if (q->size > vmmio_queue_max(t, queue))
		return give_up(t, "a queue of the device is missing or too short");
	if (rd(t, QUEUE_READY) != 0)
		return give_up(t, "a queue of the device is in use after a reset");
	wr(t, QUEUE_NUM, q->size);
	wr64(t, QUEUE_DESC, q->desc_at);
	wr64(t, QUEUE_DRIVER, q->avail_at);
	wr64(t, QUEUE_DEVICE, q->used_at);
	wr(t, QUEUE_READY, 1);
	if (rd(t, QUEUE_READY) != 1)
		return give_up(t, "the device does not take a queue");
	return NULL;
}

const char *vmmio_go(struct vmmio *t)
{
	wr(t, STATUS, rd(t, STATUS) | VIRTIO_STATUS_DRIVER_OK);
	return vmmio_broken(t) ? "the device asks for a reset at its start" : NULL;
}

void vmmio_kick(struct vmmio *t, unsigned queue) { wr(t, QUEUE_NOTIFY, queue); }

uint32_t vmmio_interrupt(struct vmmio *t)
{
	uint32_t why = rd(t, INTERRUPT_STATUS);

	wr(t, INTERRUPT_ACK, why);
	return why;
}

bool vmmio_broken(struct vmmio *t)
{
	uint32_t status = rd(t, STATUS);

	return (status & VIRTIO_STATUS_NEEDS_RESET) || !(status & VIRTIO_STATUS_DRIVER_OK);
}

const char *vmmio_attend(struct vmmio *t)
{
	return (vmmio_interrupt(t) & VMMIO_INTERRUPT_CONFIG) && vmmio_broken(t)
		       ? "the device asks for a reset"
		       : NULL;
}

static void read_config(struct vmmio *t, uint32_t offset, uint8_t *to, unsigned unit, unsigned n)
{
	for (; n > 0; n--, offset += unit, to += unit) {
		uint8_t b[4];

		store_le32(b, t->regs.read(t->regs.opaque, CONFIG + offset, unit));
		memcpy(to, b, unit);
	}
}

bool vmmio_config(struct vmmio *t, uint32_t offset, void *to, unsigned unit, unsigned n)
{
	for (unsigned i = 0; i < CONFIG_TRIES; i++) {
		uint32_t generation = rd(t, CONFIG_GENERATION);

		read_config(t, offset, to, unit, n);
		if (rd(t, CONFIG_GENERATION) == generation)
			return true;
	}
	return false;
}
