/* Boot on x86-64: what Multiboot and ACPI say of the machine. */
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
#define LOW_END 0x100000ull /* below: the firmware's, given away as device memory */
#define MAPPED_END 0x100000000ull
#define MESSAGE_START 0xfffffff8ull /* stores there could be taken for interrupts */
#define IMAGE_MAX (1ull << 32)
#define MAP_ENTRIES 50

static struct multiboot loader;
static struct boot_machine machine;
static struct machine_interrupts interrupts;
static struct boot_args args;

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

/* Maps say of some memory twice that it is there. */
static void add_ram(paddr_t start, uint64_t bytes)
{
	paddr_t from = align_up_u64(max_u64(start, LOW_END), PAGE);
	paddr_t end = align_down_u64(min_u64(start + bytes, ARCH_WINDOW_BYTES), PAGE);

	if (from >= end)
		return;
	regions_subtract(&machine.ram, from, end);
	regions_add(&machine.ram, from, end);
}

static void add_kernel(paddr_t start, uint64_t bytes)
{
	regions_add(&machine.kernel, align_down_u64(start, PAGE),
		    align_up_u64(start + bytes, PAGE));
}

static void read_map(void)
{
	for (unsigned i = 0; i < loader.memory_count; i++) {
		struct multiboot_memory e = loader.memory[i];
		if (i < MAP_ENTRIES) {
			extra.map[i] = e;
			extra.map_bytes += sizeof(e);
		}
		if (e.type == MULTIBOOT_RAM)
			add_ram(e.base, e.length);
	}
	/* What is something else as well is not RAM. */
	for (unsigned i = 0; i < loader.memory_count; i++) {
		struct multiboot_memory e = loader.memory[i];
		if (e.type != MULTIBOOT_RAM)
			regions_subtract(&machine.ram, align_down_u64(e.base, PAGE),
					 align_up_u64(e.base + e.length, PAGE));
	}
}

/* Clear memory that is neither the kernel's nor a module's. */
static paddr_t take_image(word_t bytes)
{
	struct regions left = machine.ram;

	regions_subtract_all(&left, &machine.kernel);
	regions_subtract_all(&left, &machine.reserved);
	for (unsigned i = 0; i < left.count; i++)
		if (left.r[i].end <= MAPPED_END && left.r[i].end - left.r[i].start >= bytes) {
			arch_clear_memory(paddr_to_ptr(left.r[i].start), bytes);
			return left.r[i].start;
		}
	panic("boot: no memory for the root task's %lu bytes", (unsigned long)bytes);
}

/* The first module is the root task; the others are for it, as device memory. */
static void read_modules(void)
{
	const struct multiboot_module first = loader.module[0];
	vptr_t start, end;

	if (!loader.module_count)
		panic("boot: no module, which would be the root task");
	for (unsigned i = 0; i < loader.module_count; i++)
		regions_add(&machine.reserved, align_down_u64(loader.module[i].start, PAGE),
			    align_up_u64(loader.module[i].end, PAGE));
	const void *image = paddr_to_ptr(first.start);
	if (!elf_size(image, first.end - first.start, &start, &end, &args.image_entry) ||
	    end - start > IMAGE_MAX)
		panic("boot: the first module is no ELF64 program for a root task");
	word_t bytes = align_up_u64(end, PAGE) - start;
	args.image_start = take_image(bytes);
	args.image_end = args.image_start + bytes;
	args.image_offset = args.image_start - start;
	elf_load(image, paddr_to_ptr(args.image_start), start);
	/* Loaded: the module's own memory is free. */
	regions_subtract(&machine.reserved, align_down_u64(first.start, PAGE),
			 align_up_u64(first.end, PAGE));
}

struct tcb *arch_boot(uint32_t magic, paddr_t info)
{
	const char *error = multiboot_read(&loader, magic, info);

	if (error)
		panic("boot: %s", error);
	cpu_check();
	acpi_read(&interrupts, loader.has_rsdp ? loader.rsdp : NULL, extra.rsdp);
	read_map();
	add_kernel(ptr_to_paddr(__kernel_start), (word_t)(__kernel_end - __kernel_start));
	add_kernel(interrupts.lapic, PAGE);
	for (unsigned i = 0; i < interrupts.ioapics; i++)
		add_kernel(interrupts.ioapic[i], PAGE);
	regions_add(&machine.kernel, MESSAGE_START, MAPPED_END);
	read_modules();
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
	asid_t first = (asid_t)asid_pool_install(pool);

	return cap_vspace(root_table, asid_assign(pool, first, root_table));
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
	const uint8_t *from = (const uint8_t *)&extra;
	uint8_t *out = to;

	(void)a;
	for (unsigned i = 0; out && i < sizeof(extra); i++)
		out[i] = from[i];
	return sizeof(extra);
}

void arch_boot_start(struct tcb *t, vptr_t entry, vptr_t bootinfo)
{
	t->arch.context.rdi = bootinfo;
	t->arch.context.rip = entry;
	t->arch.context.fault_ip = entry;
}
