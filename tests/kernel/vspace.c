/* Mappings: what a thread in an address space of its own sees of them. */
#include "kt.h"

#define RW (ABI_RIGHT_READ | ABI_RIGHT_WRITE)
#define HERE 0x40000000ull   /* where the prober looks */
#define WINDOW 0x3c000000ull /* where we see a frame of it */
#define CODE 0x00200000ull   /* the prober's code */
#define XN (ABI_VM_DEFAULT | ABI_VM_EXECUTE_NEVER)
#define RET 0xd65f03c0u
#define TABLES (ABI_VSPACE_LEVELS - 1)

/* ldr/str/blr through x0, then a fault that ends it: x1 is the data. */
static const uint32_t read_code[] = { 0xf9400001, 0x00000000 };
static const uint32_t write_code[] = { 0xf9000001, 0x00000000 };
static const uint32_t fetch_code[] = { 0xd63f0000, 0x00000000 };

static struct {
	cap_t vspace, tcb, sc, ep, reply, frame, tables[TABLES];
} p;

/* Tables as they are missing. */
static void map_into(cap_t frame, cap_t vspace, uint64_t vaddr, uint64_t rights, uint64_t attr)
{
	for (unsigned i = 0; i <= TABLES; i++) {
		int error = sel4_page_map(frame, vspace, vaddr, rights, attr);

		if (error != ABI_FAILED_LOOKUP) {
			CHECK_OK(error);
			return;
		}
		CHECK_OK(sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0), vspace, vaddr,
					     ABI_VM_DEFAULT));
	}
	CHECK_EQ(vaddr, 0);
}

static void load(cap_t vspace, const uint32_t *code, unsigned words, uint64_t vaddr)
{
	volatile uint32_t *to = (volatile uint32_t *)WINDOW;
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), copy = kt_copy(frame);

	map_into(copy, ABI_ROOT_VSPACE, WINDOW, RW, ABI_VM_DEFAULT);
	for (unsigned i = 0; i < words; i++)
		to[i] = code[i];
	CHECK_OK(sel4_page_unify_instruction(copy, 0, 64));
	CHECK_OK(sel4_page_unmap(copy));
	map_into(frame, vspace, vaddr, RW, ABI_VM_DEFAULT);
}

static void make_prober(void)
{
	p.vspace = kt_make(ABI_OBJ_VSPACE, 0);
	p.tcb = kt_make(ABI_OBJ_TCB, 0);
	p.sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8);
	p.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	p.reply = kt_make(ABI_OBJ_REPLY, 0);
	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, p.vspace));
	load(p.vspace, read_code, 2, CODE);
	load(p.vspace, write_code, 2, CODE + 0x1000);
	load(p.vspace, fetch_code, 2, CODE + 0x2000);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), p.sc, 5000, 5000, 0, 0, 0));
	CHECK_OK(sel4_tcb_set_space(p.tcb, 0, KT_CNODE, p.vspace, 0, 0));
	CHECK_OK(sel4_tcb_set_sched_params(p.tcb, ABI_ROOT_TCB, p.sc, p.ep, 255, KT_HIGH));
}

struct probe {
	bool ok;
	uint64_t value; /* read, or the fault's address */
	uint64_t fsr;
	bool fetch;
};

static struct probe probe(uint64_t code, uint64_t address, uint64_t value)
{
	uint64_t regs[ABI_CTX_COUNT] = { 0 }, badge, mr[SEL4_MSG_REGS] = { 0 };
	struct probe result = { 0 };

	regs[ABI_CTX_PC] = code;
	regs[ABI_CTX_X0] = address;
	regs[ABI_CTX_X1] = value;
	CHECK_OK(sel4_tcb_write_registers(p.tcb, 1, ABI_CTX_COUNT, regs));
	msginfo_t info = sel4_nb_recv(p.ep, &badge, mr, p.reply);
	result.ok = msginfo_label(info) == ABI_FAULT_USER_EXCEPTION;
	if (result.ok) {
		CHECK_OK(sel4_tcb_read_registers(p.tcb, 0, ABI_CTX_COUNT, regs));
		result.value = regs[ABI_CTX_X1];
	} else {
		CHECK_EQ(msginfo_label(info), ABI_FAULT_VM);
		result.value = mr[ABI_VMFAULT_ADDR];
		result.fsr = mr[ABI_VMFAULT_FSR];
		result.fetch = mr[ABI_VMFAULT_IS_FETCH];
	}
	return result;
}

