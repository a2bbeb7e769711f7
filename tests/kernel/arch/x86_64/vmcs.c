/* The ABI's own way to run a guest of VT-x: VMCS fields and VMEnter. */
#include "guest.h"

#include <abi/ext.h>
#include <abi/vcpu.h>
#include <string.h>

#define STATE_WORDS 25u

enum { CODE_RIGHTS = 0x9b,
       DATA_RIGHTS = 0x93,
       LDT_RIGHTS = 0x82,
       TASK_RIGHTS = 0x8b };
enum { VMEXIT_EXCEPTION = 0,
       VMEXIT_CPUID = 10,
       VMEXIT_HLT = 12,
       VMEXIT_VMCALL = 18,
       VMEXIT_PORT = 30,
       VMEXIT_INVALID = 33 };

static cap_t vcpu;

static uint64_t read_field(unsigned field)
{
	uint64_t v = 0;

	CHECK_OK(sel4_vcpu_read_field(vcpu, field, &v));
	return v;
}

static uint64_t write_field(unsigned field, uint64_t value)
{
	uint64_t mr[SEL4_MSG_REGS] = { field, value };

	CHECK_OK(sel4_invoke(vcpu, ABI_INV_X86_VCPU_WRITE_VMCS, 0, 2, mr));
	return mr[0];
}

/* 16-bit code from `piece` on, by this thread. */
static void set_up(const char *piece)
{
	cap_t ept = guest_make_ept();

	vcpu = kt_make(ABI_OBJ_VCPU, 0);
	guest_fill_memory(ept, 0);
	CHECK_OK(sel4_tcb_set_ept_root(ABI_ROOT_TCB, ept));
	CHECK_OK(sel4_vcpu_set_tcb(vcpu, ABI_ROOT_TCB));
	(void)write_field(0x401e, 1u << 7 | 1u << 1); /* unrestricted */
	(void)write_field(0x4002, 1u << 7);           /* HLT */
	CHECK_EQ(write_field(0x4012, 0) & 1u << 9, 0);
	for (unsigned i = 0; i < 8; i++) {
		(void)write_field(0x4800 + 2 * i, 0xffff);
		(void)write_field(0x4814 + 2 * i, i == 1 ? CODE_RIGHTS : DATA_RIGHTS);
	}
	(void)write_field(0x4820, LDT_RIGHTS);
	(void)write_field(0x4822, TASK_RIGHTS);
	(void)write_field(0x4812, 0x3ff);
	(void)write_field(0x681c, GUEST_STACK);
	(void)write_field(0x6800, 0x30);
	(void)write_field(0x681e, guest_address(piece));
}

/* Its result; the message's words. */
static uint64_t mr[STATE_WORDS], badge;
static uint64_t enter(uint64_t rip)
{
	uint64_t words[4] = { rip, read_field(0x4002), 0 };
	struct sel4_trap t = { .mr = words };

	sel4_arch_trap(ABI_SYS_VM_ENTER, &t);
	badge = t.cap;
	memcpy(mr, words, sizeof(words));
	memcpy(mr + 4, sel4_ipcbuf->msg + 4, sizeof(mr) - sizeof(words));
	return t.info;
}

