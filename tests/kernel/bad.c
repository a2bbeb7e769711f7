/*
 * Calls with wrong arguments, each of which must be answered with exactly this
 * error and change nothing. Mistakes that all invocations share are in
 * calls.c, those of looking up a slot in lookups.c.
 */
#include "world.h"

#include <abi/ext.h>
#include <selvage/fmt.h>

#define RW (ABI_RIGHT_WRITE | ABI_RIGHT_READ)
#define TOP ABI_USER_TOP
#define PAGE KT_MAPPED
#define HERE AT(FRAME_MAPPED)
#define MAX (~0ull)
#define SELF ABI_ROOT_TCB
#define MISSING 0, ABI_LOOKUP_MISSING_CAPABILITY
#define NO_ROOT 0, ABI_LOOKUP_INVALID_ROOT
#define GAP_BITS (12 + 9 * (ABI_VSPACE_LEVELS - 1)) /* below a root's entry */
/* Data word of a guard of 61 zeros: with a radix of 4, one too many. */
#define TOO_LARGE_GUARD 61

#define BAD(method, what, object, ...)                                                  \
	{                                                                               \
		.name = #method ": " what, .label = ABI_INV_##method, .target = object, \
		__VA_ARGS__                                                             \
	}
#define BAD_EXT(method, what, object, ...)                                              \
	{                                                                               \
		.name = #method ": " what, .label = ABI_EXT_##method, .target = object, \
		__VA_ARGS__                                                             \
	}
#define RETYPE(what, ...) BAD(UNTYPED_RETYPE, what, AT(UNTYPED), CAPS(KT_CNODE), __VA_ARGS__)

