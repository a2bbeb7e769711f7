/* I/O ports: issuing of ranges, accesses. */
#include "pc_tests.h"

#define CMOS 0x70
#define DMA_PAGE 0x82 /* of a channel that nobody uses: keeps what is written */
#define PCI_ADDRESS 0xcf8u

static int issue(unsigned first, unsigned last, cap_t slot)
{
	return sel4_io_port_control_issue(ABI_ROOT_IO_PORT, KT_CNODE, first, last, slot, 64);
}

static void issue_errors(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0x1000, 0x1001, kt_slot(), 64 };

	sel4_ipcbuf->caps_or_badges[0] = KT_CNODE;
	for (unsigned n = 0; n < 4; n++)
		CHECK_EQ(sel4_invoke(ABI_ROOT_IO_PORT, ABI_INV_X86_IO_PORT_CONTROL_ISSUE, 1, n, mr),
			 ABI_TRUNCATED_MESSAGE);
	CHECK_EQ(sel4_invoke(ABI_ROOT_IO_PORT, ABI_INV_X86_IO_PORT_CONTROL_ISSUE, 0, 4, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_EQ(sel4_invoke(ABI_ROOT_IO_PORT, ABI_INV_X86_IO_PORT_IN8, 0, 1, mr),
		 ABI_ILLEGAL_OPERATION);
	CHECK_ERROR1(issue(0x1001, 0x1000, kt_slot()), ABI_INVALID_ARGUMENT, 1);
	/* 16 bits count. */
	CHECK_ERROR1(issue(0xffff, 0x10000, kt_slot()), ABI_INVALID_ARGUMENT, 1);
	CHECK_EQ(issue(0x1000, 0x1003, ABI_ROOT_TCB), ABI_DELETE_FIRST);
	CHECK_ERROR2(sel4_io_port_control_issue(ABI_ROOT_IO_PORT, ABI_ROOT_TCB, 0x1000, 0x1003, 1,
						64),
		     ABI_FAILED_LOOKUP, 0, ABI_LOOKUP_INVALID_ROOT);
	CHECK_OK(issue(0x1000, 0x1003, kt_slot())); /* nothing of it is taken */
}

/* Ranges around the words and bits in which a kernel may keep them. */
static void one_owner_at_a_time(void)
{
	static const uint32_t ranges[] = {
		0x20002000,
		0x203f2040,
		0x2040207f,
		0x200120fe,
		0x20052007,
		0x4000cfff,
		0xffffffff,
		0xfffeffff,
		0,
	};

	for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		unsigned first = ranges[i] >> 16, last = ranges[i] & 0xffff;
		cap_t slot = kt_slot(), copy, other = kt_slot();

		CHECK_OK(issue(first, last, slot));
		CHECK_EQ(issue(first, last, other), ABI_REVOKE_FIRST);
		CHECK_EQ(issue(last, last, other), ABI_REVOKE_FIRST);
		CHECK_EQ(issue((first + last) / 2, last, other), ABI_REVOKE_FIRST);
		if (first > 0) {
			CHECK_EQ(issue(first - 1, first, other), ABI_REVOKE_FIRST);
			CHECK_OK(issue(first - 1, first - 1, other)); /* only up to it */
			CHECK_OK(kt_delete(other));
		}
		if (last < 0xffff) {
			CHECK_EQ(issue(last, last + 1, other), ABI_REVOKE_FIRST);
			CHECK_OK(issue(last + 1, last + 1, other));
			CHECK_OK(kt_delete(other));
		}
		copy = kt_copy(slot);
		CHECK_OK(kt_delete(slot));
		CHECK_EQ(issue(first, last, slot), ABI_REVOKE_FIRST);
		CHECK_OK(kt_delete(copy));
		CHECK_OK(issue(first, last, slot));
		CHECK_OK(kt_delete(slot));
	}
}

