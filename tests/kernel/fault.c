/* Faults as messages and what the replies do. */
#include "kt.h"

#define BAD_ADDRESS 0x123456789000ull /* above the user's part of the tables */
#define NO_MEMORY 0x2000000010ull     /* nothing is mapped there */

static struct {
	cap_t ep, handler, reply;
	volatile unsigned step;
	uint64_t regs[ABI_CTX_COUNT];
} s;

static void clear(void)
{
	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.handler = kt_mint(s.ep, ABI_RIGHT_WRITE | ABI_RIGHT_GRANT_REPLY, 0xfa);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.step = 0;
}

static struct kt_thread start(void (*entry)(void *), void *arg)
{
	struct kt_thread t = kt_thread(0, entry, arg, KT_HIGH, s.handler, true);

	CHECK_OK(sel4_tcb_resume(t.tcb));
	return t;
}

static msginfo_t receive(uint64_t mr[4])
{
	uint64_t badge = 0;
	msginfo_t info = sel4_nb_recv(s.ep, &badge, mr, s.reply);

	CHECK_EQ(badge, 0xfa);
	return info;
}

static void reads_nowhere(void *arg)
{
	s.step = 1;
	*(volatile uint64_t *)arg;
	s.step = 2;
	kt_stop();
}

static void vm_fault(void)
{
	uint64_t mr[4] = { 0 };
	msginfo_t info;

	clear();
	(void)start(reads_nowhere, (void *)NO_MEMORY);
	info = receive(mr);
	CHECK_EQ(msginfo_label(info), ABI_FAULT_VM);
	CHECK_EQ(msginfo_words(info), ABI_VMFAULT_WORDS);
	CHECK_EQ(mr[ABI_VMFAULT_ADDR], NO_MEMORY);
	CHECK_EQ(mr[ABI_VMFAULT_IS_FETCH], 0);
	CHECK_EQ(mr[ABI_VMFAULT_FSR] >> 26, 0x24);
	CHECK_EQ(s.step, 1);
	/* The reply runs the instruction again: the same fault. */
	sel4_send(s.reply, msginfo(0, 0, 0), mr);
	info = receive(mr);
	CHECK_EQ(msginfo_label(info), ABI_FAULT_VM);
}

static void vm_fault_high_address(void)
{
	uint64_t mr[4] = { 0 };

	clear();
	(void)start(reads_nowhere, (void *)BAD_ADDRESS);
	CHECK_EQ(msginfo_label(receive(mr)), ABI_FAULT_VM);
	CHECK_EQ(mr[ABI_VMFAULT_ADDR], BAD_ADDRESS);
}

static void vm_fault_fetch(void)
{
	uint64_t mr[4] = { 0 };

	clear();
	struct kt_thread t = kt_thread(0, reads_nowhere, NULL, KT_HIGH, s.handler, true);
	kt_registers(0)[ABI_CTX_PC] = NO_MEMORY;
	CHECK_OK(sel4_tcb_write_registers(t.tcb, 1, ABI_CTX_COUNT, kt_registers(0)));
	CHECK_EQ(msginfo_label(receive(mr)), ABI_FAULT_VM);
	CHECK_EQ(mr[ABI_VMFAULT_IP], NO_MEMORY);
	CHECK_EQ(mr[ABI_VMFAULT_IS_FETCH], 1);
}

static void handler_moves_pc(void)
{
	uint64_t mr[4] = { 0 };

	clear();
	struct kt_thread t = start(reads_nowhere, (void *)NO_MEMORY);
	(void)receive(mr);
	CHECK_OK(sel4_tcb_read_registers(t.tcb, 0, ABI_CTX_COUNT, s.regs));
	CHECK_EQ(s.regs[ABI_CTX_PC], mr[ABI_VMFAULT_IP]);
	s.regs[ABI_CTX_PC] += 4;
	CHECK_OK(sel4_tcb_write_registers(t.tcb, 0, ABI_CTX_COUNT, s.regs));
	sel4_send(s.reply, msginfo(0, 0, 0), mr);
	CHECK_EQ(s.step, 2);
}