static const struct kt_call untyped[] = {
	RETYPE("the first type that does not exist", WORDS(ABI_OBJ_COUNT, 0, 0, 0, AT(EMPTY), 1),
	       FAILS(INVALID_ARGUMENT, 0)),
	RETYPE("the largest type", WORDS(MAX, 0, 0, 0, AT(EMPTY), 1), FAILS(INVALID_ARGUMENT, 0)),
	RETYPE("an untyped of 8 bytes", WORDS(ABI_OBJ_UNTYPED, 3, 0, 0, AT(EMPTY), 1),
	       FAILS(INVALID_ARGUMENT, 1)),
	RETYPE("an untyped of size 0", WORDS(ABI_OBJ_UNTYPED, 0, 0, 0, AT(EMPTY), 1),
	       FAILS(INVALID_ARGUMENT, 1)),
	RETYPE("an untyped above the largest size", WORDS(ABI_OBJ_UNTYPED, 48, 0, 0, AT(EMPTY), 1),
	       FAILS(RANGE_ERROR, 0, 47)),
	RETYPE("an untyped of the largest number", WORDS(ABI_OBJ_UNTYPED, MAX, 0, 0, AT(EMPTY), 1),
	       FAILS(RANGE_ERROR, 0, 47)),
	RETYPE("an untyped larger than its parent", WORDS(ABI_OBJ_UNTYPED, 13, 0, 0, AT(EMPTY), 1),
	       FAILS(NOT_ENOUGH_MEMORY, 4096)),
	RETYPE("the largest untyped", WORDS(ABI_OBJ_UNTYPED, 47, 0, 0, AT(EMPTY), 1),
	       FAILS(NOT_ENOUGH_MEMORY, 4096)),
	RETYPE("a CNode of radix 0", WORDS(ABI_OBJ_CNODE, 0, 0, 0, AT(EMPTY), 1),
	       FAILS(INVALID_ARGUMENT, 1)),
	RETYPE("a CNode above the largest radix", WORDS(ABI_OBJ_CNODE, 43, 0, 0, AT(EMPTY), 1),
	       FAILS(RANGE_ERROR, 0, 47)),
	RETYPE("a CNode of the largest radix", WORDS(ABI_OBJ_CNODE, 42, 0, 0, AT(EMPTY), 1),
	       FAILS(NOT_ENOUGH_MEMORY, 4096)),
	RETYPE("a CNode whose size overflows", WORDS(ABI_OBJ_CNODE, 63, 0, 0, AT(EMPTY), 1),
	       FAILS(RANGE_ERROR, 0, 47)),
	RETYPE("a scheduling context of 64 bytes",
	       WORDS(ABI_OBJ_SCHED_CONTEXT, 6, 0, 0, AT(EMPTY), 1), FAILS(INVALID_ARGUMENT, 1)),
	RETYPE("a scheduling context of size 0",
	       WORDS(ABI_OBJ_SCHED_CONTEXT, 0, 0, 0, AT(EMPTY), 1), FAILS(INVALID_ARGUMENT, 1)),
	RETYPE("a scheduling context above the largest size",
	       WORDS(ABI_OBJ_SCHED_CONTEXT, 48, 0, 0, AT(EMPTY), 1), FAILS(RANGE_ERROR, 0, 47)),
	RETYPE("no object", WORDS(ABI_OBJ_ENDPOINT, 0, 0, 0, AT(EMPTY), 0),
	       FAILS(RANGE_ERROR, 1, 256)),
	RETYPE("257 objects", WORDS(ABI_OBJ_ENDPOINT, 0, 0, 0, AT(EMPTY), 257),
	       FAILS(RANGE_ERROR, 1, 256)),
	RETYPE("the largest number of objects", WORDS(ABI_OBJ_ENDPOINT, 0, 0, 0, AT(EMPTY), MAX),
	       FAILS(RANGE_ERROR, 1, 256)),
	RETYPE("two TCBs and a half", WORDS(ABI_OBJ_TCB, 0, AT(CNODE_NEW), 64, 0, 3),
	       FAILS(NOT_ENOUGH_MEMORY, 4096)),
	RETYPE("a large page from 4 KiB", WORDS(ABI_OBJ_LARGE_PAGE, 0, 0, 0, AT(EMPTY), 1),
	       FAILS(NOT_ENOUGH_MEMORY, 4096)),
	RETYPE("a huge page from 4 KiB", WORDS(ABI_OBJ_HUGE_PAGE, 0, 0, 0, AT(EMPTY), 1),
	       FAILS(NOT_ENOUGH_MEMORY, 4096)),
	RETYPE("a window behind the CNode's end",
	       WORDS(ABI_OBJ_ENDPOINT, 0, AT(CNODE), 64, 16, 1), FAILS(RANGE_ERROR, 0, 15)),
	RETYPE("a window at the largest offset",
	       WORDS(ABI_OBJ_ENDPOINT, 0, AT(CNODE), 64, MAX, 1), FAILS(RANGE_ERROR, 0, 15)),
	RETYPE("a window over the CNode's end", WORDS(ABI_OBJ_ENDPOINT, 0, AT(CNODE), 64, 14, 3),
	       FAILS(RANGE_ERROR, 1, 2)),
	RETYPE("a window whose first slot is in use",
	       WORDS(ABI_OBJ_ENDPOINT, 0, AT(CNODE), 64, 0, 2), FAILS(DELETE_FIRST)),
	RETYPE("a window whose last slot is in use", WORDS(ABI_OBJ_ENDPOINT, 0, 0, 0, AT(EMPTY), 3),
	       FAILS(DELETE_FIRST)),
	RETYPE("a full CNode", WORDS(ABI_OBJ_ENDPOINT, 0, AT(CNODE_FULL), 64, 0, 1),
	       FAILS(DELETE_FIRST)),
	BAD(UNTYPED_RETYPE, "itself as root", AT(UNTYPED), CAPS(AT(UNTYPED)),
	    WORDS(ABI_OBJ_ENDPOINT, 0, 0, 0, 0, 1), FAILS(FAILED_LOOKUP, MISSING, 0)),
	BAD(UNTYPED_RETYPE, "a page beside a child", AT(UNTYPED_USED), CAPS(KT_CNODE),
	    WORDS(ABI_OBJ_SMALL_PAGE, 0, 0, 0, AT(EMPTY), 1),
	    FAILS(NOT_ENOUGH_MEMORY, 4096 - (1 << ABI_NOTIFICATION_BITS))),
	BAD(UNTYPED_RETYPE, "exhausted", AT(UNTYPED_FULL), CAPS(KT_CNODE),
	    WORDS(ABI_OBJ_ENDPOINT, 0, 0, 0, AT(EMPTY), 1), FAILS(NOT_ENOUGH_MEMORY, 0)),
	BAD(UNTYPED_RETYPE, "16 bytes are no thread", AT(UNTYPED_TINY), CAPS(KT_CNODE),
	    WORDS(ABI_OBJ_TCB, 0, 0, 0, AT(EMPTY), 1), FAILS(NOT_ENOUGH_MEMORY, 16)),
#define DEVICE(type, bits)                                                                 \
	BAD(UNTYPED_RETYPE, #type " of device memory", AT(UNTYPED_DEVICE), CAPS(KT_CNODE), \
	    WORDS(ABI_OBJ_##type, bits, 0, 0, AT(EMPTY), 1), FAILS(INVALID_ARGUMENT, 1))
	DEVICE(TCB, 0),
	DEVICE(ENDPOINT, 0),
	DEVICE(NOTIFICATION, 0),
	DEVICE(CNODE, 4),
	DEVICE(SCHED_CONTEXT, 8),
	DEVICE(REPLY, 0),
	DEVICE(PAGE_TABLE, 0),
	DEVICE(VCPU, 0),
};

static const struct kt_call threads[] = {
	BAD(TCB_READ_REGISTERS, "no register", AT(TCB), WORDS(0, 0), FAILS(RANGE_ERROR, 1, 36)),
	BAD(TCB_READ_REGISTERS, "one too many", AT(TCB), WORDS(0, 37), FAILS(RANGE_ERROR, 1, 36)),
	BAD(TCB_READ_REGISTERS, "the largest number", AT(TCB), WORDS(1, MAX),
	    FAILS(RANGE_ERROR, 1, 36)),
	BAD(TCB_READ_REGISTERS, "of itself", SELF, WORDS(0, 1), FAILS(ILLEGAL_OPERATION)),
	BAD(TCB_WRITE_REGISTERS, "more than were sent", AT(TCB), WORDS(0, 3, 1, 2),
	    FAILS(TRUNCATED_MESSAGE)),
	BAD(TCB_WRITE_REGISTERS, "the largest number", AT(TCB), WORDS(1, MAX, 1, 2),
	    FAILS(TRUNCATED_MESSAGE)),
	BAD(TCB_WRITE_REGISTERS, "of itself", SELF, WORDS(0, 1, 0), FAILS(ILLEGAL_OPERATION)),
	BAD(TCB_COPY_REGISTERS, "from an empty slot", AT(TCB), CAPS(AT(EMPTY)), WORDS(15),
	    FAILS(INVALID_CAPABILITY, 1)),
	BAD(TCB_COPY_REGISTERS, "from an endpoint", AT(TCB), CAPS(AT(EP)), WORDS(15),
	    FAILS(INVALID_CAPABILITY, 1)),
	BAD(TCB_COPY_REGISTERS, "from a VCPU", AT(TCB), CAPS(AT(VCPU)), WORDS(15),
	    FAILS(INVALID_CAPABILITY, 1)),
#define CONFIGURE(what, cspace, vspace, frame, ...) \
	BAD(TCB_CONFIGURE, what, AT(TCB), CAPS(cspace, vspace, frame), __VA_ARGS__)
	CONFIGURE("an empty slot as CSpace", AT(EMPTY), ABI_ROOT_VSPACE, AT(FRAME),
		  WORDS(0, 0, 0x1000), FAILS(ILLEGAL_OPERATION)),
	CONFIGURE("a thread as CSpace", AT(TCB2), ABI_ROOT_VSPACE, AT(FRAME), WORDS(0, 0, 0x1000),
		  FAILS(ILLEGAL_OPERATION)),
	CONFIGURE("itself as CSpace", AT(TCB), ABI_ROOT_VSPACE, AT(FRAME), WORDS(0, 0, 0x1000),
		  FAILS(ILLEGAL_OPERATION)),
	CONFIGURE("a guard that is too large", AT(CNODE), ABI_ROOT_VSPACE, AT(FRAME),
		  WORDS(TOO_LARGE_GUARD, 0, 0x1000), FAILS(ILLEGAL_OPERATION)),
	CONFIGURE("an empty slot as VSpace", KT_CNODE, AT(EMPTY), AT(FRAME), WORDS(0, 0, 0x1000),
		  FAILS(ILLEGAL_OPERATION)),
	CONFIGURE("a page table as VSpace", KT_CNODE, AT(PT_LOW), AT(FRAME), WORDS(0, 0, 0x1000),
		  FAILS(ILLEGAL_OPERATION)),
	CONFIGURE("a VSpace without an ASID", KT_CNODE, AT(VSPACE_NEW), AT(FRAME),
		  WORDS(0, 0, 0x1000), FAILS(ILLEGAL_OPERATION)),
	CONFIGURE("a VSpace whose pool is gone", KT_CNODE, AT(VSPACE_DEAD), AT(FRAME),
		  WORDS(0, 0, 0x1000), FAILS(ILLEGAL_OPERATION)),
	CONFIGURE("an empty slot as buffer", KT_CNODE, ABI_ROOT_VSPACE, AT(EMPTY),
		  WORDS(0, 0, 0x1000), FAILS(ILLEGAL_OPERATION)),
	CONFIGURE("a page table as buffer", KT_CNODE, ABI_ROOT_VSPACE, AT(PT), WORDS(0, 0, 0x1000),
		  FAILS(ILLEGAL_OPERATION)),
	CONFIGURE("a device frame as buffer", KT_CNODE, ABI_ROOT_VSPACE, AT(FRAME_DEVICE),
		  WORDS(0, 0, 0x1000), FAILS(ILLEGAL_OPERATION)),
	CONFIGURE("an unaligned buffer", KT_CNODE, ABI_ROOT_VSPACE, AT(FRAME),
		  WORDS(0, 0, 0x1200), FAILS(ALIGNMENT_ERROR)),
	CONFIGURE("the largest buffer address", KT_CNODE, ABI_ROOT_VSPACE, AT(FRAME),
		  WORDS(0, 0, MAX), FAILS(ALIGNMENT_ERROR)),
#define PRIORITY(method)                                                                          \
	BAD(method, "an empty slot as authority", AT(TCB), CAPS(AT(EMPTY)), WORDS(1),             \
	    FAILS(INVALID_CAPABILITY, 1)),                                                        \
		BAD(method, "a scheduling context as authority", AT(TCB), CAPS(AT(SC)), WORDS(1), \
		    FAILS(INVALID_CAPABILITY, 1)),                                                \
		BAD(method, "one above the authority's MCP", AT(TCB), CAPS(AT(TCB2)), WORDS(1),   \
		    FAILS(RANGE_ERROR, 0, 0)),                                                    \
		BAD(method, "by its own authority", AT(TCB), CAPS(AT(TCB)), WORDS(1),             \
		    FAILS(RANGE_ERROR, 0, 0)),                                                    \
		BAD(method, "256", AT(TCB), CAPS(SELF), WORDS(256), FAILS(RANGE_ERROR, 0, 255)),  \
		BAD(method, "the largest number", AT(TCB), CAPS(SELF), WORDS(MAX),                \
		    FAILS(RANGE_ERROR, 0, 255))
	PRIORITY(TCB_SET_PRIORITY),
	PRIORITY(TCB_SET_MC_PRIORITY),
#define PARAMS(what, authority, sc, ep, ...) \
	BAD(TCB_SET_SCHED_PARAMS, what, AT(TCB), CAPS(authority, sc, ep), __VA_ARGS__)
	PARAMS("an empty slot as authority", AT(EMPTY), AT(SC), AT(EP), WORDS(1, 1),
	       FAILS(INVALID_CAPABILITY, 1)),
	PARAMS("a CNode as authority", AT(CNODE), AT(SC), AT(EP), WORDS(1, 1),
	       FAILS(INVALID_CAPABILITY, 1)),
	PARAMS("an MCP above the authority's", AT(TCB2), AT(SC), AT(EP), WORDS(1, 0),
	       FAILS(RANGE_ERROR, 0, 0)),
	PARAMS("a priority above the authority's MCP", AT(TCB2), AT(SC), AT(EP), WORDS(0, 1),
	       FAILS(RANGE_ERROR, 0, 0)),
	PARAMS("the largest MCP", SELF, AT(SC), AT(EP), WORDS(MAX, 0), FAILS(RANGE_ERROR, 0, 255)),
	PARAMS("the largest priority", SELF, AT(SC), AT(EP), WORDS(0, MAX),
	       FAILS(RANGE_ERROR, 0, 255)),
	PARAMS("a thread as scheduling context", SELF, AT(TCB2), AT(EP), WORDS(1, 1),
	       FAILS(INVALID_CAPABILITY, 2)),
	PARAMS("another thread's scheduling context", SELF, AT(SC_BOUND), AT(EP), WORDS(1, 1),
	       FAILS(ILLEGAL_OPERATION)),
	PARAMS("a notification as fault handler", SELF, AT(SC), AT(NTFN), WORDS(1, 1),
	       FAILS(INVALID_CAPABILITY, 3)),
	PARAMS("a fault handler without Write", SELF, AT(SC), AT(EP_READ), WORDS(1, 1),
	       FAILS(INVALID_CAPABILITY, 3)),
	PARAMS("a fault handler without Grant", SELF, AT(SC), AT(EP_WRITE), WORDS(1, 1),
	       FAILS(INVALID_CAPABILITY, 3)),
	BAD(TCB_SET_SCHED_PARAMS, "a second scheduling context", AT(TCB_BOUND),
	    CAPS(SELF, AT(SC), AT(EP)), WORDS(1, 1), FAILS(ILLEGAL_OPERATION)),
	BAD(TCB_SET_SCHED_PARAMS, "takes its own scheduling context", SELF, CAPS(SELF, 0, 0),
	    WORDS(255, KT_PRIO), FAILS(ILLEGAL_OPERATION)),
#define HANDLER(what, ep) \
	BAD(TCB_SET_TIMEOUT_ENDPOINT, what, AT(TCB), CAPS(ep), FAILS(INVALID_CAPABILITY, 1))
	HANDLER("a notification", AT(NTFN)),
	HANDLER("itself", AT(TCB)),
	HANDLER("without Write", AT(EP_READ)),
	HANDLER("without Grant", AT(EP_WRITE)),
#define BUFFER(what, frame, address, ...) \
	BAD(TCB_SET_IPC_BUFFER, what, AT(TCB), CAPS(frame), WORDS(address), __VA_ARGS__)
	BUFFER("an empty slot", AT(EMPTY), 0x1000, FAILS(ILLEGAL_OPERATION)),
	BUFFER("a thread", AT(TCB), 0x1000, FAILS(ILLEGAL_OPERATION)),
	BUFFER("a device frame", AT(FRAME_DEVICE), 0x1000, FAILS(ILLEGAL_OPERATION)),
	BUFFER("unaligned by 1", AT(FRAME), 0x1001, FAILS(ALIGNMENT_ERROR)),
	BUFFER("unaligned by 512", AT(FRAME), 0x1200, FAILS(ALIGNMENT_ERROR)),
	BUFFER("the largest address", AT(FRAME), MAX, FAILS(ALIGNMENT_ERROR)),
#define SPACE(what, ep, cspace, vspace, ...) \
	BAD(TCB_SET_SPACE, what, AT(TCB), CAPS(ep, cspace, vspace), __VA_ARGS__)
	SPACE("an empty slot as CSpace", 0, AT(EMPTY), ABI_ROOT_VSPACE, WORDS(0, 0),
	      FAILS(ILLEGAL_OPERATION)),
	SPACE("an untyped as CSpace", 0, AT(UNTYPED), ABI_ROOT_VSPACE, WORDS(0, 0),
	      FAILS(ILLEGAL_OPERATION)),
	SPACE("a guard that is too large", 0, AT(CNODE), ABI_ROOT_VSPACE, WORDS(TOO_LARGE_GUARD, 0),
	      FAILS(ILLEGAL_OPERATION)),
	SPACE("an empty slot as VSpace", 0, KT_CNODE, AT(EMPTY), WORDS(0, 0),
	      FAILS(ILLEGAL_OPERATION)),
	SPACE("a frame as VSpace", 0, KT_CNODE, HERE, WORDS(0, 0),
	      FAILS(ILLEGAL_OPERATION)),
	SPACE("a VSpace without an ASID", 0, KT_CNODE, AT(VSPACE_NEW), WORDS(0, 0),
	      FAILS(ILLEGAL_OPERATION)),
	SPACE("a VSpace whose pool is gone", 0, KT_CNODE, AT(VSPACE_DEAD), WORDS(0, 0),
	      FAILS(ILLEGAL_OPERATION)),
	SPACE("a CNode as fault handler", KT_CNODE, KT_CNODE, ABI_ROOT_VSPACE, WORDS(0, 0),
	      FAILS(INVALID_CAPABILITY, 1)),
	SPACE("a fault handler without Write", AT(EP_READ), KT_CNODE, ABI_ROOT_VSPACE, WORDS(0, 0),
	      FAILS(INVALID_CAPABILITY, 1)),
	SPACE("a fault handler without Grant", AT(EP_WRITE), KT_CNODE, ABI_ROOT_VSPACE,
	      WORDS(0, 0), FAILS(INVALID_CAPABILITY, 1)),
#define BIND(what, tcb, object) \
	BAD(TCB_BIND_NOTIFICATION, what, tcb, CAPS(object), FAILS(ILLEGAL_OPERATION))
	BIND("an empty slot", AT(TCB), AT(EMPTY)),
	BIND("an endpoint", AT(TCB), AT(EP)),
	BIND("itself", AT(TCB), AT(TCB)),
	BIND("without Read", AT(TCB), AT(NTFN_WRITE)),
	BIND("one that is another thread's", AT(TCB), AT(NTFN_BOUND)),
	BIND("a second one", AT(TCB_BOUND), AT(NTFN)),
	BAD(TCB_UNBIND_NOTIFICATION, "of a thread without one", AT(TCB), FAILS(ILLEGAL_OPERATION)),
};

static const struct kt_call cnodes[] = {
#define FROM(method, what, src, ...) \
	BAD(method, what, KT_CNODE, CAPS(KT_CNODE), WORDS(AT(EMPTY), 64, src, 64, __VA_ARGS__)
	FROM(CNODE_COPY, "of IRQ control", ABI_ROOT_IRQ_CONTROL, KT_ALL),
	    FAILS(ILLEGAL_OPERATION)),
	FROM(CNODE_COPY, "of an untyped with children", AT(UNTYPED_USED), KT_ALL),
	    FAILS(REVOKE_FIRST)),
	FROM(CNODE_COPY, "of a page table that is not mapped", AT(PT), KT_ALL),
	    FAILS(ILLEGAL_OPERATION)),
	FROM(CNODE_COPY, "of a VSpace without an ASID", AT(VSPACE_NEW), KT_ALL),
	    FAILS(ILLEGAL_OPERATION)),
	FROM(CNODE_MINT, "a second badge for an endpoint", AT(EP_BADGED), KT_ALL, 5),
	    FAILS(ILLEGAL_OPERATION)),
	FROM(CNODE_MINT, "a badge taken away", AT(EP_BADGED), KT_ALL, 0),
	    FAILS(ILLEGAL_OPERATION)),
	FROM(CNODE_MINT, "of IRQ control", ABI_ROOT_IRQ_CONTROL, KT_ALL, 0),
	    FAILS(ILLEGAL_OPERATION)),
	FROM(CNODE_MINT, "of an untyped with children", AT(UNTYPED_USED), KT_ALL, 0),
	    FAILS(REVOKE_FIRST)),
	FROM(CNODE_MINT, "a guard that is too large", AT(CNODE), KT_ALL, TOO_LARGE_GUARD),
	    FAILS(ILLEGAL_OPERATION)),
	FROM(CNODE_MUTATE, "an endpoint", AT(EP), 0), FAILS(ILLEGAL_OPERATION)),
	FROM(CNODE_MUTATE, "a notification", AT(NTFN), 7), FAILS(ILLEGAL_OPERATION)),
	FROM(CNODE_MUTATE, "a guard that is too large", AT(CNODE), TOO_LARGE_GUARD),
	    FAILS(ILLEGAL_OPERATION)),
