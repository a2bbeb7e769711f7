/* The root task: its memory, objects and capabilities, and what is left. */
#include <kernel/boot.h>
#include <kernel/boot_root.h>

#include <abi/bootinfo.h>
#include <kernel/arch.h>
#include <kernel/ipc.h>
#include <kernel/panic.h>
#include <kernel/printk.h>
#include <selvage/base.h>

#define PAGE (1ull << ABI_PAGE_BITS)
#define ROOT_SC_US 5000
#define ROOT_PRIORITY 255
#define ROOT_SLOTS (1ull << ABI_ROOT_CNODE_BITS)

/* Memory not given away yet, ascending. */
static struct regions free_ram;
static struct slot *slots;
static word_t next_slot = ABI_ROOT_FIRST_DYNAMIC;
static struct abi_bootinfo *info;

/* --- memory and slots --- */
/* Takes `bytes`, aligned to `align`, from the first region at or after
 * `from` that has room. */
static paddr_t take(paddr_t from, word_t bytes, word_t align)
{
	for (unsigned i = 0; i < free_ram.count; i++) {
		struct region r = free_ram.r[i];
		paddr_t at = align_up_u64(r.start, align);
		if (r.start >= from && at < r.end && r.end - at >= bytes) {
			regions_subtract(&free_ram, at, at + bytes);
			return at;
		}
	}
	return 0;
}

static paddr_t memory_after; /* the end of the root task's image */

/* Cleared memory for a kernel object; what is smaller than a page shares one
 * with nobody. */
static void *alloc(word_t bytes)
{
	word_t size = align_up_u64(bytes, PAGE);
	word_t align = is_pow2_u64(size) ? size : PAGE;
	paddr_t at = take(memory_after, size, align);

	if (!at)
		at = take(0, size, align);
	if (!at)
		panic("boot: no memory for %lu bytes", (unsigned long)size);
	arch_clear_memory(paddr_to_ptr(at), size);
	return paddr_to_ptr(at);
}

static void provide(struct cap c)
{
	if (next_slot == ROOT_SLOTS)
		panic("boot: the root CNode is too small");
	slot_set_root(&slots[next_slot++], c);
}

/* --- address space --- */
static void map_frames(struct cap vspace, vptr_t vaddr, paddr_t pa, word_t bytes,
		       struct abi_region *where)
{
	where->start = next_slot;
	for (word_t off = 0; off < bytes; off += PAGE)
		provide(arch_boot_map_frame(vspace, vaddr + off, pa + off));
	where->end = next_slot;
}

static void map_tables(struct cap vspace, vptr_t start, vptr_t end)
{
	struct cap c;

	info->user_image_paging.start = next_slot;
	for (vptr_t v = start; v < end; v += PAGE) {
		/* At most 3 levels can miss. */
		for (unsigned i = 0; i < 4 && arch_boot_needs_table(vspace, v); i++) {
			c = arch_boot_map_table(vspace, v, ptr_to_paddr(alloc(PAGE)));
			provide(c);
		}
	}
	info->user_image_paging.end = next_slot;
}

static paddr_t make_extra(const struct boot_args *a)
{
	info->extra_len = arch_boot_extra(a, NULL);
	if (!info->extra_len)
		return 0;
	void *chunks = alloc(align_up_u64(info->extra_len, PAGE));
	(void)arch_boot_extra(a, chunks);
	return ptr_to_paddr(chunks);
}

/* --- untyped memory --- */
static void provide_untyped(paddr_t base, unsigned bits, bool device)
{
	word_t n = next_slot - info->untyped.start;

	if (n == ABI_BOOT_UNTYPEDS) {
		printk("boot: no room for untyped 0x%lx, 2^%u bytes\n", base, bits);
		return;
	}
	info->untyped_list[n] = (struct abi_untyped_desc){ base, (uint8_t)bits, device, { 0 } };
	/* Nobody knows what is in it: full, so cleared before its first use. */
	provide(cap_untyped(base, bits, device, device ? 0 : 1ull << bits));
}

/* Naturally aligned powers of two, the largest that fit. */
static void provide_region(struct region r, bool device)
{
	while (r.start < r.end) {
		unsigned bits = bit_highest_u64(r.end - r.start);
		if (r.start && bit_lowest_u64(r.start) < bits)
			bits = bit_lowest_u64(r.start);
		if (bits > ABI_MAX_UNTYPED_BITS)
			bits = ABI_MAX_UNTYPED_BITS;
		if (bits >= ABI_MIN_UNTYPED_BITS)
			provide_untyped(r.start, bits, device);
		r.start += 1ull << bits;
	}
}

static void provide_untypeds(const struct boot_machine *m)
{
	struct regions device = { 1, { { 0, 1ull << ARCH_PHYSICAL_BITS } }, false };
	struct regions ram = m->ram;

	regions_subtract_all(&ram, &m->reserved);
	regions_subtract_all(&device, &ram);
	regions_subtract_all(&device, &m->kernel);
	if (ram.overflow || device.overflow || free_ram.overflow || m->reserved.overflow ||
	    m->kernel.overflow)
		panic("boot: memory is in more than %u pieces", REGIONS_MAX);
	info->untyped.start = next_slot;
	for (unsigned i = 0; i < device.count; i++)
		provide_region(device.r[i], true);
	for (unsigned i = 0; i < free_ram.count; i++)
		provide_region(free_ram.r[i], false);
	info->untyped.end = next_slot;
}

