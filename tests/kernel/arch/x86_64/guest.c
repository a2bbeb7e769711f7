/* Guests under SVM and VT-x: small pieces of guest_code.S in three modes. */
#include "pc_tests.h"

#include "guest.h"

#include <abi/ext.h>
#include <abi/trace.h>
#include <abi/vcpu.h>
#include <selvage/vcpu_vmx.h>
#include <string.h>

#define BIT(name) (1ull << ABI_VCPU_##name)
#define SEG(selector, attributes, limit) \
	((uint64_t)(selector) | (uint64_t)(attributes) << 16 | (uint64_t)(limit) << 32)
#define ALL_REGS ((1ull << ABI_VCPU_REG_COUNT) - 1)

struct guest {
	struct kt_thread thread;
	struct vmx_vcpu vmx; /* lib/vcpu's: SVM's VCPU by VT-x */
	cap_t vcpu, ept, ep, reply;
	uint64_t reg[64];
};

/* The exit that came last, and the words of the answer. */
static uint64_t label, mr[SEL4_MSG_REGS];
static unsigned window;

static unsigned reason(void) { return label >> ABI_EXIT_REASON_SHIFT & ABI_EXIT_REASON_MASK; }
static uint32_t detail(void) { return (uint32_t)(label >> ABI_EXIT_DETAIL_SHIFT); }
static unsigned bytes(void) { return label >> ABI_EXIT_BYTES_SHIFT & ABI_EXIT_BYTES_MASK; }
static uint64_t address(const char *piece) { return guest_address(piece); }
static uint8_t *memory(void) { return (uint8_t *)(uintptr_t)(WINDOW + window * PAGES * PAGE); }

static void map_window(cap_t frame, uint64_t vaddr)
{
	for (unsigned i = 0; i < 4; i++) {
		if (sel4_page_map(frame, ABI_ROOT_VSPACE, vaddr, KT_ALL, ABI_VM_DEFAULT) == ABI_OK)
			return;
		CHECK_OK(kt_map_table(ABI_ROOT_VSPACE, vaddr));
	}
	CHECK(false);
}

bool guest_has_vmx(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid"
			 : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c >> 5 & 1;
}

/* What SVM's instructions are on the other: those of VT-x of the same length. */
static void translate(uint8_t *code, size_t bytes)
{
	static const uint8_t pairs[][2] = {
		{ 0xd9, 0xc1 },
		{ 0xd8, 0xc2 },
		{ 0xdc, 0xc3 },
		{ 0xda, 0xc4 },
	};

	for (size_t i = 0; i + 2 < bytes; i++)
		for (unsigned k = 0; code[i] == 0x0f && code[i + 1] == 1 && k < 4; k++)
			if (code[i + 2] == pairs[k][0])
				code[i + 2] = pairs[k][1];
}

static void map_tables(cap_t ept, uint64_t gpa)
{
	CHECK_OK(sel4_ept_table_map(kt_make(ABI_OBJ_EPT_PDPT, 0), ABI_INV_X86_EPT_PDPT_MAP, ept,
				    gpa));
	CHECK_OK(sel4_ept_table_map(kt_make(ABI_OBJ_EPT_PD, 0), ABI_INV_X86_EPT_PD_MAP, ept, gpa));
	CHECK_OK(sel4_ept_table_map(kt_make(ABI_OBJ_EPT_PT, 0), ABI_INV_X86_EPT_PT_MAP, ept, gpa));
}

cap_t guest_make_ept(void)
{
	cap_t ept = kt_make(ABI_OBJ_EPT_PML4, 0);

	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, ept));
	return ept;
}

void guest_fill_memory(cap_t ept, unsigned index)
{
	window = index;
	uint8_t *to = memory();

	map_tables(ept, 0);
	for (unsigned i = 0; i < PAGES; i++) {
		cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

		map_window(kt_copy(frame), (uintptr_t)to + i * PAGE);
		CHECK_OK(sel4_page_map_ept(frame, ept, i * PAGE, KT_ALL, WRITE_BACK));
	}
	memcpy(to + GUEST_CODE, guest_code, (size_t)(guest_code_end - guest_code));
	if (guest_has_vmx())
		translate(to + GUEST_CODE, (size_t)(guest_code_end - guest_code));
	/* One-to-one: a page of 1 GiB, and the one that nothing backs. */
	uint64_t *tables = (uint64_t *)(void *)(to + GUEST_TABLES);
	tables[0] = (GUEST_TABLES + PAGE) | 7;
	tables[512] = 0x87;
	tables[513] = 0x40000087;
}

static void set(struct guest *g, uint64_t mask)
{
	CHECK_OK(vmx_write_set(&g->vmx, mask, g->reg));
}

static void get(struct guest *g, uint64_t mask)
{
	CHECK_OK(vmx_read_set(&g->vmx, mask, g->reg));
}

static uint64_t get1(struct guest *g, unsigned reg)
{
	get(g, 1ull << reg);
	return g->reg[reg];
}

static void set1(struct guest *g, unsigned reg, uint64_t value)
{
	g->reg[reg] = value;
	set(g, 1ull << reg);
}

static void set_segments(struct guest *g, uint64_t code, uint64_t data)
{
	g->reg[ABI_VCPU_CS] = code;
	for (unsigned i = ABI_VCPU_ES; i <= ABI_VCPU_GS; i++)
		g->reg[i] = data;
	g->reg[ABI_VCPU_LDTR] = SEG(0, 0x82, 0xffff);
	g->reg[ABI_VCPU_TR] = SEG(0, 0x8b, 0xffff);
	g->reg[ABI_VCPU_GDTR] = g->reg[ABI_VCPU_IDTR] = SEG(0, 0, 0x3ff);
}

static void enter_real(struct guest *g, const char *piece)
{
	memset(g->reg, 0, sizeof(g->reg));
	set_segments(g, SEG(0, 0x9b, 0xffff), SEG(0, 0x93, 0xffff));
	g->reg[ABI_VCPU_RIP] = address(piece);
	g->reg[ABI_VCPU_RSP] = GUEST_STACK;
	g->reg[ABI_VCPU_RFLAGS] = 2;
	g->reg[ABI_VCPU_CR0] = 0x10;
	g->reg[ABI_VCPU_DR6] = 0xffff0ff0;
	g->reg[ABI_VCPU_DR7] = 0x400;
	g->reg[ABI_VCPU_PAT] = 0x0007040600070406;
	set(g, ALL_REGS);
}

static void enter_flat(struct guest *g, const char *piece)
{
	enter_real(g, piece);
	set_segments(g, SEG(8, 0xc9b, ~0u), SEG(16, 0xc93, ~0u));
	g->reg[ABI_VCPU_CR0] = 0x11;
	set(g, ALL_REGS);
}

static void enter_long(struct guest *g, const char *piece)
{
	enter_real(g, piece);
	set_segments(g, SEG(8, 0xa9b, ~0u), SEG(16, 0xc93, ~0u));
	g->reg[ABI_VCPU_IDTR] = 0;
	g->reg[ABI_VCPU_CR0] = 0x80000011;
	g->reg[ABI_VCPU_CR3] = GUEST_TABLES;
	g->reg[ABI_VCPU_CR4] = 0x620; /* PAE, SSE */
	g->reg[ABI_VCPU_EFER] = 0x500;
	set(g, ALL_REGS);
}

