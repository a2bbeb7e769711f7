/* Tables of three levels, pages of three sizes. */
#include "pc_tests.h"

#define KIB4 0x1000ull
#define MIB2 0x200000ull
#define GIB1 0x40000000ull
#define BEHIND_TOP 0x800000000000ull
#define ROOT ABI_ROOT_VSPACE

static int map(cap_t frame, uint64_t vaddr)
{
	return sel4_page_map(frame, ROOT, vaddr, RW, ABI_VM_DEFAULT);
}

/* The three kinds of tables: the lowest last. */
static const struct table {
	enum abi_object type;
	int (*map)(cap_t, cap_t, uint64_t, uint64_t);
	int (*unmap)(cap_t);
	unsigned bits; /* of what one of them covers */
} tables[] = {
	{ ABI_OBJ_PDPT, sel4_pdpt_map, sel4_pdpt_unmap, 39 },
	{ ABI_OBJ_PAGE_DIRECTORY, sel4_page_directory_map, sel4_page_directory_unmap, 30 },
	{ ABI_OBJ_PAGE_TABLE, sel4_page_table_map, sel4_page_table_unmap, 21 },
};
#define TABLES 3u

/* Tables down to `count` levels; the last one. */
static cap_t map_tables(cap_t space, uint64_t vaddr, unsigned count)
{
	cap_t c = 0;

	for (unsigned i = 0; i < count; i++) {
		c = kt_make(tables[i].type, 0);
		CHECK_OK(tables[i].map(c, space, vaddr, 0));
	}
	return c;
}

#define CHECK_MISSING(call, bits) \
	CHECK_ERROR3(call, ABI_FAILED_LOOKUP, 0, ABI_LOOKUP_MISSING_CAPABILITY, bits)

/* Each lookup names the level that is missing. */
static void levels(void)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), large = kt_make(ABI_OBJ_LARGE_PAGE, 0);
	cap_t t[TABLES];

	for (unsigned i = 0; i < TABLES; i++)
		t[i] = kt_make(tables[i].type, 0);
	for (unsigned i = 0; i < TABLES; i++) {
		unsigned missing = tables[i].bits;

		CHECK_MISSING(map(frame, FREE_VADDR), missing);
		if (i < 2)
			CHECK_MISSING(map(large, FREE_VADDR), missing);
		for (unsigned below = i + 1; below < TABLES; below++)
			CHECK_MISSING(tables[below].map(t[below], ROOT, FREE_VADDR, 0), missing);
		CHECK_EQ(fault_of_read(FREE_VADDR), PF_USER);
		CHECK_OK(tables[i].map(t[i], ROOT, FREE_VADDR, 0));
	}
	CHECK_OK(map(frame, FREE_VADDR));
	CHECK_EQ(fault_of_write(FREE_VADDR), NO_FAULT);
	CHECK_EQ(*(volatile uint64_t *)FREE_VADDR, 1);
}

static void table_errors(void)
{
	cap_t none = kt_make(ABI_OBJ_VSPACE, 0);

	for (unsigned i = 0; i < TABLES; i++) {
		const struct table *t = &tables[i];
		cap_t first = kt_make(t->type, 0), second = kt_make(t->type, 0);
		uint64_t size = 1ull << t->bits;

		CHECK_ERROR1(t->map(first, KT_CNODE, FREE_VADDR, 0), ABI_INVALID_CAPABILITY, 1);
		CHECK_ERROR1(t->map(first, kt_slot(), FREE_VADDR, 0), ABI_INVALID_CAPABILITY, 1);
		CHECK_ERROR1(t->map(first, none, FREE_VADDR, 0), ABI_INVALID_CAPABILITY, 1);
		CHECK_ERROR1(t->map(first, ROOT, BEHIND_TOP, 0), ABI_INVALID_ARGUMENT, 0);
		CHECK_ERROR1(t->map(first, ROOT, ~0ull, 0), ABI_INVALID_ARGUMENT, 0);
		/* Nothing to unmap; and low bits are dropped. */
		CHECK_OK(t->unmap(first));
		CHECK_OK(t->map(first, ROOT, FREE_VADDR + size - 1, ~0ull));
		CHECK_ERROR1(t->map(first, ROOT, FREE_VADDR, 0), ABI_INVALID_CAPABILITY, 0);
		CHECK_EQ(t->map(second, ROOT, FREE_VADDR, 0), ABI_DELETE_FIRST);
		CHECK_EQ(t->map(second, ROOT, FREE_VADDR + 8, 0), ABI_DELETE_FIRST);
	}
}

