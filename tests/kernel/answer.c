/* Replies to faults, word by word: what is written into the thread, and what
 * is left alone. The thread stays stopped, so that its registers can be read. */
#include "kt.h"

#define SENT 0xa0000u
#define SPSR_FLAGS 0xf0000000ull

static struct {
	cap_t ep, reply;
	struct kt_thread t;
	uint64_t before[ABI_CTX_COUNT], after[ABI_CTX_COUNT];
	uint64_t msg[ABI_SYSFAULT_WORDS];
} s;

static void unknown(void *arg)
{
	register uint64_t x0 __asm__("x0") = 0x50;
	register uint64_t x5 __asm__("x5") = 0x55;
	register int64_t x7 __asm__("x7") = -1000;

	(void)arg;
	__asm__ volatile("svc #0"
			 : "+r"(x0), "+r"(x5), "+r"(x7)
			 :
			 : "memory");
	kt_stop();
}

static void undefined(void *arg)
{
	(void)arg;
	__asm__ volatile("udf #0");
	kt_stop();
}

static void no_memory(void *arg)
{
	(void)arg;
	*(volatile uint64_t *)0x2000000010ull = 1;
	kt_stop();
}

static void no_capability(void *arg)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	sel4_send(1ull << 60, msginfo(0, 0, 0), mr);
	kt_stop();
}

static msginfo_t fault(void (*entry)(void *), uint64_t mr[SEL4_MSG_REGS])
{
	uint64_t badge = 0;

	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.t = kt_thread(0, entry, NULL, KT_HIGH, kt_mint(s.ep, KT_ALL, 0xfa), true);
	CHECK_OK(sel4_tcb_resume(s.t.tcb));
	msginfo_t info = sel4_nb_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(badge, 0xfa);
	for (unsigned i = 0; i < ABI_SYSFAULT_WORDS; i++)
		s.msg[i] = i < SEL4_MSG_REGS ? mr[i] : sel4_ipcbuf->msg[i];
	CHECK_OK(sel4_tcb_read_registers(s.t.tcb, 0, ABI_CTX_COUNT, s.before));
	return info;
}

/* Answers with n words, and compares registers: `to` is where each word goes. */
static void answer(unsigned n, const uint8_t *to, unsigned words)
{
	uint64_t mr[SEL4_MSG_REGS];

	for (unsigned i = 0; i < n; i++)
		*(i < SEL4_MSG_REGS ? &mr[i] : &sel4_ipcbuf->msg[i]) = SENT + 16 * i;
	for (unsigned i = 0; i < n && i < words; i++)
		if (to[i] == ABI_CTX_SPSR)
			*(i < SEL4_MSG_REGS ? &mr[i] : &sel4_ipcbuf->msg[i]) = SPSR_FLAGS | 0xd;
	sel4_send(s.reply, msginfo(1, 0, n), mr);
	CHECK_OK(sel4_tcb_read_registers(s.t.tcb, 0, ABI_CTX_COUNT, s.after));
	for (unsigned i = 0; i < n && i < words; i++)
		if (to[i] < ABI_CTX_COUNT)
			s.before[to[i]] = to[i] == ABI_CTX_SPSR ? SPSR_FLAGS : SENT + 16 * i;
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		CHECK_EQ(s.after[i], s.before[i]);
}

static const uint8_t syscall_words[ABI_SYSFAULT_REPLY_WORDS] = {
	ABI_CTX_X0, ABI_CTX_X1, ABI_CTX_X2, ABI_CTX_X3, ABI_CTX_X4, ABI_CTX_X5, ABI_CTX_X6,
	ABI_CTX_X7, ABI_CTX_PC, ABI_CTX_SP, ABI_CTX_COUNT /* LR is not written */, ABI_CTX_SPSR
};
static const uint8_t exception_words[ABI_EXCFAULT_REPLY_WORDS] = { ABI_CTX_PC, ABI_CTX_SP,
								   ABI_CTX_SPSR };

static void syscall_lengths(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	for (unsigned n = 0; n <= ABI_SYSFAULT_REPLY_WORDS; n++) {
		(void)fault(unknown, mr);
		answer(n, syscall_words, ABI_SYSFAULT_REPLY_WORDS);
		CHECK_OK(kt_delete(s.t.tcb));
	}
}

static void syscall_too_long(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	(void)fault(unknown, mr);
	answer(60, syscall_words, ABI_SYSFAULT_REPLY_WORDS);
}