static struct guest make(unsigned index, unsigned prio)
{
	struct guest g = { .vcpu = kt_make(ABI_OBJ_VCPU, 0), .ept = guest_make_ept() };

	g.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	g.reply = kt_make(ABI_OBJ_REPLY, 0);
	g.thread = kt_thread(index, NULL, NULL, prio, g.ep, true);
	CHECK_OK(sel4_ext_vcpu_set_exit_message(g.vcpu, 1));
	CHECK(vmx_vcpu_init(&g.vmx, g.vcpu));
	CHECK_OK(sel4_tcb_set_ept_root(g.thread.tcb, g.ept));
	CHECK_OK(sel4_vcpu_set_tcb(g.vcpu, g.thread.tcb));
	guest_fill_memory(g.ept, index);
	return g;
}

static unsigned receive(struct guest *g)
{
	uint64_t badge;

	label = msginfo_label(sel4_recv(g->ep, &badge, mr, g->reply));
	for (;;) {
		CHECK_EQ(label & 0xff, ABI_EXT_FAULT_EXIT);
		if (reason() != ABI_EXIT_VMX || vmx_exit(&g->vmx, &label, mr))
			return reason();
		label = msginfo_label(sel4_reply_recv(g->ep, msginfo(ABI_EXIT_AGAIN, 0, 0), &badge,
						      mr, g->reply));
	}
}

static unsigned start(struct guest *g)
{
	CHECK_OK(sel4_tcb_resume(g->thread.tcb));
	return receive(g);
}

/* The answer to an exit with an address, where the kernel does not do it. */
static unsigned write_answer(struct guest *g, unsigned words)
{
	if (words > 0)
		set1(g, ABI_VCPU_RIP, mr[0]);
	if (words > 2)
		set1(g, (unsigned)mr[1], mr[2]);
	return ABI_EXIT_AGAIN;
}

/* The reason of the next exit. */
static unsigned answer(struct guest *g, unsigned how, unsigned words)
{
	if (g->vmx.on && how == ABI_EXIT_DONE && reason() >= ABI_EXIT_FIRST_ACCESS &&
	    reason() != ABI_EXIT_PAGE)
		how = write_answer(g, words);
	sel4_send(g->reply, msginfo(how, 0, words), mr);
	return receive(g);
}
static unsigned done(struct guest *g) { return answer(g, ABI_EXIT_DONE, 0); }

/* --- cases --- */
static void test_hlt(void)
{
	struct guest g = make(0, KT_LOW);

	enter_real(&g, guest_hlt);
	CHECK_EQ(start(&g), ABI_EXIT_HLT);
	CHECK_EQ(bytes(), 1);
	CHECK_EQ(get1(&g, ABI_VCPU_RIP), address(guest_hlt));
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_HLT);
	CHECK_EQ(get1(&g, ABI_VCPU_RIP), address(guest_hlt));
	CHECK_EQ(done(&g), ABI_EXIT_HLT);
	CHECK_EQ(get1(&g, ABI_VCPU_RIP), address(guest_hlt) + 1);
	CHECK_EQ(done(&g), ABI_EXIT_HYPERCALL);
	CHECK_EQ(bytes(), 3);
}

static void test_cpuid(void)
{
	struct guest g = make(0, KT_LOW);

	enter_long(&g, guest_cpuid);
	CHECK_EQ(start(&g), ABI_EXIT_CPUID);
	CHECK_EQ(mr[0], 0x40000000);
	CHECK_EQ(mr[1], 5);
	for (unsigned i = 0; i < 4; i++)
		mr[i] = 0x1000 + i;
	CHECK_EQ(answer(&g, ABI_EXIT_DONE, 4), ABI_EXIT_HYPERCALL);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(mr[i], 0x1000 + i); /* RAX, RCX, RDX, RBX */
	CHECK_EQ(get1(&g, ABI_VCPU_RBX), 0x1003);
	enter_flat(&g, guest_flat);
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_CPUID);
	CHECK_EQ(mr[0], 0x12345678);
	CHECK_EQ(done(&g), ABI_EXIT_HLT);
}

/* How often the trace has this of thread 0x22. */
static unsigned traced(const struct abi_trace_ring *ring, enum abi_trace_kind kind, int32_t detail)
{
	unsigned n = 0;

	for (uint64_t i = 0; i < ring->written && i < ring->slots; i++)
		n += ring->event[i].thread == 0x22 && ring->event[i].kind == kind &&
		     ring->event[i].detail == detail;
	return n;
}

static void test_trace(void)
{
	const struct abi_trace_ring *ring = (const struct abi_trace_ring *)FREE_VADDR;
	struct guest g = make(0, KT_LOW);
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	map_window(frame, FREE_VADDR);
	CHECK_OK(sel4_ext_tcb_set_trace_id(g.thread.tcb, 0x22));
	enter_long(&g, guest_cpuid);
	CHECK_OK(sel4_ext_sched_control_set_trace(kt_sched_control(), frame));
	CHECK_EQ(start(&g), ABI_EXIT_CPUID);
	CHECK_EQ(answer(&g, ABI_EXIT_DONE, 4), ABI_EXIT_HYPERCALL);
	CHECK_OK(sel4_ext_sched_control_set_trace(kt_sched_control(), 0));
	CHECK_EQ(traced(ring, ABI_TRACE_RETURN, 0), 2);
	CHECK_EQ(traced(ring, ABI_TRACE_EXIT, guest_has_vmx() ? 10 : 0x72), 1); /* CPUID */
	CHECK_EQ(traced(ring, ABI_TRACE_EXIT, guest_has_vmx() ? 18 : 0x81), 1); /* VMMCALL */
	CHECK_OK(sel4_page_unmap(frame));
}

static void check_port(unsigned port, unsigned size, bool in)
{
	CHECK_EQ(reason(), ABI_EXIT_PORT);
	CHECK_EQ(detail(), port | size << ABI_EXIT_PORT_BYTES_SHIFT | (in ? ABI_EXIT_PORT_IN : 0));
	CHECK_EQ((uint32_t)mr[0], 0x11223344);
}

static void test_ports(void)
{
	/* clang-format off */
	static const struct {
		uint16_t port;
		uint8_t size, in;
	} want[] = {
		{ 0x3f8, 1, 0 }, { 0x70, 2, 0 }, { 0x3f8, 4, 0 },
		{ 0x60, 1, 1 }, { 0x3f8, 2, 1 }, { 0x3f8, 4, 1 },
	};
	/* clang-format on */
	struct guest g = make(0, KT_LOW);

	enter_real(&g, guest_ports);
	(void)start(&g);
	for (unsigned i = 0; i < 6; i++) {
		check_port(want[i].port, want[i].size, want[i].in);
		(void)answer(&g, ABI_EXIT_DONE, 0);
	}
	CHECK_EQ(reason(), ABI_EXIT_HYPERCALL);
	enter_real(&g, guest_string);
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_STRING_PORT);
	CHECK_EQ(detail() & 0x1fffff, 0x1f0 | 2 << ABI_EXIT_PORT_BYTES_SHIFT | ABI_EXIT_PORT_REP);
	CHECK_EQ(sel4_ipcbuf->msg[ABI_EXIT_STATE_WORD + ABI_VCPU_RSI], 0x100);
	CHECK_EQ(sel4_ipcbuf->msg[ABI_EXIT_STATE_WORD + ABI_VCPU_RCX], 3);
	mr[0] = mr[3] + bytes();
	CHECK_EQ(answer(&g, ABI_EXIT_DONE, 1), ABI_EXIT_HLT);
}

