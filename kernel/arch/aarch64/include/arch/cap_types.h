/*
 * AArch64's capabilities; kernel/cap.h has the layout.
 *
 *   type           sub                                   w1
 *   FRAME          size 0-1, rights 2-3 (W R), device 4  vaddr>>12 << 16 | asid
 *                  mapped = asid != 0
 *   PAGE_TABLE     level 0-1, mapped 2                   vaddr>>12 << 16 | asid
 *   VSPACE         -                                     asid (0: none)
 *   ASID_CONTROL   -                                     -
 *   ASID_POOL      -                                     first asid
 *   VCPU           -                                     -
 *   SMC            -                                     badge
 */
#pragma once

#define ARCH_CAP_TYPES                                                          \
	CAP_FRAME, CAP_PAGE_TABLE, CAP_VSPACE, CAP_ASID_CONTROL, CAP_ASID_POOL, \
		CAP_VCPU, CAP_SMC,
/* Control capabilities of the architecture, and what they give: none. */
#define ARCH_DERIVES(control, c) (cap_type(control) == CAP_NULL)