static void test_enter(void)
{
	uint64_t rip = guest_address(guest_ports), regs[15];

	set_up(guest_ports);
	for (unsigned i = 0; i < 15; i++)
		regs[i] = sel4_ipcbuf->msg[i] = 0x5500 + i;
	CHECK_OK(sel4_invoke(vcpu, ABI_INV_X86_VCPU_WRITE_REGISTERS, 0, 15, regs));
	/* A first entry that the processor refuses is none: the next one is the first. */
	(void)write_field(0x6820, 0);
	CHECK_EQ(enter(rip), 1);
	CHECK_EQ(mr[3], VMEXIT_INVALID);
	(void)write_field(0x6820, 2);
	CHECK_EQ(enter(rip), 1);
	CHECK_EQ(badge, 0);
	CHECK_EQ(mr[3], VMEXIT_PORT);
	CHECK_EQ(mr[4], 0x3f80000);
	CHECK_EQ(mr[5], 1);
	CHECK_EQ(mr[7], 2); /* flags */
	CHECK_EQ(mr[10], 0x11223344);
	CHECK_EQ(mr[11], 0x5501);
	CHECK_EQ(mr[13] & 0xffff, 0x3f8);
	CHECK_EQ(mr[24], 0x550e);
	CHECK_EQ(read_field(0x681e), mr[0]);
	CHECK_EQ(enter(mr[0] + mr[5]), 1);
	CHECK_EQ(mr[4], 0x700041);
	CHECK_EQ(enter(guest_address(guest_hlt)), 1);
	CHECK_EQ(mr[3], VMEXIT_HLT);
	CHECK_EQ(mr[4], 0);
	/* What the processor refuses. */
	(void)write_field(0x6820, 0);
	CHECK_EQ(enter(guest_address(guest_hlt)), 1);
	CHECK_EQ(mr[3], VMEXIT_INVALID);
	(void)write_field(0x6820, 2);
	CHECK_EQ(enter(guest_address(guest_hlt)), 1);
	CHECK_EQ(mr[3], VMEXIT_HLT);
}

static void test_fields(void)
{
	uint64_t v;

	vcpu = kt_make(ABI_OBJ_VCPU, 0);
	CHECK_EQ(read_field(0x4000) & 0x29, 0x29);
	CHECK_EQ(read_field(0x4000) & 0x40, 0);
	CHECK_EQ(read_field(0x4002) & 0x92180000, 0x92180000);
	CHECK_EQ(read_field(0x401e) & 2, 2);
	CHECK_EQ(read_field(0x400c) & 0x3c0204, 0x3c0204);
	CHECK_EQ(read_field(0x4012) & 1u << 9, 1u << 9);
	CHECK_EQ(read_field(0x6800), 0x20);
	CHECK_EQ(read_field(0x6804), 0x2000);
	/* Forced on, forced off, and without an address to go with. */
	CHECK_EQ(write_field(0x4000, 0) & 0x29, 0x29);
	CHECK_EQ(write_field(0x4002, 0) & 0x92180000, 0x92180000); /* CR8 is the host's */
	CHECK_EQ(write_field(0x4002, ~0ull) & (1u << 17 | 1u << 21), 0);
	CHECK_EQ(write_field(0x401e, ~0ull) & 0x66011, 0); /* virtual APIC, VMFUNC, PML, ... */
	CHECK_EQ(write_field(0x400c, 0) & 0x3c0204, 0x3c0204);
	CHECK_EQ(write_field(0x4012, ~0ull) & 1u << 10, 0);
	CHECK_EQ(write_field(0x6800, 0), 0x20);
	CHECK_EQ(write_field(0x6804, 0x20), 0x2020);
	CHECK_EQ(read_field(0x6804), 0x2020);
	CHECK_EQ(write_field(0x4004, 0x40), 0x40);
	CHECK_EQ(read_field(0x4004), 0x40);
	CHECK_EQ(write_field(0x800, 0x12345), 0x2345);
	CHECK_EQ(write_field(0x482e, 77), 77);
	CHECK_EQ(read_field(0x482e), 77);
	/* Others are nobody's. */
	static const uint16_t none[] = { 0x0, 0x2000, 0x2004, 0x2010, 0x201a, 0x2c00, 0x4402,
					 0x401a, 0x4014, 0x4c00, 0x6400, 0x6c00, 0x6c16, 0x801 };
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		CHECK_EQ(sel4_vcpu_read_field(vcpu, none[i], &v), ABI_ILLEGAL_OPERATION);
		CHECK_EQ(sel4_vcpu_write_field(vcpu, none[i], 1), ABI_ILLEGAL_OPERATION);
	}
	CHECK_EQ(sel4_vcpu_read_field(vcpu, 0x4018, &v), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(write_field(0x4018, 5), 5);
	CHECK_EQ(sel4_vcpu_write_field(vcpu, 0x2400, 1), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_vcpu_write_field(vcpu, 0x440c, 1), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_vcpu_read_field(vcpu, 0x440c, &v));
	/* What the host has for itself, or would be shut out by. */
	CHECK_EQ(write_field(0x6000, 0), 0x60000020);
	CHECK_EQ(write_field(0x6800, ~0ull), 0x9fffffff);
	CHECK_EQ(write_field(0x6002, 0) & 1u << 22, 1u << 22); /* protection keys */
	CHECK_EQ(write_field(0x6804, ~0ull) & (1u << 22 | 1u << 14), 0);
	CHECK_EQ(write_field(0x2806, ~0ull), 0xd01);
	CHECK_EQ(write_field(0x2802, ~0ull), 3);
	CHECK_EQ(write_field(0x4826, 3), 1);
	/* Lists. */
	uint64_t list[SEL4_MSG_REGS] = { ABI_VCPU_FIELDS, 0x681e, 0x1234, 0x681c };
	sel4_ipcbuf->msg[4] = 0x5678;
	CHECK_OK(sel4_invoke(vcpu, ABI_INV_X86_VCPU_WRITE_VMCS, 0, 5, list));
	CHECK_EQ(read_field(0x681e), 0x1234);
	list[0] = ABI_VCPU_FIELDS;
	list[1] = 0x681c;
	list[2] = 0x681e;
	CHECK_OK(sel4_invoke(vcpu, ABI_INV_X86_VCPU_READ_VMCS, 0, 3, list));
	CHECK_EQ(list[0], 0x5678);
	CHECK_EQ(list[1], 0x1234);
	list[0] = ABI_VCPU_FIELDS;
	list[1] = 0x6c00;
	CHECK_EQ(sel4_invoke(vcpu, ABI_INV_X86_VCPU_READ_VMCS, 0, 2, list), ABI_ILLEGAL_OPERATION);
}