static void test_msr(void)
{
	struct guest g = make(0, KT_LOW);

	enter_long(&g, guest_msr);
	CHECK_EQ(start(&g), ABI_EXIT_MSR_READ);
	CHECK_EQ(mr[1], 0xc0000080);
	mr[0] = 0x500;
	mr[2] = 0x77;
	CHECK_EQ(answer(&g, ABI_EXIT_DONE, 3), ABI_EXIT_MSR_WRITE);
	CHECK_EQ(mr[1], 0x1b);
	CHECK_EQ(mr[0], 0x500);
	CHECK_EQ(mr[2], 0x77);
	CHECK_EQ(done(&g), ABI_EXIT_HYPERCALL);
	CHECK_EQ(get1(&g, ABI_VCPU_EFER), 0x500); /* and not that it runs under SVM */
}

static void test_page(void)
{
	const uint64_t *state = &sel4_ipcbuf->msg[ABI_EXIT_STATE_WORD];
	struct guest g = make(0, KT_LOW);

	enter_long(&g, guest_mmio);
	CHECK_EQ(start(&g), ABI_EXIT_PAGE);
	CHECK_EQ(mr[0], OUTSIDE);
	CHECK_EQ(detail() & ABI_EXIT_PAGE_WRITE, 0);
	CHECK_EQ(mr[3], get1(&g, ABI_VCPU_RIP));
	uint64_t came[ABI_EXIT_STATE];
	memcpy(came, state, sizeof(came));
	get(&g, ALL_REGS);
	for (unsigned i = 0; i < ABI_EXIT_STATE; i++)
		CHECK_EQ(came[i], g.reg[i]);
	mr[0] = mr[3] + 2;
	mr[1] = ABI_VCPU_RCX;
	mr[2] = 0xabcd;
	CHECK_EQ(answer(&g, ABI_EXIT_DONE, 3), ABI_EXIT_PAGE);
	CHECK_EQ(detail() & ABI_EXIT_PAGE_WRITE, ABI_EXIT_PAGE_WRITE);
	CHECK_EQ(mr[0], OUTSIDE + 4);
	CHECK_EQ(state[ABI_VCPU_RCX], 0xabcd);
	/* The page comes: the guest does the store itself. */
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), copy = kt_copy(frame);
	map_window(copy, WINDOW + KT_THREADS * PAGES * PAGE);
	CHECK_OK(sel4_ept_table_map(kt_make(ABI_OBJ_EPT_PD, 0), ABI_INV_X86_EPT_PD_MAP, g.ept,
				    OUTSIDE));
	CHECK_OK(sel4_ept_table_map(kt_make(ABI_OBJ_EPT_PT, 0), ABI_INV_X86_EPT_PT_MAP, g.ept,
				    OUTSIDE));
	CHECK_OK(sel4_page_map_ept(frame, g.ept, OUTSIDE, KT_ALL, WRITE_BACK));
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_HYPERCALL);
	CHECK_EQ(*(uint32_t *)(uintptr_t)(WINDOW + KT_THREADS * PAGES * PAGE + 0x238), 0xabcd);
	/* It goes: the translation is forgotten. */
	CHECK_OK(sel4_page_unmap(frame));
	set1(&g, ABI_VCPU_RIP, address(guest_mmio));
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_PAGE);
	/* Write-only is nothing at all. */
	CHECK_OK(sel4_page_map_ept(frame, g.ept, OUTSIDE, ABI_RIGHT_WRITE, WRITE_BACK));
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_PAGE);
	CHECK_EQ(detail() & (ABI_EXIT_PAGE_WRITE | ABI_EXIT_PAGE_PRESENT), 0);
	CHECK_OK(sel4_page_unmap(frame));
	/* Read-only: loads work, stores exit. */
	CHECK_OK(sel4_page_map_ept(frame, g.ept, OUTSIDE, ABI_RIGHT_READ, WRITE_BACK));
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_PAGE);
	CHECK_EQ(detail() & 3, ABI_EXIT_PAGE_WRITE | ABI_EXIT_PAGE_PRESENT);
	/* An answer with all it may have: it stays at the store. */
	mr[0] = mr[3];
	mr[1] = ABI_VCPU_RSP;
	mr[2] = 0x1230;
	mr[3] = 0x801; /* overflow, carry */
	CHECK_EQ(answer(&g, ABI_EXIT_DONE, 4), ABI_EXIT_PAGE);
	CHECK_EQ(state[ABI_VCPU_RSP], 0x1230);
	CHECK_EQ(state[ABI_VCPU_RFLAGS] & 0xffff, 0x803);
	/* There is no such register, and no others of the answer are lost. */
	mr[0] = mr[3];
	mr[1] = ABI_VCPU_RIP;
	mr[2] = 0;
	mr[3] = 2;
	CHECK_EQ(answer(&g, ABI_EXIT_DONE, 4), ABI_EXIT_PAGE);
	CHECK_EQ(state[ABI_VCPU_RSP], 0x1230);
	CHECK_EQ(state[ABI_VCPU_RFLAGS] & 0xffff, 2);
}

static void set_vector(unsigned vector, const char *piece)
{
	uint16_t *ivt = (uint16_t *)(void *)memory();

	ivt[2 * vector] = (uint16_t)address(piece);
	ivt[2 * vector + 1] = 0;
}

static int set_irq_now(struct guest *g, unsigned vector)
{
	g->reg[ABI_VCPU_IRQ] = ABI_VCPU_IRQ_PENDING | ABI_VCPU_IRQ_NOW | vector;
	return vmx_write_set(&g->vmx, 1ull << ABI_VCPU_IRQ, g->reg);
}

