/* The nodes of a PCI bus (bindings pci-host-ecam-generic, arm,gic-v2m-frame,
 * arm,gic-v3-its). */
#pragma once

#include "../board/board.h"

#include <stddef.h>

#define FDT_PCI_PINS 4u

/* Adds them to the tree that fdt_generate has written into fdt[size]. `pools`: slots whose
 * function has its DMA in the pool that the tree has for them, a bit each. */
bool fdt_add_pci(void *fdt, size_t size, const struct board *board, bool its, uint32_t pools);