static void too_few(cap_t c, uint64_t label, unsigned words, bool cap)
{
	uint64_t mr[SEL4_MSG_REGS] = { FREE_VADDR, 0, 0, 0 };

	sel4_ipcbuf->caps_or_badges[0] = ROOT;
	if (words)
		CHECK_EQ(sel4_invoke(c, label, cap, words - 1, mr), ABI_TRUNCATED_MESSAGE);
	if (cap)
		CHECK_EQ(sel4_invoke(c, label, 0, words, mr), ABI_TRUNCATED_MESSAGE);
}

static void truncated(void)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	too_few(kt_make(ABI_OBJ_PDPT, 0), ABI_INV_X86_PDPT_MAP, 2, true);
	too_few(kt_make(ABI_OBJ_PAGE_DIRECTORY, 0), ABI_INV_X86_PAGE_DIRECTORY_MAP, 2, true);
	too_few(kt_make(ABI_OBJ_PAGE_TABLE, 0), ABI_INV_X86_PAGE_TABLE_MAP, 2, true);
	too_few(frame, ABI_INV_X86_PAGE_MAP, 3, true);
	too_few(ABI_ROOT_ASID_CONTROL, ABI_INV_X86_ASID_CONTROL_MAKE_POOL, 2, true);
	too_few(ABI_ROOT_ASID_POOL, ABI_INV_X86_ASID_POOL_ASSIGN, 0, true);
	/* Labels of one kind asked of another. */
	CHECK_EQ(sel4_invoke(frame, ABI_INV_X86_PAGE_TABLE_UNMAP, 0, 0, mr), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_invoke(kt_make(ABI_OBJ_PAGE_TABLE, 0), ABI_INV_X86_PDPT_UNMAP, 0, 0, mr),
		 ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_invoke(ROOT, ABI_INV_X86_PAGE_UNMAP, 0, 0, mr), ABI_ILLEGAL_OPERATION);
}

/* While a copy is there no table goes; then its pages go with it. */
static void table_unmapped(void)
{
	cap_t pt = map_tables(ROOT, FREE_VADDR, 3), copy = kt_copy(pt);
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	CHECK_OK(map(frame, FREE_VADDR));
	CHECK_EQ(fault_of_read(FREE_VADDR), NO_FAULT);
	CHECK_EQ(sel4_page_table_unmap(pt), ABI_REVOKE_FIRST);
	CHECK_EQ(fault_of_read(FREE_VADDR), NO_FAULT);
	CHECK_OK(kt_delete(copy));
	CHECK_OK(sel4_page_table_unmap(pt));
	CHECK_EQ(fault_of_read(FREE_VADDR), PF_USER);
	CHECK_OK(sel4_page_table_map(pt, ROOT, FREE_VADDR + MIB2, 0));
	CHECK_EQ(fault_of_read(FREE_VADDR + MIB2), PF_USER); /* it is empty */
	CHECK_OK(sel4_page_unmap(frame));
	CHECK_OK(map(frame, FREE_VADDR + MIB2));
	CHECK_EQ(fault_of_read(FREE_VADDR + MIB2), NO_FAULT);
	CHECK_OK(kt_delete(pt));
	CHECK_EQ(fault_of_read(FREE_VADDR + MIB2), PF_USER);
}

/* Capabilities of tables that are nowhere have no copies. */
static void table_copies(void)
{
	for (unsigned i = 0; i < TABLES; i++)
		CHECK_EQ(sel4_cnode_copy(KT_CNODE, kt_slot(), 64, KT_CNODE,
					 kt_make(tables[i].type, 0), 64, KT_ALL),
			 ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_cnode_copy(KT_CNODE, kt_slot(), 64, KT_CNODE, kt_make(ABI_OBJ_VSPACE, 0), 64,
				 KT_ALL),
		 ABI_ILLEGAL_OPERATION);
}

