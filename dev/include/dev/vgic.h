/*
 * Virtual interrupt controller: the distributor and redistributors of a GICv2
 * (Arm IHI 0048B) or GICv3 (Arm IHI 0069H) and the list registers behind the
 * hardware's virtual CPU interface.
 *
 * What is here: the state of every interrupt, the registers of GICD (and, in
 * version 3, GICR), the generation of SGIs, and the choice of what stands in
 * which list register. What is not: the CPU interface; the guest uses the
 * hardware's (GICV page, ICC_* registers). One Security state (as a machine
 * without EL3), affinity routing always on in version 3. LPIs, of which an ITS
 * (its.h) says where they go and how urgent they are, are kept like SPIs.
 *
 * Use, for every exit of vCPU v, under the VM's lock:
 *
 *     maintenance exit:  vgic_maintenance(g, v, index)
 *     GICD/GICR access:  vgic_dist_access / vgic_redist_access
 *     device lines:      vgic_set_level / vgic_pulse
 *     before v goes on:  vgic_flush(g, v)
 *     and for the others: mask = vgic_work(g); for each u of mask except v:
 *                        vgic_flush(g, u), wake u if it blocks in WFI
 *
 * List registers are in the format of ICH_LR<n>_EL2 in both versions, with
 * the source CPU of a GICv2 SGI in bits 34:32, the lowest of the otherwise
 * unused pINTID (the kernel converts for a GICH). The model keeps a copy of each: it reads one only
 * when it must know what the guest did with it, and writes one only when its
 * content changes.
 *
 * Which vCPU may be running: env.read_lr and env.write_lr of a list register
 * in use make sense only while its vCPU does not execute. Inside env.hold(v,
 * true) .. env.hold(v, false) the model reads and rewrites such registers of
 * v; outside it only fills registers that it knows to be empty, which a
 * running vCPU does not disturb. Register reads take a snapshot without hold.
 *
 * Everything is bounded: no allocation, no recursion. One caller at a time.
 */
#pragma once

#include <dev/mmio.h>
#include <stdbool.h>
#include <stdint.h>

#define VGIC_MAX_VCPUS 8u
#define VGIC_MAX_IRQS 288u /* 16 SGIs, 16 PPIs, 256 SPIs */
#define VGIC_MAX_LRS 16u
#define VGIC_PRIVATE_IRQS 32u /* SGIs and PPIs: each vCPU has its own */
#define VGIC_MAX_BLOCKS (VGIC_MAX_IRQS / 32u)
#define VGIC_FIRST_LPI 8192u
#define VGIC_LPI_ID_BITS 14u /* INTIDs are below 2^14 where there are LPIs */

#define VGIC_V2_DIST_BYTES 0x1000u
#define VGIC_V3_DIST_BYTES 0x10000u
#define VGIC_V3_REDIST_BYTES 0x20000u /* per vCPU: RD_base, SGI_base */

/* ICH_LR<n>_EL2 (IHI 0069H 12.4.4). */
#define VGIC_LR_STATE_PENDING (1ull << 62)
#define VGIC_LR_STATE_ACTIVE (1ull << 63)
#define VGIC_LR_STATE (VGIC_LR_STATE_PENDING | VGIC_LR_STATE_ACTIVE)
#define VGIC_LR_GROUP1 (1ull << 60)
#define VGIC_LR_PRIORITY_SHIFT 48u
#define VGIC_LR_EOI (1ull << 41) /* maintenance interrupt on deactivation */
#define VGIC_LR_SOURCE_SHIFT 32u /* GICv2 SGIs only; 3 bits */

/* Sources that can be direct: interrupts below 64, a bit each. */
#define VGIC_DIRECT_IRQS 64u
/* What direct_conf is told: enabled, group 1, priority. */
#define VGIC_DIRECT_ENABLED (1u << 15)
#define VGIC_DIRECT_GROUP1 (1u << 8)
#define VGIC_DIRECT_PRIORITY 0xffu

enum vgic_direct_change {
	VGIC_DIRECT_PEND,
	VGIC_DIRECT_UNPEND,
	VGIC_DIRECT_DEACTIVATE,
};