static void test_irq(void)
{
	struct guest g = make(0, KT_LOW);

	enter_real(&g, guest_held);
	set_vector(0x33, guest_handler);
	set1(&g, ABI_VCPU_IRQ, ABI_VCPU_IRQ_PENDING | 0x33);
	CHECK_EQ(start(&g), ABI_EXIT_HYPERCALL); /* not while IF is clear */
	CHECK_EQ(set_irq_now(&g, 0x44), ABI_ILLEGAL_OPERATION);
	CHECK(label & ABI_EXIT_IRQ_PENDING);
	CHECK(!(label & ABI_EXIT_OPEN));
	CHECK_EQ(done(&g), ABI_EXIT_PORT); /* the handler */
	CHECK_EQ(detail() & 0xffff, 0x99);
	CHECK(!(label & ABI_EXIT_IRQ_PENDING));
	CHECK_EQ(get1(&g, ABI_VCPU_IRQ), 0);
	CHECK_EQ(done(&g), ABI_EXIT_HYPERCALL);
	CHECK(label & ABI_EXIT_OPEN);
	/* Only if it comes at once: not in an exit, nor behind STI. */
	set_vector(0x34, guest_handler);
	CHECK_EQ(set_irq_now(&g, 0x34), ABI_ILLEGAL_OPERATION);
	set1(&g, ABI_VCPU_SHADOW, 1);
	CHECK_EQ(set_irq_now(&g, 0x34), ABI_ILLEGAL_OPERATION);
	sel4_send(g.reply, msginfo(ABI_EXIT_AGAIN, 0, 0), mr);
	CHECK_EQ(set_irq_now(&g, 0x34), ABI_ILLEGAL_OPERATION);
	set1(&g, ABI_VCPU_SHADOW, 0);
	CHECK_EQ(get1(&g, ABI_VCPU_IRQ), 0);
	CHECK_OK(set_irq_now(&g, 0x34));
	CHECK_EQ(set_irq_now(&g, 0x33), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(get1(&g, ABI_VCPU_IRQ), ABI_VCPU_IRQ_PENDING | 0x34);
	CHECK_EQ(receive(&g), ABI_EXIT_PORT);
	/* A window instead; then nothing comes of itself. */
	enter_real(&g, guest_held);
	set1(&g, ABI_VCPU_IRQ, ABI_VCPU_IRQ_WINDOW);
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_HYPERCALL);
	CHECK_EQ(done(&g), ABI_EXIT_WINDOW);
	CHECK_EQ(done(&g), ABI_EXIT_HYPERCALL);
	/* An exception, and an interrupt at once. */
	set_vector(6, guest_handler);
	set1(&g, ABI_VCPU_EVENT,
	     ABI_VCPU_EVENT_VALID | ABI_VCPU_EVENT_EXCEPTION << ABI_VCPU_EVENT_KIND_SHIFT | 6);
	CHECK_EQ(done(&g), ABI_EXIT_PORT);
	set1(&g, ABI_VCPU_EVENT, ABI_VCPU_EVENT_VALID | 0x33);
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_INVALID); /* IF is clear */
	set1(&g, ABI_VCPU_RFLAGS, 0x202);
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_PORT);
}

static void test_privileged(void)
{
	static const uint8_t want[] = { ABI_EXIT_INVD, ABI_EXIT_MONITOR, ABI_EXIT_MWAIT,
					ABI_EXIT_RDPMC, ABI_EXIT_NESTED, ABI_EXIT_NESTED,
					ABI_EXIT_NESTED, ABI_EXIT_INVD, ABI_EXIT_HLT };
	struct guest g = make(0, KT_LOW);

	enter_long(&g, guest_privileged);
	g.reg[ABI_VCPU_EFER] = 0x1500; /* SVME: always set beneath */
	g.reg[ABI_VCPU_CR4] = 0x40620; /* OSXSAVE */
	g.reg[ABI_VCPU_RAX] = 0x1000;
	set(&g, BIT(EFER) | BIT(CR4) | BIT(RAX));
	(void)start(&g);
	for (unsigned i = 0; i < sizeof(want); i++) {
		CHECK_EQ(reason(), want[i]);
		if (i + 1 < sizeof(want))
			(void)done(&g);
	}
}

/* What the hardware would refuse, one register each. */
static void test_refused(void)
{
	static const struct {
		unsigned reg;
		uint64_t value;
		bool svm; /* VT-x: the bits are dropped */
	} bad[] = {
		{ ABI_VCPU_CR0, 0x180000011, true },
		{ ABI_VCPU_CR0, 0xa0000011, true },
		{ ABI_VCPU_CR0, 0x80000010, false },
		{ ABI_VCPU_CR4, 0x2620, true },
		{ ABI_VCPU_CR4, 1ull << 40 | 0x620, true },
		{ ABI_VCPU_CR4, 0x600, false },
		{ ABI_VCPU_EFER, 0x2500, true },
		{ ABI_VCPU_EFER, ~0ull, true },
		{ ABI_VCPU_DR6, 1ull << 32, true },
		{ ABI_VCPU_DR7, 1ull << 63, false },
		{ ABI_VCPU_CR3, 1ull << 52 | GUEST_TABLES, false },
		{ ABI_VCPU_PAT, 2, false },
		{ ABI_VCPU_CS, SEG(8, 0xe9b, ~0u), false },
		{ ABI_VCPU_EVENT, ABI_VCPU_EVENT_VALID | 0x100, false },
		{ ABI_VCPU_EVENT, ABI_VCPU_EVENT_VALID | 0x302, true },
	};
	struct guest g = make(0, KT_LOW);

	enter_long(&g, guest_cpuid);
	CHECK_EQ(start(&g), ABI_EXIT_CPUID);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enter_long(&g, guest_cpuid);
		uint64_t good = g.reg[bad[i].reg];
		set1(&g, bad[i].reg, bad[i].value);
		if (bad[i].svm && g.vmx.on) {
			(void)answer(&g, ABI_EXIT_AGAIN, 0);
			continue;
		}
		CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_INVALID);
		CHECK_EQ(get1(&g, ABI_VCPU_RIP), address(guest_cpuid));
		set1(&g, bad[i].reg, good);
		CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_CPUID);
	}
}

/* It does to itself what it likes. */
static void test_guest_hurts_itself(void)
{
	struct guest g = make(0, KT_LOW);

	enter_long(&g, guest_ud); /* no IDT: a triple fault */
	CHECK_EQ(start(&g), ABI_EXIT_SHUTDOWN);
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_SHUTDOWN);
	for (unsigned bit = 11; bit < 64; bit++) {
		enter_long(&g, guest_cr4);
		set1(&g, ABI_VCPU_RAX, 0x620 | 1ull << bit);
		unsigned r = answer(&g, ABI_EXIT_AGAIN, 0);
		/* INVALID: QEMU, in place of #GP. */
		CHECK(r == ABI_EXIT_SHUTDOWN || r == ABI_EXIT_HYPERCALL || r == ABI_EXIT_INVALID);
		enter_long(&g, guest_cr0);
		set1(&g, ABI_VCPU_RAX, 0x80000011 ^ 1ull << bit);
		r = answer(&g, ABI_EXIT_AGAIN, 0);
		CHECK(r == ABI_EXIT_SHUTDOWN || r == ABI_EXIT_HYPERCALL || r == ABI_EXIT_PAGE ||
		      r == ABI_EXIT_HLT || r == ABI_EXIT_INVALID);
	}
	enter_long(&g, guest_cpuid);
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_CPUID);
}

