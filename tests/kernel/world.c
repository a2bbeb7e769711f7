/* The world of objects, calls on it, and its comparison before and after. */
#include "world.h"

#include <abi/ext.h>

#define NOTES 512u
#define RW (ABI_RIGHT_READ | ABI_RIGHT_WRITE)

msginfo_t kt_answer;
uint64_t kt_answer_word[ABI_MSG_MAX_WORDS];
static cap_t world, scratch;
static struct notes {
	unsigned count;
	uint64_t v[NOTES];
} before, now;

static cap_t slot(enum kt_world w) { return world + w; }

/* QEMU's GICv3 says that it has 32 fewer than are wired. */
static uint64_t irq_lines(void)
{
	uint64_t version = 0;

	CHECK_OK(sel4_vcpu_read_regs(slot(W_VCPU), ABI_EXTV_GIC_VERSION, &version));
	return version == 3 ? 256 : 288;
}

uint64_t kt_at(uint64_t v)
{
	if (v >> 32 != AT_TAG)
		return v;
	switch ((uint32_t)v) {
	case W_SCHED_CONTROL:
		return kt_sched_control();
	case W_IRQ_LINES:
		return irq_lines();
	case W_IRQ_LAST:
		return irq_lines() - 1;
	default:
		return world + (uint32_t)v;
	}
}

/* --- making --- */

static void make(enum kt_world w, enum abi_object type, unsigned bits)
{
	CHECK_OK(sel4_untyped_retype(kt_pool, KT_CNODE, type, bits, 0, 0, slot(w), 1));
}

static void mint(enum kt_world w, enum kt_world src, uint64_t rights, uint64_t badge)
{
	CHECK_OK(sel4_cnode_mint(KT_CNODE, slot(w), 64, KT_CNODE, slot(src), 64, rights, badge));
}

static void make_ipc(void)
{
	make(W_EP, ABI_OBJ_ENDPOINT, 0);
	mint(W_EP_READ, W_EP, ABI_RIGHT_READ, 0);
	mint(W_EP_WRITE, W_EP, ABI_RIGHT_WRITE, 0);
	mint(W_EP_BADGED, W_EP, KT_ALL, 0xb);
	make(W_NTFN, ABI_OBJ_NOTIFICATION, 0);
	mint(W_NTFN_READ, W_NTFN, ABI_RIGHT_READ, 0);
	mint(W_NTFN_WRITE, W_NTFN, ABI_RIGHT_WRITE, 0);
	make(W_NTFN_BOUND, ABI_OBJ_NOTIFICATION, 0);
	make(W_REPLY, ABI_OBJ_REPLY, 0);
}

static void make_threads(void)
{
	make(W_TCB, ABI_OBJ_TCB, 0);
	make(W_TCB2, ABI_OBJ_TCB, 0);
	make(W_TCB_BOUND, ABI_OBJ_TCB, 0);
	make(W_SC, ABI_OBJ_SCHED_CONTEXT, 8);
	make(W_SC_NEW, ABI_OBJ_SCHED_CONTEXT, 7);
	make(W_SC_BOUND, ABI_OBJ_SCHED_CONTEXT, 8);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), slot(W_SC), 1000, 2000, 0, 0, 0));
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), slot(W_SC_BOUND), 1000, 2000, 0,
					      0, 0));
	CHECK_OK(sel4_sched_context_bind(slot(W_SC_BOUND), slot(W_TCB_BOUND)));
	CHECK_OK(sel4_tcb_bind_notification(slot(W_TCB_BOUND), slot(W_NTFN_BOUND)));
}

static void make_spaces(void)
{
	cap_t full = slot(W_CNODE_FULL), child = kt_slots(2);

	make(W_CNODE, ABI_OBJ_CNODE, 4);
	make(W_CNODE_NEW, ABI_OBJ_CNODE, 4);
	make(W_CNODE_FULL, ABI_OBJ_CNODE, 1);
	CHECK_OK(sel4_cnode_copy(slot(W_CNODE), 0, 4, KT_CNODE, slot(W_EP), 64, KT_ALL));
	CHECK_OK(sel4_cnode_copy(full, 0, 1, KT_CNODE, slot(W_EP), 64, KT_ALL));
	CHECK_OK(sel4_cnode_copy(full, 1, 1, KT_CNODE, slot(W_EP), 64, KT_ALL));
	make(W_UNTYPED, ABI_OBJ_UNTYPED, 12);
	make(W_UNTYPED_USED, ABI_OBJ_UNTYPED, 12);
	make(W_UNTYPED_FULL, ABI_OBJ_UNTYPED, 12);
	make(W_UNTYPED_TINY, ABI_OBJ_UNTYPED, 4);
	CHECK_OK(sel4_untyped_retype(slot(W_UNTYPED_USED), KT_CNODE, ABI_OBJ_NOTIFICATION, 0, 0, 0,
				     child, 1));
	CHECK_OK(sel4_untyped_retype(slot(W_UNTYPED_FULL), KT_CNODE, ABI_OBJ_UNTYPED, 12, 0, 0,
				     child + 1, 1));
	CHECK_OK(sel4_untyped_retype(kt_device_untyped(), KT_CNODE, ABI_OBJ_UNTYPED, 12, 0, 0,
				     slot(W_UNTYPED_DEVICE), 1));
	CHECK_OK(sel4_untyped_retype(kt_device_untyped(), KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0,
				     slot(W_FRAME_DEVICE), 1));
}