struct vgic_env {
	void *opaque;
	/* With lr_readback: list register `index` of a vCPU. */
	uint64_t (*read_lr)(void *opaque, unsigned vcpu, unsigned index);
	void (*write_lr)(void *opaque, unsigned vcpu, unsigned index,
			 uint64_t value);
	/* Without lr_readback (plain seL4's VCPU_InjectIRQ): makes `irq`
	 * pending in the free list register `index`; priority is 0-31. The
	 * kernel reports its end by a maintenance fault with that index. */
	void (*inject)(void *opaque, unsigned vcpu, unsigned index,
		       unsigned irq, unsigned priority, unsigned group);
	/* Keeps the vCPU from executing until it is let go (see above). Calls
	 * for one vCPU do not nest. NULL: the caller takes care of it. */
	void (*hold)(void *opaque, unsigned vcpu, bool held);
	/* The guest has deactivated a level-triggered interrupt: the owner may
	 * sample the line again and call vgic_set_level() from here (and
	 * nothing else). Comes from vgic_flush and vgic_has_pending only. May
	 * be NULL. A device that keeps its line up to date needs none. */
	void (*eoi)(void *opaque, unsigned vcpu, unsigned irq);
	/*
	 * Direct interrupts: somebody else (the kernel) makes them pending in
	 * list registers of its own and keeps that state; the model keeps what
	 * the guest has configured and tells it whenever it changes. Only if
	 * config.direct is not 0.
	 */
	void (*direct_conf)(void *opaque, unsigned vcpu, unsigned irq, unsigned conf);
	uint64_t (*direct_pending)(void *opaque, unsigned vcpu);
	uint64_t (*direct_active)(void *opaque, unsigned vcpu);
	void (*direct_change)(void *opaque, unsigned vcpu, enum vgic_direct_change change,
			      uint64_t irqs);
	/* The guest has switched LPIs on (GICR_CTLR): their configuration is to
	 * be read from memory. NULL: nobody wants to know. */
	void (*lpis_on)(void *opaque);
};

struct vgic_config {
	unsigned version; /* 2 or 3 */
	unsigned n_vcpus; /* 1-8; vCPU i has affinity 0.0.0.i */
	unsigned n_irqs;  /* 64-288, a multiple of 32, SGIs and PPIs included */
	unsigned n_lrs;   /* 1-16: as the hardware has them */
	bool lr_readback; /* list registers can be read and written */
	uint64_t direct;  /* interrupts whose pending state is not kept here */
	bool sgis_on;     /* SGIs are enabled from the start, and stay so */
	unsigned n_lpis;  /* 0, or version 3 with lr_readback: a power of two from 32
			   * on; n_irqs and n_lpis together up to VGIC_MAX_IRQS */
};

/* The rest of this file, down to the functions, is private to the model; it
 * is here so that the owner can embed the state. */

/* 32 interrupts: one bit of each word, one byte of each array. */
struct vgic_block {
	uint32_t enabled;
	uint32_t group; /* 1: group 1 */
	uint32_t edge;  /* 1: edge-triggered */
	uint32_t line;  /* level of the input */
	uint32_t latch; /* pending by an edge, an SGI or a register write;
			  * moves into the list register with the interrupt */
	uint32_t active;
	uint32_t listed; /* stands in a list register */
	uint32_t direct; /* config.direct */
	uint8_t priority[32];
};

/* What is known about a list register. */
struct vgic_lr {
	uint64_t hw;        /* last value written or read; state 0 when free */
	uint16_t irq;       /* owner, when in use */
	uint8_t source;     /* source CPU, GICv2 SGI */
	bool soft;          /* pending because of the latch, not of the line */
	bool placed_active; /* active by ISACTIVER, not by acknowledge */
};

struct vgic_cpu {
	struct vgic_block own;          /* SGIs and PPIs */
	uint8_t sgi_sources[16];        /* GICv2: who has sent it */
	uint32_t wait[VGIC_MAX_BLOCKS]; /* wants a list register, has none */
	uint32_t eoi[VGIC_MAX_BLOCKS];  /* env.eoi owed */
	struct vgic_lr lr[VGIC_MAX_LRS];
	uint32_t lr_used;  /* bit per list register */
	uint32_t lr_stale; /* free, but its EOI bit is still set */
	uint32_t lr_echo;  /* its maintenance may still come */
	unsigned hold_depth;
	bool overflow;                          /* more waited than fitted */
	bool asleep;                            /* GICR_WAKER.ProcessorSleep */
	bool lpis_on;                           /* GICR_CTLR.EnableLPIs */
	uint64_t pend_base;                     /* GICR_PENDBASER: kept, not used */
	uint16_t direct_conf[VGIC_DIRECT_IRQS]; /* as last told */
};

/* A frame's register table, and where in it the registers of each page (the
 * first that ends behind its start) are. */
#define VGIC_MAP_PAGE_BYTES 0x100u
#define VGIC_MAP_PAGES (VGIC_V3_REDIST_BYTES / VGIC_MAP_PAGE_BYTES)
struct vgic_map {
	const struct vgic_reg *table, *end;
	uint8_t first[VGIC_MAP_PAGES];
};

