/*
 * Order of accesses to memory that a device reads and writes, and to its registers,
 * which are uncached (Intel SDM 3A, 8.2.2): the processor keeps that of loads, and that of
 * stores; the compiler must.
 */
#pragma once

/* What is read behind it is read after what was read before it. */
static inline void dma_read_barrier(void) { __asm__ volatile("" ::
								     : "memory"); }

/* What is written behind it is seen after what was written before it. */
static inline void dma_write_barrier(void) { __asm__ volatile("" ::
								      : "memory"); }

static inline void dma_barrier(void) { __asm__ volatile("mfence" ::
								: "memory"); }
