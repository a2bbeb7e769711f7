/* x86-64's part of abi/invocation.h (IOMMU and VT-x configured). */
#pragma once

#define ABI_ARCH_INVOCATIONS(X)                                 \
	X(X86_PDPT_MAP, 39, PDPT, 2, 1)                         \
	X(X86_PDPT_UNMAP, 40, PDPT, 0, 0)                       \
	X(X86_VCPU_READ_MSR, 41, VCPU, 0, 0)                    \
	X(X86_VCPU_WRITE_MSR, 42, VCPU, 0, 0)                   \
	X(X86_PAGE_DIRECTORY_MAP, 43, PAGE_DIRECTORY, 2, 1)     \
	X(X86_PAGE_DIRECTORY_UNMAP, 44, PAGE_DIRECTORY, 0, 0)   \
	X(X86_PAGE_TABLE_MAP, 45, PAGE_TABLE, 2, 1)             \
	X(X86_PAGE_TABLE_UNMAP, 46, PAGE_TABLE, 0, 0)           \
	X(X86_IO_PAGE_TABLE_MAP, 47, IO_PAGE_TABLE, 1, 1)       \
	X(X86_IO_PAGE_TABLE_UNMAP, 48, IO_PAGE_TABLE, 0, 0)     \
	X(X86_PAGE_MAP, 49, FRAME, 3, 1)                        \
	X(X86_PAGE_UNMAP, 50, FRAME, 0, 0)                      \
	X(X86_PAGE_MAP_IO, 51, FRAME, 2, 1)                     \
	X(X86_PAGE_GET_ADDRESS, 52, FRAME, 0, 0)                \
	X(X86_PAGE_MAP_EPT, 53, FRAME, 3, 1)                    \
	X(X86_ASID_CONTROL_MAKE_POOL, 54, ASID_CONTROL, 2, 2)   \
	X(X86_ASID_POOL_ASSIGN, 55, ASID_POOL, 0, 1)            \
	X(X86_IO_PORT_CONTROL_ISSUE, 56, IO_PORT_CONTROL, 4, 1) \
	X(X86_IO_PORT_IN8, 57, IO_PORT, 1, 0)                   \
	X(X86_IO_PORT_IN16, 58, IO_PORT, 1, 0)                  \
	X(X86_IO_PORT_IN32, 59, IO_PORT, 1, 0)                  \
	X(X86_IO_PORT_OUT8, 60, IO_PORT, 2, 0)                  \
	X(X86_IO_PORT_OUT16, 61, IO_PORT, 2, 0)                 \
	X(X86_IO_PORT_OUT32, 62, IO_PORT, 2, 0)                 \
	X(IRQ_CONTROL_GET_IOAPIC, 63, IRQ_CONTROL, 7, 1)        \
	X(IRQ_CONTROL_GET_MSI, 64, IRQ_CONTROL, 7, 1)           \
	X(TCB_SET_EPT_ROOT, 65, TCB, 0, 1)                      \
	X(X86_VCPU_SET_TCB, 66, VCPU, 0, 1)                     \
	X(X86_VCPU_READ_VMCS, 67, VCPU, 0, 0)                   \
	X(X86_VCPU_WRITE_VMCS, 68, VCPU, 0, 0)                  \
	X(X86_VCPU_ENABLE_IO_PORT, 69, VCPU, 2, 1)              \
	X(X86_VCPU_DISABLE_IO_PORT, 70, VCPU, 2, 1)             \
	X(X86_VCPU_WRITE_REGISTERS, 71, VCPU, 15, 0)            \
	X(X86_EPT_PDPT_MAP, 72, EPT_PDPT, 2, 1)                 \
	X(X86_EPT_PDPT_UNMAP, 73, EPT_PDPT, 0, 0)               \
	X(X86_EPT_PD_MAP, 74, EPT_PD, 2, 1)                     \
	X(X86_EPT_PD_UNMAP, 75, EPT_PD, 0, 0)                   \
	X(X86_EPT_PT_MAP, 76, EPT_PT, 2, 1)                     \
	X(X86_EPT_PT_UNMAP, 77, EPT_PT, 0, 0)