static struct probe reads(uint64_t a) { return probe(CODE, a, 0); }
static struct probe writes(uint64_t a, uint64_t v) { return probe(CODE + 0x1000, a, v); }
static struct probe fetches(uint64_t a) { return probe(CODE + 0x2000, a, 0); }
static bool works(struct probe r) { return r.ok; }
static bool faults(struct probe r, uint64_t address) { return !r.ok && r.value == address; }

static cap_t frame_here(uint64_t rights, uint64_t attr)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	make_prober();
	map_into(frame, p.vspace, HERE, rights, attr);
	return frame;
}

/* --- rights and attributes --- */

static void read_write(void)
{
	(void)frame_here(RW, ABI_VM_DEFAULT);
	CHECK(works(writes(HERE + 8, 0x1234)));
	CHECK_EQ(reads(HERE + 8).value, 0x1234);
	CHECK_EQ(reads(HERE + 16).value, 0);
	CHECK(faults(reads(HERE + 0x1000), HERE + 0x1000));
	CHECK(faults(reads(HERE - 8), HERE - 8));
}

static void read_only(void)
{
	(void)frame_here(ABI_RIGHT_READ, ABI_VM_DEFAULT);
	CHECK(works(reads(HERE)));
	struct probe r = writes(HERE + 24, 1);
	CHECK(faults(r, HERE + 24));
	CHECK_EQ(r.fsr >> 26, 0x24);
	CHECK_EQ(r.fsr >> 6 & 1, 1);     /* WnR */
	CHECK_EQ(r.fsr & 0x3f, 0xc | 3); /* permission, level 3 */
	CHECK_EQ(reads(HERE + 24).value, 0);
}

static void write_only_is_nothing(void)
{
	(void)frame_here(ABI_RIGHT_WRITE, ABI_VM_DEFAULT);
	CHECK(!works(reads(HERE)));
	CHECK(!works(writes(HERE, 1)));
}

static void no_rights(void)
{
	(void)frame_here(0, ABI_VM_DEFAULT);
	CHECK(!works(reads(HERE)));
	CHECK(!works(writes(HERE, 1)));
}

static void executes(void)
{
	cap_t frame = frame_here(RW, ABI_VM_DEFAULT);

	CHECK(works(writes(HERE, RET)));
	CHECK_OK(sel4_page_unify_instruction(frame, 0, 16));
	CHECK(works(fetches(HERE)));
}

static void execute_never(void)
{
	cap_t frame = frame_here(RW, XN);

	CHECK(works(writes(HERE, RET)));
	CHECK_OK(sel4_page_unify_instruction(frame, 0, 16));
	struct probe r = fetches(HERE);
	CHECK(faults(r, HERE));
	CHECK(r.fetch);
	CHECK_EQ(r.fsr >> 26, 0x20);
	/* Mapped again without, it runs. */
	CHECK_OK(sel4_page_map(frame, p.vspace, HERE, RW, ABI_VM_DEFAULT));
	CHECK(works(fetches(HERE)));
}

static void uncached(void)
{
	(void)frame_here(RW, 0);
	CHECK(works(writes(HERE, 0x55)));
	CHECK_EQ(reads(HERE).value, 0x55);
}

/* A capability's rights limit the mapping's. */
static void rights_of_the_capability(void)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), weak = kt_mint(frame, ABI_RIGHT_READ, 0);

	make_prober();
	map_into(weak, p.vspace, HERE, RW, ABI_VM_DEFAULT);
	CHECK(works(reads(HERE)));
	CHECK(!works(writes(HERE, 1)));
	CHECK_OK(sel4_page_map(frame, p.vspace, HERE + 0x1000, RW, ABI_VM_DEFAULT));
	CHECK(works(writes(HERE + 0x1000, 9)));
	CHECK_EQ(reads(HERE).value, 9); /* the same memory */
}

