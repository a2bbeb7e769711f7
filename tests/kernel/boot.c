/* What the root task finds: boot information, and every capability it names. */
#include "kt.h"

#include <abi/ext.h>

#include <string.h>

#define PAGE 4096u
#define SLOTS (1ull << ABI_ROOT_CNODE_BITS)
#define WINDOW 0x3e000000ull
#define FDT_MAGIC 0xedfe0dd0u /* read little-endian */

static bool is_occupied(cap_t slot)
{
	uint64_t mr[SEL4_MSG_REGS] = { kt_slots(0), 64, slot, 64 };

	/* A truncated Mutate: the source is looked for, and no more. */
	sel4_ipcbuf->caps_or_badges[0] = KT_CNODE;
	return sel4_invoke(KT_CNODE, ABI_INV_CNODE_MUTATE, 1, 4, mr) == ABI_TRUNCATED_MESSAGE;
}

static void fixed_fields(void)
{
	const struct abi_bootinfo *b = rt_bootinfo();

	CHECK_EQ(b->node_id, 0);
	CHECK_EQ(b->num_nodes, 1);
	CHECK_EQ(b->num_iopt_levels, 0);
	CHECK_EQ(b->init_thread_cnode_bits, ABI_ROOT_CNODE_BITS);
	CHECK_EQ(b->init_thread_domain, 0);
	CHECK_EQ(b->shared_frames.end - b->shared_frames.start, 0);
	CHECK_EQ(b->io_space_caps.end - b->io_space_caps.start, 0);
	CHECK_EQ(b->sched_control.end - b->sched_control.start, 1);
	CHECK_EQ((uintptr_t)b & (PAGE - 1), 0);
	CHECK_EQ(b->ipc_buffer, (uintptr_t)b - PAGE);
	CHECK_EQ((uintptr_t)sel4_ipcbuf, b->ipc_buffer);
}

static void regions_are_apart(void)
{
	const struct abi_bootinfo *b = rt_bootinfo();
	const struct abi_region r[] = { b->user_image_frames, b->user_image_paging,
					b->extra_bi_pages, b->sched_control, b->untyped, b->empty };

	for (unsigned i = 0; i < 6; i++) {
		CHECK(r[i].start >= ABI_ROOT_FIRST_DYNAMIC);
		CHECK(r[i].start < r[i].end);
		CHECK(r[i].end <= SLOTS);
		for (unsigned k = 0; k < i; k++)
			CHECK(r[i].start >= r[k].end || r[k].start >= r[i].end);
	}
	CHECK_EQ(b->empty.end, SLOTS);
}

static void slots_as_described(void)
{
	const struct abi_bootinfo *b = rt_bootinfo();

	for (cap_t s = 0; s < ABI_ROOT_FIRST_DYNAMIC; s++)
		CHECK_EQ(is_occupied(s), s != ABI_ROOT_NULL && s != ABI_ROOT_IO_PORT &&
						 s != ABI_ROOT_IO_SPACE && s != ABI_ROOT_SMMU_SID &&
						 s != ABI_ROOT_SMMU_CB &&
						 (s != ABI_ROOT_SMC || !kt_plain()));
	for (cap_t s = ABI_ROOT_FIRST_DYNAMIC; s < b->empty.start; s++)
		CHECK(is_occupied(s));
	for (cap_t s = b->empty.end - 512; s < b->empty.end; s++)
		CHECK(!is_occupied(s));
}

static void untypeds_are_aligned_and_apart(void)
{
	const struct abi_bootinfo *b = rt_bootinfo();
	uint64_t n = b->untyped.end - b->untyped.start, normal = 0;

	CHECK(n <= ABI_BOOT_UNTYPEDS);
	for (uint64_t i = 0; i < n; i++) {
		const struct abi_untyped_desc *u = &b->untyped_list[i];
		uint64_t size = 1ull << u->size_bits;

		CHECK(u->size_bits >= ABI_MIN_UNTYPED_BITS && u->size_bits <= ABI_MAX_UNTYPED_BITS);
		CHECK_EQ(u->paddr & (size - 1), 0);
		CHECK(u->is_device <= 1);
		normal += u->is_device ? 0 : size;
		for (uint64_t k = 0; k < i; k++) {
			const struct abi_untyped_desc *v = &b->untyped_list[k];

			CHECK(u->paddr >= v->paddr + (1ull << v->size_bits) ||
			      v->paddr >= u->paddr + size);
		}
		if (i > 0) /* devices first, each kind ascending */
			CHECK(u->is_device < u[-1].is_device ||
			      (u->is_device == u[-1].is_device && u->paddr > u[-1].paddr));
	}
	/* Of 1 GiB; a plain kernel keeps half of it as device memory. */
	CHECK_BETWEEN(normal, kt_plain() ? 450ull << 20 : 900ull << 20, 1024ull << 20);
}