#define ONTO_ITSELF(method, ...)                             \
	BAD(method, "onto itself", KT_CNODE, CAPS(KT_CNODE), \
	    WORDS(AT(CNODE), 64, AT(CNODE), 64, __VA_ARGS__), FAILS(DELETE_FIRST))
	ONTO_ITSELF(CNODE_COPY, KT_ALL),
	ONTO_ITSELF(CNODE_MINT, KT_ALL, 0),
	ONTO_ITSELF(CNODE_MOVE),
	ONTO_ITSELF(CNODE_MUTATE, 0),
#define ROTATE(what, dest, data, pivot, pivot_data, src, ...)       \
	BAD(CNODE_ROTATE, what, KT_CNODE, CAPS(KT_CNODE, KT_CNODE), \
	    WORDS(dest, 64, data, pivot, 64, pivot_data, src, 64), __VA_ARGS__)
	ROTATE("the pivot as source", AT(EMPTY), 0, AT(TCB), 0, AT(TCB), FAILS(ILLEGAL_OPERATION)),
	ROTATE("the pivot as destination", AT(TCB), 0, AT(TCB), 0, AT(TCB2),
	       FAILS(ILLEGAL_OPERATION)),
	ROTATE("all three the same", AT(TCB), 0, AT(TCB), 0, AT(TCB), FAILS(ILLEGAL_OPERATION)),
	ROTATE("a guard of the pivot that is too large", AT(EMPTY), TOO_LARGE_GUARD, AT(CNODE), 0,
	       AT(TCB), FAILS(ILLEGAL_OPERATION)),
	ROTATE("a guard of the source that is too large", AT(EMPTY), 0, AT(TCB), TOO_LARGE_GUARD,
	       AT(CNODE), FAILS(ILLEGAL_OPERATION)),
	ROTATE("an endpoint as pivot", AT(EMPTY), 0, AT(EP), 0, AT(TCB), FAILS(ILLEGAL_OPERATION)),
	ROTATE("an endpoint as source", AT(EMPTY), 0, AT(TCB), 0, AT(EP),
	       FAILS(ILLEGAL_OPERATION)),