static void make_pool(enum kt_world w)
{
	cap_t memory = kt_make(ABI_OBJ_UNTYPED, ABI_ASID_POOL_BITS);

	CHECK_OK(sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, KT_CNODE, slot(w), 64));
}

static void make_memory(void)
{
	make(W_FRAME, ABI_OBJ_SMALL_PAGE, 0);
	mint(W_FRAME_READ, W_FRAME, ABI_RIGHT_READ, 0);
	make(W_FRAME_MAPPED, ABI_OBJ_SMALL_PAGE, 0);
	make(W_PT, ABI_OBJ_PAGE_TABLE, 0);
	make(W_VSPACE, ABI_OBJ_VSPACE, 0);
	make(W_VSPACE_NEW, ABI_OBJ_VSPACE, 0);
	make(W_VSPACE_DEAD, ABI_OBJ_VSPACE, 0);
	make_pool(W_POOL);
	CHECK_OK(sel4_asid_pool_assign(slot(W_POOL), slot(W_VSPACE)));
	make_pool(W_POOL_DEAD);
	CHECK_OK(sel4_asid_pool_assign(slot(W_POOL_DEAD), slot(W_VSPACE_DEAD)));
	CHECK_OK(kt_delete(slot(W_POOL_DEAD)));
	for (unsigned i = W_PT_LOW - (ABI_VSPACE_LEVELS - 2); i <= W_PT_LOW; i++) {
		make(i, ABI_OBJ_PAGE_TABLE, 0);
		CHECK_OK(sel4_page_table_map(slot(i), slot(W_VSPACE), KT_MAPPED, ABI_VM_DEFAULT));
	}
	CHECK_OK(sel4_page_map(slot(W_FRAME_MAPPED), slot(W_VSPACE), KT_MAPPED, RW,
			       ABI_VM_DEFAULT));
}

void kt_world_make(void)
{
	world = kt_slots(W_SLOTS);
	scratch = kt_slot();
	make_ipc();
	make_threads();
	make_spaces();
	make_memory();
	make(W_VCPU, ABI_OBJ_VCPU, 0);
	CHECK_OK(sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, KT_CNODE, KT_IRQ, slot(W_IRQ), 64));
}

/* --- calls --- */

void kt_call_make(const struct kt_call *c)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	/* Finding a word may take a call, which leaves words from 4 on alone. */
	for (unsigned i = 0; i < c->words; i++)
		*(i < SEL4_MSG_REGS ? &mr[i] : &sel4_ipcbuf->msg[i]) = kt_at(c->word[i + 1]);
	for (unsigned i = 0; i < c->caps; i++)
		sel4_ipcbuf->caps_or_badges[i] = kt_at(c->cap[i + 1]);
	kt_answer = sel4_call(kt_at(c->target), msginfo(c->label, c->caps, c->words), mr);
	for (unsigned i = 0; i < ABI_MSG_MAX_WORDS; i++)
		kt_answer_word[i] = i < SEL4_MSG_REGS ? mr[i] : sel4_ipcbuf->msg[i];
}

void kt_call_check(const struct kt_call *c)
{
	CHECK_EQ(msginfo_label(kt_answer), c->error);
	if (c->error == ABI_OK)
		return;
	CHECK_EQ(kt_answer & 0xfff, c->details); /* length, and no capabilities */
	for (unsigned i = 0; i < c->details; i++)
		CHECK_EQ(kt_answer_word[i], kt_at(c->detail[i + 1]));
}

/* --- notes --- */

static void note(uint64_t v)
{
	if (now.count < NOTES)
		now.v[now.count++] = v;
}

static uint64_t error_word(int error, unsigned i)
{
	return (uint64_t)error << 56 | (error == ABI_OK ? 0 : sel4_error_word(i));
}

