/* Frames, page tables, address spaces. */
#include "kt.h"

#define FREE_VADDR 0x40000000ull /* nothing is mapped in this 1 GiB */
#define RW (ABI_RIGHT_READ | ABI_RIGHT_WRITE)

static int map(cap_t frame, uint64_t vaddr)
{
	return sel4_page_map(frame, ABI_ROOT_VSPACE, vaddr, RW, ABI_VM_DEFAULT);
}

/* Adds tables until the frame fits. */
static void map_all(cap_t frame, uint64_t vaddr)
{
	for (unsigned i = 0; i < 4 && map(frame, vaddr) == ABI_FAILED_LOOKUP; i++)
		CHECK_OK(sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0), ABI_ROOT_VSPACE, vaddr,
					     ABI_VM_DEFAULT));
}

static void frames_are_zero(void)
{
	volatile uint64_t *p = (volatile uint64_t *)FREE_VADDR;
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 12), frame = kt_slot();

	for (unsigned round = 0; round < 2; round++) {
		CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, frame, 1));
		map_all(frame, FREE_VADDR);
		for (unsigned i = 0; i < 512; i++)
			CHECK_EQ(p[i], 0);
		for (unsigned i = 0; i < 512; i++)
			p[i] = ~0ull;
		CHECK_OK(kt_delete(frame));
	}
}

static void missing_table(void)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	CHECK_EQ(map(frame, 0x80000000ull), ABI_FAILED_LOOKUP);
	CHECK_EQ(sel4_error_word(1), ABI_LOOKUP_MISSING_CAPABILITY);
}

static void map_errors(void)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), large = kt_make(ABI_OBJ_LARGE_PAGE, 0);

	map_all(frame, FREE_VADDR);
	CHECK_OK(sel4_page_map(frame, ABI_ROOT_VSPACE, FREE_VADDR, ABI_RIGHT_READ, ABI_VM_DEFAULT));
	CHECK_EQ(map(frame, FREE_VADDR + 0x1000), ABI_INVALID_ARGUMENT);
	CHECK_EQ(map(large, FREE_VADDR + 0x1000), ABI_ALIGNMENT_ERROR);
	CHECK_OK(sel4_page_unmap(frame));
	CHECK_OK(sel4_page_unmap(frame));
	CHECK_EQ(map(frame, FREE_VADDR + 0x10), ABI_ALIGNMENT_ERROR);
	CHECK_ERROR1(sel4_page_map(frame, KT_CNODE, FREE_VADDR, RW, 0), ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(map(frame, ABI_USER_TOP + 1), ABI_INVALID_ARGUMENT, 0);
}

static void get_address(void)
{
	uint64_t a = 0, b = 0;
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 13), frames = kt_slots(2);

	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, frames, 2));
	CHECK_OK(sel4_page_get_address(frames, &a));
	CHECK_OK(sel4_page_get_address(frames + 1, &b));
	CHECK_EQ(b, a + 4096);
}

/* The frame remembers an address space that is gone. */
static void maintenance_of_a_stale_mapping(void)
{
	const uint64_t vaddr = FREE_VADDR;
	cap_t vspace = kt_make(ABI_OBJ_VSPACE, 0), frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	CHECK_EQ(sel4_page_clean_data(frame, 0, 4096), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, vspace));
	for (unsigned i = 0; i < 4 && sel4_page_map(frame, vspace, vaddr, RW, ABI_VM_DEFAULT); i++)
		CHECK_OK(sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0), vspace, vaddr,
					     ABI_VM_DEFAULT));
	CHECK_OK(sel4_page_clean_data(frame, 0, 4096));
	CHECK_ERROR1(sel4_page_clean_data(frame, 64, 64), ABI_INVALID_ARGUMENT, 1);
	CHECK_ERROR1(sel4_page_clean_data(frame, 0, 4097), ABI_INVALID_ARGUMENT, 0);
	CHECK_OK(kt_delete(vspace));
	CHECK_ERROR2(sel4_page_clean_data(frame, 0, 4096), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_INVALID_ROOT);
	CHECK_ERROR1(sel4_page_map(frame, ABI_ROOT_VSPACE, vaddr, RW, ABI_VM_DEFAULT),
		     ABI_INVALID_CAPABILITY, 1);
	CHECK_OK(sel4_page_unmap(frame));
	CHECK_EQ(sel4_page_clean_data(frame, 0, 4096), ABI_ILLEGAL_OPERATION);
}

static void large_page(void)
{
	volatile uint64_t *p = (volatile uint64_t *)(FREE_VADDR + 0x200000);
	cap_t large = kt_make(ABI_OBJ_LARGE_PAGE, 0);

	map_all(large, FREE_VADDR + 0x200000);
	p[0] = 1;
	p[0x1fffff / 8] = 2;
	CHECK_EQ(p[0], 1);
	CHECK_EQ(p[0x1fffff / 8], 2);
}

static const struct kt_case cases[] = {
	{ "memory: frames come zeroed, again and again", frames_are_zero },
	{ "memory: a missing table is reported", missing_table },
	{ "memory: errors of Page_Map", map_errors },
	{ "memory: GetAddress", get_address },
	{ "memory: cache maintenance, and of a stale mapping", maintenance_of_a_stale_mapping },
	{ "memory: a large page", large_page },
};
KT_GROUP(kt_memory);