static void test_state(void)
{
	struct guest g = make(0, KT_LOW);
	uint64_t v;

	enter_long(&g, guest_cpuid);
	for (unsigned i = ABI_VCPU_RAX; i <= ABI_VCPU_R15; i++)
		set1(&g, i, 0x1111111111111111ull * i);
	for (unsigned i = ABI_VCPU_RAX; i <= ABI_VCPU_R15; i++)
		CHECK_EQ(get1(&g, i), 0x1111111111111111ull * i);
	for (unsigned i = ABI_VCPU_DR0; i <= ABI_VCPU_DR3; i++)
		set1(&g, i, 0x77000 + i);
	for (unsigned i = ABI_VCPU_DR0; i <= ABI_VCPU_DR3; i++)
		CHECK_EQ(get1(&g, i), 0x77000 + i);
	set1(&g, ABI_VCPU_RFLAGS, ~0ull);
	CHECK_EQ(get1(&g, ABI_VCPU_RFLAGS), 0x3f7fd7);
	set1(&g, ABI_VCPU_LSTAR, 1ull << 60);
	CHECK_EQ(get1(&g, ABI_VCPU_LSTAR), 0);
	set1(&g, ABI_VCPU_CR8, 0xff);
	CHECK_EQ(get1(&g, ABI_VCPU_CR8), 0xf);
	set1(&g, ABI_VCPU_EFER, 0x1d01);
	CHECK_EQ(get1(&g, ABI_VCPU_EFER), 0xd01);
	set1(&g, ABI_VCPU_TSC_OFFSET, 12345);
	CHECK_EQ(get1(&g, ABI_VCPU_TSC_OFFSET), 12345);
	CHECK_OK(vmx_write_control(&g.vmx, ABI_VCPU_EXCEPTIONS, 1u << 6));
	CHECK_OK(sel4_vcpu_read_field(g.vcpu, g.vmx.on ? 0x4004 : ABI_VCPU_EXCEPTIONS, &v));
	CHECK_EQ(v, 1u << 6);
	enter_long(&g, guest_ud);
	CHECK_EQ(start(&g), ABI_EXIT_EXCEPTION);
	CHECK_EQ(detail(), 6);
	CHECK_OK(vmx_write_control(&g.vmx, ABI_VCPU_CR_ACCESSES, 1u << 20));
	enter_long(&g, guest_cr4);
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_CR);
	CHECK_EQ(detail() & (15 | ABI_EXIT_CR_WRITE), 4 | ABI_EXIT_CR_WRITE);
}

/* Whatever has to be so beneath, the guest has what it wrote. */
static void test_controls(void)
{
	struct guest g = make(0, KT_LOW);

	enter_long(&g, guest_cr0);
	set1(&g, ABI_VCPU_RAX, 0xe0000033); /* caches off, NE, MP */
	CHECK_EQ(start(&g), ABI_EXIT_HYPERCALL);
	CHECK_EQ(get1(&g, ABI_VCPU_CR0), 0xe0000033);
	set1(&g, ABI_VCPU_RIP, address(guest_reads));
	set1(&g, ABI_VCPU_RAX, 7);
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_HYPERCALL);
	CHECK_EQ(mr[1], 0xe0000033);
	CHECK_EQ(mr[2], 7);
	CHECK_EQ(get1(&g, ABI_VCPU_CR8), 7);
	enter_long(&g, guest_reads);
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_HYPERCALL);
	CHECK_EQ(mr[1], 0x80000011);
	/* 32 bits with PAE: four entries at 0x6000, a page of 2 MiB below the first. */
	*(uint64_t *)(void *)(memory() + 0x6000) = 0x7001;
	*(uint64_t *)(void *)(memory() + 0x7000) = 0x83;
	enter_flat(&g, guest_flat);
	g.reg[ABI_VCPU_CR0] = 0x80000011;
	g.reg[ABI_VCPU_CR3] = 0x6000;
	g.reg[ABI_VCPU_CR4] = 0x20;
	set(&g, BIT(CR0) | BIT(CR3) | BIT(CR4));
	/* Without a move to CR3 the processor does not read them itself. */
	if (g.vmx.on)
		CHECK_OK(sel4_vcpu_write_field(g.vcpu, 0x280a, 0x7001));
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_CPUID);
	CHECK_EQ(mr[0], 0x12345678);
}

static void test_own_bases(void)
{
	struct guest g = make(0, KT_LOW);
	uint64_t own = 0x77000;

	enter_long(&g, guest_syscall);
	g.reg[ABI_VCPU_EFER] = 0x501;
	g.reg[ABI_VCPU_STAR] = 8ull << 32;
	g.reg[ABI_VCPU_LSTAR] = address(guest_cpuid);
	set(&g, BIT(EFER) | BIT(STAR) | BIT(LSTAR));
	CHECK_EQ(start(&g), ABI_EXIT_CPUID);
	CHECK_EQ(get1(&g, ABI_VCPU_LSTAR), address(guest_cpuid));
	__asm__ volatile("wrgsbase %0" ::"r"(own));
	enter_long(&g, guest_swapgs);
	g.reg[ABI_VCPU_CR4] = 0x10620;
	g.reg[ABI_VCPU_GS_BASE] = 0x6000;
	g.reg[ABI_VCPU_KERNEL_GS_BASE] = 0x5000;
	set(&g, BIT(CR4) | BIT(GS_BASE) | BIT(KERNEL_GS_BASE));
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_HYPERCALL);
	CHECK_EQ(mr[0], 0x5000);
	CHECK_EQ(get1(&g, ABI_VCPU_GS_BASE), 0x5000);
	CHECK_EQ(get1(&g, ABI_VCPU_KERNEL_GS_BASE), 0x6000);
	own = 0;
	__asm__ volatile("rdgsbase %0"
			 : "=r"(own));
	CHECK_EQ(own, 0x77000);
}

static uint64_t own_xmm0(void)
{
	uint64_t own;

	__asm__ volatile("movq %%xmm0, %0"
			 : "=r"(own));
	return own;
}

static void test_two(void)
{
	struct guest a = make(0, KT_LOW), b;

	enter_long(&a, guest_sse);
	b = make(1, KT_LOW);
	enter_long(&b, guest_sse);
	set1(&a, ABI_VCPU_RAX, 0xaaaa);
	set1(&b, ABI_VCPU_RAX, 0xbbbb);
	CHECK_EQ(start(&a), ABI_EXIT_HYPERCALL);
	CHECK_EQ(start(&b), ABI_EXIT_HYPERCALL);
	__asm__ volatile("movq %0, %%xmm0" ::"r"(0xccccull));
	mr[0] = 0;
	CHECK_EQ(answer(&a, ABI_EXIT_DONE, 1), ABI_EXIT_HYPERCALL);
	CHECK_EQ(mr[0], 0xaaaa);
	mr[0] = 0;
	CHECK_EQ(answer(&b, ABI_EXIT_DONE, 1), ABI_EXIT_HYPERCALL);
	CHECK_EQ(mr[0], 0xbbbb);
	CHECK_EQ(own_xmm0(), 0xcccc);
	/* Not even if one changes XCR0, which some emulators let it. */
	enter_long(&b, guest_xcr0);
	set1(&b, ABI_VCPU_CR4, 0x40620);
	if (answer(&b, ABI_EXIT_AGAIN, 0) == ABI_EXIT_XSETBV)
		CHECK_EQ(done(&b), ABI_EXIT_HYPERCALL);
	enter_long(&a, guest_sse);
	set1(&a, ABI_VCPU_RAX, 0xdddd);
	CHECK_EQ(answer(&a, ABI_EXIT_AGAIN, 0), ABI_EXIT_HYPERCALL);
	CHECK_EQ(own_xmm0(), 0xcccc);
	mr[0] = 0;
	CHECK_EQ(answer(&a, ABI_EXIT_DONE, 1), ABI_EXIT_HYPERCALL);
	CHECK_EQ(mr[0], 0xdddd);
	/* Breakpoint addresses too. */
	enter_long(&a, guest_debugs);
	enter_long(&b, guest_debugs);
	set1(&a, ABI_VCPU_RAX, 0x1234);
	CHECK_EQ(answer(&a, ABI_EXIT_AGAIN, 0), ABI_EXIT_HYPERCALL);
	CHECK_EQ(answer(&b, ABI_EXIT_AGAIN, 0), ABI_EXIT_HYPERCALL);
	mr[0] = 0;
	CHECK_EQ(answer(&a, ABI_EXIT_DONE, 1), ABI_EXIT_HYPERCALL);
	CHECK_EQ(mr[0], 0x1234);
	CHECK_EQ(done(&b), ABI_EXIT_HYPERCALL);
	CHECK_EQ(mr[0], 0);
}

