#include <selvage/objsize.h>

#include <abi/object.h>

unsigned object_arch_bits(unsigned type)
{
	switch (type) {
	case ABI_OBJ_PDPT:
	case ABI_OBJ_PAGE_DIRECTORY:
	case ABI_OBJ_IO_PAGE_TABLE:
	case ABI_OBJ_EPT_PML4:
	case ABI_OBJ_EPT_PDPT:
	case ABI_OBJ_EPT_PD:
	case ABI_OBJ_EPT_PT:
		return ABI_PAGE_TABLE_BITS;
	default:
		return 0;
	}
}
