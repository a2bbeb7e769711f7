/* The commonest exits, decoded in line: a load or store that the hardware
 * describes, and HVC. */
#pragma once

#include <selvage/vcpu.h>

#define EC_HVC64 0x16u
#define EC_DABT_LOWER 0x24u
#define ESR_EC_SHIFT 26u
#define ESR_EC_MASK (0x3full << ESR_EC_SHIFT)
#define ESR_ISV (1ull << 24)
#define ESR_SF (1ull << 15) /* the register is 64 bits wide */

static inline bool decode_is_mmio(uint64_t esr)
{
	return (esr & (ESR_EC_MASK | ESR_ISV)) ==
	       ((uint64_t)EC_DABT_LOWER << ESR_EC_SHIFT | ESR_ISV);
}

static inline bool decode_is_hypercall(uint64_t esr)
{
	return (esr & ESR_EC_MASK) == (uint64_t)EC_HVC64 << ESR_EC_SHIFT;
}

static inline void decode_hypercall(uint64_t esr, struct vcpu_exit *e)
{
	e->reason = VCPU_EXIT_HYPERCALL;
	e->syndrome = esr;
	e->code = (uint16_t)esr;
}

/* ISS of a data abort: ISV 24, SAS 23:22, SSE 21, SRT 20:16, SF 15, WnR 6. */
static inline void decode_mmio(uint64_t esr, struct vcpu_exit *e)
{
	e->reason = VCPU_EXIT_MMIO;
	e->syndrome = esr;
	e->size = (uint8_t)(1u << (esr >> 22 & 3));
	e->reg = (uint8_t)(esr >> 16 & 0x1f);
	e->write = esr >> 6 & 1;
}