#define CANCEL(what, member) \
	BAD(CNODE_CANCEL_BADGED_SENDS, what, KT_CNODE, WORDS(member, 64), FAILS(ILLEGAL_OPERATION))
	CANCEL("an empty slot", AT(EMPTY)),
	CANCEL("a notification", AT(NTFN)),
	CANCEL("Write only", AT(EP_WRITE)),
	CANCEL("Read only", AT(EP_READ)),
};

static const struct kt_call irqs[] = {
	BAD(IRQ_CONTROL_GET, "a line that does not exist", ABI_ROOT_IRQ_CONTROL, CAPS(KT_CNODE),
	    WORDS(AT(IRQ_LINES), AT(EMPTY), 64), FAILS(RANGE_ERROR, 0, AT(IRQ_LAST))),
	BAD(IRQ_CONTROL_GET, "the largest number", ABI_ROOT_IRQ_CONTROL, CAPS(KT_CNODE),
	    WORDS(MAX, AT(EMPTY), 64), FAILS(RANGE_ERROR, 0, AT(IRQ_LAST))),
	BAD(IRQ_CONTROL_GET, "one that has a handler", ABI_ROOT_IRQ_CONTROL, CAPS(KT_CNODE),
	    WORDS(KT_IRQ, AT(EMPTY), 64), FAILS(REVOKE_FIRST)),
	BAD(IRQ_CONTROL_GET, "the kernel's timer", ABI_ROOT_IRQ_CONTROL, CAPS(KT_CNODE),
	    WORDS(26, AT(EMPTY), 64), FAILS(REVOKE_FIRST)),
	BAD(IRQ_CONTROL_GET, "the guests' timer", ABI_ROOT_IRQ_CONTROL, CAPS(KT_CNODE),
	    WORDS(27, AT(EMPTY), 64), FAILS(REVOKE_FIRST)),
	BAD(IRQ_CONTROL_GET, "the maintenance interrupt", ABI_ROOT_IRQ_CONTROL, CAPS(KT_CNODE),
	    WORDS(25, AT(EMPTY), 64), FAILS(REVOKE_FIRST)),
	BAD(IRQ_CONTROL_GET_TRIGGER, "a line that does not exist", ABI_ROOT_IRQ_CONTROL,
	    CAPS(KT_CNODE), WORDS(AT(IRQ_LINES), 0, AT(EMPTY), 64),
	    FAILS(RANGE_ERROR, 0, AT(IRQ_LAST))),
	BAD(IRQ_CONTROL_GET_TRIGGER, "one that has a handler", ABI_ROOT_IRQ_CONTROL,
	    CAPS(KT_CNODE), WORDS(KT_IRQ, 0, AT(EMPTY), 64), FAILS(REVOKE_FIRST)),
	BAD(IRQ_CONTROL_ISSUE_SGI_SIGNAL, "number 16", ABI_ROOT_IRQ_CONTROL, CAPS(KT_CNODE),
	    WORDS(16, 0, AT(EMPTY), 64), FAILS(RANGE_ERROR, 0, 15)),
	BAD(IRQ_CONTROL_ISSUE_SGI_SIGNAL, "the largest number", ABI_ROOT_IRQ_CONTROL,
	    CAPS(KT_CNODE), WORDS(MAX, 0, AT(EMPTY), 64), FAILS(RANGE_ERROR, 0, 15)),
	BAD(IRQ_CONTROL_ISSUE_SGI_SIGNAL, "the largest target", ABI_ROOT_IRQ_CONTROL,
	    CAPS(KT_CNODE), WORDS(1, MAX, AT(EMPTY), 64), FAILS(INVALID_ARGUMENT, 1)),
	BAD(IRQ_HANDLER_SET_NOTIFICATION, "an empty slot", AT(IRQ), CAPS(AT(EMPTY)),
	    FAILS(INVALID_CAPABILITY, 0)),
	BAD(IRQ_HANDLER_SET_NOTIFICATION, "an endpoint", AT(IRQ), CAPS(AT(EP)),
	    FAILS(INVALID_CAPABILITY, 0)),
	BAD(IRQ_HANDLER_SET_NOTIFICATION, "itself", AT(IRQ), CAPS(AT(IRQ)),
	    FAILS(INVALID_CAPABILITY, 0)),
	BAD(IRQ_HANDLER_SET_NOTIFICATION, "without Write", AT(IRQ), CAPS(AT(NTFN_READ)),
	    FAILS(INVALID_CAPABILITY, 0)),
	BAD(DOMAIN_SET_SET, "the first domain that does not exist", ABI_ROOT_DOMAIN, CAPS(AT(TCB)),
	    WORDS(MAX), FAILS(INVALID_ARGUMENT, 0)),
	BAD(DOMAIN_SET_SET, "an empty slot", ABI_ROOT_DOMAIN, CAPS(AT(EMPTY)), WORDS(0),
	    FAILS(INVALID_ARGUMENT, 1)),
	BAD(DOMAIN_SET_SET, "a scheduling context", ABI_ROOT_DOMAIN, CAPS(AT(SC)), WORDS(0),
	    FAILS(INVALID_ARGUMENT, 1)),
	BAD(DOMAIN_SET_SCHEDULE_CONFIGURE, "a duration of 57 bits", ABI_ROOT_DOMAIN,
	    WORDS(0, 0, 1ull << 56), FAILS(INVALID_ARGUMENT, 2)),
};