static void mapped_again_with_other_rights(void)
{
	cap_t frame = frame_here(RW, ABI_VM_DEFAULT);

	CHECK(works(writes(HERE, 1)));
	CHECK_OK(sel4_page_map(frame, p.vspace, HERE, ABI_RIGHT_READ, ABI_VM_DEFAULT));
	CHECK(!works(writes(HERE, 2)));
	CHECK_EQ(reads(HERE).value, 1);
	CHECK_OK(sel4_page_map(frame, p.vspace, HERE, RW, ABI_VM_DEFAULT));
	CHECK(works(writes(HERE, 3)));
}

/* --- going away --- */

static void unmapped(void)
{
	cap_t frame = frame_here(RW, ABI_VM_DEFAULT);

	CHECK(works(reads(HERE)));
	CHECK_OK(sel4_page_unmap(frame));
	struct probe r = reads(HERE);
	CHECK(faults(r, HERE));
	CHECK_EQ(r.fsr & 0x3f, 4 | 3); /* translation, level 3 */
	CHECK_EQ(sel4_page_clean_data(frame, 0, 16), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_page_map(frame, p.vspace, HERE + 0x5000, RW, ABI_VM_DEFAULT));
	CHECK(works(reads(HERE + 0x5000)));
}

static void frame_deleted(void)
{
	cap_t frame = frame_here(RW, ABI_VM_DEFAULT);

	CHECK(works(reads(HERE)));
	CHECK_OK(kt_delete(frame));
	CHECK(faults(reads(HERE), HERE));
}

static void frame_revoked(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 12), frame = kt_slot();

	make_prober();
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, frame, 1));
	map_into(frame, p.vspace, HERE, RW, ABI_VM_DEFAULT);
	CHECK(works(reads(HERE)));
	CHECK_OK(kt_revoke(u));
	CHECK(faults(reads(HERE), HERE));
}

static void copies_are_mapped_apart(void)
{
	cap_t frame = frame_here(RW, ABI_VM_DEFAULT), copy = kt_copy(frame);

	CHECK_OK(sel4_page_map(copy, p.vspace, HERE + 0x2000, RW, ABI_VM_DEFAULT));
	CHECK(works(writes(HERE, 0x77)));
	CHECK_EQ(reads(HERE + 0x2000).value, 0x77);
	CHECK_OK(kt_delete(frame));
	CHECK(!works(reads(HERE)));
	CHECK(works(reads(HERE + 0x2000)));
}

/* Another frame took the place: unmapping the first leaves that alone. */
static void replaced(void)
{
	cap_t frame = frame_here(RW, ABI_VM_DEFAULT), other = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	CHECK(works(writes(HERE, 0x11)));
	CHECK_OK(sel4_page_map(other, p.vspace, HERE, RW, ABI_VM_DEFAULT));
	CHECK_EQ(reads(HERE).value, 0);
	CHECK(works(writes(HERE, 0x22)));
	CHECK_OK(sel4_page_unmap(frame));
	CHECK_EQ(reads(HERE).value, 0x22);
	CHECK_OK(sel4_page_unmap(other));
	CHECK(!works(reads(HERE)));
}

/* --- tables --- */

static void make_tables(uint64_t vaddr)
{
	for (unsigned i = 0; i < TABLES; i++) {
		p.tables[i] = kt_make(ABI_OBJ_PAGE_TABLE, 0);
		CHECK_OK(sel4_page_table_map(p.tables[i], p.vspace, vaddr, ABI_VM_DEFAULT));
	}
}

/* 512 GiB (or 1 GiB) away from everything else: tables of its own. */
#define AWAY (ABI_VSPACE_LEVELS == 4 ? 1ull << 39 : 5ull << 30)

static cap_t frame_away(void)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	make_prober();
	make_tables(AWAY);
	CHECK_OK(sel4_page_map(frame, p.vspace, AWAY, RW, ABI_VM_DEFAULT));
	CHECK(works(writes(AWAY, 0x99)));
	return frame;
}

