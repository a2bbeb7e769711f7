/* Boot on x86-64, from the loader (kernel/loader/arch/x86_64). */
#include <arch/boot.h>

#include <abi/bootinfo.h>
#include <arch/link.h>
#include <arch/trap.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/arch.h>
#include <kernel/boot.h>
#include <kernel/panic.h>
#include <kernel/printk.h>
#include <selvage/base.h>

#define PAGE (1ull << ABI_PAGE_BITS)
#define MAPPED_END 0x100000000ull
#define MESSAGE_START 0xfffffff8ull /* stores there could be taken for interrupts */
#define MAP_ENTRIES 50

static struct boot_machine machine;

/* The chunks of extra boot information, as the ABI has them: not aligned. */
static struct __attribute__((packed)) {
	struct abi_extra_chunk rsdp_head;
	uint8_t rsdp[RSDP_BYTES];
	struct abi_extra_chunk map_head;
	uint32_t map_bytes;
	struct multiboot_memory map[MAP_ENTRIES];
	struct abi_extra_chunk tsc_head;
	uint32_t tsc_mhz;
} extra = {
	.rsdp_head = { ABI_EXTRA_ACPI_RSDP, 16 + RSDP_BYTES },
	.map_head = { ABI_EXTRA_MEMORY_MAP, 16 + 4 + sizeof(extra.map) },
	.tsc_head = { ABI_EXTRA_TSC_MHZ, 16 + 4 },
};
_Static_assert(sizeof(extra) == 1292, "ABI");

static void add_kernel(paddr_t start, uint64_t bytes)
{
	regions_add(&machine.kernel, align_down_u64(start, PAGE),
		    align_up_u64(start + bytes, PAGE));
}

struct tcb *arch_boot(const struct handover *h)
{
	struct machine_interrupts interrupts = h->interrupts;
	struct boot_args args = h->args;

	if (h->error)
		panic("boot: %s", h->error);
	machine.ram = h->ram;
	machine.reserved = h->modules;
	__builtin_memcpy(extra.rsdp, h->rsdp, RSDP_BYTES);
	extra.map_bytes = (uint32_t)min_u64(h->memory_count, MAP_ENTRIES) * sizeof(h->memory[0]);
	__builtin_memcpy(extra.map, h->memory, extra.map_bytes);
	/* The loader's memory is free from here on. */
	add_kernel(ptr_to_paddr(__kernel_start), (word_t)(__kernel_end - __kernel_start));
	add_kernel(interrupts.lapic, PAGE);
	for (unsigned i = 0; i < interrupts.ioapics; i++)
		add_kernel(interrupts.ioapic[i], PAGE);
	regions_add(&machine.kernel, MESSAGE_START, MAPPED_END);
	mmu_init(&machine.ram);
	mmu_map_device(interrupts.lapic, PAGE);
	for (unsigned i = 0; i < interrupts.ioapics; i++)
		mmu_map_device(interrupts.ioapic[i], PAGE);
	if (interrupts.hpet)
		mmu_map_device(interrupts.hpet, PAGE);
	cpu_init_tables();
	apic_init(&interrupts);
	timer_init(interrupts.hpet);
	svm_init();
	vmx_init();
	cpu_init(); /* its times are in ticks */
	extra.tsc_mhz = timer_mhz();
	printk("Selvage kernel " ABI_CONFIG_NAME ", TSC %u MHz\n", timer_mhz());
	boot_root(&machine, &args);
	return trap_first();
}

/* --- for core/boot.c --- */
struct cap arch_boot_vspace(paddr_t root_table, paddr_t asid_pool)
{
	struct asid_pool *pool = paddr_to_ptr(asid_pool);
	asid_t first = asid_pool_install(pool);

	return cap_vspace(root_table, asid_assign(pool, first, root_table, false));
}

bool arch_boot_needs_table(struct cap vspace, vptr_t vaddr)
{
	return paging_walk(cap_addr(vspace), vaddr, PAGE_LEVEL).level != PAGE_LEVEL;
}

struct cap arch_boot_map_table(struct cap vspace, vptr_t vaddr, paddr_t table)
{
	static const enum cap_type types[] = { CAP_PDPT, CAP_PAGE_DIRECTORY, CAP_PAGE_TABLE };
	struct pte_ref at = paging_walk(cap_addr(vspace), vaddr, PAGE_LEVEL);

	paging_set(at.entry, pte_make_table(table), cap_map_asid(vspace), vaddr, true);
	vaddr = align_down_u64(vaddr, 1ull << level_bits(at.level));
	return cap_make(types[at.level], table, 0, cap_map_word(vaddr, cap_map_asid(vspace)));
}

struct cap arch_boot_map_frame(struct cap vspace, vptr_t vaddr, paddr_t frame)
{
	word_t rights = ABI_RIGHT_READ | ABI_RIGHT_WRITE;
	struct cap c = cap_frame(frame, FRAME_SMALL, rights, false);
	struct pte_ref at = paging_walk(cap_addr(vspace), vaddr, PAGE_LEVEL);

	paging_set(at.entry, pte_make_leaf(frame, PAGE_LEVEL, rights, ABI_VM_DEFAULT),
		   cap_map_asid(vspace), vaddr, false);
	c.w1 = cap_map_word(vaddr, cap_map_asid(vspace));
	return c;
}

struct cap arch_boot_asid_pool(paddr_t pool) { return cap_asid_pool(paddr_to_ptr(pool), 0); }

void arch_boot_caps(const struct boot_machine *m, struct slot *slots)
{
	(void)m;
	slot_set_root(&slots[ABI_ROOT_ASID_CONTROL], cap_make(CAP_ASID_CONTROL, 0, 0, 0));
	slot_set_root(&slots[ABI_ROOT_IO_PORT], cap_make(CAP_IO_PORT_CONTROL, 0, 0, 0));
}

word_t arch_boot_extra(const struct boot_args *a, void *to)
{
	(void)a;
	if (to)
		__builtin_memcpy(to, &extra, sizeof(extra));
	return sizeof(extra);
}

void arch_boot_start(struct tcb *t, vptr_t entry, vptr_t bootinfo)
{
	t->arch.context.rdi = bootinfo;
	t->arch.context.rip = t->arch.context.fault_ip = entry;
}
