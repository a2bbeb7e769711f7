#include "diagnose.h"

#include <selvage/base.h>
#include <stddef.h>

#define VECTOR_BYTES32 0x20u
#define VECTOR_BYTES64 0x800u
#define NEAR_STACK 0x1000u
#define NULL_PAGE 0x1000u

/* What QEMU's machines have where our boards have nothing, or not this one. */
struct absent {
	uint64_t base, size;
	unsigned gic_version; /* only of a VM with this one; 0: any */
	struct diagnosis d;
};

#define MISSING "missing-device"
#define BOARD "wrong-board"
#define HYPERVISOR "hypervisor-range"
#define OF_BOARD ", which this board does not have"
#define OF_VM ", which this VM was not given"

#define GIC2 "a GICv2, and this VM has a GICv3"
#define GIC3 "a GICv3, and this VM has a GICv2"
#define NO_KEY NULL, NULL
#define A9                                                                         \
	{                                                                          \
		BOARD, "a device of the board vexpress-a9", "board", "vexpress-a9" \
	}

static const struct absent virt_absent[] = {
	{ 0x08030000, 0x20000, 0, { HYPERVISOR, "GICH, GICV: the hypervisor's", NO_KEY } },
	{ 0x08010000, 0x10000, 3, { MISSING, GIC2, "gic", "2" } },
	{ 0x08080000, 0x20000, 0, { MISSING, "a GIC ITS" OF_BOARD, NO_KEY } },
	{ 0x080a0000, 0xf60000, 2, { MISSING, GIC3, "gic", "3" } },
	{ 0x09000000, 0x1000, 0, { MISSING, "the PL011" OF_VM, "devices", "pl011" } },
	{ 0x09010000, 0x1000, 0, { MISSING, "the PL031" OF_VM, "devices", "rtc" } },
	{ 0x09020000, 0x20000, 0, { MISSING, "fw_cfg or GPIO" OF_BOARD, NO_KEY } },
	{ 0x0a000000, 0x4000, 0, { MISSING, "virtio-mmio" OF_BOARD, NO_KEY } },
	{ 0x0b000000, 0x2000, 0, { MISSING, "the kick device" OF_VM, "devices", "kick" } },
	{ 0x10000000, 0x30000, 0, A9 },
	{ 0x1e000000, 0x3000, 0, A9 },
	{ 0x10000000, 0x30000000, 0, { MISSING, "PCI" OF_VM, "virtio", "pci" } },
};
static const struct absent a9_absent[] = {
	{ 0x08000000, 0x02000000, 0, { BOARD, "a device of the board virt", "board", "virt" } },
	{ 0x10000000, 0x20000, 0, { MISSING, "a motherboard register" OF_BOARD, NO_KEY } },
	{ 0x40000000, 0x20000000, 0, { MISSING, "flash, video or Ethernet" OF_BOARD, NO_KEY } },
};

static bool find_absent(const struct absent *list, unsigned n, const struct fault_facts *f,
			struct diagnosis *d)
{
	for (unsigned i = 0; i < n; i++) {
		if (f->gpa - list[i].base < list[i].size &&
		    (list[i].gic_version == 0 || list[i].gic_version == f->gic_version)) {
			*d = list[i].d;
			return true;
		}
	}
	return false;
}

static void conclude(struct diagnosis *d, const char *code, const char *text, const char *key,
		     const char *value)
{
	*d = (struct diagnosis){ code, text, key, value };
}

static bool wrong_width(const struct fault_facts *f, struct diagnosis *d)
{
	unsigned other = f->narrow ? f->words_wide : f->words_narrow;
	unsigned same = f->narrow ? f->words_narrow : f->words_wide;

	/* Half of them like the other width's, and hardly any like this one's. */
	if (f->words < 4 || other * 2 < f->words || same * 4 > f->words)
		return false;
	if (f->narrow)
		conclude(d, "wrong-width",
			 "the code at the entry is AArch64's, and the vCPU started with 32 bits",
			 "width", "64");
	else
		conclude(d, "wrong-width",
			 "the code at the entry is 32-bit ARM, and the vCPU started with 64 bits",
			 "width", "32");
	return true;
}

