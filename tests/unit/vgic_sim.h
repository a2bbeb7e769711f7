/*
 * The vGIC between a simulated machine and a random owner: hardware list
 * registers, a guest that acknowledges and deactivates, a kernel that reports
 * maintenance (at once or late), lines that move, and register accesses of any
 * kind. A stream of bytes decides what happens; every step is checked against
 * the reference of vgic_ref.h. Shared by the unit test and the fuzz targets.
 */
#pragma once

#include <dev/vgic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vgic_sim_options {
	unsigned version, n_vcpus, n_irqs, n_lrs;
	bool lr_readback;
};

/* Aborts with a message on the first violation. */
void vgic_sim_run(const struct vgic_sim_options *options, const uint8_t *bytes,
		  size_t n);
