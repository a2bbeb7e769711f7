/* TCB invocations. */
#include "kt.h"

static struct {
	volatile unsigned count;
	volatile uint64_t x, y, tls;
	uint64_t regs[ABI_CTX_COUNT], more[ABI_CTX_COUNT];
	cap_t ep;
} s;

static cap_t tcb(void)
{
	s.count = 0;
	return kt_make(ABI_OBJ_TCB, 0);
}

static void truncated(void)
{
	static const struct {
		unsigned label, words, caps;
	} calls[] = {
		{ ABI_INV_TCB_READ_REGISTERS, 1, 0 },
		{ ABI_INV_TCB_WRITE_REGISTERS, 1, 0 },
		{ ABI_INV_TCB_COPY_REGISTERS, 0, 1 },
		{ ABI_INV_TCB_COPY_REGISTERS, 1, 0 },
		{ ABI_INV_TCB_CONFIGURE, 2, 3 },
		{ ABI_INV_TCB_CONFIGURE, 3, 2 },
		{ ABI_INV_TCB_SET_PRIORITY, 0, 1 },
		{ ABI_INV_TCB_SET_PRIORITY, 1, 0 },
		{ ABI_INV_TCB_SET_MC_PRIORITY, 1, 0 },
		{ ABI_INV_TCB_SET_SCHED_PARAMS, 1, 3 },
		{ ABI_INV_TCB_SET_SCHED_PARAMS, 2, 2 },
		{ ABI_INV_TCB_SET_TIMEOUT_ENDPOINT, 0, 0 },
		{ ABI_INV_TCB_SET_IPC_BUFFER, 1, 0 },
		{ ABI_INV_TCB_SET_IPC_BUFFER, 0, 1 },
		{ ABI_INV_TCB_SET_SPACE, 1, 3 },
		{ ABI_INV_TCB_SET_SPACE, 2, 2 },
		{ ABI_INV_TCB_SET_TLS_BASE, 0, 0 },
		{ ABI_INV_TCB_SET_FLAGS, 1, 0 },
	};
	cap_t t = tcb();

	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		uint64_t mr[4] = { 0 };

		for (unsigned k = 0; k < 3; k++)
			sel4_ipcbuf->caps_or_badges[k] = ABI_ROOT_TCB;
		CHECK_EQ(sel4_invoke(t, calls[i].label, calls[i].caps, calls[i].words, mr),
			 ABI_TRUNCATED_MESSAGE);
	}
}

static void registers(void)
{
	cap_t t = tcb();

	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		s.regs[i] = 0x1000 + i;
	s.regs[ABI_CTX_SPSR] = 0;
	CHECK_OK(sel4_tcb_write_registers(t, 0, ABI_CTX_COUNT, s.regs));
	CHECK_OK(sel4_tcb_read_registers(t, 0, ABI_CTX_COUNT, s.more));
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		if (i != ABI_CTX_SPSR)
			CHECK_EQ(s.more[i], s.regs[i]);
}

static void caller(void *arg)
{
	uint64_t mr[4] = { 0 };

	(void)arg;
	(void)sel4_call(s.ep, msginfo(0, 0, 0), mr);
	kt_stop();
}

/* Blocked, a thread stands at its system call; answered, behind it. */
static void registers_behind_a_call(void)
{
	uint64_t badge, pc, mr[4] = { 0 };
	cap_t reply = kt_make(ABI_OBJ_REPLY, 0);

	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	struct kt_thread t = kt_start(0, caller, NULL, KT_LOW);
	(void)sel4_recv(s.ep, &badge, mr, reply);
	CHECK_OK(sel4_tcb_read_registers(t.tcb, 0, 1, s.more));
	pc = s.more[ABI_CTX_PC];
	sel4_send(reply, msginfo(0, 0, 0), mr);
	CHECK_OK(sel4_tcb_read_registers(t.tcb, 0, 1, s.more));
	CHECK_EQ(s.more[ABI_CTX_PC], pc + 4);
}

static void register_counts(void)
{
	uint64_t mr[4] = { 0, 5 };
	cap_t t = tcb();

	CHECK_ERROR2(sel4_tcb_read_registers(t, 0, 0, s.regs), ABI_RANGE_ERROR, 1, ABI_CTX_COUNT);
	CHECK_ERROR2(sel4_tcb_read_registers(t, 0, 37, s.regs), ABI_RANGE_ERROR, 1, ABI_CTX_COUNT);
	/* 5 registers announced, 4 sent. */
	CHECK_EQ(sel4_invoke(t, ABI_INV_TCB_WRITE_REGISTERS, 0, 6, mr), ABI_TRUNCATED_MESSAGE);
}