static const struct kt_call contexts[] = {
#define REFILLS(what, sc, budget, period, extra, ...)                         \
	BAD(SCHED_CONTROL_CONFIGURE_FLAGS, what, AT(SCHED_CONTROL), CAPS(sc), \
	    WORDS(budget, period, extra, 0, 0), __VA_ARGS__)
	REFILLS("a period below the budget", AT(SC), 1000, 999, 0, FAILS(RANGE_ERROR, 20, 999)),
	REFILLS("a thread", AT(TCB), 1000, 2000, 0, FAILS(INVALID_CAPABILITY, 1)),
	REFILLS("an empty slot", AT(EMPTY), 1000, 2000, 0, FAILS(INVALID_CAPABILITY, 1)),
	REFILLS("refills that the object does not hold", AT(SC), 1000, 2000, 9,
		FAILS(RANGE_ERROR, 0, 8)),
	REFILLS("refills of the smallest object", AT(SC_NEW), 1000, 2000, 1,
		FAILS(RANGE_ERROR, 0, 0)),
	REFILLS("the largest number of refills", AT(SC), 1000, 2000, MAX, FAILS(RANGE_ERROR, 0, 8)),
	REFILLS("round robin with too many refills", AT(SC), 1000, 1000, 9,
		FAILS(RANGE_ERROR, 0, 8)),
#define SC_BIND(what, sc, object, ...) \
	BAD(SCHED_CONTEXT_BIND, what, sc, CAPS(object), __VA_ARGS__)
	SC_BIND("an empty slot", AT(SC), AT(EMPTY), FAILS(INVALID_CAPABILITY, 1)),
	SC_BIND("an endpoint", AT(SC), AT(EP), FAILS(INVALID_CAPABILITY, 1)),
	SC_BIND("itself", AT(SC), AT(SC), FAILS(INVALID_CAPABILITY, 1)),
	SC_BIND("a thread that has one", AT(SC), AT(TCB_BOUND), FAILS(ILLEGAL_OPERATION)),
	SC_BIND("a second thread", AT(SC_BOUND), AT(TCB), FAILS(ILLEGAL_OPERATION)),
	SC_BIND("the same thread again", AT(SC_BOUND), AT(TCB_BOUND), FAILS(ILLEGAL_OPERATION)),
	SC_BIND("a notification beside a thread", AT(SC_BOUND), AT(NTFN), FAILS(ILLEGAL_OPERATION)),
	BAD(SCHED_CONTEXT_UNBIND, "its own", ABI_ROOT_SCHED_CONTEXT, FAILS(ILLEGAL_OPERATION)),
#define UNBIND(what, sc, object, ...) \
	BAD(SCHED_CONTEXT_UNBIND_OBJECT, what, sc, CAPS(object), __VA_ARGS__)
	UNBIND("an empty slot", AT(SC_BOUND), AT(EMPTY), FAILS(INVALID_CAPABILITY, 1)),
	UNBIND("an endpoint", AT(SC_BOUND), AT(EP), FAILS(INVALID_CAPABILITY, 1)),
	UNBIND("another thread", AT(SC_BOUND), AT(TCB), FAILS(ILLEGAL_OPERATION)),
	UNBIND("a notification that is not bound", AT(SC_BOUND), AT(NTFN),
	       FAILS(ILLEGAL_OPERATION)),
	UNBIND("a thread of another", AT(SC), AT(TCB_BOUND), FAILS(ILLEGAL_OPERATION)),
	UNBIND("its own thread", ABI_ROOT_SCHED_CONTEXT, SELF, FAILS(ILLEGAL_OPERATION)),
	BAD(SCHED_CONTEXT_YIELD_TO, "one without a thread", AT(SC), FAILS(ILLEGAL_OPERATION)),
	BAD(SCHED_CONTEXT_YIELD_TO, "its own", ABI_ROOT_SCHED_CONTEXT, FAILS(ILLEGAL_OPERATION)),
};

