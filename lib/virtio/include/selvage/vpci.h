/*
 * Virtio over PCI, modern (virtio 1.2, 4.1), as the registers of virtio over MMIO: what
 * drives the one drives the other. Where the structures are somebody has found out, and
 * has set up messages or the interrupt line (selvage/pcibus.h).
 */
#pragma once

#include <selvage/vmmio.h>

#define VPCI_QUEUES 4u /* more are none of the device's */

/* Offsets in what is mapped of it. */
struct vpci_place {
	uint32_t common, isr;
	uint32_t notify, notify_bytes, notify_multiplier;
	uint32_t config, config_bytes;
	uint32_t id;       /* of the device: virtio 1.2, 5 */
	uint32_t messages; /* 1: the first one, not the line, tells of everything */
};

/* Private; here so that owners can embed it. */
struct vpci {
	struct vmmio_regs under;
	struct vpci_place at;
	uint32_t queue;
	uint32_t notify[VPCI_QUEUES]; /* offset; 0: not in use */
};

/* `under` reaches what is mapped. Valid as long as `t`. */
struct vmmio_regs vpci_regs(struct vpci *t, const struct vmmio_regs *under,
			    const struct vpci_place *at);