static void unknown_call(void *arg)
{
	register uint64_t x0 __asm__("x0") = 0x10;
	register uint64_t x3 __asm__("x3") = 0x13;
	register int64_t x7 __asm__("x7") = (int64_t)(intptr_t)arg;

	s.step = 1;
	__asm__ volatile("svc #0"
			 : "+r"(x0), "+r"(x3)
			 : "r"(x7)
			 : "memory");
	s.regs[0] = x0;
	s.regs[3] = x3;
	s.step = 2;
	kt_stop();
}

static void unknown_syscall(void)
{
	static const int64_t numbers[] = { 0, 1, 7, -60, -12345678, 0x7fffffffffffffff };

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint64_t mr[4] = { 0 }, ip;
		msginfo_t info;

		clear();
		struct kt_thread t = start(unknown_call, (void *)(intptr_t)numbers[i]);
		info = receive(mr);
		CHECK_EQ(msginfo_label(info), ABI_FAULT_UNKNOWN_SYSCALL);
		CHECK_EQ(msginfo_words(info), ABI_SYSFAULT_WORDS);
		CHECK_EQ(mr[0], 0x10);
		CHECK_EQ(mr[3], 0x13);
		CHECK_EQ(sel4_ipcbuf->msg[ABI_SYSFAULT_NUMBER], (uint64_t)numbers[i]);
		ip = sel4_ipcbuf->msg[ABI_SYSFAULT_IP];
		CHECK_EQ(sel4_ipcbuf->msg[ABI_SYSFAULT_LR], ip + 4);
		sel4_ipcbuf->msg[ABI_SYSFAULT_IP] = ip + 4;
		mr[0] = 0xaa;
		mr[3] = 0xbb;
		sel4_send(s.reply, msginfo(0, 0, ABI_SYSFAULT_REPLY_WORDS), mr);
		CHECK_EQ(s.step, 2);
		CHECK_EQ(s.regs[0], 0xaa);
		CHECK_EQ(s.regs[3], 0xbb);
		CHECK_OK(kt_delete(t.tcb));
	}
}

static void reply_label_stops(void)
{
	uint64_t mr[4] = { 0 };

	clear();
	struct kt_thread t = start(unknown_call, NULL);
	(void)receive(mr);
	sel4_send(s.reply, msginfo(1, 0, 0), mr);
	CHECK_EQ(s.step, 1);
	/* It stays inactive until somebody resumes it: the call runs again. */
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(msginfo_label(receive(mr)), ABI_FAULT_UNKNOWN_SYSCALL);
}

static void undefined(void *arg)
{
	(void)arg;
	s.step = 1;
	__asm__ volatile("udf #0");
	s.step = 2;
	kt_stop();
}

static void user_exception(void)
{
	uint64_t mr[4] = { 0 };
	msginfo_t info;

	clear();
	(void)start(undefined, NULL);
	info = receive(mr);
	CHECK_EQ(msginfo_label(info), ABI_FAULT_USER_EXCEPTION);
	CHECK_EQ(msginfo_words(info), ABI_EXCFAULT_WORDS);
	CHECK_EQ(mr[ABI_EXCFAULT_NUMBER], 0x02000000);
	mr[ABI_EXCFAULT_IP] += 4;
	sel4_send(s.reply, msginfo(0, 0, 1), mr);
	CHECK_EQ(s.step, 2);
}

static void sends_nowhere(void *arg)
{
	uint64_t mr[4] = { 0 };

	s.step = 1;
	(void)sel4_call((cap_t)(uintptr_t)arg, msginfo(0, 0, 0), mr);
	s.step = 2;
	kt_stop();
}

