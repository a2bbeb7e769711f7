/* The barriers of a device that is another piece of C. */
#pragma once

static inline void dma_read_barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
static inline void dma_write_barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
static inline void dma_barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
