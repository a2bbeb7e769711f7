#include <selvage/objsize.h>

#include <abi/object.h>

unsigned object_size_bits(unsigned type, unsigned size_bits)
{
	switch (type) {
	case ABI_OBJ_UNTYPED:
	case ABI_OBJ_SCHED_CONTEXT:
		return size_bits;
	case ABI_OBJ_CNODE:
		return size_bits + ABI_SLOT_BITS;
	case ABI_OBJ_TCB:
		return ABI_TCB_BITS;
	case ABI_OBJ_ENDPOINT:
		return ABI_ENDPOINT_BITS;
	case ABI_OBJ_NOTIFICATION:
		return ABI_NOTIFICATION_BITS;
	case ABI_OBJ_REPLY:
		return ABI_REPLY_BITS;
	case ABI_OBJ_HUGE_PAGE:
		return ABI_HUGE_PAGE_BITS;
	case ABI_OBJ_LARGE_PAGE:
		return ABI_LARGE_PAGE_BITS;
	case ABI_OBJ_SMALL_PAGE:
		return ABI_PAGE_BITS;
	case ABI_OBJ_VSPACE:
		return ABI_VSPACE_BITS;
	case ABI_OBJ_PAGE_TABLE:
		return ABI_PAGE_TABLE_BITS;
	case ABI_OBJ_VCPU:
		return ABI_VCPU_BITS;
	default:
		return object_arch_bits(type);
	}
}