static void spsr_is_sanitised(void)
{
	cap_t t = tcb();

	s.regs[ABI_CTX_PC] = s.regs[ABI_CTX_SP] = 0;
	s.regs[ABI_CTX_SPSR] = 0xffffffffull;
	CHECK_OK(sel4_tcb_write_registers(t, 0, 3, s.regs));
	CHECK_OK(sel4_tcb_read_registers(t, 0, 3, s.more));
	CHECK_EQ(s.more[2] & 0xdf, 0); /* EL0t, AArch64, IRQ and FIQ open */
}

static void own_registers(void)
{
	CHECK_EQ(sel4_tcb_read_registers(ABI_ROOT_TCB, 0, 1, s.regs), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_tcb_write_registers(ABI_ROOT_TCB, 0, 1, s.regs), ABI_ILLEGAL_OPERATION);
}

static void copy_registers(void)
{
	cap_t a = tcb(), b = kt_make(ABI_OBJ_TCB, 0);

	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		s.regs[i] = 0x2000 + i;
	CHECK_OK(sel4_tcb_write_registers(a, 0, ABI_CTX_COUNT, s.regs));
	CHECK_ERROR1(sel4_tcb_copy_registers(b, KT_CNODE, 4), ABI_INVALID_CAPABILITY, 1);
	CHECK_OK(sel4_tcb_copy_registers(b, a, 4));
	CHECK_OK(sel4_tcb_read_registers(b, 0, ABI_CTX_COUNT, s.more));
	CHECK_EQ(s.more[ABI_CTX_X8], s.regs[ABI_CTX_X8]);
	CHECK_EQ(s.more[ABI_CTX_X9], 0);
	CHECK_OK(sel4_tcb_copy_registers(b, a, 8));
	CHECK_OK(sel4_tcb_read_registers(b, 0, ABI_CTX_COUNT, s.more));
	CHECK_EQ(s.more[ABI_CTX_X28], s.regs[ABI_CTX_X28]);
}