static void untypeds_are_what_the_list_says(void)
{
	const struct abi_bootinfo *b = rt_bootinfo();
	unsigned unused = 0;

	for (uint64_t i = 0; i < b->untyped.end - b->untyped.start; i++) {
		const struct abi_untyped_desc *u = &b->untyped_list[i];
		cap_t from = b->untyped.start + i;
		/* More than there is: the error tells what there is. */
		int error = sel4_untyped_retype(from, KT_CNODE, ABI_OBJ_UNTYPED,
						ABI_MAX_UNTYPED_BITS, 0, 0, kt_slots(0), 2);

		CHECK_EQ(error, ABI_NOT_ENOUGH_MEMORY);
		unused += sel4_error_word(0) == 1ull << u->size_bits;
		if (u->size_bits >= 12 && sel4_error_word(0) == 1ull << u->size_bits) {
			cap_t frame = kt_slot();
			uint64_t at = 0;

			CHECK_OK(sel4_untyped_retype(from, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0,
						     frame, 1));
			CHECK_OK(sel4_page_get_address(frame, &at));
			CHECK_EQ(at, u->paddr);
			CHECK_EQ(sel4_tcb_set_ipc_buffer(kt_make(ABI_OBJ_TCB, 0), frame, 0x1000),
				 u->is_device ? ABI_ILLEGAL_OPERATION : ABI_OK);
			CHECK_OK(kt_revoke(from));
		}
	}
	CHECK(unused + 2 >= b->untyped.end - b->untyped.start); /* the pool's, the UART's */
}

/* QEMU's virt board: GICD; GICC and GICH, or the redistributors. GICV is for guests. */
static void the_interrupt_controller_is_the_kernels(void)
{
	static const struct {
		unsigned version;
		uint64_t start, end;
	} parts[] = { { 0, 0x08000000, 0x08010000 },
		      { 2, 0x08010000, 0x08020000 },
		      { 2, 0x08030000, 0x08040000 },
		      { 3, 0x080a0000, 0x09000000 } };
	const struct abi_bootinfo *b = rt_bootinfo();
	uint64_t version = 0;

	if (!kt_plain())
		CHECK_OK(sel4_vcpu_read_regs(kt_make(ABI_OBJ_VCPU, 0), ABI_EXTV_GIC_VERSION,
					     &version));
	for (uint64_t i = 0; i < b->untyped.end - b->untyped.start; i++) {
		const struct abi_untyped_desc *u = &b->untyped_list[i];

		for (unsigned k = 0; k < sizeof(parts) / sizeof(parts[0]); k++)
			CHECK((parts[k].version && parts[k].version != version) ||
			      u->paddr >= parts[k].end ||
			      u->paddr + (1ull << u->size_bits) <= parts[k].start);
	}
}

/* The same memory through a copy of its frame. */
static void check_frame(cap_t frame, const void *at)
{
	cap_t copy = kt_copy(frame);

	for (unsigned i = 0; i < 4; i++)
		if (sel4_page_map(copy, ABI_ROOT_VSPACE, WINDOW, KT_ALL, ABI_VM_DEFAULT))
			CHECK_OK(sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0),
						     ABI_ROOT_VSPACE, WINDOW, ABI_VM_DEFAULT));
	CHECK(memcmp((const void *)(uintptr_t)WINDOW, at, PAGE) == 0);
	CHECK_OK(kt_delete(copy));
}

static void frames_are_what_they_say(void)
{
	static const char here[] = "selvage";
	const struct abi_bootinfo *b = rt_bootinfo();
	const char *base = (const char *)b->ipc_buffer -
			   (b->user_image_frames.end - b->user_image_frames.start) * PAGE;

	check_frame(b->user_image_frames.start, base);
	check_frame(kt_image_frame(here), (const void *)((uintptr_t)here & ~(uintptr_t)(PAGE - 1)));
	check_frame(b->user_image_frames.end - 1, (const char *)b->ipc_buffer - PAGE);
	check_frame(ABI_ROOT_BOOTINFO, b);
	check_frame(b->extra_bi_pages.start, (const char *)b + PAGE);
	check_frame(b->extra_bi_pages.end - 1,
		    (const char *)b + PAGE * (b->extra_bi_pages.end - b->extra_bi_pages.start));
}