static void cap_fault_send(void)
{
	uint64_t mr[4] = { 0 };
	msginfo_t info;

	clear();
	/* The root CNode's guard is zero: an address with a high bit misses. */
	(void)start(sends_nowhere, (void *)(1ull << 40));
	info = receive(mr);
	CHECK_EQ(msginfo_label(info), ABI_FAULT_CAP);
	CHECK_EQ(mr[ABI_CAPFAULT_ADDR], 1ull << 40);
	CHECK_EQ(mr[ABI_CAPFAULT_IN_RECV], 0);
	CHECK_EQ(mr[ABI_CAPFAULT_LOOKUP], ABI_LOOKUP_GUARD_MISMATCH);
	CHECK_EQ(msginfo_words(info), 7);
	CHECK_EQ(sel4_ipcbuf->msg[4], 64);
	CHECK_EQ(sel4_ipcbuf->msg[5], 0);
	CHECK_EQ(sel4_ipcbuf->msg[6], 64 - ABI_ROOT_CNODE_BITS);
	/* Any reply runs the call again. */
	sel4_send(s.reply, msginfo(1, 0, 0), mr);
	CHECK_EQ(msginfo_label(receive(mr)), ABI_FAULT_CAP);
}

static void bad_extra(void *arg)
{
	uint64_t mr[4] = { 0 };

	(void)arg;
	sel4_ipcbuf->caps_or_badges[0] = 1ull << 50;
	s.step = 1;
	(void)sel4_call(ABI_ROOT_TCB, msginfo(ABI_INV_TCB_SET_PRIORITY, 1, 1), mr);
	s.step = 2;
	kt_stop();
}

static void cap_fault_extra(void)
{
	uint64_t mr[4] = { 0 };

	clear();
	(void)start(bad_extra, NULL);
	CHECK_EQ(msginfo_label(receive(mr)), ABI_FAULT_CAP);
	CHECK_EQ(mr[ABI_CAPFAULT_ADDR], 1ull << 50);
	CHECK_EQ(s.step, 1);
}

static struct {
	cap_t src, reply;
} recv;

static void receives_badly(void *arg)
{
	uint64_t badge, mr[4] = { 0 };

	(void)arg;
	s.step = 1;
	(void)sel4_recv(recv.src, &badge, mr, recv.reply);
	s.step = 2;
	kt_stop();
}

static void check_receive_fault(cap_t src, cap_t reply, cap_t addr)
{
	uint64_t mr[4] = { 0 };

	recv.src = src;
	recv.reply = reply;
	struct kt_thread t = start(receives_badly, NULL);
	CHECK_EQ(msginfo_label(receive(mr)), ABI_FAULT_CAP);
	CHECK_EQ(mr[ABI_CAPFAULT_ADDR], addr);
	CHECK_EQ(mr[ABI_CAPFAULT_IN_RECV], 1);
	CHECK_EQ(mr[ABI_CAPFAULT_LOOKUP], ABI_LOOKUP_MISSING_CAPABILITY);
	CHECK_EQ(sel4_ipcbuf->msg[4], 0);
	CHECK_OK(kt_delete(t.tcb));
}

static void cap_fault_receive(void)
{
	clear();
	cap_t target = kt_make(ABI_OBJ_ENDPOINT, 0);
	cap_t writer = kt_mint(target, ABI_RIGHT_WRITE, 0);
	cap_t ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);

	check_receive_fault(writer, s.reply, writer);
	check_receive_fault(ABI_ROOT_TCB, s.reply, ABI_ROOT_TCB);
	check_receive_fault(target, ABI_ROOT_TCB, ABI_ROOT_TCB);
	check_receive_fault(kt_slot(), s.reply, kt_slots(0) - 1);
	/* Bound to another thread. */
	CHECK_OK(sel4_tcb_bind_notification(ABI_ROOT_TCB, ntfn));
	check_receive_fault(ntfn, s.reply, ntfn);
	CHECK_OK(sel4_tcb_unbind_notification(ABI_ROOT_TCB));
}