/* The console's stays: it is not this case's. */
static void no_copy_of_the_control(void)
{
	CHECK_EQ(sel4_cnode_copy(KT_CNODE, kt_slot(), 64, KT_CNODE, ABI_ROOT_IO_PORT, 64, KT_ALL),
		 ABI_ILLEGAL_OPERATION);
}

static void accesses(void)
{
	cap_t page = ports(DMA_PAGE, DMA_PAGE), pci = ports(PCI_ADDRESS, PCI_ADDRESS + 7);
	uint64_t v = 0;

	CHECK_OK(sel4_io_port_out8(page, DMA_PAGE, 0x5a));
	CHECK_OK(sel4_io_port_in8(page, DMA_PAGE, &v));
	CHECK_EQ(v, 0x5a);
	CHECK_OK(sel4_io_port_out32(pci, PCI_ADDRESS, 0x80000000));
	CHECK_OK(sel4_io_port_in32(pci, PCI_ADDRESS, &v));
	CHECK_EQ(v, 0x80000000);
	CHECK_OK(sel4_io_port_in16(pci, PCI_ADDRESS + 4, &v));
	CHECK_EQ(v, 0x8086); /* the host bridge is Intel's on both emulators */
	uint64_t both = 0, device = 0;
	CHECK_OK(sel4_io_port_in32(pci, PCI_ADDRESS + 4, &both));
	CHECK_OK(sel4_io_port_in16(pci, PCI_ADDRESS + 6, &device));
	CHECK_EQ(both, v | device << 16);
}

/* All of an access has to be in the range; nothing else is asked. */
static void outside(void)
{
	cap_t one = ports(0x3000, 0x3002), last = ports(0xfffe, 0xffff);
	uint64_t v = 0x77, mr[SEL4_MSG_REGS] = { 0x3000, 0 };

	CHECK_EQ(sel4_io_port_in8(one, 0x2fff, &v), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_io_port_in8(one, 0x3003, &v), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_io_port_in16(one, 0x3002, &v), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_io_port_in32(one, 0x3000, &v), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_io_port_out8(one, 0x3003, 1), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_io_port_out16(one, 0x3002, 1), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_io_port_out32(one, 0x2fff, 1), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_io_port_in16(last, 0xffff, &v), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_io_port_in32(last, 0xfffe, &v), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_io_port_in16(last, 0xfffe, &v));
	CHECK_OK(sel4_io_port_in16(one, 0x3001, &v));
	CHECK_EQ(sel4_invoke(one, ABI_INV_X86_IO_PORT_IN8, 0, 0, mr), ABI_TRUNCATED_MESSAGE);
	CHECK_EQ(sel4_invoke(one, ABI_INV_X86_IO_PORT_OUT32, 0, 1, mr), ABI_TRUNCATED_MESSAGE);
	CHECK_EQ(sel4_invoke(one, ABI_INV_X86_IO_PORT_CONTROL_ISSUE, 0, 4, mr),
		 ABI_ILLEGAL_OPERATION);
}

static void reads_a_port(void *arg)
{
	uint8_t v;

	(void)arg;
	__asm__ volatile("in $0x71, %0"
			 : "=a"(v));
	kt_stop();
}

/* By the instruction no port is anybody's, capability or not. */
static void instructions(void)
{
	cap_t cmos = ports(CMOS, CMOS + 1);
	struct watched w = watch(reads_a_port, NULL);

	CHECK(watch_faulted(&w));
	CHECK_EQ(msginfo_label(w.info), ABI_FAULT_USER_EXCEPTION);
	CHECK_EQ(w.mr[ABI_EXCFAULT_NUMBER], 13);
	CHECK(!kt_is_empty(cmos));
}

static const struct kt_case cases[] = {
	{ "ports: errors of Issue", issue_errors },
	{ "ports: a range has one owner", one_owner_at_a_time },
	{ "ports: the control has no copies", no_copy_of_the_control },
	{ "ports: bytes, words, double words", accesses },
	{ "ports: accesses outside the range", outside },
	{ "ports: not by instructions", instructions },
};
KT_GROUP(kt_ports);
