/* The guest's stage 1 translation, walked in software for reports. */
#pragma once

#include "gmem.h"

struct walk_regs {
	uint64_t sctlr, tcr, ttbr0, ttbr1; /* _EL1 */
};

/* Guest-virtual to guest-physical. False: not mapped, or the tables are not
 * in RAM. Permissions are not looked at. At most 5 table reads. */
bool walk_stage1(const struct gmem *m, const struct walk_regs *r, uint64_t va,
		 gpa_t *gpa);