static void priorities(void)
{
	cap_t t = tcb(), weak = kt_make(ABI_OBJ_TCB, 0);

	CHECK_ERROR1(sel4_tcb_set_priority(t, KT_CNODE, 1), ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(sel4_tcb_set_mc_priority(t, KT_CNODE, 1), ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR2(sel4_tcb_set_priority(t, ABI_ROOT_TCB, 256), ABI_RANGE_ERROR, 0, 255);
	CHECK_ERROR2(sel4_tcb_set_priority(t, weak, 1), ABI_RANGE_ERROR, 0, 0);
	CHECK_OK(sel4_tcb_set_mc_priority(weak, ABI_ROOT_TCB, 30));
	CHECK_ERROR2(sel4_tcb_set_priority(t, weak, 31), ABI_RANGE_ERROR, 0, 30);
	CHECK_ERROR2(sel4_tcb_set_mc_priority(t, weak, 31), ABI_RANGE_ERROR, 0, 30);
	CHECK_OK(sel4_tcb_set_priority(t, weak, 30));
}

static void sched_params(void)
{
	cap_t t = tcb(), sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8), ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	cap_t reader = kt_mint(ep, ABI_RIGHT_READ, 0), plain = kt_mint(ep, ABI_RIGHT_WRITE, 0);
	cap_t other = kt_make(ABI_OBJ_TCB, 0);

	CHECK_ERROR1(sel4_tcb_set_sched_params(t, KT_CNODE, sc, 0, 1, 1),
		     ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR2(sel4_tcb_set_sched_params(t, ABI_ROOT_TCB, sc, 0, 256, 1), ABI_RANGE_ERROR, 0,
		     255);
	CHECK_ERROR2(sel4_tcb_set_sched_params(t, ABI_ROOT_TCB, sc, 0, 1, 256), ABI_RANGE_ERROR, 0,
		     255);
	CHECK_ERROR1(sel4_tcb_set_sched_params(t, ABI_ROOT_TCB, KT_CNODE, 0, 1, 1),
		     ABI_INVALID_CAPABILITY, 2);
	CHECK_ERROR1(sel4_tcb_set_sched_params(t, ABI_ROOT_TCB, sc, KT_CNODE, 1, 1),
		     ABI_INVALID_CAPABILITY, 3);
	CHECK_ERROR1(sel4_tcb_set_sched_params(t, ABI_ROOT_TCB, sc, reader, 1, 1),
		     ABI_INVALID_CAPABILITY, 3);
	CHECK_ERROR1(sel4_tcb_set_sched_params(t, ABI_ROOT_TCB, sc, plain, 1, 1),
		     ABI_INVALID_CAPABILITY, 3);
	CHECK_OK(sel4_tcb_set_sched_params(t, ABI_ROOT_TCB, sc, ep, 1, 1));
	CHECK_EQ(sel4_tcb_set_sched_params(other, ABI_ROOT_TCB, sc, 0, 1, 1),
		 ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_tcb_set_sched_params(t, ABI_ROOT_TCB, kt_make(ABI_OBJ_SCHED_CONTEXT, 8), 0, 1,
					   1),
		 ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_tcb_set_sched_params(ABI_ROOT_TCB, ABI_ROOT_TCB, 0, 0, 255, KT_PRIO),
		 ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_tcb_set_sched_params(t, ABI_ROOT_TCB, 0, 0, 1, 1)); /* takes it away */
	CHECK_OK(sel4_tcb_set_sched_params(other, ABI_ROOT_TCB, sc, 0, 1, 1));
}

static void timeout_endpoint(void)
{
	cap_t t = tcb(), ep = kt_make(ABI_OBJ_ENDPOINT, 0);

	CHECK_ERROR1(sel4_tcb_set_timeout_endpoint(t, KT_CNODE), ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(sel4_tcb_set_timeout_endpoint(t, kt_mint(ep, ABI_RIGHT_WRITE, 0)),
		     ABI_INVALID_CAPABILITY, 1);
	CHECK_OK(sel4_tcb_set_timeout_endpoint(t, ep));
	CHECK_OK(sel4_tcb_set_timeout_endpoint(t, 0));
}

static void configure_errors(void)
{
	cap_t t = tcb(), ep = kt_make(ABI_OBJ_ENDPOINT, 0), frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);
	cap_t vspace = kt_make(ABI_OBJ_VSPACE, 0);

	CHECK_EQ(sel4_tcb_configure(t, KT_CNODE, ABI_ROOT_VSPACE, ep, 0, 0, 0x1000),
		 ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_tcb_configure(t, KT_CNODE, ABI_ROOT_VSPACE, frame, 0, 0, 0x1200),
		 ABI_ALIGNMENT_ERROR);
	CHECK_EQ(sel4_tcb_configure(t, ep, ABI_ROOT_VSPACE, frame, 0, 0, 0x1000),
		 ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_tcb_configure(t, KT_CNODE, ep, frame, 0, 0, 0x1000), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_tcb_configure(t, KT_CNODE, vspace, frame, 0, 0, 0x1000),
		 ABI_ILLEGAL_OPERATION); /* no ASID yet */
	CHECK_EQ(sel4_tcb_configure(t, 0, ABI_ROOT_VSPACE, frame, 0, 0, 0x1000),
		 ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_tcb_configure(t, KT_CNODE, ABI_ROOT_VSPACE, 0, 0, 0, 0x1000),
		 ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_tcb_configure(t, KT_CNODE, ABI_ROOT_VSPACE, 0, 0, 0, 0));
	CHECK_OK(sel4_tcb_configure(t, KT_CNODE, ABI_ROOT_VSPACE, frame, 0, 0, 0x1400));
}

static void set_space_errors(void)
{
	cap_t t = tcb(), ep = kt_make(ABI_OBJ_ENDPOINT, 0), cnode = kt_make(ABI_OBJ_CNODE, 4);

	CHECK_EQ(sel4_tcb_set_space(t, 0, ep, ABI_ROOT_VSPACE, 0, 0), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_tcb_set_space(t, 0, KT_CNODE, 0, 0, 0), ABI_ILLEGAL_OPERATION);
	CHECK_ERROR1(sel4_tcb_set_space(t, KT_CNODE, KT_CNODE, ABI_ROOT_VSPACE, 0, 0),
		     ABI_INVALID_CAPABILITY, 1);
	CHECK_EQ(sel4_tcb_set_space(t, 0, cnode, ABI_ROOT_VSPACE, sel4_cnode_data(0, 61), 0),
		 ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_tcb_set_space(t, ep, cnode, ABI_ROOT_VSPACE, sel4_cnode_data(0, 60), 0));
	/* The TCB holds the last capability to it now: not replaced. */
	CHECK_OK(kt_delete(cnode));
	CHECK_EQ(sel4_tcb_set_space(t, ep, KT_CNODE, ABI_ROOT_VSPACE, 0, 0), ABI_ILLEGAL_OPERATION);
}

static void ipc_buffer_errors(void)
{
	cap_t t = tcb(), frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	CHECK_EQ(sel4_tcb_set_ipc_buffer(t, frame, 0x1001), ABI_ALIGNMENT_ERROR);
	CHECK_EQ(sel4_tcb_set_ipc_buffer(t, KT_CNODE, 0x1000), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_tcb_set_ipc_buffer(t, frame, 0x1c00));
	CHECK_OK(sel4_tcb_set_ipc_buffer(t, 0, 0));
}

static void flags(void)
{
	uint64_t out = 99;
	cap_t t = tcb();

	CHECK_OK(sel4_tcb_set_flags(t, 0, ~0ull, &out));
	CHECK_EQ(out, ABI_TCB_FLAG_FPU_DISABLED);
	CHECK_OK(sel4_tcb_set_flags(t, 0, 0, &out));
	CHECK_EQ(out, ABI_TCB_FLAG_FPU_DISABLED);
	CHECK_OK(sel4_tcb_set_flags(t, 1, 0, &out));
	CHECK_EQ(out, 0);
}

static void uses_fpu(void *arg)
{
	(void)arg;
	s.count = 1;
	__asm__ volatile(".arch_extension fp\n\tfmov d0, #1.0" ::
				 : "memory");
	s.count = 2;
	kt_stop();
}

static void fpu_disabled(void)
{
	uint64_t out, badge = 0, mr[4] = { 0 };
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	struct kt_thread t = kt_thread(0, uses_fpu, NULL, KT_HIGH, ep, true);

	s.count = 0;
	CHECK_OK(sel4_tcb_set_flags(t.tcb, 0, 1, &out));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.count, 1);
	CHECK_EQ(msginfo_label(sel4_nb_recv(ep, &badge, mr, kt_make(ABI_OBJ_REPLY, 0))),
		 ABI_FAULT_USER_EXCEPTION);
	CHECK_OK(sel4_tcb_set_flags(t.tcb, 1, 0, &out));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.count, 2);
}

