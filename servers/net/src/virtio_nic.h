/* Driver of a virtio network device. */
#pragma once

#include "nic.h"

#include <selvage/vmmio.h>

struct virtio_nic {
	struct nic nic;
	struct vmmio t;
	struct vqueue rx, tx;
	uint8_t *memory;
	uint64_t at;              /* the same for the device */
	uint16_t tx_free[NIC_TX]; /* buffers */
	unsigned n_tx_free;
};

/* `memory` (NIC_MEMORY_BYTES, VQUEUE_ALIGN) is at `at` for the device. NULL or
 * what is wrong, as in `error`. */
const char *virtio_nic_start(struct virtio_nic *v, const struct vmmio_regs *regs, void *memory,
			     uint64_t at);