static const struct kt_call memory[] = {
#define VSPACE_OP(method)                                                                          \
	BAD(method, "an empty range", AT(VSPACE), WORDS(PAGE, PAGE),                               \
	    FAILS(INVALID_ARGUMENT, 1)),                                                           \
		BAD(method, "a range that ends before its start", AT(VSPACE),                      \
		    WORDS(PAGE + 16, PAGE), FAILS(INVALID_ARGUMENT, 1)),                           \
		BAD(method, "a range above the user's addresses", AT(VSPACE), WORDS(TOP, TOP + 2), \
		    FAILS(ILLEGAL_OPERATION)),                                                     \
		BAD(method, "all of the address space", AT(VSPACE), WORDS(0, MAX),                 \
		    FAILS(ILLEGAL_OPERATION)),                                                     \
		BAD(method, "over a page's end", AT(VSPACE), WORDS(PAGE + 16, PAGE + 0x1001),      \
		    FAILS(RANGE_ERROR, PAGE + 16, PAGE + 0xfff)),                                  \
		BAD(method, "a VSpace without an ASID", AT(VSPACE_NEW), WORDS(PAGE, PAGE + 16),    \
		    FAILS(INVALID_CAPABILITY, 0)),                                                 \
		BAD(method, "a VSpace whose pool is gone", AT(VSPACE_DEAD),                        \
		    WORDS(PAGE, PAGE + 16), FAILS(FAILED_LOOKUP, NO_ROOT))
	VSPACE_OP(ARM_VSPACE_CLEAN_DATA),
	VSPACE_OP(ARM_VSPACE_INVALIDATE_DATA),
	VSPACE_OP(ARM_VSPACE_CLEAN_INVALIDATE_DATA),
	VSPACE_OP(ARM_VSPACE_UNIFY_INSTRUCTION),
#define PAGE_OP(method)                                                                         \
	BAD(method, "a frame that is not mapped", AT(FRAME), WORDS(0, 16),                      \
	    FAILS(ILLEGAL_OPERATION)),                                                          \
		BAD(method, "an empty range", HERE, WORDS(16, 16), FAILS(INVALID_ARGUMENT, 1)), \
		BAD(method, "a range that ends before its start", HERE, WORDS(32, 16),          \
		    FAILS(INVALID_ARGUMENT, 1)),                                                \
		BAD(method, "a start behind the end", HERE, WORDS(4096, 4097),                  \
		    FAILS(INVALID_ARGUMENT, 0)),                                                \
		BAD(method, "an end behind the end", HERE, WORDS(0, 4097),                      \
		    FAILS(INVALID_ARGUMENT, 0)),                                                \
		BAD(method, "the largest range", HERE, WORDS(0, MAX), FAILS(INVALID_ARGUMENT, 0))
	PAGE_OP(ARM_PAGE_CLEAN_DATA),
	PAGE_OP(ARM_PAGE_INVALIDATE_DATA),
	PAGE_OP(ARM_PAGE_CLEAN_INVALIDATE_DATA),
	PAGE_OP(ARM_PAGE_UNIFY_INSTRUCTION),
#define TABLE(what, table, vspace, vaddr, ...) \
	BAD(ARM_PAGE_TABLE_MAP, what, table, CAPS(vspace), WORDS(vaddr, 3), __VA_ARGS__)
	TABLE("into an empty slot", AT(PT), AT(EMPTY), 0, FAILS(INVALID_CAPABILITY, 1)),
	TABLE("into an endpoint", AT(PT), AT(EP), 0, FAILS(INVALID_CAPABILITY, 1)),
	TABLE("into itself", AT(PT), AT(PT), 0, FAILS(INVALID_CAPABILITY, 1)),
	TABLE("into a VSpace without an ASID", AT(PT), AT(VSPACE_NEW), 0,
	      FAILS(INVALID_CAPABILITY, 1)),
	TABLE("into a VSpace whose pool is gone", AT(PT), AT(VSPACE_DEAD), 0,
	      FAILS(FAILED_LOOKUP, NO_ROOT)),
	TABLE("above the user's addresses", AT(PT), AT(VSPACE), TOP + 1,
	      FAILS(INVALID_ARGUMENT, 0)),
	TABLE("at the largest address", AT(PT), AT(VSPACE), MAX, FAILS(INVALID_ARGUMENT, 0)),
	TABLE("where every level is there", AT(PT), AT(VSPACE), PAGE, FAILS(DELETE_FIRST)),
	TABLE("a table that is mapped", AT(PT_LOW), AT(VSPACE), 0, FAILS(INVALID_CAPABILITY, 0)),
#define MAP(what, frame, vspace, vaddr, ...)                                           \
	BAD(ARM_PAGE_MAP, what, frame, CAPS(vspace), WORDS(vaddr, RW, ABI_VM_DEFAULT), \
	    __VA_ARGS__)
	MAP("into an empty slot", AT(FRAME), AT(EMPTY), 0, FAILS(INVALID_CAPABILITY, 1)),
	MAP("into a page table", AT(FRAME), AT(PT_LOW), PAGE, FAILS(INVALID_CAPABILITY, 1)),
	MAP("into itself", AT(FRAME), AT(FRAME), 0, FAILS(INVALID_CAPABILITY, 1)),
	MAP("into a VSpace without an ASID", AT(FRAME), AT(VSPACE_NEW), 0,
	    FAILS(INVALID_CAPABILITY, 1)),
	MAP("into a VSpace whose pool is gone", AT(FRAME), AT(VSPACE_DEAD), 0,
	    FAILS(FAILED_LOOKUP, NO_ROOT)),
	MAP("above the user's addresses", AT(FRAME), AT(VSPACE), TOP + 1,
	    FAILS(INVALID_ARGUMENT, 0)),
	MAP("at the largest address", AT(FRAME), AT(VSPACE), MAX & ~0xfffull,
	    FAILS(INVALID_ARGUMENT, 0)),
	MAP("unaligned by one", AT(FRAME), AT(VSPACE), PAGE + 0x1001, FAILS(ALIGNMENT_ERROR)),
	MAP("unaligned by half a page", AT(FRAME), AT(VSPACE), PAGE + 0x1800,
	    FAILS(ALIGNMENT_ERROR)),
	MAP("where no table is", AT(FRAME), AT(VSPACE), TOP - 0xfff,
	    FAILS(FAILED_LOOKUP, MISSING, GAP_BITS)),
	MAP("a device frame where no table is", AT(FRAME_DEVICE), AT(VSPACE), TOP - 0xfff,
	    FAILS(FAILED_LOOKUP, MISSING, GAP_BITS)),
	MAP("a mapped frame elsewhere", AT(FRAME_MAPPED), AT(VSPACE), PAGE + 0x1000,
	    FAILS(INVALID_ARGUMENT, 0)),
	MAP("a mapped frame into another VSpace", AT(FRAME_MAPPED), ABI_ROOT_VSPACE, PAGE,
	    FAILS(INVALID_CAPABILITY, 1)),
#define POOL(what, untyped_, ...)                                                              \
	BAD(ARM_ASID_CONTROL_MAKE_POOL, what, ABI_ROOT_ASID_CONTROL, CAPS(untyped_, KT_CNODE), \
	    WORDS(AT(EMPTY), 64), __VA_ARGS__)
	POOL("of an empty slot", AT(EMPTY), FAILS(INVALID_CAPABILITY, 1)),
	POOL("of a frame", AT(FRAME), FAILS(INVALID_CAPABILITY, 1)),
	POOL("of 16 bytes", AT(UNTYPED_TINY), FAILS(INVALID_CAPABILITY, 1)),
	POOL("of device memory", AT(UNTYPED_DEVICE), FAILS(INVALID_CAPABILITY, 1)),
	POOL("of memory in use", AT(UNTYPED_USED), FAILS(REVOKE_FIRST)),
#define ASSIGN(what, vspace) \
	BAD(ARM_ASID_POOL_ASSIGN, what, AT(POOL), CAPS(vspace), FAILS(INVALID_CAPABILITY, 1))
	ASSIGN("an empty slot", AT(EMPTY)),
	ASSIGN("a page table", AT(PT)),
	ASSIGN("itself", AT(POOL)),
	ASSIGN("a VSpace that has an ASID", AT(VSPACE)),
	ASSIGN("a VSpace whose pool is gone", AT(VSPACE_DEAD)),
};

