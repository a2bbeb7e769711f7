/*
 * A GIC as the specifications describe it, without list registers: one record
 * per interrupt and a register file decoded bit by bit. Slow and plain on
 * purpose; the vGIC is compared with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ref_irq {
	bool enabled, group1, edge, line, latch, active;
	uint8_t priority, sources, targets;
	uint32_t router;
};

struct ref {
	unsigned version, n_vcpus, n_irqs;
	bool group_on[2];
	bool asleep[8];
	struct ref_irq own[8][32];
	struct ref_irq spi[288];
};

void ref_init(struct ref *r, unsigned version, unsigned n_vcpus,
	      unsigned n_irqs);
struct ref_irq *ref_irq(struct ref *r, unsigned vcpu, unsigned irq);
bool ref_pending(const struct ref_irq *i);
/* The vCPU that gets it, -1: none. `vcpu` for a private one. */
int ref_target(struct ref *r, unsigned vcpu, unsigned irq);
/* Signalled to `vcpu` as things are: pending, enabled, group on, not active,
 * its target. */
bool ref_deliverable(struct ref *r, unsigned vcpu, unsigned irq);

void ref_set_level(struct ref *r, unsigned vcpu, unsigned irq, bool level);
void ref_pulse(struct ref *r, unsigned vcpu, unsigned irq);
void ref_sgir_v3(struct ref *r, unsigned vcpu, uint64_t value, bool group1);
/* The guest acknowledges (an SGI of version 2: from `source`). */
void ref_ack(struct ref *r, unsigned vcpu, unsigned irq, unsigned source);

/* Registers. redist: the redistributor frame of `vcpu`. */
uint64_t ref_read(struct ref *r, unsigned vcpu, bool redist, uint32_t offset,
		  unsigned size);
void ref_write(struct ref *r, unsigned vcpu, bool redist, uint32_t offset,
	       unsigned size, uint64_t value);