static void test_ports(void)
{
	cap_t range = ports(0x60, 0x80);
	uint64_t words[SEL4_MSG_REGS] = { 0x60, 0x71 };

	set_up(guest_ports);
	sel4_ipcbuf->caps_or_badges[0] = range;
	CHECK_OK(sel4_invoke(vcpu, ABI_INV_X86_VCPU_ENABLE_IO_PORT, 1, 2, words));
	CHECK_EQ(enter(guest_address(guest_ports)), 1);
	CHECK_EQ(mr[4], 0x3f80000);
	/* 0x70 is open; the next one is not. */
	CHECK_EQ(enter(mr[0] + mr[5]), 1);
	CHECK_EQ(mr[3], VMEXIT_PORT);
	CHECK_EQ(mr[4], 0x3f80003);
	words[1] = 0x81;
	words[0] = 0x60;
	sel4_ipcbuf->caps_or_badges[0] = range;
	CHECK_ERROR1(sel4_invoke(vcpu, ABI_INV_X86_VCPU_ENABLE_IO_PORT, 1, 2, words),
		     ABI_INVALID_ARGUMENT, 0);
	words[0] = 0x5f;
	words[1] = 0x60;
	sel4_ipcbuf->caps_or_badges[0] = range;
	CHECK_ERROR1(sel4_invoke(vcpu, ABI_INV_X86_VCPU_ENABLE_IO_PORT, 1, 2, words),
		     ABI_INVALID_ARGUMENT, 0);
	words[0] = 0x60;
	sel4_ipcbuf->caps_or_badges[0] = vcpu;
	CHECK_EQ(sel4_invoke(vcpu, ABI_INV_X86_VCPU_ENABLE_IO_PORT, 1, 2, words),
		 ABI_ILLEGAL_OPERATION);
	words[0] = 0x70;
	words[1] = 0x71;
	sel4_ipcbuf->caps_or_badges[0] = range;
	CHECK_OK(sel4_invoke(vcpu, ABI_INV_X86_VCPU_DISABLE_IO_PORT, 1, 2, words));
	CHECK_EQ(enter(guest_address(guest_ports)), 1);
	CHECK_EQ(enter(mr[0] + mr[5]), 1);
	CHECK_EQ(mr[4], 0x700041);
	/* Whose capability is gone has no ports. */
	words[0] = 0x70;
	words[1] = 0x71;
	sel4_ipcbuf->caps_or_badges[0] = range;
	CHECK_OK(sel4_invoke(vcpu, ABI_INV_X86_VCPU_ENABLE_IO_PORT, 1, 2, words));
	CHECK_OK(kt_delete(range));
	CHECK_EQ(enter(guest_address(guest_ports)), 1);
	CHECK_EQ(enter(mr[0] + mr[5]), 1);
	CHECK_EQ(mr[4], 0x700041);
}