static void table_unmapped(unsigned level)
{
	cap_t frame = frame_away();

	CHECK_OK(sel4_page_table_unmap(p.tables[level]));
	struct probe r = reads(AWAY);
	CHECK(faults(r, AWAY));
	CHECK_EQ(r.fsr & 0x3f, 4 | (3 - (TABLES - level))); /* translation, at its parent */
	/* It is empty, and may go elsewhere. */
	CHECK_OK(sel4_page_table_map(p.tables[level], p.vspace, AWAY, ABI_VM_DEFAULT));
	CHECK(!works(reads(AWAY)));
	/* The frame counts as mapped still: to the same place again. */
	if (level == TABLES - 1)
		CHECK_OK(sel4_page_map(frame, p.vspace, AWAY, RW, ABI_VM_DEFAULT));
}

static void lowest_table_unmapped(void) { table_unmapped(TABLES - 1); }
static void highest_table_unmapped(void) { table_unmapped(0); }

static void table_deleted(void)
{
	(void)frame_away();
	CHECK_OK(kt_delete(p.tables[TABLES - 1]));
	CHECK(!works(reads(AWAY)));
	/* The gap can be filled again. */
	CHECK_OK(sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0), p.vspace, AWAY,
				     ABI_VM_DEFAULT));
}

static void copy_of_a_mapped_table(void)
{
	(void)frame_away();
	cap_t low = p.tables[TABLES - 1], copy = kt_copy(low);
	CHECK_EQ(sel4_page_table_unmap(low), ABI_REVOKE_FIRST);
	CHECK_OK(kt_delete(copy));
	CHECK(works(reads(AWAY)));
	CHECK_OK(sel4_page_table_unmap(low));
	CHECK(!works(reads(AWAY)));
}

static void unmapping_an_unmapped_table(void)
{
	cap_t table = kt_make(ABI_OBJ_PAGE_TABLE, 0);

	CHECK_OK(sel4_page_table_unmap(table));
	CHECK_OK(sel4_page_table_unmap(table));
}

static void one_table_more_per_level(void)
{
	make_prober();
	make_tables(AWAY);
	cap_t more = kt_make(ABI_OBJ_PAGE_TABLE, 0);
	CHECK_EQ(sel4_page_table_map(more, p.vspace, AWAY, ABI_VM_DEFAULT), ABI_DELETE_FIRST);
	/* 2 MiB further another lowest table fits. */
	CHECK_OK(sel4_page_table_map(more, p.vspace, AWAY + (1 << 21), ABI_VM_DEFAULT));
}

/* The bits that a missing table would resolve are told, level by level. */
static void missing_levels(void)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	make_prober();
	for (unsigned i = 0; i < TABLES; i++) {
		CHECK_ERROR3(sel4_page_map(frame, p.vspace, AWAY, RW, ABI_VM_DEFAULT),
			     ABI_FAILED_LOOKUP, 0, ABI_LOOKUP_MISSING_CAPABILITY,
			     12 + 9 * (TABLES - i));
		CHECK_OK(sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0), p.vspace, AWAY,
					     ABI_VM_DEFAULT));
	}
	CHECK_OK(sel4_page_map(frame, p.vspace, AWAY, RW, ABI_VM_DEFAULT));
}

/* --- large pages --- */

static void large_page(void)
{
	cap_t large = kt_make(ABI_OBJ_LARGE_PAGE, 0), small = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	make_prober();
	map_into(large, p.vspace, AWAY, RW, ABI_VM_DEFAULT);
	CHECK(works(writes(AWAY, 0x1)));
	CHECK(works(writes(AWAY + 0x1ffff8, 0x2)));
	CHECK_EQ(reads(AWAY + 0x1ffff8).value, 2);
	CHECK(!works(reads(AWAY + 0x200000)));
	/* A table or a small page has no room below it. */
	CHECK_EQ(sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0), p.vspace, AWAY,
				     ABI_VM_DEFAULT),
		 ABI_DELETE_FIRST);
	CHECK_ERROR3(sel4_page_map(small, p.vspace, AWAY + 0x1000, RW, ABI_VM_DEFAULT),
		     ABI_FAILED_LOOKUP, 0, ABI_LOOKUP_MISSING_CAPABILITY, 21);
	CHECK_OK(sel4_page_clean_invalidate_data(large, 0x1ff000, 0x200000));
	CHECK_OK(sel4_page_unmap(large));
	CHECK(!works(reads(AWAY + 0x1ffff8)));
}