static bool in_vectors(const struct fault_facts *f)
{
	return f->pc - f->vectors < (f->narrow ? VECTOR_BYTES32 : VECTOR_BYTES64);
}

static void diagnose_vectors(const struct fault_facts *f, struct diagnosis *d)
{
	if (f->high_vectors)
		conclude(d, "no-vectors",
			 "SCTLR.V puts the vectors at 0xffff0000, where no memory is", "memory",
			 "a region at 0xffff0000");
	else if (f->narrow && f->vectors == 0)
		conclude(d, "low-vectors",
			 "an exception was taken to the vectors at address 0, where no memory is",
			 "low_vectors", "default");
	else
		conclude(d, "no-vectors",
			 "an exception was taken to VBAR, where no memory is: was it set?", NULL,
			 NULL);
}

static void diagnose_fetch(const struct fault_facts *f, struct diagnosis *d)
{
	if (f->device != NULL)
		conclude(d, "execute-device",
			 "a jump into a device's registers: a wrong entry or code pointer",
			 f->pc == f->entry ? "entry" : NULL, NULL);
	else if (f->first && f->pc == f->entry)
		conclude(d, "entry-outside-memory", "the VM was entered where it has no memory",
			 "entry", "an address in the VM's memory");
	else if (in_vectors(f) && !f->vectors_in_memory)
		diagnose_vectors(f, d);
	else
		conclude(d, "wild-jump",
			 "a jump to where no memory is: a wrong code pointer or return address",
			 NULL, NULL);
}

static void diagnose_data(const struct fault_facts *f, struct diagnosis *d)
{
	const struct absent *list = f->board_a9 ? a9_absent : virt_absent;
	unsigned n = f->board_a9 ? sizeof(a9_absent) / sizeof(a9_absent[0])
				 : sizeof(virt_absent) / sizeof(virt_absent[0]);

	if (!f->sp_in_memory && f->gpa - f->sp + NEAR_STACK < 2 * NEAR_STACK)
		conclude(d, "stack-outside-memory",
			 "the stack pointer is where the VM has no memory", "memory",
			 "a region that holds the stack");
	else if (f->gpa >= f->ram && f->gpa - f->ram < 4 * f->ram_bytes)
		conclude(d, "above-memory", "just above the VM's memory: it may need more",
			 "memory", "more");
	else if (!f->board_pc && find_absent(list, n, f, d))
		return;
	else if (f->gpa < NULL_PAGE)
		conclude(d, "null-pointer", "a null pointer", NULL, NULL);
	else
		conclude(d, MISSING, "a device that this VM does not have, or a wild pointer",
			 "devices", NULL);
}

void diagnose(const struct fault_facts *f, struct diagnosis *d)
{
	if (f->shutdown)
		conclude(d, "triple-fault",
			 f->vectors_in_memory
				 ? "an exception, and its handlers could not be "
				   "entered: gates or stack"
				 : "an exception, and no interrupt table is where IDTR says",
			 NULL, NULL);
	else if (f->kind == FAULT_OTHER)
		conclude(d, "unsupported",
			 "the guest uses something that this monitor does not offer", NULL, NULL);
	else if (f->in_memory)
		conclude(d, "system",
			 "the VM's memory, not mapped as it should be: not the guest's fault", NULL,
			 NULL);
	else if (f->undecodable)
		conclude(d, "undecodable",
			 "a device's register, with an instruction that does not work on one",
			 NULL, NULL);
	else if (f->table_walk)
		conclude(d, "tables-outside-memory",
			 "the guest's page tables stand outside its memory", "memory", NULL);
	else if (wrong_width(f, d))
		return;
	else if (f->kind == FAULT_FETCH)
		diagnose_fetch(f, d);
	else
		diagnose_data(f, d);
}
