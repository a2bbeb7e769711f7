/* Guests of the tests: made, started, their exits received and answered. */
#include "guest.h"

#include <string.h>

#define WINDOW 0x38000000ull /* where the tests see guest memory */
#define GICV_PADDR 0x08040000ull
#define HVC_BYTES 4

extern const char guest_code_end[];

struct kt_exit kt_exit;

uint64_t kt_exit_word(unsigned i)
{
	return i < SEL4_MSG_REGS ? kt_exit.mr[i] : kt_exit.more[i];
}

uint64_t kt_exit_syndrome(void)
{
	return kt_exit.label >> ABI_EXIT_SYNDROME_SHIFT;
}

static void keep(msginfo_t info)
{
	kt_exit.label = msginfo_label(info);
	kt_exit.words = msginfo_words(info);
	for (unsigned i = SEL4_MSG_REGS; i < ABI_SYSFAULT_WORDS; i++)
		kt_exit.more[i] = sel4_ipcbuf->msg[i];
}

uint64_t kt_guest_gpa(const char *code)
{
	return GUEST_BASE + (uint64_t)(code - guest_code);
}

void kt_guest_map_page(cap_t frame, cap_t vspace, uint64_t vaddr, uint64_t attr)
{
	for (unsigned level = 0; level < 4; level++) {
		if (sel4_page_map(frame, vspace, vaddr, KT_ALL, attr) == ABI_OK)
			return;
		CHECK_OK(sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0), vspace, vaddr,
					     ABI_VM_DEFAULT));
	}
	CHECK_OK(ABI_FAILED_LOOKUP);
}

static void load_code(cap_t vspace)
{
	size_t bytes = (size_t)(guest_code_end - guest_code);

	for (size_t at = 0; at < bytes; at += PAGE) {
		cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), copy = kt_copy(frame);

		kt_guest_map_page(copy, ABI_ROOT_VSPACE, WINDOW + at, ABI_VM_DEFAULT);
		memcpy((void *)(uintptr_t)(WINDOW + at), guest_code + at, PAGE);
		CHECK_OK(sel4_page_clean_data(copy, 0, PAGE));
		CHECK_OK(sel4_page_unify_instruction(copy, 0, PAGE));
		CHECK_OK(sel4_page_unmap(copy));
		kt_guest_map_page(frame, vspace, GUEST_BASE + at, ABI_VM_DEFAULT);
	}
}

void kt_guest_set_pc(const struct kt_guest *g, const char *code, uint64_t x0, int resume)
{
	uint64_t regs[ABI_CTX_COUNT] = { 0 };

	regs[ABI_CTX_PC] = kt_guest_gpa(code);
	regs[ABI_CTX_SPSR] = SPSR_EL1H;
	regs[ABI_CTX_X0] = x0;
	CHECK_OK(sel4_tcb_write_registers(g->tcb, resume, ABI_CTX_COUNT, regs));
}

struct kt_guest kt_guest(uint64_t badge)
{
	struct kt_guest g = {
		.vspace = kt_make(ABI_OBJ_VSPACE, 0),
		.tcb = kt_make(ABI_OBJ_TCB, 0),
		.sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8),
		.vcpu = kt_make(ABI_OBJ_VCPU, 0),
		.ep = kt_make(ABI_OBJ_ENDPOINT, 0),
		.reply = kt_make(ABI_OBJ_REPLY, 0),
	};

	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, g.vspace));
	load_code(g.vspace);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), g.sc, 5000, 5000, 0, 0, 0));
	CHECK_OK(sel4_tcb_set_space(g.tcb, 0, KT_CNODE, g.vspace, 0, 0));
	CHECK_OK(sel4_tcb_set_sched_params(g.tcb, ABI_ROOT_TCB, g.sc,
					   kt_mint(g.ep, KT_ALL, badge), 255, KT_LOW));
	CHECK_OK(sel4_vcpu_set_tcb(g.vcpu, g.tcb));
	return g;
}

void kt_guest_receive(const struct kt_guest *g)
{
	keep(sel4_recv(g->ep, &kt_exit.badge, kt_exit.mr, g->reply));
}

void kt_guest_start(const struct kt_guest *g, const char *code, uint64_t x0)
{
	kt_guest_set_pc(g, code, x0, 1);
	kt_guest_receive(g);
}

void kt_guest_answer(const struct kt_guest *g, uint64_t label, unsigned words)
{
	keep(sel4_reply_recv(g->ep, msginfo(label, 0, words), &kt_exit.badge, kt_exit.mr,
			     g->reply));
}

void kt_guest_go_on(const struct kt_guest *g, unsigned words)
{
	kt_guest_answer(g, 0, words);
}

void kt_guest_answer_hvc(const struct kt_guest *g, uint64_t x0)
{
	kt_exit.mr[0] = x0;
	for (unsigned i = SEL4_MSG_REGS; i < ABI_SYSFAULT_REPLY_WORDS; i++)
		sel4_ipcbuf->msg[i] = kt_exit.more[i];
	sel4_ipcbuf->msg[ABI_SYSFAULT_IP] += HVC_BYTES;
	kt_guest_go_on(g, ABI_SYSFAULT_REPLY_WORDS);
}

void kt_guest_skip(const struct kt_guest *g)
{
	uint64_t regs[ABI_CTX_COUNT];

	CHECK_OK(sel4_tcb_read_registers(g->tcb, 0, ABI_CTX_COUNT, regs));
	regs[ABI_CTX_PC] += 4;
	CHECK_OK(sel4_tcb_write_registers(g->tcb, 0, ABI_CTX_COUNT, regs));
	kt_guest_go_on(g, 0);
}

void kt_guest_set_reg(const struct kt_guest *g, unsigned index, uint64_t v)
{
	uint64_t regs[ABI_CTX_COUNT];

	CHECK_OK(sel4_tcb_read_registers(g->tcb, 0, ABI_CTX_COUNT, regs));
	regs[index] = v;
	CHECK_OK(sel4_tcb_write_registers(g->tcb, 0, ABI_CTX_COUNT, regs));
}

cap_t kt_gicv_frame(void)
{
	const struct abi_bootinfo *info = rt_bootinfo();

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++)
		if (info->untyped_list[i].paddr == GICV_PADDR) {
			cap_t frame = kt_slot();
			CHECK_OK(sel4_untyped_retype(info->untyped.start + i, KT_CNODE,
						     ABI_OBJ_SMALL_PAGE, 0, 0, 0, frame, 1));
			return frame;
		}
	CHECK_OK(ABI_FAILED_LOOKUP);
	return 0;
}
