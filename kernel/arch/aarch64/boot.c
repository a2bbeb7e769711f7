/* Boot on AArch64: what the devicetree says of the machine. */
#include <arch/boot.h>

#include <abi/bootinfo.h>
#include <arch/gic.h>
#include <arch/link.h>
#include <arch/plain.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <arch/vspace.h>
#include <kernel/arch.h>
#include <kernel/boot.h>
#include <kernel/panic.h>
#include <kernel/printk.h>
#include <plat/uart.h>
#include <selvage/base.h>
#include <selvage/fdt.h>

#define PAGE (1ull << ABI_PAGE_BITS)
#define ADDRESS_END (1ull << SELVAGE_PA_BITS)

static struct boot_machine machine;
static struct gic_place gic;
static bool uart_found;

static void add_ram(paddr_t start, uint64_t size)
{
	paddr_t end = align_down_u64(min_u64(start + size, ADDRESS_END), PAGE);

	regions_add(&machine.ram, align_up_u64(start, PAGE), end);
}

static void add_reserved(paddr_t start, uint64_t size)
{
	regions_add(&machine.reserved, align_down_u64(start, PAGE),
		    align_up_u64(start + size, PAGE));
}

static void add_kernel(paddr_t start, uint64_t size)
{
	regions_add(&machine.kernel, align_down_u64(start, PAGE), align_up_u64(start + size, PAGE));
}

static bool parent_is(const struct fdt_node *n, const char *name)
{
	const char *p = n->parent ? n->parent->name : "";

	for (; *p && *p == *name; p++, name++)
		;
	return *p == *name;
}

static void visit_gic(const struct fdt_node *n)
{
	bool v3 = fdt_prop_has(n->compatible, "arm,gic-v3");
	paddr_t at[4] = { 0 };
	uint64_t size[4] = { 0 };

	if (!v3 && !fdt_prop_has(n->compatible, "arm,cortex-a15-gic") &&
	    !fdt_prop_has(n->compatible, "arm,gic-400"))
		return;
	for (unsigned i = 0; i < 4 && fdt_reg(n, i, &at[i], &size[i]); i++)
		;
	gic = (struct gic_place){ .version = v3 ? 3 : 2, .dist = at[0] };
	add_kernel(at[0], size[0]);
	add_kernel(at[1], size[1]);
	if (v3) {
		gic.redist = at[1];
		gic.redist_bytes = size[1];
	} else {
		gic.cpu = at[1];
		gic.hyp = at[2];
		add_kernel(at[2], size[2]); /* at[3], GICV, is for guests */
	}
}

static void visit(const struct fdt_node *n, void *arg)
{
	uint64_t start, size;

	(void)arg;
	if (fdt_prop_has(n->device_type, "memory")) {
		for (unsigned i = 0; fdt_reg(n, i, &start, &size); i++)
			add_ram(start, size);
	} else if (parent_is(n, "reserved-memory")) {
		for (unsigned i = 0; fdt_reg(n, i, &start, &size); i++)
			add_reserved(start, size);
	} else if (fdt_prop_has(n->compatible, "arm,pl011")) {
		if (!uart_found && fdt_reg(n, 0, &start, &size)) {
			plat_uart_set_base(start);
			uart_found = true;
		}
	} else if (fdt_prop_has(n->compatible, "arm,psci-0.2") ||
		   fdt_prop_has(n->compatible, "arm,psci-1.0")) {
		machine.smc = fdt_prop_has(n->method, "smc");
	}
	visit_gic(n);
}

static void read_devicetree(const struct boot_args *a)
{
	paddr_t start;
	uint64_t size;

	if (!fdt_walk(paddr_to_ptr(a->dtb), a->dtb_bytes, visit, NULL))
		panic("boot: no valid devicetree");
	for (unsigned i = 0; fdt_reservation(paddr_to_ptr(a->dtb), a->dtb_bytes, i, &start, &size);
	     i++)
		add_reserved(start, size);
	if (!machine.ram.count)
		panic("boot: the devicetree names no memory");
	if (!gic.version || !gic.dist || (gic.version == 2 && !gic.hyp))
		panic("boot: the devicetree names no GICv2 or GICv3 with virtual interrupts");
	add_kernel(ptr_to_paddr(__kernel_start), (word_t)(__kernel_end - __kernel_start));
}

static void map_devices(void)
{
	mmu_map_device(plat_uart_base(), PAGE);
	mmu_map_device(gic.dist, 0x10000);
	if (gic.version == 3) {
		mmu_map_device(gic.redist, gic.redist_bytes);
	} else {
		mmu_map_device(gic.cpu, 0x2000);
		mmu_map_device(gic.hyp, 0x1000);
	}
}

/* From start.S; returns the first thread to run. */
struct tcb *arch_boot(const struct boot_args *args)
{
	read_devicetree(args);
	if (!SELVAGE_EXTENSIONS)
		plain_boot(&machine);
	mmu_init(&machine.ram);
	map_devices();
	cpu_init();
	cpu_init_el2();
	gic_init(&gic);
	printk("Selvage kernel " ABI_CONFIG_NAME ", GICv%u, %u list registers\n", gic.version,
	       vgic_lr_count());
	boot_root(&machine, args);
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
	return stage2_walk(cap_addr(vspace), vaddr, PAGE_LEVEL).level != PAGE_LEVEL;
}

struct cap arch_boot_map_table(struct cap vspace, vptr_t vaddr, paddr_t table)
{
	return page_table_map_at(vspace, vaddr, table);
}

struct cap arch_boot_map_frame(struct cap vspace, vptr_t vaddr, paddr_t frame)
{
	word_t rights = ABI_RIGHT_READ | ABI_RIGHT_WRITE;
	struct cap c = cap_frame(frame, FRAME_SMALL, rights, false);
	struct pte_ref at = stage2_walk(cap_addr(vspace), vaddr, PAGE_LEVEL);

	stage2_set(at.entry, pte_make_leaf(frame, PAGE_LEVEL, rights, ABI_VM_DEFAULT),
		   cap_map_asid(vspace));
	c.w1 = cap_map_word(vaddr, cap_map_asid(vspace));
	return c;
}

struct cap arch_boot_asid_pool(paddr_t pool) { return cap_asid_pool(paddr_to_ptr(pool), 0); }

void arch_boot_caps(const struct boot_machine *m, struct slot *slots)
{
	slot_set_root(&slots[ABI_ROOT_ASID_CONTROL], cap_make(CAP_ASID_CONTROL, 0, 0, 0));
	if (m->smc)
		slot_set_root(&slots[ABI_ROOT_SMC], cap_make(CAP_SMC, 0, 0, 0));
}

/* The devicetree. */
word_t arch_boot_extra(const struct boot_args *a, void *to)
{
	struct abi_extra_chunk *chunk = to;
	word_t bytes = a->dtb_bytes ? sizeof(*chunk) + a->dtb_bytes : 0;

	if (chunk && bytes) {
		*chunk = (struct abi_extra_chunk){ ABI_EXTRA_FDT, bytes };
		const uint8_t *from = paddr_to_ptr(a->dtb);
		for (word_t i = 0; i < a->dtb_bytes; i++)
			((uint8_t *)(chunk + 1))[i] = from[i];
	}
	return bytes;
}

void arch_boot_start(struct tcb *t, vptr_t entry, vptr_t bootinfo)
{
	t->arch.context.x[0] = bootinfo;
	t->arch.context.elr = entry;
	t->arch.context.fault_ip = entry;
}