static void faults_then_sends(void *arg)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0x51, 0x52 };

	__asm__ volatile("brk #1");
	sel4_send(*(cap_t *)arg, msginfo(0x5e, 0, 2), mr);
	kt_stop();
}

/* Received without a reply object, a fault is over: resumed, the thread goes
 * on, and what it sends is its own message. */
static void received_without_a_reply_object(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 }, badge;
	msginfo_t info;

	clear();
	cap_t other = kt_make(ABI_OBJ_ENDPOINT, 0);
	struct kt_thread t = start(faults_then_sends, &other);
	info = sel4_wait_msg(s.ep, &badge, mr);
	CHECK_EQ(msginfo_label(info), ABI_FAULT_USER_EXCEPTION);
	CHECK_OK(sel4_tcb_read_registers(t.tcb, 0, ABI_CTX_COUNT, s.regs));
	s.regs[ABI_CTX_PC] += 4;
	CHECK_OK(sel4_tcb_write_registers(t.tcb, 1, ABI_CTX_COUNT, s.regs));
	info = sel4_nb_recv(other, &badge, mr, s.reply);
	CHECK_EQ(msginfo_label(info), 0x5e);
	CHECK_EQ(msginfo_words(info), 2);
	CHECK_EQ(mr[1], 0x52);
}

static void without_handler(void)
{
	clear();
	struct kt_thread t = kt_start(0, reads_nowhere, (void *)NO_MEMORY, KT_HIGH);
	CHECK_EQ(s.step, 1);
	CHECK_OK(sel4_tcb_read_registers(t.tcb, 0, ABI_CTX_COUNT, s.regs));
	s.regs[ABI_CTX_PC] += 4;
	CHECK_OK(sel4_tcb_write_registers(t.tcb, 1, ABI_CTX_COUNT, s.regs));
	CHECK_EQ(s.step, 2);
}

static void suspended_while_faulted(void)
{
	uint64_t badge = 1, mr[4] = { 0 };

	clear();
	struct kt_thread t = start(reads_nowhere, (void *)NO_MEMORY);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	(void)sel4_nb_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(badge, 0);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(msginfo_label(receive(mr)), ABI_FAULT_VM);
}

static void handler_thread(void *arg)
{
	uint64_t badge, mr[4] = { 0 };
	msginfo_t info = sel4_recv(s.ep, &badge, mr, s.reply);

	(void)arg;
	for (;;) {
		CHECK_EQ(msginfo_label(info), ABI_FAULT_USER_EXCEPTION);
		mr[0] += 4;
		info = sel4_reply_recv(s.ep, msginfo(0, 0, 1), &badge, mr, s.reply);
	}
}

static void passive_handler(void)
{
	clear();
	struct kt_thread h = kt_start(1, handler_thread, NULL, KT_HIGH);
	CHECK_OK(sel4_sched_context_unbind(h.sc));
	(void)start(undefined, NULL);
	CHECK_EQ(s.step, 2);
}

static const struct kt_case cases[] = {
	{ "fault: a read of unmapped memory", vm_fault },
	{ "fault: an address above the tables", vm_fault_high_address },
	{ "fault: an instruction fetch", vm_fault_fetch },
	{ "fault: the handler moves the PC", handler_moves_pc },
	{ "fault: unknown system calls, registers written back", unknown_syscall },
	{ "fault: a reply label other than 0 leaves it stopped", reply_label_stops },
	{ "fault: an undefined instruction", user_exception },
	{ "fault: a capability address that misses, sending", cap_fault_send },
	{ "fault: an extra capability that misses", cap_fault_extra },
	{ "fault: what cannot be received from", cap_fault_receive },
	{ "fault: received without a reply object", received_without_a_reply_object },
	{ "fault: without a handler the thread stops", without_handler },
	{ "fault: suspended while it waits for the handler", suspended_while_faulted },
	{ "fault: a passive handler runs on the faulter's context", passive_handler },
};
KT_GROUP(kt_fault);