static void page_errors(void)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), other = make_space(false);
	cap_t large = kt_make(ABI_OBJ_LARGE_PAGE, 0);

	(void)map_tables(ROOT, FREE_VADDR, 3);
	CHECK_ERROR1(sel4_page_map(frame, KT_CNODE, FREE_VADDR, RW, 0), ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(sel4_page_map(frame, kt_make(ABI_OBJ_VSPACE, 0), FREE_VADDR, RW, 0),
		     ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(map(frame, ABI_USER_TOP + 1), ABI_INVALID_ARGUMENT, 0);
	CHECK_ERROR1(map(frame, BEHIND_TOP), ABI_INVALID_ARGUMENT, 0);
	CHECK_ERROR1(map(frame, ~0ull << 12), ABI_INVALID_ARGUMENT, 0);
	CHECK_ERROR1(map(large, BEHIND_TOP - MIB2), ABI_INVALID_ARGUMENT, 0); /* its last page */
	CHECK_EQ(map(frame, FREE_VADDR + 8), ABI_ALIGNMENT_ERROR);
	CHECK_EQ(map(large, FREE_VADDR + KIB4), ABI_ALIGNMENT_ERROR);
	CHECK_EQ(map(large, FREE_VADDR), ABI_DELETE_FIRST); /* a table is there */
	CHECK_OK(map(frame, FREE_VADDR));
	CHECK_ERROR1(map(frame, FREE_VADDR + KIB4), ABI_INVALID_ARGUMENT, 0);
	CHECK_ERROR1(sel4_page_map(frame, other, FREE_VADDR, RW, 0), ABI_INVALID_CAPABILITY, 1);
	CHECK_OK(sel4_page_unmap(frame));
	CHECK_OK(sel4_page_unmap(frame));
	CHECK_EQ(fault_of_read(FREE_VADDR), PF_USER);
	CHECK_OK(map(frame, FREE_VADDR + KIB4));
}

/* The same capability at the same place: other rights at once. */
static void rights(void)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);
	cap_t read_only = kt_mint(frame, ABI_RIGHT_READ, 0);
	cap_t write_only = kt_mint(frame, ABI_RIGHT_WRITE, 0);

	(void)map_tables(ROOT, FREE_VADDR, 3);
	CHECK_OK(map(frame, FREE_VADDR));
	CHECK_EQ(fault_of_write(FREE_VADDR), NO_FAULT);
	CHECK_OK(sel4_page_map(frame, ROOT, FREE_VADDR, ABI_RIGHT_READ, 0));
	CHECK_EQ(fault_of_read(FREE_VADDR), NO_FAULT);
	CHECK_EQ(fault_of_write(FREE_VADDR), PF_USER | PF_WRITE | PF_PRESENT);
	CHECK_OK(sel4_page_map(frame, ROOT, FREE_VADDR, ABI_RIGHT_WRITE, 0));
	CHECK_EQ(fault_of_read(FREE_VADDR), PF_USER | PF_PRESENT); /* the kernel's own */
	CHECK_OK(sel4_page_map(frame, ROOT, FREE_VADDR, 0, 0));
	CHECK_EQ(fault_of_read(FREE_VADDR), PF_USER | PF_PRESENT);
	CHECK_OK(map(frame, FREE_VADDR));
	CHECK_EQ(fault_of_write(FREE_VADDR), NO_FAULT);
	/* No more than the capability has. */
	CHECK_OK(map(read_only, FREE_VADDR + KIB4));
	CHECK_EQ(fault_of_write(FREE_VADDR + KIB4), PF_USER | PF_WRITE | PF_PRESENT);
	CHECK_EQ(*(volatile uint64_t *)(FREE_VADDR + KIB4), 1);
	CHECK_OK(map(write_only, FREE_VADDR + 2 * KIB4));
	CHECK_EQ(fault_of_read(FREE_VADDR + 2 * KIB4), PF_USER | PF_PRESENT);
}