/* Mutate of a truncated message: finds the source, and does nothing. */
static void note_slot(cap_t cnode, uint64_t index, unsigned depth)
{
	uint64_t mr[SEL4_MSG_REGS] = { scratch, 64, index, depth };

	sel4_ipcbuf->caps_or_badges[0] = cnode;
	note((uint64_t)sel4_invoke(KT_CNODE, ABI_INV_CNODE_MUTATE, 1, 4, mr));
}

/* A retype of more than there is tells what there is. */
static void note_untyped(enum kt_world w)
{
	note(error_word(sel4_untyped_retype(slot(w), KT_CNODE, ABI_OBJ_UNTYPED, 47, 0, 0, scratch,
					    1),
			0));
}

static void note_thread(enum kt_world w)
{
	uint64_t regs[ABI_CTX_COUNT] = { 0 }, flags = 0;

	note((uint64_t)sel4_tcb_read_registers(slot(w), 0, ABI_CTX_COUNT, regs));
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		note(regs[i]);
	note((uint64_t)sel4_tcb_set_flags(slot(w), 0, 0, &flags));
	note(flags);
	/* Its MCP, as authority. */
	note(error_word(sel4_tcb_set_priority(slot(w), slot(w), 256), 1));
}

static void note_bindings(void)
{
	note((uint64_t)sel4_sched_context_bind(slot(W_SC_BOUND), slot(W_TCB2)));
	note((uint64_t)sel4_tcb_bind_notification(slot(W_TCB2), slot(W_NTFN_BOUND)));
	note((uint64_t)sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, KT_CNODE, KT_IRQ, slot(W_EP),
					    64));
	note((uint64_t)sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, KT_CNODE, KT_IRQ_FREE,
					    slot(W_EP), 64));
}

static void note_memory(void)
{
	static const enum kt_world frames[] = { W_FRAME, W_FRAME_READ, W_FRAME_MAPPED,
						W_FRAME_DEVICE };
	static const enum kt_world spaces[] = { W_VSPACE, W_VSPACE_NEW, W_VSPACE_DEAD };
	uint64_t at = 0;

	for (unsigned i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		note((uint64_t)sel4_page_clean_data(slot(frames[i]), 0, 16));
		note((uint64_t)sel4_page_get_address(slot(frames[i]), &at));
		note(at);
	}
	for (unsigned i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		note((uint64_t)sel4_vspace_clean_data(slot(spaces[i]), KT_MAPPED, KT_MAPPED + 16));
	for (unsigned i = W_PT; i <= W_PT_LOW; i++)
		note(error_word(sel4_page_table_map(slot(i), slot(W_EP), 0, 0), 0));
	/* The mapping: the frame at another place in the same table. */
	note(error_word(sel4_page_map(slot(W_FRAME_MAPPED), slot(W_VSPACE), 0, RW, 0), 0));
}

static void note_vcpu(void)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < ABI_VCPU_REG_COUNT; i++) {
		note((uint64_t)sel4_vcpu_read_regs(slot(W_VCPU), i, &v));
		note(v);
	}
	for (unsigned i = 0; i < 4; i++) {
		note((uint64_t)sel4_vcpu_read_regs(slot(W_VCPU), ABI_EXTV_LR0 + i, &v));
		note(v);
	}
}

static void take_notes(void)
{
	now.count = 0;
	if (SELVAGE_DEBUG) /* slow, and checks its invariants itself */
		return;
	for (unsigned i = 0; i < W_SLOTS; i++)
		note_slot(KT_CNODE, slot(i), 64);
	for (unsigned i = 0; i < 16; i++) {
		note_slot(slot(W_CNODE), i, 4);
		note_slot(slot(W_CNODE_NEW), i, 4);
	}
	note_slot(slot(W_CNODE_FULL), 0, 1);
	note_slot(slot(W_CNODE_FULL), 1, 1);
	note_untyped(W_UNTYPED);
	note_untyped(W_UNTYPED_USED);
	note_untyped(W_UNTYPED_FULL);
	note_untyped(W_UNTYPED_TINY);
	note_thread(W_TCB);
	note_thread(W_TCB2);
	note_thread(W_TCB_BOUND);
	note_bindings();
	note_memory();
	note_vcpu();
}

void kt_world_note(void)
{
	take_notes();
	before = now;
	CHECK(now.count < NOTES);
}

void kt_world_check(void)
{
	take_notes();
	for (unsigned i = 0; i < now.count; i++)
		if (now.v[i] != before.v[i]) {
			CHECK_EQ(i, ~0ull); /* the note's number */
			CHECK_EQ(now.v[i], before.v[i]);
		}
}
