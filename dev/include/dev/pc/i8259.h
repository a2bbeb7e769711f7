/*
 * The PC's two interrupt controllers 8259A (Intel 231468), cascaded at IR2 of
 * the first, with the edge/level registers of Intel's chip sets (PIIX, 82371).
 *
 * An edge is kept until it is acknowledged even if its line falls before (as
 * in QEMU and KVM; the chip would give IR7). LTIM, buffered mode and MCS-80
 * mode are accepted and mean nothing. After reset everything is masked.
 */
#pragma once

#include <dev/mmio.h>
#include <stdbool.h>
#include <stdint.h>

#define I8259_CHIPS 2u
#define I8259_LINES 16u
#define I8259_CASCADE 2u

struct i8259_env {
	void *opaque;
	/* INTR of the first chip: to the core, or to LINT0 of its local APIC.
	 * Called on a change only. */
	void (*set_intr)(void *opaque, bool level);
};

/* Private to the model; here so that the owner can embed it. */
struct i8259 {
	struct i8259_env env;
	struct i8259_chip {
		uint8_t latched; /* edges that wait */
		uint8_t lines;   /* levels of IR0 to IR7 */
		uint8_t level;   /* ELCR: which are sensed by level */
		uint8_t isr, imr, base;
		uint8_t lowest;    /* the IR of lowest priority */
		uint8_t init_step; /* the ICW that the next write is: 2 to 4; else 0 */
		bool needs_icw4, single;
		bool auto_eoi, rotate_on_auto_eoi, nested; /* nested: special fully nested */
		bool special_mask, read_isr, poll;
	} chip[I8259_CHIPS];
	bool intr;
};

/* Reset state; `env` is copied and not called. */
void i8259_init(struct i8259 *p, const struct i8259_env *env);
/* Lines keep their levels; lowers INTR if it was up. */
void i8259_reset(struct i8259 *p);
/* The two ports of a chip: 0 (0x20) or 1 (0xa0). */
enum mmio_outcome i8259_access(struct i8259 *p, unsigned chip, struct mmio *m);
/* ELCR, two ports (0x4d0). */
enum mmio_outcome i8259_elcr_access(struct i8259 *p, struct mmio *m);
/* IR0 to IR15 (but 2); an edge is a change. */
void i8259_set_line(struct i8259 *p, unsigned line, bool level);
static inline bool i8259_intr(const struct i8259 *p) { return p->intr; }
/* The core's two INTA cycles: the vector. With nothing to serve that is IR7 of
 * the chip that was asked, and no bit of ISR is set. */
uint8_t i8259_acknowledge(struct i8259 *p);
