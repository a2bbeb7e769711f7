/* The host tests have AArch64's types of capabilities, which the ABI's table of
 * invocations names, and no objects of them. */
#pragma once

#define ARCH_CAP_TYPES                                                          \
	CAP_FRAME, CAP_PAGE_TABLE, CAP_VSPACE, CAP_ASID_CONTROL, CAP_ASID_POOL, \
		CAP_VCPU, CAP_SMC,
/* Control capabilities of the architecture, and what they give: none. */
#define ARCH_DERIVES(control, c) (cap_type(control) == CAP_NULL)
