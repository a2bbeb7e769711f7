/* The guest's stage 1 translation, walked in software for reports. */
#pragma once

#include "gmem.h"

#include <selvage/vcpu.h>

#define WALK_MAX_STEPS 5u

/* The descriptors that were read, and where. */
struct walk_trace {
	unsigned n;
	struct {
		gpa_t at;
		uint64_t descriptor;
	} step[WALK_MAX_STEPS];
};

struct walk_regs {
	uint64_t sctlr, tcr, ttbr0, ttbr1; /* _EL1, or AArch32's with TTBCR as tcr */
	bool narrow;                       /* AArch32's */
	struct walk_trace *trace;          /* NULL: none */
};

/* As the vCPU has them now. */
struct walk_regs walk_regs_of(struct vcpu *v);

/* Guest-virtual to guest-physical. False: not mapped, or the tables are not
 * in RAM. Permissions are not looked at. At most 5 table reads. */
bool walk_stage1(const struct gmem *m, const struct walk_regs *r, uint64_t va,
		 gpa_t *gpa);
/* The same with the registers as the vCPU has them. */
bool walk_vcpu(const struct gmem *m, struct vcpu *v, uint64_t va, gpa_t *gpa);