static void reads_tls(void *arg)
{
	uint64_t v;

	(void)arg;
	__asm__ volatile("mrs %0, tpidr_el0"
			 : "=r"(v));
	s.tls = v;
	__asm__ volatile("1: b 1b"); /* no IPC buffer any more: no system call either */
}

static void waits_there(void *arg)
{
	(void)arg;
	__asm__ volatile("1: b 1b");
}

static void counts_once(void)
{
	s.count++;
	__asm__ volatile("1: b 1b");
}

/* Of a thread that could go on any time, it is where it goes on. */
static void pc_of_a_ready_thread(void)
{
	struct kt_thread t;

	s.count = 0;
	t = kt_start(0, waits_there, NULL, KT_LOW);
	kt_sleep_us(2500);
	CHECK_OK(sel4_tcb_read_registers(t.tcb, 0, ABI_CTX_COUNT, s.regs));
	s.regs[ABI_CTX_PC] = (uintptr_t)counts_once;
	CHECK_OK(sel4_tcb_write_registers(t.tcb, 0, ABI_CTX_COUNT, s.regs));
	kt_sleep_us(2500);
	CHECK_EQ(s.count, 1);
}

static void tls_base(void)
{
	struct kt_thread t = kt_thread(0, reads_tls, NULL, KT_LOW, 0, true);

	/* Straight into it: the run time's start would set the register. */
	kt_registers(0)[ABI_CTX_PC] = (uintptr_t)reads_tls;
	CHECK_OK(sel4_tcb_write_registers(t.tcb, 0, ABI_CTX_COUNT, kt_registers(0)));
	CHECK_OK(sel4_tcb_set_tls_base(t.tcb, 0xabc000));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(2500);
	CHECK_EQ(s.tls, 0xabc000);
}