static void large_page_over_a_table(void)
{
	cap_t large = kt_make(ABI_OBJ_LARGE_PAGE, 0);

	(void)frame_away();
	CHECK_EQ(sel4_page_map(large, p.vspace, AWAY, RW, ABI_VM_DEFAULT), ABI_DELETE_FIRST);
	CHECK_EQ(sel4_page_map(large, p.vspace, AWAY + 0x1000, RW, ABI_VM_DEFAULT),
		 ABI_ALIGNMENT_ERROR);
	CHECK(works(reads(AWAY)));
	CHECK_OK(kt_delete(p.tables[TABLES - 1]));
	CHECK_OK(sel4_page_map(large, p.vspace, AWAY, RW, ABI_VM_DEFAULT));
	CHECK_EQ(reads(AWAY).value, 0);
}

static void last_page(void)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), large = kt_make(ABI_OBJ_LARGE_PAGE, 0);

	make_prober();
	map_into(frame, p.vspace, ABI_USER_TOP - 0xfff, RW, ABI_VM_DEFAULT);
	CHECK(works(writes(ABI_USER_TOP - 7, 5)));
	CHECK_ERROR1(sel4_page_map(large, p.vspace, ABI_USER_TOP + 1, RW, ABI_VM_DEFAULT),
		     ABI_INVALID_ARGUMENT, 0);
	CHECK_EQ(sel4_page_map(large, p.vspace, ABI_USER_TOP - 0x1fffff, RW, ABI_VM_DEFAULT),
		 ABI_DELETE_FIRST);
}

/* --- address spaces and ASIDs --- */

static void two_spaces(void)
{
	cap_t frame = frame_here(RW, ABI_VM_DEFAULT), other = kt_make(ABI_OBJ_VSPACE, 0);
	cap_t copy = kt_copy(frame), first = p.vspace;

	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, other));
	load(other, read_code, 2, CODE);
	map_into(copy, other, HERE + 0x3000, RW, ABI_VM_DEFAULT);
	CHECK(works(writes(HERE, 0x42)));
	CHECK_OK(sel4_tcb_set_space(p.tcb, p.ep, KT_CNODE, other, 0, 0));
	CHECK_EQ(reads(HERE + 0x3000).value, 0x42);
	CHECK(faults(reads(HERE), HERE));
	CHECK_OK(sel4_tcb_set_space(p.tcb, p.ep, KT_CNODE, first, 0, 0));
	CHECK_EQ(reads(HERE).value, 0x42);
}

static void space_deleted(void)
{
	cap_t frame = frame_here(RW, ABI_VM_DEFAULT);

	CHECK(works(reads(HERE)));
	CHECK_OK(kt_revoke(p.vspace));
	CHECK_OK(kt_delete(p.vspace));
	CHECK(faults(reads(HERE), CODE)); /* not even its code is there */
	CHECK_EQ(sel4_page_clean_data(frame, 0, 16), ABI_FAILED_LOOKUP);
	CHECK_OK(sel4_page_unmap(frame));
}

static void pool_deleted(void)
{
	cap_t memory = kt_make(ABI_OBJ_UNTYPED, 12), pool = kt_slot();

	make_prober();
	cap_t space = kt_make(ABI_OBJ_VSPACE, 0);
	CHECK_OK(sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, KT_CNODE, pool, 64));
	CHECK_OK(sel4_asid_pool_assign(pool, space));
	load(space, read_code, 2, CODE);
	CHECK_OK(sel4_tcb_set_space(p.tcb, p.ep, KT_CNODE, space, 0, 0));
	CHECK(works(reads(CODE)));
	CHECK_OK(kt_delete(pool));
	CHECK(faults(reads(CODE), CODE));
	CHECK_EQ(sel4_tcb_set_space(p.tcb, p.ep, KT_CNODE, space, 0, 0), ABI_ILLEGAL_OPERATION);
	/* The memory is free again. */
	CHECK_OK(sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, KT_CNODE, pool, 64));
}

