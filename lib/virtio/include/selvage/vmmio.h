/*
 * The driver's side of a virtio device that has the registers of virtio over MMIO (virtio
 * 1.2, 4.2.2), version 2, or is made to look so (selvage/vpci.h). The device is hostile:
 * every wait is bounded, and what it says is checked.
 *
 * Order: vmmio_begin, then vmmio_queue for each queue, then vmmio_go. Any
 * failure leaves the device reset or failed; vmmio_begin starts again.
 */
#pragma once

#include <selvage/vqueue.h>

/* Access to the device's registers; `bytes` is 1, 2 or 4, what is written to those of
 * virtio over MMIO has 4. */
struct vmmio_regs {
	void *opaque;
	uint32_t (*read)(void *opaque, uint32_t offset, unsigned bytes);
	void (*write)(void *opaque, uint32_t offset, uint32_t value, unsigned bytes);
};

struct vmmio {
	struct vmmio_regs regs;
	uint64_t features; /* that both sides agreed on */
};

#define VMMIO_INTERRUPT_QUEUE (1u << 0)
#define VMMIO_INTERRUPT_CONFIG (1u << 1)

/* Registers that are mapped as device memory at `frame`. */
struct vmmio_regs vmmio_frame(volatile void *frame);

/* Resets the device, which must be of kind `id`, and agrees on those of the
 * features `wanted` that it offers; all of `needed` must be among them. NULL, or
 * what is wrong: static text. */
const char *vmmio_begin(struct vmmio *t, const struct vmmio_regs *regs, uint32_t id,
			uint64_t wanted, uint64_t needed);
/* Entries that the queue can have at most; 0: there is no such queue. */
unsigned vmmio_queue_max(struct vmmio *t, unsigned queue);
const char *vmmio_queue(struct vmmio *t, unsigned queue, const struct vqueue *q);
/* The device works from here on. */
const char *vmmio_go(struct vmmio *t);
void vmmio_reset(struct vmmio *t);

void vmmio_kick(struct vmmio *t, unsigned queue);
/* Why it interrupted: VMMIO_INTERRUPT_...; the device's line is low then. */
uint32_t vmmio_interrupt(struct vmmio *t);
/* Whether the device has asked for a reset, or is not there any more. */
bool vmmio_broken(struct vmmio *t);
/* The device has interrupted: NULL, or why it is of no use any more. */
const char *vmmio_attend(struct vmmio *t);
/* `n` fields of `unit` bytes (1, 2 or 4) of the configuration, little-endian, all of one
 * moment. False: it does not stand still. */
bool vmmio_config(struct vmmio *t, uint32_t offset, void *to, unsigned unit, unsigned n);
