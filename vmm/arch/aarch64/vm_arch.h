/* What a VM of AArch64 is beside what every VM is (vm.h). */
#pragma once

#include "psci.h"
#include "sysreg.h"

#include <dev/pl011.h>
#include <dev/pl031.h>
#include <dev/vgic.h>
#include <selvage/sel4.h>
#include <selvage/sysdesc.h>
#include <stdbool.h>
#include <stdint.h>

/* The guest's virtual timer, as far as the VMM has to know. */
struct vtimer {
	uint64_t armed; /* deadline that the time server has, 0: none */
	bool refused;   /* the time server has refused, and it was said */
};

/* The guest's physical timer: registers only, see arch/aarch64/vtimer.c. */
struct ptimer {
	uint64_t cval;
	uint32_t ctl;
};

/* On a kernel without extensions (vtime.c). */
struct vtime {
	uint64_t exit_at; /* when the guest stopped running */
	uint64_t entry;   /* where it starts after the probe */
	bool probing;
};

/* An SPI by a notification, which may be direct (arch/aarch64/direct.c). */
struct vm_source {
	uint32_t irq; /* below 64 */
	cap_t ntfn;
	unsigned vcpu; /* whose interrupt it is */
};
#define VM_SOURCES (1 + SYSDESC_VM_CONNECTIONS + SYSDESC_VM_SERVED)

/* SGIs, PPIs and 64 SPIs: more than board tables use without PCI. */
#define VM_IRQS 96u
/* MPIDR_EL1 of a vCPU: bit 31 is RES1, affinity 0.0.0.index. */
#define VM_MPIDR(index) (1ull << 31 | (index))

struct vm_vcpu;
/* A vCPU's registers as PSCI and the boot protocol want them at entry. */
void vm_vcpu_reset(struct vm_vcpu *vc, uint64_t entry, uint64_t context);

/* clang-format off */
#define VM_VCPU_ARCH_STATE                                                       \
	unsigned wfi_spins;      /* WFIs in a row that did not wait */           \
	uint64_t entry, context; /* of the CPU_ON that ends parking */           \
	struct vtimer vtimer;                                                    \
	struct vtime vtime;                                                      \
	struct ptimer ptimer;

#define VM_ARCH_STATE                                                            \
	uint64_t virtual_offset; /* CNTVOFF of all vCPUs: see vm_offset */       \
	unsigned n_sources;                                                      \
	struct vm_source source[VM_SOURCES];                                     \
	unsigned holds; /* vCPUs that the vGIC keeps from executing */           \
	struct psci psci;                                                        \
	unsigned n_irqs, n_lpis; /* of the vGIC */                               \
	struct vgic gic;                                                         \
	struct pl011 uart;                                                       \
	struct pl031 rtc;                                                        \
	struct sysreg_config sysreg;                                             \
	uint64_t id_known;       /* bit per entry of id[] */                     \
	uint64_t id[SYSREG_IDS]; /* filtered, as the guest reads them */
/* clang-format on */
