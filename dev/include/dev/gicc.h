/*
 * A GICv2 CPU interface in software (Arm IHI 0048B chapter 4.4), for guests
 * whose interface the hardware's virtual one cannot be: where it shares a page
 * with something else, or the hardware is a GICv3.
 *
 * It stands between the list registers of vgic.h, which are kept here, and two
 * lines to the vCPU. One Security state; five bits of priority.
 *
 * Use: vgic's env.read_lr and env.write_lr go to `lr`, by gicc_write_lr; an
 * access of the guest to gicc_access, and then, for each list register that
 * gicc_ended names, to vgic_maintenance.
 */
#pragma once

#include <dev/mmio.h>
#include <dev/vgic.h>
#include <stdbool.h>
#include <stdint.h>

#define GICC_FRAME_BYTES 0x2000u
#define GICC_LRS VGIC_MAX_LRS

enum gicc_line { GICC_IRQ = 1u,
		 GICC_FIQ = 2u };

struct gicc_env {
	void *opaque;
	/* What the vCPU is signalled: a set of enum gicc_line; on a change only. */
	void (*set_lines)(void *opaque, unsigned lines);
};

/* Private to the model, but for reading `lr`. */
struct gicc {
	struct gicc_env env;
	uint64_t lr[GICC_LRS];
	uint32_t ended; /* list registers deactivated with the EOI bit set */
	uint32_t ctlr, pmr, bpr, abpr;
	uint32_t active[2]; /* by group: bit n, priority 8n */
	unsigned lines;
};

/* Reset state, no list register in use; `env` is copied and not called. */
void gicc_init(struct gicc *c, const struct gicc_env *env);
/* Registers and lines as at reset; the list registers are their owner's. */
void gicc_reset(struct gicc *c);
void gicc_write_lr(struct gicc *c, unsigned index, uint64_t value);
/* One access. Never MMIO_FAULT. */
enum mmio_outcome gicc_access(struct gicc *c, struct mmio *m);
/* Takes one list register whose interrupt has ended and that asks for a
 * maintenance interrupt then; its EOI bit is off. -1: none. */
int gicc_ended(struct gicc *c);
