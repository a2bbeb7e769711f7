/*
 * x86-64's capabilities; kernel/cap.h has the layout.
 *
 *   type              sub                                   w1
 *   FRAME             size 0-1, rights 2-3 (W R), device 4  vaddr>>12 << 16 | asid
 *                     in an EPT 5
 *                     mapped = asid != 0
 *   PDPT, PAGE_DIRECTORY, PAGE_TABLE   -                    vaddr>>12 << 16 | asid
 *   VSPACE            -                                     asid (0: none)
 *   ASID_CONTROL      -                                     -
 *   ASID_POOL         -                                     first asid
 *   IO_PORT_CONTROL   -                                     -
 *   IO_PORT           -                                     first port, last << 16
 *   VCPU              -                                     -
 *   EPT_PML4          -                                     asid (0: none)
 *   EPT_PDPT, EPT_PD, EPT_PT           -                    gpa>>12 << 16 | asid
 *   IO_PAGE_TABLE                      no such object yet
 */
#pragma once

#define ARCH_CAP_TYPES                                                               \
	CAP_FRAME, CAP_PDPT, CAP_PAGE_DIRECTORY, CAP_PAGE_TABLE, CAP_VSPACE,         \
		CAP_ASID_CONTROL, CAP_ASID_POOL, CAP_IO_PORT_CONTROL, CAP_IO_PORT,   \
		CAP_IO_PAGE_TABLE, CAP_VCPU, CAP_EPT_PML4, CAP_EPT_PDPT, CAP_EPT_PD, \
		CAP_EPT_PT,
/* Control capabilities of the architecture, and what they give. */
#define ARCH_DERIVES(control, c) \
	(cap_type(control) == CAP_IO_PORT_CONTROL && cap_type(c) == CAP_IO_PORT)