/* What the monitor sees and changes is what the guest has, wherever it is at the time. */
static void test_fpu(void)
{
	struct guest a = make(0, KT_LOW), b = make(1, KT_LOW);
	uint64_t w[2] = { 0 };

	CHECK_OK(sel4_vcpu_read_fpu(a.vcpu, ABI_VCPU_FPU_CONTROL, w)); /* nobody has used it */
	CHECK_EQ(w[0] & 0xffff, 0x37f);
	CHECK_OK(sel4_vcpu_read_fpu(a.vcpu, ABI_VCPU_FPU_MXCSR, w));
	CHECK_EQ((uint32_t)w[1], 0x1f80);
	enter_long(&a, guest_sse);
	enter_long(&b, guest_sse);
	set1(&a, ABI_VCPU_RAX, 0xaaaa);
	set1(&b, ABI_VCPU_RAX, 0xbbbb);
	CHECK_EQ(start(&a), ABI_EXIT_HYPERCALL);
	CHECK_OK(sel4_vcpu_read_fpu(a.vcpu, ABI_VCPU_FPU_XMM, w)); /* in the processor */
	CHECK_EQ(w[0], 0xaaaa);
	CHECK_EQ(w[1], 0);
	CHECK_EQ(start(&b), ABI_EXIT_HYPERCALL);
	__asm__ volatile("movq %0, %%xmm0" ::"r"(0xccccull));
	CHECK_OK(sel4_vcpu_read_fpu(b.vcpu, ABI_VCPU_FPU_XMM, w)); /* in memory */
	CHECK_EQ(w[0], 0xbbbb);
	w[0] = 0x1111;
	CHECK_OK(sel4_vcpu_write_fpu(a.vcpu, ABI_VCPU_FPU_XMM, w));
	w[0] = 0x2222;
	CHECK_OK(sel4_vcpu_write_fpu(b.vcpu, ABI_VCPU_FPU_XMM, w));
	CHECK_EQ(answer(&a, ABI_EXIT_DONE, 1), ABI_EXIT_HYPERCALL);
	CHECK_EQ(mr[0], 0x1111);
	CHECK_EQ(answer(&b, ABI_EXIT_DONE, 1), ABI_EXIT_HYPERCALL);
	CHECK_EQ(mr[0], 0x2222);
	CHECK_EQ(own_xmm0(), 0xcccc);
	/* Whatever is written, the processor takes it. */
	static const uint64_t wild[] = { ~0ull, 1ull << 47, 0x55aa55aa55aa55aaull };
	for (unsigned n = 0; n < 3; n++) {
		w[0] = w[1] = wild[n];
		for (unsigned i = 0; i < ABI_VCPU_FPU_PARTS; i++)
			if (i != ABI_VCPU_FPU_MXCSR)
				CHECK_OK(sel4_vcpu_write_fpu(a.vcpu, i, w));
		CHECK_EQ(answer(&a, ABI_EXIT_DONE, 0), ABI_EXIT_HYPERCALL);
		CHECK_EQ(answer(&a, ABI_EXIT_DONE, 0), ABI_EXIT_HYPERCALL);
	}
	CHECK_ERROR1(sel4_vcpu_write_fpu(a.vcpu, ABI_VCPU_FPU_MXCSR, w), ABI_INVALID_ARGUMENT, 1);
	CHECK_ERROR1(sel4_vcpu_write_fpu(a.vcpu, ABI_VCPU_FPU_PARTS, w), ABI_INVALID_ARGUMENT, 1);
	CHECK_ERROR1(sel4_vcpu_read_fpu(a.vcpu, ~0ull, w), ABI_INVALID_ARGUMENT, 1);
	uint64_t words[SEL4_MSG_REGS] = { ABI_VCPU_FPU, 0, 0 };
	CHECK_EQ(sel4_invoke(a.vcpu, ABI_INV_X86_VCPU_READ_VMCS, 0, 1, words),
		 ABI_TRUNCATED_MESSAGE);
	words[0] = ABI_VCPU_FPU;
	CHECK_EQ(sel4_invoke(a.vcpu, ABI_INV_X86_VCPU_WRITE_VMCS, 0, 3, words),
		 ABI_TRUNCATED_MESSAGE);
}

/* Interrupts end its time like any thread's. */
static void test_preempted(void)
{
	struct guest g = make(0, KT_LOW);
	uint64_t before, after, used;

	enter_real(&g, guest_spin);
	CHECK_OK(sel4_tcb_resume(g.thread.tcb));
	kt_sleep_us(2000);
	CHECK_OK(sel4_sched_context_consumed(g.thread.sc, &used));
	CHECK_BETWEEN(used, 200, 5000);
	before = get1(&g, ABI_VCPU_RAX);
	set1(&g, ABI_VCPU_CR2, 1);
	kt_sleep_us(2000);
	after = get1(&g, ABI_VCPU_RAX);
	CHECK(before != after);
	/* With the rest of its budget only. */
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), g.thread.sc, 100, 100000, 0, 0,
					      0));
	CHECK_OK(sel4_sched_context_consumed(g.thread.sc, &used));
	kt_sleep_us(3000);
	CHECK_OK(sel4_sched_context_consumed(g.thread.sc, &used));
	CHECK_BETWEEN(used, 0, 250);
	CHECK_OK(sel4_tcb_suspend(g.thread.tcb));
	before = get1(&g, ABI_VCPU_RAX);
	kt_sleep_us(1000);
	CHECK_EQ(get1(&g, ABI_VCPU_RAX), before);
}

/* Whatever goes while it runs. */
static void test_deleted(void)
{
	struct guest g = make(0, KT_LOW);

	enter_real(&g, guest_spin);
	CHECK_OK(sel4_tcb_resume(g.thread.tcb));
	kt_sleep_us(1000);
	CHECK_OK(kt_delete(g.ept)); /* the thread's own copy is another */
	kt_sleep_us(1000);
	uint64_t before = get1(&g, ABI_VCPU_RAX);
	kt_sleep_us(1000);
	CHECK(get1(&g, ABI_VCPU_RAX) != before);
	CHECK_OK(kt_delete(g.thread.tcb));
	kt_sleep_us(1000);

	g = make(1, KT_LOW);
	enter_real(&g, guest_spin);
	CHECK_OK(sel4_tcb_resume(g.thread.tcb));
	kt_sleep_us(1000);
	CHECK_OK(kt_revoke(g.ept)); /* the thread's goes: no memory is left */
	CHECK_EQ(receive(&g), ABI_EXIT_PAGE);
	CHECK_OK(sel4_tcb_set_ept_root(g.thread.tcb, g.ept));
	set1(&g, ABI_VCPU_RIP, address(guest_hlt));
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_HLT);
}

