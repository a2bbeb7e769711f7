/* The guest's page tables, walked in software (Intel SDM volume 3, 4.3 to 4.6). Pure. */
#pragma once

#include "../../gmem.h"

struct walk_x86 {
	uint64_t cr0, cr3, cr4, efer;
	bool user; /* the access is made at privilege level 3 */
};

/* Guest-virtual to guest-physical. False: #PF, with this error code. */
bool walk_x86(const struct gmem *mem, const struct walk_x86 *w, uint64_t linear, bool write,
	      uint64_t *gpa, uint32_t *error_code);
