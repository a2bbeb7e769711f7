/* What the tests of x86-64 alone share. */
#include "pc_tests.h"

#include <selvage/procinfo.h>

#define PAGE 4096u
#define BADGE 0xfa

struct watched watch_made(cap_t space, void (*entry)(void *), void *arg)
{
	struct watched w = { .ep = kt_make(ABI_OBJ_ENDPOINT, 0),
			     .reply = kt_make(ABI_OBJ_REPLY, 0) };

	cap_t handler = kt_mint(w.ep, KT_ALL, BADGE);
	w.t = kt_thread(0, entry, arg, KT_HIGH, handler, true);
	CHECK_OK(sel4_tcb_set_space(w.t.tcb, handler, KT_CNODE, space, 0, 0));
	return w;
}

struct watched watch_in(cap_t space, void (*entry)(void *), void *arg)
{
	struct watched w = watch_made(space, entry, arg);

	CHECK_OK(sel4_tcb_resume(w.t.tcb));
	return w;
}

struct watched watch(void (*entry)(void *), void *arg)
{
	return watch_in(ABI_ROOT_VSPACE, entry, arg);
}

bool watch_faulted(struct watched *w)
{
	uint64_t badge = 0;

	w->info = sel4_nb_recv(w->ep, &badge, w->mr, w->reply);
	return badge == BADGE;
}

void watch_answer(struct watched *w, uint64_t label, unsigned words)
{
	sel4_send(w->reply, msginfo(label, 0, words), w->mr);
}

static void reads(void *at)
{
	(void)*(volatile uint64_t *)at;
	kt_stop();
}

static void writes(void *at)
{
	*(volatile uint64_t *)at = 1;
	kt_stop();
}

static uint64_t fault_of(void (*entry)(void *), uint64_t vaddr)
{
	struct watched w = watch(entry, (void *)vaddr);
	bool faulted = watch_faulted(&w);

	CHECK_OK(kt_delete(w.t.tcb));
	if (!faulted)
		return NO_FAULT;
	CHECK_EQ(msginfo_label(w.info), ABI_FAULT_VM);
	CHECK_EQ(w.mr[ABI_VMFAULT_ADDR], vaddr);
	return w.mr[ABI_VMFAULT_FSR];
}

uint64_t fault_of_read(uint64_t vaddr) { return fault_of(reads, vaddr); }
uint64_t fault_of_write(uint64_t vaddr) { return fault_of(writes, vaddr); }

int map_small(cap_t frame, cap_t space, uint64_t vaddr)
{
	int error = sel4_page_map(frame, space, vaddr, RW, ABI_VM_DEFAULT);

	if (error != ABI_FAILED_LOOKUP)
		return error;
	CHECK_OK(kt_map_table(space, vaddr));
	return map_small(frame, space, vaddr);
}

cap_t make_space(bool image)
{
	const struct abi_bootinfo *info = rt_bootinfo();
	uint64_t pages = info->user_image_frames.end - info->user_image_frames.start;
	cap_t space = kt_make(ABI_OBJ_VSPACE, 0);

	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, space));
	for (uint64_t i = 0; image && i < pages; i++)
		CHECK_OK(map_small(kt_copy(info->user_image_frames.start + i), space,
				   PROC_IMAGE_BASE + i * PAGE));
	return space;
}

/* Halves of the untyped that covers it. */
cap_t device_page(uint64_t paddr)
{
	const struct abi_bootinfo *info = rt_bootinfo();

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const struct abi_untyped_desc *u = &info->untyped_list[i];
		cap_t from = info->untyped.start + i, frame;
		uint64_t base = u->paddr;

		if (!u->is_device || paddr - base >= 1ull << u->size_bits)
			continue;
		for (unsigned bits = u->size_bits; bits-- > 12;) {
			cap_t half = kt_slots(2);

			CHECK_OK(sel4_untyped_retype(from, KT_CNODE, ABI_OBJ_UNTYPED, bits, 0, 0,
						     half, 2));
			from = half + (paddr - base >= 1ull << bits);
			base += paddr - base >= 1ull << bits ? 1ull << bits : 0;
		}
		frame = kt_slot();
		CHECK_OK(sel4_untyped_retype(from, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, frame,
					     1));
		return frame;
	}
	return 0;
}

cap_t ports(unsigned first, unsigned last)
{
	cap_t slot = kt_slot();

	CHECK_OK(sel4_io_port_control_issue(ABI_ROOT_IO_PORT, KT_CNODE, first, last, slot, 64));
	return slot;
}

uint64_t await(cap_t ntfn)
{
	uint64_t end = kt_now_us() + 20000, badge;

	do
		badge = sel4_poll(ntfn);
	while (!badge && kt_now_us() < end);
	return badge;
}