/* What every kind of memory type does to memory: nothing that shows. */
static void attributes(void)
{
	volatile uint64_t *small = (volatile uint64_t *)FREE_VADDR;
	volatile uint64_t *big = (volatile uint64_t *)(FREE_VADDR + MIB2);
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), large = kt_make(ABI_OBJ_LARGE_PAGE, 0);

	(void)map_tables(ROOT, FREE_VADDR, 3);
	for (uint64_t attr = 0; attr < 16; attr++) {
		CHECK_OK(sel4_page_map(frame, ROOT, FREE_VADDR, RW, attr));
		CHECK_OK(sel4_page_map(large, ROOT, FREE_VADDR + MIB2, RW, attr));
		CHECK_EQ(small[0], attr ? attr - 1 : 0);
		CHECK_EQ(big[MIB2 / 8 - 1], attr ? attr - 1 : 0);
		small[0] = big[MIB2 / 8 - 1] = attr;
	}
}

/* Without a word another page of the same size takes a page's place; what it
 * replaced is unmapped without effect on it. */
static void replaced(void)
{
	volatile uint64_t *p = (volatile uint64_t *)FREE_VADDR;
	cap_t a = kt_make(ABI_OBJ_SMALL_PAGE, 0), b = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	(void)map_tables(ROOT, FREE_VADDR, 3);
	CHECK_OK(map(a, FREE_VADDR));
	p[0] = 0xa;
	CHECK_OK(map(b, FREE_VADDR));
	CHECK_EQ(p[0], 0);
	p[0] = 0xb;
	CHECK_OK(sel4_page_unmap(a));
	CHECK_EQ(p[0], 0xb);
	CHECK_OK(map(a, FREE_VADDR + KIB4));
	CHECK_EQ(p[KIB4 / 8], 0xa);
	CHECK_OK(kt_delete(b));
	CHECK_EQ(fault_of_read(FREE_VADDR), PF_USER);
}

/* Copies are mappings of their own. */
static void copies(void)
{
	volatile uint64_t *p = (volatile uint64_t *)FREE_VADDR;
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), copy;
	uint64_t paddr = 0, again = 1;

	(void)map_tables(ROOT, FREE_VADDR, 3);
	CHECK_OK(map(frame, FREE_VADDR));
	copy = kt_copy(frame);
	CHECK_OK(map(copy, FREE_VADDR + KIB4));
	p[0] = 0x77;
	CHECK_EQ(p[KIB4 / 8], 0x77);
	CHECK_OK(sel4_page_get_address(frame, &paddr));
	CHECK_OK(sel4_page_get_address(copy, &again));
	CHECK_EQ(paddr, again);
	CHECK(paddr && !(paddr & (KIB4 - 1)));
	CHECK_OK(kt_delete(copy));
	CHECK_EQ(fault_of_read(FREE_VADDR + KIB4), PF_USER);
	CHECK_EQ(p[0], 0x77);
	CHECK_OK(kt_revoke(frame));
	CHECK_OK(kt_delete(frame));
	CHECK_EQ(fault_of_read(FREE_VADDR), PF_USER);
}

static void large_page(void)
{
	volatile uint64_t *p = (volatile uint64_t *)(FREE_VADDR + MIB2);
	cap_t large = kt_make(ABI_OBJ_LARGE_PAGE, 0), pt = kt_make(ABI_OBJ_PAGE_TABLE, 0);

	(void)map_tables(ROOT, FREE_VADDR, 2);
	CHECK_OK(map(large, FREE_VADDR + MIB2));
	for (uint64_t i = 0; i < MIB2 / 8; i += 512)
		CHECK_EQ(p[i], 0);
	p[MIB2 / 8 - 1] = 2;
	CHECK_EQ(sel4_page_table_map(pt, ROOT, FREE_VADDR + MIB2, 0), ABI_DELETE_FIRST);
	/* A small page there has no table. */
	CHECK_MISSING(map(kt_make(ABI_OBJ_SMALL_PAGE, 0), FREE_VADDR + MIB2), 21);
	CHECK_OK(sel4_page_map(large, ROOT, FREE_VADDR + MIB2, ABI_RIGHT_READ, 0));
	CHECK_EQ(fault_of_write(FREE_VADDR + 2 * MIB2 - 8), PF_USER | PF_WRITE | PF_PRESENT);
	CHECK_EQ(fault_of_read(FREE_VADDR + MIB2 - 8), PF_USER);
	CHECK_EQ(fault_of_read(FREE_VADDR + 2 * MIB2), PF_USER);
	CHECK_OK(sel4_page_unmap(large));
	CHECK_EQ(fault_of_read(FREE_VADDR + MIB2), PF_USER);
	CHECK_OK(map(large, FREE_VADDR));
	CHECK_EQ(p[-1], 2);
}

