/*
 * Reads a flattened devicetree (devicetree specification 0.4, chapter 5):
 * one pass, each node once its properties are complete. Nothing is trusted
 * beyond the given size.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FDT_DEPTH 12 /* deeper nodes are not visited */

struct fdt_prop {
	const uint8_t *data;
	uint32_t bytes; /* 0: not there, or empty */
};

struct fdt_node {
	const char *name;
	const struct fdt_node *parent;
	unsigned address_cells, size_cells; /* for the node's children */
	bool no_map;
	struct fdt_prop compatible, device_type, reg, method, status;
};

typedef void fdt_visit(const struct fdt_node *n, void *arg);

/* False if it is not a devicetree, or a damaged one. */
bool fdt_walk(const void *dtb, size_t bytes, fdt_visit *visit, void *arg);
/* Range i of the node's reg, by its parent's cells; false: there is none. */
bool fdt_reg(const struct fdt_node *n, unsigned i, uint64_t *addr, uint64_t *size);
/* Whether a property is (one of) the string(s). */
bool fdt_prop_has(struct fdt_prop p, const char *s);
/* Entry i of the memory reservation block; false: there is none. */
bool fdt_reservation(const void *dtb, size_t bytes, unsigned i, uint64_t *addr,
		     uint64_t *size);
