/* EL2 translation constants of the loader; also read by start.S. */
#pragma once

/* RES1 bits of SCTLR_EL2 (Arm ARM D13.2.118, without E2H). */
#define SCTLR_EL2_OFF 0x30c50830
#define SCTLR_EL2_ON (SCTLR_EL2_OFF | 0x1005) /* I, C, M */
#define CPTR_EL2_NO_TRAPS 0x33ff              /* RES1; SVE and SME stay trapped */
/* Memory types where a kernel's own tables may expect them, seL4's among them:
 * 0 device nGnRnE, 1 nGnRE, 2 GRE, 3 not cached, 4 write-back, 5 write-through. */
#define MAIR_EL2_VALUE 0xbbff440c0400

#ifdef __ASSEMBLER__
#define PLAT_UART_BASE 0x09000000
#else
#include <stdint.h>

extern char __loader_end[]; /* loader.ld */

enum mmu_attr { MMU_NORMAL = 4,
		MMU_DEVICE = 1 };

/* Builds the first tables; returns the root. Runs with the MMU off. */
uint64_t mmu_build(uint64_t dtb);
uint64_t mmu_tcr(void);
/* Maps [start, start + bytes) one-to-one in 2 MiB blocks. Returns 0, or -1
 * if the tables are used up. */
int mmu_map(uint64_t start, uint64_t bytes, enum mmu_attr attr);
/* The same memory at another address, a multiple of 2 MiB away. */
int mmu_map_at(uint64_t virtual, uint64_t start, uint64_t bytes);
/* Cleans and invalidates a range to the point of coherency. */
void mmu_flush(uint64_t start, uint64_t bytes);
#endif