/* --- the task --- */
static void make_cspace(void)
{
	slots = alloc(ROOT_SLOTS * sizeof(struct slot));
	slot_set_root(&slots[ABI_ROOT_CNODE],
		      cap_cnode(slots, ABI_ROOT_CNODE_BITS, 64 - ABI_ROOT_CNODE_BITS, 0));
	slot_set_root(&slots[ABI_ROOT_DOMAIN], cap_domain());
	slot_set_root(&slots[ABI_ROOT_IRQ_CONTROL], cap_irq_control());
}

/* Image, IPC buffer, boot information, extra pages: one behind the other. */
static struct cap make_vspace(const struct boot_args *a)
{
	vptr_t start = a->image_start - a->image_offset, end = a->image_end - a->image_offset;
	word_t extra = align_up_u64(arch_boot_extra(a, NULL), PAGE);
	paddr_t pool = ptr_to_paddr(alloc(1ull << ABI_ASID_POOL_BITS));
	paddr_t root = ptr_to_paddr(alloc(1ull << ABI_VSPACE_BITS));
	struct cap vspace = arch_boot_vspace(root, pool);

	if (start >= end || end > ABI_USER_TOP - extra - 2 * PAGE)
		panic("boot: the root task is outside the address space");
	slot_set_root(&slots[ABI_ROOT_ASID_POOL], arch_boot_asid_pool(pool));
	slot_set_root(&slots[ABI_ROOT_VSPACE], vspace);
	map_tables(vspace, start, end + 2 * PAGE + extra);
	slot_set_root(&slots[ABI_ROOT_IPC_BUFFER],
		      arch_boot_map_frame(vspace, end, ptr_to_paddr(alloc(PAGE))));
	slot_set_root(&slots[ABI_ROOT_BOOTINFO],
		      arch_boot_map_frame(vspace, end + PAGE, ptr_to_paddr(info)));
	info->ipc_buffer = end;
	map_frames(vspace, end + 2 * PAGE, make_extra(a), extra, &info->extra_bi_pages);
	return vspace;
}

static void must_derive(const struct slot *s, struct cap *out)
{
	if (cap_derive(s, s->cap, out))
		panic("boot: capability cannot be derived");
}

static struct tcb *make_thread(const struct boot_args *a)
{
	static const uint8_t from[] = { ABI_ROOT_CNODE, ABI_ROOT_VSPACE, ABI_ROOT_IPC_BUFFER };
	static const uint8_t to[] = { TCB_CSPACE, TCB_VSPACE, TCB_IPC_BUFFER };
	struct tcb *t = alloc(1ull << ABI_TCB_BITS);
	struct sched_context *sc = alloc(1ull << ABI_MIN_SCHED_CONTEXT_BITS);
	struct cap c;

	for (unsigned i = 0; i < sizeof(from); i++) {
		must_derive(&slots[from[i]], &c);
		slot_insert_copy(&t->slots[to[i]], c, &slots[from[i]]);
	}
	ipc_set_buffer(t, info->ipc_buffer);
	boot_sched_context(sc, ABI_MIN_SCHED_CONTEXT_BITS, ROOT_SC_US);
	boot_bind(t, sc, ROOT_PRIORITY, ROOT_PRIORITY);
	slot_set_root(&slots[ABI_ROOT_TCB], cap_tcb(t));
	slot_set_root(&slots[ABI_ROOT_SCHED_CONTEXT],
		      cap_sched_context(sc, ABI_MIN_SCHED_CONTEXT_BITS));
	arch_boot_start(t, a->image_entry, info->ipc_buffer + PAGE);
	return t;
}

void boot_root(const struct boot_machine *m, const struct boot_args *a)
{
	free_ram = m->ram;
	regions_subtract_all(&free_ram, &m->reserved);
	regions_subtract_all(&free_ram, &m->kernel);
	regions_subtract(&free_ram, a->image_start, a->image_end);
	/* The devicetree is copied out before its memory is given away. */
	struct region dtb = { align_down_u64(a->dtb, PAGE),
			      align_up_u64(a->dtb + a->dtb_bytes, PAGE) };
	regions_subtract(&free_ram, dtb.start, dtb.end);
	memory_after = a->image_end;

	info = alloc(PAGE);
	make_cspace();
	struct cap vspace = make_vspace(a);
	struct tcb *t = make_thread(a);
	arch_boot_caps(m, slots);
	info->sched_control.start = next_slot;
	provide(cap_sched_control(0));
	info->sched_control.end = next_slot;
	map_frames(vspace, a->image_start - a->image_offset, a->image_start,
		   a->image_end - a->image_start, &info->user_image_frames);
	regions_add(&free_ram, dtb.start, dtb.end);
	provide_untypeds(m);
	info->num_nodes = 1;
	info->init_thread_cnode_bits = ABI_ROOT_CNODE_BITS;
	info->empty = (struct abi_region){ next_slot, ROOT_SLOTS };
	sched_start(t);
}