/* What was written there before is no ASID. */
static void pool_in_used_memory(void)
{
	cap_t memory = kt_make(ABI_OBJ_UNTYPED, 12), pool = kt_slot(), frame = kt_slot();
	volatile uint64_t *word = (volatile uint64_t *)WINDOW;

	CHECK_OK(sel4_untyped_retype(memory, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, frame, 1));
	map_into(frame, ABI_ROOT_VSPACE, WINDOW, RW, ABI_VM_DEFAULT);
	for (unsigned i = 0; i < 512; i++)
		word[i] = 0x5a5a5a5a5a5a5a5aull;
	CHECK_OK(kt_revoke(memory));
	CHECK_OK(sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, KT_CNODE, pool, 64));
	for (unsigned i = 0; i < 4; i++)
		CHECK_OK(sel4_asid_pool_assign(pool, kt_make(ABI_OBJ_VSPACE, 0)));
	CHECK_OK(kt_delete(pool));
}

static void pool_memory_is_used_up(void)
{
	cap_t memory = kt_make(ABI_OBJ_UNTYPED, 12), pool = kt_slot();

	CHECK_OK(sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, KT_CNODE, pool, 64));
	CHECK_ERROR1(sel4_untyped_retype(memory, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, kt_slot(), 1),
		     ABI_NOT_ENOUGH_MEMORY, 0);
	CHECK_EQ(sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, KT_CNODE, kt_slot(),
					     64),
		 ABI_REVOKE_FIRST);
	CHECK_OK(kt_revoke(memory));
	CHECK(kt_is_empty(pool));
}

static void all_pools(void)
{
	unsigned n = 0;
	int error = ABI_OK;

	while (error == ABI_OK && n < 2 * ABI_ASID_POOLS) {
		cap_t memory = kt_make(ABI_OBJ_UNTYPED, 12), pool = kt_slot();

		error = sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, KT_CNODE, pool,
						    64);
		n += error == ABI_OK;
	}
	CHECK_EQ(error, ABI_DELETE_FIRST);
	CHECK_EQ(n, ABI_ASID_POOLS - 1); /* one is the root task's */
	CHECK_OK(kt_revoke(kt_pool));
	cap_t memory = kt_make(ABI_OBJ_UNTYPED, 12);
	CHECK_OK(sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, KT_CNODE, kt_slot(),
					     64));
}

static void all_asids_of_a_pool(void)
{
	cap_t memory = kt_make(ABI_OBJ_UNTYPED, 12), pool = kt_slot(), first;
	unsigned n = 1u << ABI_ASID_POOL_INDEX_BITS;

	CHECK_OK(sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, KT_CNODE, pool, 64));
	first = kt_slots(n + 1);
	for (unsigned i = 0; i <= n; i += 171)
		CHECK_OK(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_VSPACE, 0, 0, 0, first + i,
					     171));
	for (unsigned i = 0; i < n; i++)
		CHECK_OK(sel4_asid_pool_assign(pool, first + i));
	CHECK_EQ(sel4_asid_pool_assign(pool, first + n), ABI_DELETE_FIRST);
	CHECK_OK(kt_delete(first + 100));
	CHECK_OK(sel4_asid_pool_assign(pool, first + n));
}

/* More address spaces than the hardware has numbers for (256): each keeps its
 * own memory. */