static const struct kt_call vcpus[] = {
	BAD(ARM_VCPU_SET_TCB, "an empty slot", AT(VCPU), CAPS(AT(EMPTY)), FAILS(ILLEGAL_OPERATION)),
	BAD(ARM_VCPU_SET_TCB, "an endpoint", AT(VCPU), CAPS(AT(EP)), FAILS(ILLEGAL_OPERATION)),
	BAD(ARM_VCPU_SET_TCB, "itself", AT(VCPU), CAPS(AT(VCPU)), FAILS(ILLEGAL_OPERATION)),
	BAD(ARM_VCPU_SET_TCB, "the invoker", AT(VCPU), CAPS(SELF), FAILS(ILLEGAL_OPERATION)),
	BAD(ARM_VCPU_INJECT_IRQ, "interrupt 1024", AT(VCPU), WORDS(1024),
	    FAILS(RANGE_ERROR, 0, 1023)),
	BAD(ARM_VCPU_INJECT_IRQ, "interrupt 65535", AT(VCPU), WORDS(0xffff),
	    FAILS(RANGE_ERROR, 0, 1023)),
	BAD(ARM_VCPU_INJECT_IRQ, "priority 32", AT(VCPU), WORDS(40 | 32 << 16),
	    FAILS(RANGE_ERROR, 0, 31)),
	BAD(ARM_VCPU_INJECT_IRQ, "priority 255", AT(VCPU), WORDS(40 | 255 << 16),
	    FAILS(RANGE_ERROR, 0, 31)),
	BAD(ARM_VCPU_INJECT_IRQ, "group 2", AT(VCPU), WORDS(40 | 2 << 24),
	    FAILS(RANGE_ERROR, 0, 1)),
	BAD(ARM_VCPU_INJECT_IRQ, "list register 4", AT(VCPU), WORDS(40 | 4ull << 32),
	    FAILS(RANGE_ERROR, 0, 3)),
	BAD(ARM_VCPU_INJECT_IRQ, "list register 255", AT(VCPU), WORDS(40 | 255ull << 32),
	    FAILS(RANGE_ERROR, 0, 3)),
	BAD(ARM_VCPU_READ_REGS, "the first field that does not exist", AT(VCPU),
	    WORDS(ABI_VCPU_REG_COUNT), FAILS(INVALID_ARGUMENT, 1)),
	BAD(ARM_VCPU_READ_REGS, "a field between the two ranges", AT(VCPU), WORDS(0xff),
	    FAILS(INVALID_ARGUMENT, 1)),
	BAD(ARM_VCPU_READ_REGS, "the largest field", AT(VCPU), WORDS(MAX),
	    FAILS(INVALID_ARGUMENT, 1)),
	BAD(ARM_VCPU_WRITE_REGS, "the first field that does not exist", AT(VCPU),
	    WORDS(ABI_VCPU_REG_COUNT, 1), FAILS(INVALID_ARGUMENT, 1)),
	BAD(ARM_VCPU_WRITE_REGS, "the largest field", AT(VCPU), WORDS(MAX, 1),
	    FAILS(INVALID_ARGUMENT, 1)),
	BAD(ARM_VCPU_ACK_VPPI, "another private interrupt", AT(VCPU), WORDS(26),
	    FAILS(INVALID_ARGUMENT, 0)),
	BAD(ARM_VCPU_ACK_VPPI, "a shared interrupt", AT(VCPU), WORDS(32),
	    FAILS(INVALID_ARGUMENT, 0)),
	BAD(ARM_VCPU_ACK_VPPI, "an interrupt that does not exist", AT(VCPU), WORDS(AT(IRQ_LINES)),
	    FAILS(RANGE_ERROR, 0, AT(IRQ_LAST))),
	BAD(ARM_VCPU_ACK_VPPI, "the largest number", AT(VCPU), WORDS(MAX),
	    FAILS(RANGE_ERROR, 0, AT(IRQ_LAST))),
	BAD_EXT(TCB_ENABLE_TIMER, "no capability", AT(TCB), FAILS(TRUNCATED_MESSAGE)),
	BAD_EXT(TCB_ENABLE_TIMER, "another interrupt's handler", AT(TCB), CAPS(AT(IRQ)),
		FAILS(INVALID_CAPABILITY, 1)),
	BAD_EXT(TCB_ENABLE_TIMER, "IRQ control", AT(TCB), CAPS(ABI_ROOT_IRQ_CONTROL),
		FAILS(INVALID_CAPABILITY, 1)),
	BAD_EXT(VCPU_SET_TRAPS, "no word", AT(VCPU), FAILS(TRUNCATED_MESSAGE)),
	BAD_EXT(VCPU_SET_TRAPS, "a trap that is not the user's", AT(VCPU), WORDS(1),
		FAILS(INVALID_ARGUMENT, 0)),
	BAD_EXT(VCPU_SET_TRAPS, "every trap", AT(VCPU), WORDS(MAX), FAILS(INVALID_ARGUMENT, 0)),
	BAD_EXT(VCPU_SET_EXIT_MESSAGE, "no word", AT(VCPU), FAILS(TRUNCATED_MESSAGE)),
	BAD_EXT(VCPU_SET_EXIT_MESSAGE, "2", AT(VCPU), WORDS(2), FAILS(RANGE_ERROR, 0, 1)),
	BAD_EXT(QUERY, "a VCPU", AT(VCPU), FAILS(ILLEGAL_OPERATION)),
	BAD_EXT(VCPU_SET_TRAPS, "a TCB", AT(TCB), WORDS(0), FAILS(ILLEGAL_OPERATION)),
};

#define PART(array)                                       \
	{                                                 \
		array, sizeof(array) / sizeof((array)[0]) \
	}
static const struct {
	const struct kt_call *calls;
	unsigned count;
} parts[] = { PART(untyped), PART(threads), PART(cnodes), PART(irqs), PART(contexts),
	      PART(memory), PART(vcpus) };

static const struct kt_call *find(unsigned i)
{
	unsigned p = 0;

	for (; i >= parts[p].count; p++)
		i -= parts[p].count;
	return &parts[p].calls[i];
}

static bool name(unsigned i, char *out, unsigned bytes)
{
	fmt_print(out, bytes, "bad: %s", find(i)->name);
	return true;
}

static void run(unsigned i)
{
	kt_world_make();
	kt_world_note();
	kt_call_make(find(i));
	kt_call_check(find(i));
	kt_world_check();
}

const struct kt_group kt_bad = {
	NULL,
	(sizeof(untyped) + sizeof(threads) + sizeof(cnodes) + sizeof(irqs) + sizeof(contexts) +
	 sizeof(memory) + sizeof(vcpus)) /
		sizeof(struct kt_call),
	run,
	name,
};
