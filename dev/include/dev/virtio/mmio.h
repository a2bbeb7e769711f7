/*
 * Virtio over MMIO (virtio 1.2, 4.2), version 2: a device's registers and its
 * interrupt line.
 */
#pragma once

#include <dev/mmio.h>
#include <dev/reg.h>
#include <dev/virtio/device.h>

#define VIRTIO_MMIO_BYTES 0x200u /* of the frame; the configuration is its upper half */

struct virtio_mmio_env {
	void *opaque;
	/* Level-triggered; called on a change, and when the driver has acknowledged a part of
	 * what it is raised for. */
	void (*set_irq)(void *opaque, bool level);
};

/* Private to the model; here so that the owner can embed it. */
struct virtio_mmio {
	struct virtio *device;
	struct virtio_mmio_env env;
	uint32_t device_sel, driver_sel, queue_sel;
	uint32_t isr;
	bool irq;
	const char *ignored; /* why the access that is being made is */
};

/* Takes the device, which has been initialised, and `env` (copied). */
void virtio_mmio_init(struct virtio_mmio *t, struct virtio *device,
		      const struct virtio_mmio_env *env);
/* One access. Never MMIO_FAULT. */
enum mmio_outcome virtio_mmio_access(struct virtio_mmio *t, struct mmio *m);
/* The register table, for tests and documents. */
const struct dev_reg *virtio_mmio_registers(void);