static void more_spaces_than_vmids(void)
{
	volatile uint64_t *word = (volatile uint64_t *)(WINDOW + 64);
	cap_t code = kt_make(ABI_OBJ_SMALL_PAGE, 0), window = kt_copy(code), space[3];

	make_prober();
	map_into(window, ABI_ROOT_VSPACE, WINDOW, RW, ABI_VM_DEFAULT);
	((volatile uint32_t *)WINDOW)[0] = read_code[0];
	((volatile uint32_t *)WINDOW)[1] = 0;
	CHECK_OK(sel4_page_unify_instruction(window, 0, 64));
	for (unsigned i = 0; i < 3; i++) {
		space[i] = kt_make(ABI_OBJ_VSPACE, 0);
		CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, space[i]));
	}
	map_into(code, space[0], CODE, RW, ABI_VM_DEFAULT);
	*word = 1;
	for (unsigned i = 0; i < 300; i++) {
		cap_t other = kt_make(ABI_OBJ_VSPACE, 0);

		CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, other));
		CHECK_OK(sel4_tcb_set_space(p.tcb, p.ep, KT_CNODE, other, 0, 0));
		/* It has a number now, of whoever had it: we are not seen in it. */
		CHECK(faults(probe((uintptr_t)probe, 0, 0), (uintptr_t)probe));
		CHECK_OK(kt_revoke(other));
		if (i % 100 == 0) {
			CHECK_OK(sel4_tcb_set_space(p.tcb, p.ep, KT_CNODE, space[0], 0, 0));
			CHECK_EQ(reads(CODE + 64).value, 1);
			CHECK_OK(sel4_tcb_set_space(p.tcb, p.ep, KT_CNODE, space[1], 0, 0));
			CHECK(faults(reads(CODE), CODE));
		}
	}
}

static void addresses_within_an_untyped(void)
{
	uint64_t a = 0, b = 0, c = 0;
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 14), s = kt_slots(3);

	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, s, 1));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, s + 1, 1));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, s + 2, 1));
	CHECK_OK(sel4_page_get_address(s, &a));
	CHECK_OK(sel4_page_get_address(s + 2, &b));
	CHECK_EQ(b, a + 0x2000); /* aligned up */
	CHECK_OK(sel4_page_get_address(kt_mint(s, 0, 0), &c));
	CHECK_EQ(c, a);
	CHECK_EQ(a & 0xfff, 0);
}

/* What one sees the other must see after it was cleaned. */
static void cache_operations_keep_data(void)
{
	static int (*const page_ops[])(cap_t, uint64_t, uint64_t) = {
		sel4_page_clean_data, sel4_page_invalidate_data, sel4_page_clean_invalidate_data,
		sel4_page_unify_instruction
	};
	static int (*const space_ops[])(cap_t, uint64_t, uint64_t) = {
		sel4_vspace_clean_data, sel4_vspace_invalidate_data,
		sel4_vspace_clean_invalidate_data, sel4_vspace_unify_instruction
	};
	cap_t frame = frame_here(RW, ABI_VM_DEFAULT);

	for (unsigned i = 0; i < 4; i++) {
		CHECK(works(writes(HERE + 8 * i, 0x100 + i)));
		CHECK_OK(page_ops[i](frame, 1, 4095));
		CHECK_OK(space_ops[i](p.vspace, HERE + 1, HERE + 4095));
		CHECK_EQ(reads(HERE + 8 * i).value, 0x100 + i);
		CHECK_OK(space_ops[i](p.vspace, AWAY, AWAY + 1)); /* nothing there */
		CHECK_OK(space_ops[i](p.vspace, AWAY, ABI_USER_TOP));
	}
}

/* More than one step of the kernel's: the call is restarted and goes on. */
static void cache_operations_on_much(void)
{
	cap_t large = kt_make(ABI_OBJ_LARGE_PAGE, 0);
	const uint64_t base = 0x80000000ull, last = base + 0x1ffff8;

	make_prober();
	map_into(large, p.vspace, base, RW, ABI_VM_DEFAULT);
	CHECK(works(writes(last, 0x77)));
	CHECK_OK(sel4_page_clean_data(large, 0, 0x200000));
	CHECK_OK(sel4_page_unify_instruction(large, 0x3fff, 0x1fffff));
	CHECK_OK(sel4_vspace_clean_invalidate_data(p.vspace, base + 1, base + 0x200000));
	CHECK_OK(sel4_vspace_invalidate_data(p.vspace, base + 0x4000, base + 0x8001));
	CHECK_EQ(reads(last).value, 0x77);
}

/* Not cached, and not mapped by the kernel. */
static void cache_operations_on_a_device(void)
{
	cap_t frame = kt_slot();

	make_prober();
	CHECK_OK(sel4_untyped_retype(kt_device_untyped(), KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0,
				     frame, 1));
	map_into(frame, p.vspace, HERE + 0x1000, RW, 0);
	CHECK_OK(sel4_page_clean_invalidate_data(frame, 0, 4096));
	CHECK_OK(sel4_vspace_clean_data(p.vspace, HERE + 0x1000, HERE + 0x2000));
	CHECK_OK(kt_revoke(kt_device_untyped()));
}