static void test_deleted_vcpu(void)
{
	struct guest g = make(0, KT_LOW);

	enter_real(&g, guest_spin);
	CHECK_OK(sel4_tcb_resume(g.thread.tcb));
	kt_sleep_us(1000);
	CHECK_OK(sel4_tcb_suspend(g.thread.tcb));
	CHECK_OK(kt_delete(g.vcpu));
	kt_sleep_us(1000);
	/* With an exit that nobody has heard of yet. */
	g = make(1, KT_HIGH);
	enter_real(&g, guest_hlt);
	CHECK_OK(sel4_tcb_resume(g.thread.tcb));
	CHECK_OK(kt_delete(g.vcpu));
	CHECK_EQ(receive(&g), ABI_EXIT_OTHER);
}

static void test_doorbell(void)
{
	struct guest g = make(0, KT_LOW);
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0), badged = kt_mint(n, KT_ALL, 4);
	uint64_t word;

	CHECK_OK(sel4_ext_vcpu_set_doorbell(g.vcpu, 1, 0x50,
					    ABI_DOORBELL_PORT | ABI_DOORBELL_MATCH | 1, 7, badged));
	enter_real(&g, guest_bell);
	CHECK_EQ(start(&g), ABI_EXIT_PORT); /* of two bytes */
	CHECK_EQ(detail() >> ABI_EXIT_PORT_BYTES_SHIFT & 7, 2);
	word = sel4_poll(n);
	CHECK_EQ(word, 4);
	CHECK_EQ(done(&g), ABI_EXIT_PORT); /* another value */
	CHECK_EQ(done(&g), ABI_EXIT_HLT);
	CHECK_EQ(sel4_poll(n), 0);
	CHECK_OK(kt_delete(badged));
	CHECK_OK(kt_revoke(n));
	enter_real(&g, guest_bell);
	CHECK_EQ(answer(&g, ABI_EXIT_AGAIN, 0), ABI_EXIT_PORT);
	CHECK_EQ(detail() >> ABI_EXIT_PORT_BYTES_SHIFT & 7, 1);
	CHECK_ERROR2(sel4_ext_vcpu_set_doorbell(g.vcpu, 8, 0x50, ABI_DOORBELL_PORT, 0, n),
		     ABI_RANGE_ERROR, 0, 7);
	CHECK_ERROR1(sel4_ext_vcpu_set_doorbell(g.vcpu, 0, 0x10000, ABI_DOORBELL_PORT, 0, n),
		     ABI_INVALID_ARGUMENT, 1);
	CHECK_ERROR1(sel4_ext_vcpu_set_doorbell(g.vcpu, 0, 0x50, 1, 0, n), ABI_INVALID_ARGUMENT, 2);
	CHECK_ERROR1(sel4_ext_vcpu_set_doorbell(g.vcpu, 0, 0x50, ABI_DOORBELL_PORT | 3, 0, n),
		     ABI_INVALID_ARGUMENT, 2);
	CHECK_ERROR1(sel4_ext_vcpu_set_doorbell(g.vcpu, 0, 0x50, ABI_DOORBELL_PORT, 0, g.ep),
		     ABI_INVALID_CAPABILITY, 1);
}