static void counts(void *arg)
{
	(void)arg;
	for (;;)
		s.count++;
}

static void suspend_resume(void)
{
	unsigned before;

	s.count = 0;
	struct kt_thread t = kt_start(0, counts, NULL, KT_LOW);
	kt_sleep_us(2500);
	CHECK(s.count > 0);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	before = s.count;
	kt_sleep_us(2500);
	CHECK_EQ(s.count, before);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(sel4_tcb_resume(t.tcb)); /* no effect */
	kt_sleep_us(2500);
	CHECK(s.count > before);
}

static void suspends_itself(void *arg)
{
	s.count = 1;
	(void)sel4_tcb_suspend(*(cap_t *)arg);
	s.count = 2;
	kt_stop();
}

static void copies_itself(void *arg)
{
	s.x = (uint64_t)sel4_tcb_copy_registers(s.ep, *(cap_t *)arg, 1);
	s.count++;
	kt_stop();
}

/* CopyRegisters may suspend its source, also if that is the caller. */
static void copy_suspends_self(void)
{
	cap_t self;

	s.ep = tcb();
	s.x = 99;
	struct kt_thread t = kt_thread(0, copies_itself, &self, KT_HIGH, 0, true);
	self = t.tcb;
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.count, 0);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.count, 1);
	CHECK_EQ(s.x, ABI_OK);
}

static void suspend_self(void)
{
	cap_t self;
	struct kt_thread t = kt_thread(0, suspends_itself, &self, KT_HIGH, 0, true);

	self = t.tcb;
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.count, 1);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.count, 2);
}

static void empty_thread_runs(void)
{
	cap_t t = tcb(), sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 7);

	/* No CSpace, no VSpace, registers zero: faults at once, harms nobody. */
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), sc, 1000, 1000, 0, 0, 0));
	CHECK_OK(sel4_tcb_set_sched_params(t, ABI_ROOT_TCB, sc, 0, 1, KT_HIGH));
	CHECK_OK(sel4_tcb_resume(t));
	CHECK_OK(sel4_tcb_resume(t));
}

static void vspace_deleted_while_it_runs(void)
{
	uint64_t badge = 0, mr[4] = { 0 };
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0), vspace = kt_make(ABI_OBJ_VSPACE, 0);
	struct kt_thread t = kt_thread(0, counts, NULL, KT_HIGH, ep, true);

	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, vspace));
	CHECK_OK(sel4_tcb_set_space(t.tcb, ep, KT_CNODE, vspace, 0, 0));
	CHECK_OK(kt_delete(vspace));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(msginfo_label(sel4_nb_recv(ep, &badge, mr, kt_make(ABI_OBJ_REPLY, 0))),
		 ABI_FAULT_VM);
}

static const struct kt_case cases[] = {
	{ "tcb: truncated messages", truncated },
	{ "tcb: WriteRegisters and ReadRegisters", registers },
	{ "tcb: the PC of a call, before and behind its answer", registers_behind_a_call },
	{ "tcb: register counts", register_counts },
	{ "tcb: SPSR is made safe", spsr_is_sanitised },
	{ "tcb: not the own registers", own_registers },
	{ "tcb: CopyRegisters", copy_registers },
	{ "tcb: SetPriority and SetMCPriority", priorities },
	{ "tcb: SetSchedParams", sched_params },
	{ "tcb: SetTimeoutEndpoint", timeout_endpoint },
	{ "tcb: Configure's errors", configure_errors },
	{ "tcb: SetSpace's errors", set_space_errors },
	{ "tcb: SetIPCBuffer", ipc_buffer_errors },
	{ "tcb: SetFlags", flags },
	{ "tcb: the FPU switched off and on", fpu_disabled },
	{ "tcb: SetTLSBase", tls_base },
	{ "tcb: the PC of a thread that is ready", pc_of_a_ready_thread },
	{ "tcb: Suspend and Resume", suspend_resume },
	{ "tcb: a thread suspends itself", suspend_self },
	{ "tcb: a thread suspends itself by CopyRegisters", copy_suspends_self },
	{ "tcb: a thread without anything runs into a fault", empty_thread_runs },
	{ "tcb: the address space was deleted", vspace_deleted_while_it_runs },
};
KT_GROUP(kt_tcb);
