/* DebugCapIdentify of what the architecture adds. */
#include <abi/object.h>
#include <kernel/arch.h>
#include <kernel/cap.h>

unsigned arch_debug_cap_identify(struct cap c)
{
	switch (cap_type(c)) {
	case CAP_FRAME: return ABI_DEBUG_CAP_FRAME;
	case CAP_PDPT: return ABI_DEBUG_CAP_PDPT;
	case CAP_PAGE_DIRECTORY: return ABI_DEBUG_CAP_PAGE_DIRECTORY;
	case CAP_PAGE_TABLE: return ABI_DEBUG_CAP_PAGE_TABLE;
	case CAP_VSPACE: return ABI_DEBUG_CAP_VSPACE;
	case CAP_ASID_CONTROL: return ABI_DEBUG_CAP_ASID_CONTROL;
	case CAP_ASID_POOL: return ABI_DEBUG_CAP_ASID_POOL;
	case CAP_IO_PORT_CONTROL: return ABI_DEBUG_CAP_IO_PORT_CONTROL;
	case CAP_IO_PORT: return ABI_DEBUG_CAP_IO_PORT;
	case CAP_VCPU: return ABI_DEBUG_CAP_VCPU;
	case CAP_EPT_PML4: return ABI_DEBUG_CAP_EPT_PML4;
	case CAP_EPT_PDPT: return ABI_DEBUG_CAP_EPT_PDPT;
	case CAP_EPT_PD: return ABI_DEBUG_CAP_EPT_PD;
	case CAP_EPT_PT: return ABI_DEBUG_CAP_EPT_PT;
	default: return ABI_DEBUG_CAP_NULL;
	}
}