static void syscall_message(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	CHECK_EQ(fault(unknown, mr), msginfo(ABI_FAULT_UNKNOWN_SYSCALL, 0, ABI_SYSFAULT_WORDS));
	CHECK_EQ(mr[0], 0x50);
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(s.msg[i], s.before[syscall_words[i]]);
	CHECK_EQ(s.msg[ABI_SYSFAULT_IP], s.before[ABI_CTX_PC]);
	CHECK_EQ(s.msg[ABI_SYSFAULT_SP], s.before[ABI_CTX_SP]);
	CHECK_EQ(s.msg[ABI_SYSFAULT_LR], s.before[ABI_CTX_PC] + 4);
	CHECK_EQ(s.msg[ABI_SYSFAULT_SPSR] & ~SPSR_FLAGS & 0x3df, 0);
	CHECK_EQ(s.msg[ABI_SYSFAULT_NUMBER], (uint64_t)-1000);
}

static void exception_lengths(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	for (unsigned n = 0; n <= 8; n++) {
		(void)fault(undefined, mr);
		answer(n, exception_words, ABI_EXCFAULT_REPLY_WORDS);
		CHECK_OK(kt_delete(s.t.tcb));
	}
}

static void exception_message(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	CHECK_EQ(fault(undefined, mr), msginfo(ABI_FAULT_USER_EXCEPTION, 0, ABI_EXCFAULT_WORDS));
	CHECK_EQ(mr[ABI_EXCFAULT_IP], s.before[ABI_CTX_PC]);
	CHECK_EQ(mr[ABI_EXCFAULT_SP], s.before[ABI_CTX_SP]);
	CHECK_EQ(mr[ABI_EXCFAULT_NUMBER], 0x02000000);
	CHECK_EQ(s.msg[ABI_EXCFAULT_CODE], 0);
}

static void vm_reply_writes_nothing(void)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	CHECK_EQ(fault(no_memory, mr), msginfo(ABI_FAULT_VM, 0, ABI_VMFAULT_WORDS));
	CHECK_EQ(mr[ABI_VMFAULT_IP], s.before[ABI_CTX_PC]);
	CHECK_EQ(mr[ABI_VMFAULT_ADDR], 0x2000000010ull);
	CHECK_EQ(mr[ABI_VMFAULT_FSR] >> 6 & 1, 1); /* a write */
	for (unsigned i = 0; i < SEL4_MSG_REGS; i++)
		mr[i] = SENT;
	sel4_send(s.reply, msginfo(0, 0, 4), mr);
	/* The store was tried again. */
	CHECK_EQ(msginfo_label(sel4_nb_recv(s.ep, &badge, mr, s.reply)), ABI_FAULT_VM);
	CHECK_OK(sel4_tcb_read_registers(s.t.tcb, 0, ABI_CTX_COUNT, s.after));
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		CHECK_EQ(s.after[i], s.before[i]);
}

static void cap_reply_writes_nothing(void)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	CHECK_EQ(fault(no_capability, mr), msginfo(ABI_FAULT_CAP, 0, 7));
	for (unsigned i = 0; i < SEL4_MSG_REGS; i++)
		mr[i] = SENT;
	sel4_send(s.reply, msginfo(5, 0, 4), mr);
	CHECK_EQ(msginfo_label(sel4_nb_recv(s.ep, &badge, mr, s.reply)), ABI_FAULT_CAP);
	CHECK_OK(sel4_tcb_read_registers(s.t.tcb, 0, ABI_CTX_COUNT, s.after));
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		CHECK_EQ(s.after[i], s.before[i]);
}

/* --- a handler without an IPC buffer --- */

static struct {
	msginfo_t info;
	uint64_t mr[SEL4_MSG_REGS];
	volatile unsigned count;
	unsigned words;
} h;

static void handler(void *arg)
{
	uint64_t badge;

	(void)arg;
	h.info = sel4_recv(s.ep, &badge, h.mr, s.reply);
	for (unsigned i = 0; i < SEL4_MSG_REGS; i++)
		h.mr[i] = SENT + 16 * i;
	h.count++;
	sel4_send(s.reply, msginfo(1, 0, h.words), h.mr);
	kt_stop();
}

