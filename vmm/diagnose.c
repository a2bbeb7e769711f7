#include "diagnose.h"

#include <selvage/base.h>
#include <stddef.h>

#define VECTOR_BYTES32 0x20u
#define VECTOR_BYTES64 0x800u
#define NEAR_STACK 0x1000u
#define NULL_PAGE 0x1000u
#define LOOKS_LIKE 9u /* of 16 words */

/* What QEMU's machines have where our boards have nothing, or not this one. */
struct absent {
	uint64_t base, size;
	unsigned gic_version; /* only of a VM with this one; 0: any */
	struct diagnosis d;
};

#define MISSING "missing-device"
static const struct absent virt_absent[] = {
	{ 0x08030000, 0x20000, 0, { "hypervisor-range", "GICH and GICV, registers of the hypervisor's that a guest does not have", NULL, NULL } },
	{ 0x08010000, 0x10000, 3, { MISSING, "the CPU interface of a GICv2; this machine has a GICv3", "machine.gic", "2" } },
	{ 0x08080000, 0x20000, 0, { MISSING, "a GIC ITS, which this board does not have", NULL, NULL } },
	{ 0x080a0000, 0xf60000, 2, { MISSING, "redistributors of a GICv3; this machine has a GICv2", "machine.gic", "3" } },
	{ 0x09000000, 0x1000, 0, { MISSING, "the PL011, which this VM was not given", "devices", "pl011" } },
	{ 0x09010000, 0x1000, 0, { MISSING, "the PL031, which this VM was not given", "devices", "rtc" } },
	{ 0x09020000, 0x20000, 0, { MISSING, "QEMU's fw_cfg or GPIO, which this board does not have", NULL, NULL } },
	{ 0x0b000000, 0x2000, 0, { MISSING, "the kick device, which this VM was not given", "devices", "kick" } },
	{ 0x0a000000, 0x4000, 0, { MISSING, "virtio-mmio, which this board does not have", NULL, NULL } },
	{ 0x10000000, 0x30000, 0, { "wrong-board", "a motherboard register of vexpress-a9", "board", "vexpress-a9" } },
	{ 0x1e000000, 0x2000, 0, { "wrong-board", "a register of the Cortex-A9 of vexpress-a9", "board", "vexpress-a9" } },
	{ 0x10000000, 0x30000000, 0, { MISSING, "PCIe, which this board does not have", NULL, NULL } },
};
static const struct absent a9_absent[] = {
	{ 0x08000000, 0x02000000, 0, { "wrong-board", "a device of the board virt", "board", "virt" } },
	{ 0x10000000, 0x20000, 0, { MISSING, "a motherboard register that this board does not have", NULL, NULL } },
	{ 0x40000000, 0x20000000, 0, { MISSING, "flash, SRAM, video or Ethernet, which this board does not have", NULL, NULL } },
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

static bool wrong_width(const struct fault_facts *f, struct diagnosis *d)
{
	if (f->narrow ? f->words_wide < LOOKS_LIKE : f->words_narrow < LOOKS_LIKE)
		return false;
	if (f->narrow)
		*d = (struct diagnosis){ "wrong-width",
					 "the code at the entry is AArch64's, and the vCPU started with 32 bits",
					 "width", "64" };
	else
		*d = (struct diagnosis){ "wrong-width",
					 "the code at the entry is 32-bit ARM, and the vCPU started with 64 bits",
					 "width", "32" };
	return true;
}

static bool in_vectors(const struct fault_facts *f)
{
	return f->pc - f->vectors < (f->narrow ? VECTOR_BYTES32 : VECTOR_BYTES64);
}

static void diagnose_vectors(const struct fault_facts *f, struct diagnosis *d)
{
	if (f->narrow && f->high_vectors)
		*d = (struct diagnosis){ "no-vectors",
					 "SCTLR.V puts the exception vectors at 0xffff0000, where no memory is",
					 "memory", "a region at 0xffff0000" };
	else if (f->narrow && f->vectors == 0)
		*d = (struct diagnosis){ "low-vectors",
					 "an exception was taken to the vectors at address 0, where no memory is",
					 "low_vectors", "default" };
	else
		*d = (struct diagnosis){ "no-vectors",
					 "an exception was taken to VBAR, where no memory is: the guest set none",
					 NULL, NULL };
}

static void diagnose_fetch(const struct fault_facts *f, struct diagnosis *d)
{
	if (f->device != NULL)
		*d = (struct diagnosis){ "execute-device",
					 "a jump into a device's registers: a wrong entry or code pointer",
					 f->pc == f->entry ? "entry" : NULL, NULL };
	else if (f->first && f->pc == f->entry)
		*d = (struct diagnosis){ "entry-outside-memory",
					 "the VM was entered where it has no memory", "entry",
					 "an address in the VM's memory" };
	else if (in_vectors(f) && !f->vectors_in_memory)
		diagnose_vectors(f, d);
	else
		*d = (struct diagnosis){ "wild-jump",
					 "a jump to where no memory is: a wrong code pointer or return address",
					 NULL, NULL };
}

static bool diagnose_place(const struct fault_facts *f, struct diagnosis *d)
{
	const struct absent *list = f->board_a9 ? a9_absent : virt_absent;
	unsigned n = f->board_a9 ? sizeof(a9_absent) / sizeof(a9_absent[0])
				 : sizeof(virt_absent) / sizeof(virt_absent[0]);

	if (!f->sp_in_memory && f->gpa - f->sp + NEAR_STACK < 2 * NEAR_STACK)
		*d = (struct diagnosis){ "stack-outside-memory",
					 "the stack pointer is where the VM has no memory", "memory",
					 "a region that holds the stack" };
	else if (f->gpa >= f->ram && f->gpa - f->ram < 4 * f->ram_bytes)
		*d = (struct diagnosis){ "above-memory", "just above the VM's memory: it may need more",
					 "memory", "more" };
	else if (!find_absent(list, n, f, d))
		return false;
	return true;
}

void diagnose(const struct fault_facts *f, struct diagnosis *d)
{
	*d = (struct diagnosis){ "unsupported",
				 "the guest uses something that this monitor does not offer", NULL,
				 NULL };
	if (f->kind == FAULT_OTHER)
		return;
	if (f->in_memory) {
		*d = (struct diagnosis){ "system", "memory of the VM that is not mapped as it should be: "
						   "a fault of the system, not of the guest",
					 NULL, NULL };
		return;
	}
	if (f->undecodable) {
		*d = (struct diagnosis){ "undecodable",
					 "a device's register, with an instruction that cannot be carried out on one",
					 NULL, NULL };
		return;
	}
	if (f->table_walk) {
		*d = (struct diagnosis){ "tables-outside-memory",
					 "the guest's page tables stand outside its memory", "memory", NULL };
		return;
	}
	if (wrong_width(f, d))
		return;
	if (f->kind == FAULT_FETCH) {
		diagnose_fetch(f, d);
		return;
	}
	if (diagnose_place(f, d))
		return;
	if (f->gpa < NULL_PAGE)
		*d = (struct diagnosis){ "null-pointer", "a null pointer", NULL, NULL };
	else
		*d = (struct diagnosis){ MISSING,
					 "a device that this VM does not have, or a wild pointer", "devices",
					 NULL };
}
