/*
 * Order of accesses to memory that a device reads and writes (Arm ARM, B2.3.12: the
 * outer shareable domain has the devices), and to its registers, which the same
 * barriers order.
 */
#pragma once

/* What is read behind it is read after what was read before it. */
static inline void dma_read_barrier(void)
{
	__asm__ volatile("dmb oshld" ::
				 : "memory");
}

/* What is written behind it is seen after what was written before it. */
static inline void dma_write_barrier(void)
{
	__asm__ volatile("dmb oshst" ::
				 : "memory");
}

static inline void dma_barrier(void)
{
	__asm__ volatile("dmb osh" ::
				 : "memory");
}