struct vgic {
	struct vgic_config config;
	struct vgic_env env;
	struct vgic_map dist, redist;
	uint32_t ctlr;      /* GICD_CTLR: the group enables */
	uint32_t work;      /* bit per vCPU: vgic_flush has something to do */
	uint64_t prop_base; /* GICR_PROPBASER, of all vCPUs */
	/* LPIs are the interrupts from n_irqs on. */
	struct vgic_block spi[VGIC_MAX_BLOCKS - 1];
	uint8_t spi_targets[VGIC_MAX_IRQS - 32];         /* GICD_ITARGETSR */
	uint32_t spi_router[VGIC_MAX_IRQS - 32];         /* GICD_IROUTER, low half */
	uint8_t spi_lr_cpu[VGIC_MAX_IRQS - 32];          /* while listed: whose LR */
	uint32_t route[VGIC_MAX_VCPUS][VGIC_MAX_BLOCKS]; /* SPIs by target */
	struct vgic_cpu cpu[VGIC_MAX_VCPUS];
};

/* Reset state. False: the configuration is none of those above. Does not call
 * env: the list registers are taken to be empty. */
bool vgic_init(struct vgic *g, const struct vgic_config *config,
	       const struct vgic_env *env);

/* An access of `vcpu` (below n_vcpus) to GICD. Never MMIO_FAULT. */
enum mmio_outcome vgic_dist_access(struct vgic *g, unsigned vcpu,
				   struct mmio *m);
/* An access to the redistributors (version 3), which stand side by side:
 * offset / VGIC_V3_REDIST_BYTES is the vCPU they belong to. */
enum mmio_outcome vgic_redist_access(struct vgic *g, struct mmio *m);

/* Version 3: a trapped write of `vcpu` to ICC_SGI1R_EL1, or to ICC_SGI0R_EL1
 * or ICC_ASGI1R_EL1 (group1 false). */
void vgic_write_sgir(struct vgic *g, unsigned vcpu, uint64_t value,
		     bool group1);

/* Input lines. irq: 16-31 a PPI of `vcpu`, from 32 an SPI (`vcpu` unused).
 * Other numbers are ignored. A rising edge latches an edge-triggered one. */
void vgic_set_level(struct vgic *g, unsigned vcpu, unsigned irq, bool level);
/* A rising edge at once followed by a falling one (an MSI, say): pending
 * whatever the trigger type. */
void vgic_pulse(struct vgic *g, unsigned vcpu, unsigned irq);

/* LPIs (vgic_lpi.c), for an ITS. The interrupt that an INTID is, or 0: there is no such LPI. */
unsigned vgic_lpi(const struct vgic *g, uint32_t intid);
/* Where its byte of configuration is in guest memory (GICR_PROPBASER), or
 * UINT64_MAX: the guest has no table for it. */
uint64_t vgic_lpi_config_address(const struct vgic *g, unsigned lpi);
/* That byte: priority and enable bit (IHI 0069H 5.1.1). */
void vgic_lpi_configure(struct vgic *g, unsigned lpi, uint8_t config);
/* Which vCPU it goes to; VGIC_MAX_VCPUS: none. */
void vgic_lpi_route(struct vgic *g, unsigned lpi, unsigned vcpu);
void vgic_lpi_set_pending(struct vgic *g, unsigned lpi, bool pending);

/* Brings the list registers of `vcpu` up to date; cheap when nothing
 * changed. */
void vgic_flush(struct vgic *g, unsigned vcpu);
/* Folds every list register in use back into the state. Seldom needed. */
void vgic_sync(struct vgic *g, unsigned vcpu);
/* A maintenance fault of `vcpu`: the list register it names, or -1 for none.
 * The kernel has switched off that register's EOI bit. */
void vgic_maintenance(struct vgic *g, unsigned vcpu, int index);

/* vCPUs for which vgic_flush has something to do, or whose list registers
 * have been given a pending interrupt: flush them, and wake them from WFI. One
 * bit each; vgic_flush clears it. */
static inline uint32_t vgic_work(const struct vgic *g)
{
	return g->work;
}
/* Should WFI return at once? True if the CPU interface signals an interrupt
 * or would after vgic_flush, whatever PSTATE masks. vmcr: ICH_VMCR_EL2 (its
 * priority mask and group enables count), or VGIC_VMCR_ANY. vCPU stopped. */
#define VGIC_VMCR_ANY 0xff000003ull
bool vgic_has_pending(struct vgic *g, unsigned vcpu, uint64_t vmcr);