/* Device memory: nobody has 1 GiB of RAM in one piece here. */
static cap_t huge_frame(void)
{
	const struct abi_bootinfo *info = rt_bootinfo();

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++) {
		cap_t slot = kt_slot();

		if (info->untyped_list[i].is_device && info->untyped_list[i].size_bits >= 30 &&
		    !sel4_untyped_retype(info->untyped.start + i, KT_CNODE, ABI_OBJ_HUGE_PAGE, 0, 0,
					 0, slot, 1))
			return slot;
	}
	return 0;
}

static void huge_page(void)
{
	cap_t huge = huge_frame(), pd = kt_make(ABI_OBJ_PAGE_DIRECTORY, 0);
	uint64_t paddr = 1;

	CHECK_MISSING(map(huge, FREE_VADDR), 39);
	(void)map_tables(ROOT, FREE_VADDR, 1);
	CHECK_EQ(map(huge, FREE_VADDR + MIB2), ABI_ALIGNMENT_ERROR);
	CHECK_ERROR1(map(huge, BEHIND_TOP - GIB1), ABI_INVALID_ARGUMENT, 0);
	CHECK_OK(map(huge, FREE_VADDR + GIB1));
	CHECK_EQ(sel4_page_directory_map(pd, ROOT, FREE_VADDR + GIB1, 0), ABI_DELETE_FIRST);
	CHECK_MISSING(sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0), ROOT, FREE_VADDR + GIB1,
					  0),
		      30);
	CHECK_EQ(fault_of_read(FREE_VADDR + GIB1), NO_FAULT);
	CHECK_EQ(fault_of_read(FREE_VADDR + 2 * GIB1 - 8), NO_FAULT);
	CHECK_EQ(fault_of_read(FREE_VADDR + 2 * GIB1), PF_USER);
	CHECK_OK(sel4_page_map(huge, ROOT, FREE_VADDR + GIB1, ABI_RIGHT_READ, 7));
	CHECK_EQ(fault_of_write(FREE_VADDR + GIB1 + MIB2), PF_USER | PF_WRITE | PF_PRESENT);
	CHECK_OK(sel4_page_get_address(huge, &paddr));
	CHECK_EQ(paddr & (GIB1 - 1), 0);
	CHECK_OK(sel4_page_unmap(huge));
	CHECK_EQ(fault_of_read(FREE_VADDR + GIB1), PF_USER);
	CHECK_OK(sel4_page_directory_map(pd, ROOT, FREE_VADDR + GIB1, 0));
	CHECK_EQ(map(huge, FREE_VADDR + GIB1), ABI_DELETE_FIRST); /* a table is there */
}

/* A space that is gone, and one that has got its number since. */
static void stale_mapping(void)
{
	cap_t space = make_space(false), frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);
	cap_t pt = kt_make(ABI_OBJ_PAGE_TABLE, 0), next;

	CHECK_OK(map_small(frame, space, FREE_VADDR));
	CHECK_OK(sel4_page_table_map(pt, space, FREE_VADDR + MIB2, 0));
	CHECK_OK(kt_delete(space));
	next = make_space(false); /* the lowest free number: the same */
	CHECK_ERROR1(sel4_page_map(frame, ROOT, FREE_VADDR, RW, 0), ABI_INVALID_CAPABILITY, 1);
	CHECK_MISSING(sel4_page_map(frame, next, FREE_VADDR, RW, 0), 39);
	CHECK_OK(sel4_page_unmap(frame));
	CHECK_OK(sel4_page_table_unmap(pt));
	CHECK_OK(map_small(frame, next, FREE_VADDR));
}

/* --- what another space's TLB entries hold --- */

static struct {
	cap_t wake, done;
	volatile uint64_t seen;
} s;

static void looks(void *at)
{
	for (;;) {
		s.seen = *(volatile uint64_t *)at;
		sel4_signal(s.done);
		(void)sel4_wait(s.wake);
	}
}

