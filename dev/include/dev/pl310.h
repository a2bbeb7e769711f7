/*
 * Arm level 2 cache controller PL310 (Arm DDI 0246H), without a cache: its
 * registers hold what is written, and maintenance is done as soon as asked.
 */
#pragma once

#include <dev/mmio.h>
#include <stdint.h>

#define PL310_FRAME_BYTES 0x1000u

/* Private to the model; here so that the owner can embed it. */
struct pl310 {
	uint32_t control, aux_control, tag_latency, data_latency;
	uint32_t filter_start, filter_end;
};

void pl310_reset(struct pl310 *c);
/* One access. Never MMIO_FAULT. */
enum mmio_outcome pl310_access(struct pl310 *c, struct mmio *m);