/* The ASID of a dead address space belongs to another one now. */
static void asid_of_another(void)
{
	cap_t memory = kt_make(ABI_OBJ_UNTYPED, 12), pool = kt_slot();
	cap_t first = kt_make(ABI_OBJ_VSPACE, 0), second = kt_make(ABI_OBJ_VSPACE, 0);
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), tcb = kt_make(ABI_OBJ_TCB, 0);

	CHECK_OK(sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, KT_CNODE, pool, 64));
	CHECK_OK(sel4_asid_pool_assign(pool, first));
	CHECK_OK(kt_delete(pool));
	CHECK_OK(sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, KT_CNODE, pool, 64));
	CHECK_OK(sel4_asid_pool_assign(pool, second));
	CHECK_ERROR1(sel4_vspace_clean_data(first, HERE, HERE + 8), ABI_INVALID_CAPABILITY, 0);
	CHECK_ERROR1(sel4_page_map(frame, first, HERE, RW, 0), ABI_INVALID_CAPABILITY, 1);
	CHECK_EQ(sel4_tcb_set_space(tcb, 0, KT_CNODE, first, 0, 0), ABI_ILLEGAL_OPERATION);
	/* Its end leaves the other one's alone. */
	CHECK_OK(kt_delete(first));
	CHECK_OK(sel4_vspace_clean_data(second, HERE, HERE + 8));
	CHECK_OK(sel4_tcb_set_space(tcb, 0, KT_CNODE, second, 0, 0));
}

static const struct kt_case cases[] = {
	{ "vspace: read and write", read_write },
	{ "vspace: read only", read_only },
	{ "vspace: Write without Read is no access", write_only_is_nothing },
	{ "vspace: no rights", no_rights },
	{ "vspace: code", executes },
	{ "vspace: execute never", execute_never },
	{ "vspace: not cacheable", uncached },
	{ "vspace: the capability's rights are the limit", rights_of_the_capability },
	{ "vspace: mapped again with other rights", mapped_again_with_other_rights },
	{ "vspace: unmapped", unmapped },
	{ "vspace: the frame deleted", frame_deleted },
	{ "vspace: the frame revoked", frame_revoked },
	{ "vspace: copies of a frame are mapped apart", copies_are_mapped_apart },
	{ "vspace: another frame in the same place", replaced },
	{ "vspace: the lowest table unmapped", lowest_table_unmapped },
	{ "vspace: the highest table unmapped", highest_table_unmapped },
	{ "vspace: a table deleted", table_deleted },
	{ "vspace: a copy of a mapped table", copy_of_a_mapped_table },
	{ "vspace: unmapping a table that is not mapped", unmapping_an_unmapped_table },
	{ "vspace: a table too many", one_table_more_per_level },
	{ "vspace: missing tables, level by level", missing_levels },
	{ "vspace: a large page", large_page },
	{ "vspace: a large page over a table", large_page_over_a_table },
	{ "vspace: the last page", last_page },
	{ "vspace: a frame in two address spaces", two_spaces },
	{ "vspace: an address space deleted", space_deleted },
	{ "vspace: an ASID pool deleted", pool_deleted },
	{ "vspace: an ASID pool uses its memory up", pool_memory_is_used_up },
	{ "vspace: an ASID pool in used memory", pool_in_used_memory },
	{ "vspace: all ASID pools", all_pools },
	{ "vspace: all ASIDs of a pool", all_asids_of_a_pool },
	{ "vspace: more address spaces than the hardware has numbers", more_spaces_than_vmids },
	{ "vspace: frames' addresses", addresses_within_an_untyped },
	{ "vspace: cache maintenance", cache_operations_keep_data },
	{ "vspace: cache maintenance of 2 MiB", cache_operations_on_much },
	{ "vspace: cache maintenance of a device", cache_operations_on_a_device },
	{ "vspace: its ASID is another's now", asid_of_another },
};
KT_GROUP(kt_vspace);