static uint64_t look(void)
{
	s.seen = NO_FAULT;
	sel4_signal(s.wake);
	return s.seen;
}

/* Whatever is changed in a space that is not the current one: its threads see
 * it when they run next. */
static void changed_from_outside(void)
{
	cap_t space = make_space(true), a = kt_make(ABI_OBJ_SMALL_PAGE, 0);
	cap_t b = kt_make(ABI_OBJ_SMALL_PAGE, 0), here = kt_copy(a);
	cap_t there = map_tables(space, FREE_VADDR, 3);

	s.wake = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.done = kt_make(ABI_OBJ_NOTIFICATION, 0);
	CHECK_OK(map_small(here, ROOT, FREE_VADDR));
	*(volatile uint64_t *)FREE_VADDR = 0xa;
	CHECK_OK(sel4_page_map(a, space, FREE_VADDR, RW, 0));
	struct watched w = watch_in(space, looks, (void *)FREE_VADDR);
	CHECK_EQ(s.seen, 0xa);
	CHECK_OK(sel4_page_map(b, space, FREE_VADDR, RW, 0));
	CHECK_EQ(look(), 0);
	CHECK_OK(sel4_page_unmap(a));
	CHECK_OK(sel4_page_map(a, space, FREE_VADDR, RW, 0));
	CHECK_EQ(look(), 0xa);
	CHECK_OK(sel4_page_unmap(a));
	CHECK_EQ(look(), NO_FAULT);
	CHECK(watch_faulted(&w));
	CHECK_EQ(w.mr[ABI_VMFAULT_FSR], PF_USER);
	CHECK_OK(sel4_page_map(b, space, FREE_VADDR, RW, 0));
	watch_answer(&w, 0, 0);
	CHECK_EQ(s.seen, 0);
	CHECK_OK(sel4_page_table_unmap(there));
	CHECK_EQ(look(), NO_FAULT);
	CHECK(watch_faulted(&w));
	CHECK_OK(sel4_page_table_map(there, space, FREE_VADDR, 0));
	CHECK_OK(sel4_page_map(a, space, FREE_VADDR, RW, 0));
	watch_answer(&w, 0, 0);
	CHECK_EQ(s.seen, 0xa);
}

/* A number that is used again brings nothing of the space that had it. */
static void number_used_again(void)
{
	s.wake = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.done = kt_make(ABI_OBJ_NOTIFICATION, 0);
	for (uint64_t i = 0; i < 3; i++) {
		cap_t space = make_space(true), frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);
		cap_t here = kt_copy(frame);

		CHECK_OK(map_small(here, ROOT, FREE_VADDR));
		*(volatile uint64_t *)FREE_VADDR = 0x50 + i;
		CHECK_OK(map_small(frame, space, FREE_VADDR));
		struct kt_thread t = kt_thread(0, looks, (void *)FREE_VADDR, KT_HIGH, 0, true);
		CHECK_OK(sel4_tcb_set_space(t.tcb, 0, KT_CNODE, space, 0, 0));
		CHECK_OK(sel4_tcb_resume(t.tcb));
		CHECK_EQ(s.seen, 0x50 + i);
		CHECK_OK(kt_delete(space));
		CHECK_OK(kt_delete(t.tcb));
		CHECK_OK(kt_delete(here));
	}
}

static const struct kt_case cases[] = {
	{ "paging: a lookup names the level that is missing", levels },
	{ "paging: errors of the tables' Map", table_errors },
	{ "paging: truncated messages, labels of others", truncated },
	{ "paging: a table unmapped, mapped again, deleted", table_unmapped },
	{ "paging: no copies of what is not mapped", table_copies },
	{ "paging: errors of Page_Map", page_errors },
	{ "paging: rights, and others at once", rights },
	{ "paging: memory types", attributes },
	{ "paging: a page takes another one's place", replaced },
	{ "paging: copies are mappings of their own", copies },
	{ "paging: a page of 2 MiB", large_page },
	{ "paging: a page of 1 GiB", huge_page },
	{ "paging: mappings of a space that is gone", stale_mapping },
	{ "paging: another space's mappings change", changed_from_outside },
	{ "paging: a space's number used again", number_used_again },
};
KT_GROUP(kt_paging);