static void test_wrong_vcpu(void)
{
	struct guest g = make(0, KT_LOW);
	uint64_t v, words[SEL4_MSG_REGS] = { ABI_VCPU_SET, 1 };

	CHECK_EQ(sel4_vcpu_set_tcb(g.vcpu, g.ep), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_vcpu_set_tcb(g.vcpu, ABI_ROOT_TCB), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_vcpu_read_field(g.vcpu, 0x681e, &v),
		 guest_has_vmx() ? ABI_OK : ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_vcpu_read_field(g.vcpu, 0x10006, &v), ABI_ILLEGAL_OPERATION);
	CHECK_ERROR1(sel4_vcpu_read_set(g.vcpu, 1ull << 63, g.reg), ABI_INVALID_ARGUMENT, 1);
	CHECK_ERROR1(sel4_vcpu_write_set(g.vcpu, 1ull << 63, g.reg), ABI_INVALID_ARGUMENT, 1);
	CHECK_EQ(sel4_invoke(g.vcpu, ABI_INV_X86_VCPU_WRITE_VMCS, 0, 2, words),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_EQ(sel4_invoke(g.vcpu, ABI_INV_X86_VCPU_READ_VMCS, 0, 0, words),
		 ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_invoke(g.vcpu, ABI_INV_X86_VCPU_WRITE_REGISTERS, 0, 4, words),
		 ABI_TRUNCATED_MESSAGE);
	if (g.vmx.on) {
		CHECK_ERROR1(sel4_vcpu_read_set(g.vcpu, BIT(RIP), g.reg), ABI_INVALID_ARGUMENT, 1);
		CHECK_EQ(sel4_vcpu_read_field(g.vcpu, ABI_VCPU_EXCEPTIONS, &v),
			 ABI_ILLEGAL_OPERATION);
	} else {
		CHECK_ERROR1(sel4_vcpu_write_field(g.vcpu, ABI_VCPU_EXCEPTIONS, 1ull << 32),
			     ABI_INVALID_ARGUMENT, 1);
	}
	CHECK_ERROR2(sel4_ext_vcpu_set_exit_message(g.vcpu, 2), ABI_RANGE_ERROR, 0, 1);
	words[0] = 0xc0000082;
	words[1] = 0x7fff0000;
	CHECK_OK(sel4_invoke(g.vcpu, ABI_INV_X86_VCPU_WRITE_MSR, 0, 2, words));
	CHECK_EQ(get1(&g, ABI_VCPU_LSTAR), 0x7fff0000);
	words[0] = 0x485;
	CHECK_EQ(sel4_invoke(g.vcpu, ABI_INV_X86_VCPU_READ_MSR, 0, 1, words),
		 guest_has_vmx() ? ABI_OK : ABI_ILLEGAL_OPERATION);
	words[0] = 0x486;
	CHECK_EQ(sel4_invoke(g.vcpu, ABI_INV_X86_VCPU_READ_MSR, 0, 1, words),
		 ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_invoke(g.vcpu, ABI_INV_X86_PAGE_MAP, 0, 3, words), ABI_ILLEGAL_OPERATION);
}

static void test_wrong_ept(void)
{
	cap_t ept = kt_make(ABI_OBJ_EPT_PML4, 0), pdpt = kt_make(ABI_OBJ_EPT_PDPT, 0);
	cap_t pd = kt_make(ABI_OBJ_EPT_PD, 0), pt = kt_make(ABI_OBJ_EPT_PT, 0);
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), large = kt_make(ABI_OBJ_LARGE_PAGE, 0);
	cap_t tcb = kt_make(ABI_OBJ_TCB, 0);
	uint64_t words[SEL4_MSG_REGS] = { 0 };

	CHECK_EQ(sel4_tcb_set_ept_root(tcb, ept), ABI_ILLEGAL_OPERATION); /* no ASID */
	CHECK_EQ(sel4_tcb_set_ept_root(tcb, ABI_ROOT_VSPACE), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_invoke(tcb, ABI_INV_TCB_SET_EPT_ROOT, 0, 0, words), ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR2(sel4_ept_table_map(pdpt, ABI_INV_X86_EPT_PDPT_MAP, ept, 0),
		     ABI_FAILED_LOOKUP, 0, ABI_LOOKUP_INVALID_ROOT);
	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, ept));
	CHECK_ERROR1(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, ept), ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(sel4_ept_table_map(pdpt, ABI_INV_X86_EPT_PDPT_MAP, ABI_ROOT_VSPACE, 0),
		     ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR3(sel4_ept_table_map(pd, ABI_INV_X86_EPT_PD_MAP, ept, 0), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_MISSING_CAPABILITY, 39);
	CHECK_ERROR1(sel4_ept_table_map(pdpt, ABI_INV_X86_EPT_PDPT_MAP, ept, 1ull << 48),
		     ABI_INVALID_ARGUMENT, 0);
	CHECK_OK(sel4_ept_table_map(pdpt, ABI_INV_X86_EPT_PDPT_MAP, ept, 0x1234));
	CHECK_ERROR1(sel4_ept_table_map(pdpt, ABI_INV_X86_EPT_PDPT_MAP, ept, 0),
		     ABI_INVALID_CAPABILITY, 0);
	CHECK_ERROR3(sel4_page_map_ept(frame, ept, 0, KT_ALL, 6), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_MISSING_CAPABILITY, 30);
	CHECK_OK(sel4_ept_table_map(pd, ABI_INV_X86_EPT_PD_MAP, ept, 0));
	CHECK_EQ(sel4_page_map_ept(large, ept, 0x1000, KT_ALL, 6), ABI_ALIGNMENT_ERROR);
	CHECK_OK(sel4_page_map_ept(large, ept, 0x200000, KT_ALL, 6));
	CHECK_ERROR1(sel4_page_map_ept(large, ept, 0x200000, KT_ALL, 6), ABI_INVALID_CAPABILITY, 0);
	CHECK_EQ(sel4_page_map_ept(frame, ept, 0x200000, KT_ALL, 6), ABI_DELETE_FIRST);
	CHECK_EQ(sel4_ept_table_map(pt, ABI_INV_X86_EPT_PT_MAP, ept, 0x200000), ABI_DELETE_FIRST);
	CHECK_OK(sel4_ept_table_map(pt, ABI_INV_X86_EPT_PT_MAP, ept, 0));
	CHECK_OK(sel4_page_map_ept(frame, ept, 0x3000, KT_ALL, 5));
	cap_t again = kt_copy(frame);
	CHECK_EQ(sel4_page_map_ept(again, ept, 0x3000, KT_ALL, 6), ABI_DELETE_FIRST);
	/* In one place only: not in an address space as well. */
	CHECK_ERROR1(sel4_page_map(frame, ABI_ROOT_VSPACE, WINDOW, KT_ALL, 0),
		     ABI_INVALID_CAPABILITY, 1);
	CHECK_OK(sel4_page_unmap(frame));
	CHECK_OK(sel4_page_map_ept(again, ept, 0x3000, KT_ALL, 0));
	CHECK_ERROR1(sel4_invoke(frame, ABI_INV_X86_PAGE_MAP_EPT, 0, 3, words),
		     ABI_TRUNCATED_MESSAGE, 0);
	cap_t copy = kt_copy(pt);
	CHECK_EQ(sel4_ept_table_unmap(pt, ABI_INV_X86_EPT_PT_UNMAP), ABI_REVOKE_FIRST);
	CHECK_OK(kt_delete(copy));
	CHECK_OK(sel4_ept_table_unmap(pt, ABI_INV_X86_EPT_PT_UNMAP));
	CHECK_OK(sel4_ept_table_unmap(pt, ABI_INV_X86_EPT_PT_UNMAP));
	CHECK_EQ(sel4_ept_table_unmap(pt, ABI_INV_X86_EPT_PD_UNMAP), ABI_ILLEGAL_OPERATION);
}

/* A frame of an EPT that is no more, and an address space that has its ASID since: what the
 * frame remembers is no place in that, least of all one that is the kernel's. */
static void test_stale_ept(void)
{
	static const uint64_t places[] = { 0x3000, 0xff8000003000 };
	cap_t frames[2], ept = guest_make_ept(), space = kt_make(ABI_OBJ_VSPACE, 0);

	for (unsigned i = 0; i < 2; i++) {
		map_tables(ept, places[i]);
		frames[i] = kt_make(ABI_OBJ_SMALL_PAGE, 0);
		CHECK_OK(sel4_page_map_ept(frames[i], ept, places[i], KT_ALL, WRITE_BACK));
	}
	CHECK_OK(kt_delete(ept));
	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, space));
	for (unsigned i = 0; i < 2; i++)
		CHECK_ERROR1(sel4_page_map(frames[i], space, places[i], KT_ALL, 0),
			     ABI_INVALID_CAPABILITY, 1);
	CHECK_OK(sel4_page_unmap(frames[0]));
	CHECK_ERROR3(sel4_page_map(frames[0], space, places[0], KT_ALL, 0), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_MISSING_CAPABILITY, 39);
	CHECK_OK(sel4_page_unmap(frames[1]));
	CHECK_ERROR1(sel4_page_map(frames[1], space, places[1], KT_ALL, 0), ABI_INVALID_ARGUMENT,
		     0);
}

static const struct kt_case cases[] = {
	{ "guest: mappings of an EPT that is no more", test_stale_ept },
	{ "guest: HLT, by steps and again", test_hlt },
	{ "guest: CPUID in 64 and 32 bits", test_cpuid },
	{ "guest: its exits in a trace", test_trace },
	{ "guest: I/O ports, strings of them", test_ports },
	{ "guest: RDMSR and WRMSR", test_msr },
	{ "guest: memory that is not there, comes, goes, is read-only", test_page },
	{ "guest: interrupts held and taken, windows, exceptions", test_irq },
	{ "guest: privileged instructions exit", test_privileged },
	{ "guest: registers that the processor would refuse", test_refused },
	{ "guest: triple faults, reserved bits of CR0 and CR4", test_guest_hurts_itself },
	{ "guest: registers read back, what was asked for exits", test_state },
	{ "guest: control registers are as it wrote them, with PAE too", test_controls },
	{ "guest: SYSCALL and GS bases are its own, and its VMM's", test_own_bases },
	{ "guest: two do not see each other's FPU and breakpoints", test_two },
	{ "guest: vector registers, read and written", test_fpu },
	{ "guest: preempted, out of budget, suspended", test_preempted },
	{ "guest: TCB and EPT deleted while it runs", test_deleted },
	{ "guest: VCPU deleted while it runs and between exit and message", test_deleted_vcpu },
	{ "guest: doorbells", test_doorbell },
	{ "guest: wrong arguments to VCPUs", test_wrong_vcpu },
	{ "guest: wrong arguments to EPT objects", test_wrong_ept },
};
KT_GROUP(kt_guest_pc);