static void tables_are_mapped(void)
{
	const struct abi_bootinfo *b = rt_bootinfo();

	for (cap_t s = b->user_image_paging.start; s < b->user_image_paging.end; s++)
		CHECK_ERROR1(sel4_page_table_map(s, ABI_ROOT_VSPACE, 0, 0), ABI_INVALID_CAPABILITY,
			     0);
}

static void the_first_priority(void) { CHECK(kt_began_highest); }

static void the_devicetree(void)
{
	const struct abi_bootinfo *b = rt_bootinfo();
	const char *at = (const char *)b + PAGE, *end = at + b->extra_len;
	unsigned trees = 0;

	CHECK_EQ((b->extra_len + PAGE - 1) / PAGE, b->extra_bi_pages.end - b->extra_bi_pages.start);
	while (at < end) {
		struct abi_extra_chunk c;
		uint32_t word[2];

		memcpy(&c, at, sizeof(c));
		memcpy(word, at + sizeof(c), sizeof(word));
		CHECK(c.len >= sizeof(c) && at + c.len <= end);
		if (c.len < sizeof(c))
			return;
		if (c.id == ABI_EXTRA_FDT) {
			trees++;
			CHECK_EQ(word[0], FDT_MAGIC);
			CHECK(__builtin_bswap32(word[1]) <= c.len - sizeof(c));
		}
		at += c.len;
	}
	CHECK_EQ(at - end, 0);
	CHECK_EQ(trees, 1);
}

static void own_thread(void)
{
	uint64_t flags = 99;

	CHECK_ERROR2(sel4_tcb_set_priority(ABI_ROOT_TCB, ABI_ROOT_TCB, 256), ABI_RANGE_ERROR, 0,
		     255);
	CHECK_OK(sel4_tcb_set_flags(ABI_ROOT_TCB, 0, 0, &flags));
	CHECK_EQ(flags, 0);
	CHECK_EQ(sel4_sched_context_bind(ABI_ROOT_SCHED_CONTEXT, kt_make(ABI_OBJ_TCB, 0)),
		 ABI_ILLEGAL_OPERATION);
	/* Of the smallest size: no further refills. */
	CHECK_ERROR2(sel4_sched_control_configure(kt_sched_control(), ABI_ROOT_SCHED_CONTEXT, 5000,
						  5000, 1, 0, 0),
		     ABI_RANGE_ERROR, 0, 0);
	CHECK_OK(sel4_tcb_unbind_notification(ABI_ROOT_TCB) == ABI_ILLEGAL_OPERATION ? 0 : 1);
}

static void own_cspace_and_vspace(void)
{
	cap_t cnode = kt_copy(KT_CNODE), vspace = kt_copy(ABI_ROOT_VSPACE);

	/* 13 bits, and a guard of zeros that fills the rest. */
	CHECK_ERROR3(sel4_cnode_delete(cnode, 0, 63), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_DEPTH_MISMATCH, 63);
	CHECK_EQ(sel4_error_word(3), 64);
	CHECK_ERROR1(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, vspace), ABI_INVALID_CAPABILITY, 1);
	CHECK_OK(sel4_vspace_clean_data(vspace, (uintptr_t)sel4_ipcbuf,
					(uintptr_t)sel4_ipcbuf + 1));
	CHECK_OK(kt_delete(vspace));
}

static const struct kt_case cases[] = {
	{ "boot: fields with one value", fixed_fields },
	{ "boot: regions of slots", regions_are_apart },
	{ "boot: slots, used and empty", slots_as_described },
	{ "boot: untypeds are aligned and apart", untypeds_are_aligned_and_apart },
	{ "boot: untypeds are what the list says", untypeds_are_what_the_list_says },
	{ "boot: frames are what they say", frames_are_what_they_say },
	{ "boot: the image's tables are mapped", tables_are_mapped },
	{ "boot: the root task has the highest priority", the_first_priority },
	{ "boot: the devicetree", the_devicetree },
	{ "boot: the interrupt controller is the kernel's",
	  the_interrupt_controller_is_the_kernels },
	{ "boot: the own thread", own_thread },
	{ "boot: the own CSpace and VSpace", own_cspace_and_vspace },
};
KT_GROUP(kt_boot);