/* Signals end the call; interrupts alone do not. */
static void ring(void *arg) { sel4_signal((cap_t)(uintptr_t)arg); }

static void test_notified(void)
{
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0), badged = kt_mint(n, KT_ALL, 0x40);

	set_up(guest_spin);
	CHECK_OK(sel4_tcb_bind_notification(ABI_ROOT_TCB, n));
	sel4_signal(badged);
	CHECK_EQ(enter(guest_address(guest_spin)), 0);
	CHECK_EQ(badge, 0x40);
	struct kt_thread t = kt_thread(1, ring, (void *)(uintptr_t)badged, KT_LOW, 0, true);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	/* The guest runs, and the other one only when the guest's time slice ends. */
	CHECK_OK(sel4_tcb_set_priority(t.tcb, ABI_ROOT_TCB, KT_PRIO));
	CHECK_EQ(enter(guest_address(guest_spin)), 0);
	CHECK_EQ(badge, 0x40);
	CHECK_BETWEEN(mr[0], guest_address(guest_spin), guest_address(guest_spin) + 3);
	CHECK_OK(sel4_tcb_unbind_notification(ABI_ROOT_TCB));
}

static void test_fpu(void)
{
	uint64_t own;

	set_up(guest_hlt);
	__asm__ volatile("movq %0, %%xmm3" ::"r"(0x1234567ull));
	CHECK_EQ(enter(guest_address(guest_hlt)), 1);
	__asm__ volatile("movq %%xmm3, %0"
			 : "=r"(own));
	CHECK_EQ(own, 0x1234567);
}

static void stay_in_guest(void *arg)
{
	(void)arg;
	uint64_t words[4] = { guest_address(guest_spin), 0x92000000, 0 };
	struct sel4_trap t = { .mr = words };

	sel4_arch_trap(ABI_SYS_VM_ENTER, &t);
}

/* Without a VCPU, or when that goes, the call is unknown. */
static void test_deleted(void)
{
	struct watched w = watch(stay_in_guest, NULL);

	CHECK(watch_faulted(&w));
	CHECK_EQ(msginfo_label(w.info), ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_OK(kt_delete(w.t.tcb));
	set_up(guest_spin);
	cap_t ept = guest_make_ept(), ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	struct kt_thread t = kt_thread(1, stay_in_guest, NULL, KT_LOW, ep, true);
	guest_fill_memory(ept, 1);
	CHECK_OK(sel4_tcb_set_ept_root(t.tcb, ept));
	CHECK_OK(sel4_vcpu_set_tcb(vcpu, t.tcb));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(1000);
	uint64_t before = 0, mr_of[SEL4_MSG_REGS], ax = 0;
	CHECK_OK(sel4_vcpu_read_set(vcpu, 1, &before));
	/* Stopped and resumed it goes on. */
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(1000);
	CHECK_OK(sel4_vcpu_read_set(vcpu, 1, &ax));
	CHECK(ax != before);
	CHECK_OK(kt_delete(vcpu));
	msginfo_t info = sel4_recv(ep, &badge, mr_of, kt_make(ABI_OBJ_REPLY, 0));
	CHECK_EQ(msginfo_label(info), ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(sel4_ipcbuf->msg[ABI_SYSFAULT_NUMBER], (uint64_t)ABI_SYS_VM_ENTER);
}

static const struct kt_case cases[] = {
	{ "VMCS: VMEnter, and what its end says", test_enter },
	{ "VMCS: fields, and bits that are forced", test_fields },
	{ "VMCS: ports of the guest's own", test_ports },
	{ "VMCS: signals end VMEnter", test_notified },
	{ "VMCS: the thread's FPU is not the guest's", test_fpu },
	{ "VMCS: VMEnter without a VCPU", test_deleted },
};
KT_GROUP(kt_vmcs);