static void handler_without_a_buffer(void)
{
	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	h.count = 0;
	h.words = ABI_SYSFAULT_REPLY_WORDS;
	struct kt_thread t = kt_thread(1, handler, NULL, KT_HIGH, 0, true);
	CHECK_OK(sel4_tcb_set_ipc_buffer(t.tcb, 0, 0));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	s.t = kt_thread(0, unknown, NULL, KT_HIGH, s.ep, true);
	CHECK_OK(sel4_tcb_resume(s.t.tcb));
	CHECK_EQ(h.count, 1);
	CHECK_EQ(h.info, msginfo(ABI_FAULT_UNKNOWN_SYSCALL, 0, SEL4_MSG_REGS));
	/* And of its answer only the registers arrive. */
	CHECK_OK(sel4_tcb_read_registers(s.t.tcb, 0, ABI_CTX_COUNT, s.after));
	CHECK_EQ(s.after[ABI_CTX_X0], SENT);
	CHECK_EQ(s.after[ABI_CTX_X3], SENT + 48);
	CHECK_EQ(s.after[ABI_CTX_X5], 0x55);
	CHECK_EQ(s.after[ABI_CTX_X7], (uint64_t)-1000);
}

/* --- handlers that cannot be told --- */

static void handler_deleted_while_it_waits(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.t = kt_thread(0, undefined, NULL, KT_HIGH, s.ep, true);
	CHECK_OK(sel4_tcb_resume(s.t.tcb));
	/* Its endpoint goes: it stops, and does not try again. */
	CHECK_OK(kt_revoke(s.ep));
	CHECK_OK(kt_delete(s.ep));
	CHECK_OK(sel4_tcb_read_registers(s.t.tcb, 0, 1, mr));
	CHECK_OK(sel4_tcb_resume(s.t.tcb));
	CHECK_OK(sel4_tcb_suspend(s.t.tcb));
}

static void reply_object_deleted(void)
{
	uint64_t badge = 1, mr[SEL4_MSG_REGS] = { 0 };

	(void)fault(undefined, mr);
	CHECK_OK(kt_delete(s.reply));
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	(void)sel4_nb_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(badge, 0);
	/* Resumed it faults again. */
	CHECK_OK(sel4_tcb_resume(s.t.tcb));
	CHECK_EQ(msginfo_label(sel4_nb_recv(s.ep, &badge, mr, s.reply)), ABI_FAULT_USER_EXCEPTION);
}

static void resumed_while_it_waits(void)
{
	uint64_t badge = 1, mr[SEL4_MSG_REGS] = { 0 };

	(void)fault(undefined, mr);
	/* Resume takes it from the reply object; then the same fault. */
	CHECK_OK(sel4_tcb_resume(s.t.tcb));
	sel4_send(s.reply, msginfo(0, 0, 0), mr);
	CHECK_EQ(msginfo_label(sel4_nb_recv(s.ep, &badge, mr, s.reply)), ABI_FAULT_USER_EXCEPTION);
}

static void faults_waiting_in_order(void)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0), reply = kt_make(ABI_OBJ_REPLY, 0);

	for (unsigned i = 0; i < 4; i++) {
		struct kt_thread t = kt_thread(i, undefined, NULL, KT_HIGH + (i & 1),
					       kt_mint(ep, KT_ALL, i + 1), true);

		CHECK_OK(sel4_tcb_resume(t.tcb));
	}
	static const uint8_t order[] = { 2, 4, 1, 3 };
	for (unsigned i = 0; i < 4; i++) {
		(void)sel4_nb_recv(ep, &badge, mr, reply);
		CHECK_EQ(badge, order[i]);
		sel4_send(reply, msginfo(1, 0, 0), mr);
	}
}

static const struct kt_case cases[] = {
	{ "answer: an unknown system call's message", syscall_message },
	{ "answer: to a system call, every length", syscall_lengths },
	{ "answer: to a system call, too long", syscall_too_long },
	{ "answer: an exception's message", exception_message },
	{ "answer: to an exception, every length", exception_lengths },
	{ "answer: to a memory fault, writes nothing", vm_reply_writes_nothing },
	{ "answer: to a capability fault, writes nothing", cap_reply_writes_nothing },
	{ "answer: a handler without a buffer", handler_without_a_buffer },
	{ "answer: the handler's endpoint deleted", handler_deleted_while_it_waits },
	{ "answer: the reply object deleted", reply_object_deleted },
	{ "answer: resumed while it waits for an answer", resumed_while_it_waits },
	{ "answer: faults wait by priority", faults_waiting_in_order },
};
KT_GROUP(kt_answered);
