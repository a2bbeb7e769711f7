/*
 * System registers of the Versatile Express motherboard (Arm DUI 0447J,
 * chapter 4), with a CoreTile Express A9x4 (DUI 0448I) on site 1, and the
 * configuration registers behind them, as far as QEMU has them.
 */
#pragma once

#include <dev/mmio.h>
#include <stdint.h>

#define VEXPRESS_FRAME_BYTES 0x1000u
#define VEXPRESS_MB_OSCILLATORS 6u
#define VEXPRESS_DB_OSCILLATORS 3u

struct vexpress_env {
	void *opaque;
	uint64_t (*now_ns)(void *opaque);
	/* The guest asks to be switched off, or to be reset. */
	void (*off)(void *opaque);
	void (*reset)(void *opaque);
	/* SYS_FLAGS is set, not to zero: where processors that wait are to begin. */
	void (*start)(void *opaque, uint32_t entry);
};

/* Private to the model; here so that the owner can embed it. */
struct vexpress {
	struct vexpress_env env;
	uint32_t led, lock, flags, nvflags, flash;
	uint32_t cfg_data, cfg_ctrl, cfg_stat;
	uint32_t mb_osc[VEXPRESS_MB_OSCILLATORS], db_osc[VEXPRESS_DB_OSCILLATORS];
};

/* Reset state; `env` is copied. Does not call it. */
void vexpress_init(struct vexpress *x, const struct vexpress_env *env);
/* SYS_NVFLAGS stays. */
void vexpress_reset(struct vexpress *x);
/* One access. Never MMIO_FAULT. */
enum mmio_outcome vexpress_access(struct vexpress *x, struct mmio *m);
