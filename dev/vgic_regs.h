/*
 * The register map of each frame as a table. Dispatch, the list in the unit
 * test and documents share it.
 */
#pragma once

#include <dev/vgic.h>
#include <stddef.h>

/* Access sizes: the sum of the sizes in bytes. */
#define VGIC_W32 4u
#define VGIC_W8_32 (1u | 4u)
#define VGIC_W32_64 (4u | 8u)

struct vgic_reg {
	const char *name;  /* as in the specification; ranges without index */
	uint32_t offset;   /* in the frame */
	uint32_t bytes;    /* of the whole range */
	uint32_t reserved; /* bytes at its start that are RES0 */
	uint8_t sizes;     /* VGIC_W... */
	uint32_t value;    /* what it reads as if there is no hook */
	/* `at` is the offset in the range. NULL: `value`; write-ignore. */
	uint64_t (*read)(struct vgic *g, unsigned vcpu, uint32_t at,
			 unsigned size);
	void (*write)(struct vgic *g, unsigned vcpu, uint32_t at,
		      unsigned size, uint64_t value);
	/* Instead of it: ones that are written set, or clear. */
	void (*set)(struct vgic *g, unsigned vcpu, uint32_t at, uint32_t set, uint32_t clear);
	void (*clear)(struct vgic *g, unsigned vcpu, uint32_t at, uint32_t set, uint32_t clear);
};

/* Indexes a table, whose registers ascend and do not overlap. */
void vgic_map_init(struct vgic_map *map, const struct vgic_reg *table, size_t n);

/* GICD of version 2, GICD and GICR of version 3. */
extern const struct vgic_reg vgic_dist_v2[], vgic_dist_v3[], vgic_redist[];
extern const size_t vgic_n_dist_v2, vgic_n_dist_v3, vgic_n_redist;
