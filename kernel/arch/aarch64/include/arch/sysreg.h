/* System registers, barriers and TLB maintenance (Arm ARM DDI 0487). */
#pragma once

#include <kernel/types.h>

#define SYSREG_READ(name)                                   \
	({                                                  \
		word_t value_;                              \
		__asm__ volatile("mrs %0, " #name           \
				 : "=r"(value_)::"memory"); \
		value_;                                     \
	})
#define SYSREG_WRITE(name, value)                                     \
	__asm__ volatile("msr " #name ", %x0" ::"rZ"((word_t)(value)) \
			 : "memory")

static inline void isb(void) { __asm__ volatile("isb" ::
							: "memory"); }
static inline void dsb_sy(void) { __asm__ volatile("dsb sy" ::
							   : "memory"); }
static inline void dsb_ish(void) { __asm__ volatile("dsb ish" ::
							    : "memory"); }
static inline void dsb_ishst(void) { __asm__ volatile("dsb ishst" ::
							      : "memory"); }

/* HCR_EL2, D13.2.46. */
#define HCR_VM (1ull << 0)
#define HCR_SWIO (1ull << 1)
#define HCR_FMO (1ull << 3)
#define HCR_IMO (1ull << 4)
#define HCR_AMO (1ull << 5)
#define HCR_FB (1ull << 9)
#define HCR_BSU_INNER (1ull << 10)
#define HCR_DC (1ull << 12)
#define HCR_TWI (1ull << 13)
#define HCR_TWE (1ull << 14)
#define HCR_TSC (1ull << 19)
#define HCR_TGE (1ull << 27)
#define HCR_RW (1ull << 31)
#define HCR_TLOR (1ull << 35)
#define HCR_TERR (1ull << 36)

/* A native thread at EL0: every exception to EL2, stage 1 off and cacheable,
 * stage 2 is the address space. */
#define HCR_NATIVE (HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_DC | \
		    HCR_TGE | HCR_RW)
/* A guest. SWIO: an invalidation by set and way must not lose other VMs'
 * data. TLOR, TERR: LORegion and error-record registers are not switched. */
#define HCR_GUEST (HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB |        \
		   HCR_BSU_INNER | HCR_TWI | HCR_TWE | HCR_TSC | HCR_RW | HCR_TLOR | \
		   HCR_TERR)

/* CPTR_EL2, D13.2.31: RES1 bits; TZ and TSM trap SVE and SME for good. */
#define CPTR_BASE 0x33ffull
#define CPTR_TFP (1ull << 10)
#define CPTR_TTA (1ull << 20)
#define CPTR_TAM (1ull << 30)

/* MDCR_EL2, D13.3.17: debug, trace and PMU belong to nobody yet. */
#define PMUSERENR_ALL 15ull
#define MDCR_TPMCR (1ull << 5)
#define MDCR_TPM (1ull << 6)
#define MDCR_TDA (1ull << 9)
#define MDCR_TDOSA (1ull << 10)
#define MDCR_TDRA (1ull << 11)
#define MDCR_TPMS (1ull << 14)
#define MDCR_TTRF (1ull << 19)

/* SCTLR_EL1 of native threads: RES1 bits; EL0 may use DC ZVA, CTR_EL0, the
 * cache maintenance of EL0, WFI and WFE (they do not trap). */
#define SCTLR_EL1_NATIVE 0x34d5d91cull
#define SCTLR_EL1_RESET 0x30c50838ull /* a new VCPU: MMU and caches off */
#define CPACR_NATIVE (3ull << 20)     /* FPEN: CPTR_EL2 decides */
/* EL0 reads CNTPCT (not as plain seL4), CNTVCT, CNTFRQ; EL0PTEN for
 * TCB_ENABLE_TIMER. */
#define CNTKCTL_NATIVE (SELVAGE_EXTENSIONS ? 3ull : 2ull)
#define CNTKCTL_EL0PTEN (1ull << 9)
/* EL1PCTEN: the counter does not trap. EL1PCEN: nor does the EL1 timer: not
 * for guests; for native threads CNTKCTL_EL1.EL0PTEN decides (and QEMU 7.2
 * wants it for CNTPCT_EL0 as well). */
#define CNTHCTL_GUEST 1ull
#define CNTHCTL_NATIVE 3ull

/* SPSR_EL2. */
#define SPSR_NZCV 0xf0000000ull
#define SPSR_MODE_MASK 0x1full
#define SPSR_EL0T 0x0ull
#define SPSR_EL1T 0x4ull
#define SPSR_EL1H 0x5ull
#define SPSR_AARCH32_USER 0x10ull
#define SPSR_AARCH32_SVC 0x13ull
/* A bit for each mode: FIQ, IRQ, SVC, ABT, UND, SYS. */
#define SPSR_AARCH32_EL1 0x888e0000ull
#define SPSR_SS (1ull << 21)
/* What a guest may have: NZCV, DIT, UAO, PAN, SSBS, BTYPE, DAIF; neither IL
 * nor SS. In AArch32 all but these two. */
#define SPSR_AARCH64_KEPT (SPSR_NZCV | 0x01c01fc0ull)
#define SPSR_AARCH32_KEPT 0xffcfffffull

/* ESR_EL2. */
#define ESR_EC(esr) ((unsigned)((esr) >> 26) & 63)
#define EC_FP 0x07
#define EC_SVC64 0x15
#define EC_HVC64 0x16
#define EC_SMC64 0x17
#define EC_SYSREG 0x18
#define EC_IABT_LOWER 0x20
#define EC_DABT_LOWER 0x24
#define EC_STEP_LOWER 0x32
#define EC_WATCHPOINT_LOWER 0x34
#define EC_HVC32 0x12
#define EC_SMC32 0x13
/* Fault status, low 6 bits of an abort's ISS. */
#define FSC_TYPE(esr) ((unsigned)(esr)&0x3c)
#define FSC_PERMISSION 0x0c
#define FSC_TRANSLATION 0x04
#define ISS_S1PTW (1ull << 7)
/* A data abort's access. */
#define ISS_ISV (1ull << 24)
#define ISS_SAS(esr) ((unsigned)((esr) >> 22) & 3)
#define ISS_SRT(esr) ((unsigned)((esr) >> 16) & 31)
#define ISS_WNR (1ull << 6)
#define ISS_SYSREG_RT(esr) ((unsigned)((esr) >> 5) & 31)
#define ISS_SYSREG_READ 1ull
#define ESR_IL (1ull << 25)
#define REG_ZERO 31

/* --- memory (mem.c) --- */
/* Cache maintenance of a range of RAM, through the identity mapping. */
void cache_clean(paddr_t start, word_t bytes);            /* to PoC */
void cache_clean_invalidate(paddr_t start, word_t bytes); /* to PoC */
void cache_unify(paddr_t start, word_t bytes);            /* I and D, PoU */
