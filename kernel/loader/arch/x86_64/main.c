/* What a boot loader says of the machine, and the root task's image. */
#include "loader.h"

#include "multiboot.h"

#include <abi/config.h>
#include <arch/cpu.h>
#include <selvage/base.h>

#define PAGE (1ull << ABI_PAGE_BITS)
#define LOW_END 0x100000ull /* below: the firmware's, given away as device memory */
#define MAPPED_END 0x100000000ull
#define IMAGE_MAX (1ull << 32)
#define APIC_ENABLED (1ull << 11)
#define PIC_FIRST_VECTOR 32 /* never raised: they are masked */

static struct multiboot boot;
static struct handover out;

/* Maps say of some memory twice that it is there. */
static void add_ram(paddr_t start, uint64_t bytes)
{
	paddr_t from = align_up_u64(max_u64(start, LOW_END), PAGE);
	paddr_t end = align_down_u64(min_u64(start + bytes, ARCH_WINDOW_BYTES), PAGE);

	if (from >= end)
		return;
	regions_subtract(&out.ram, from, end);
	regions_add(&out.ram, from, end);
}

static void read_map(void)
{
	for (unsigned i = 0; i < boot.memory_count; i++) {
		struct multiboot_memory e = boot.memory[i];
		out.memory[out.memory_count++] = e;
		if (e.type == MULTIBOOT_RAM)
			add_ram(e.base, e.length);
	}
	/* What is something else as well is not RAM. */
	for (unsigned i = 0; i < boot.memory_count; i++) {
		struct multiboot_memory e = boot.memory[i];
		if (e.type != MULTIBOOT_RAM)
			regions_subtract(&out.ram, align_down_u64(e.base, PAGE),
					 align_up_u64(e.base + e.length, PAGE));
	}
}

/* Clear memory that is neither loader, kernel nor a module; 0: there is none. */
static paddr_t take_image(word_t bytes)
{
	struct regions left = out.ram;

	regions_subtract(&left, LOW_END, align_up_u64((word_t)__kernel_phys_end, PAGE));
	regions_subtract_all(&left, &out.modules);
	for (unsigned i = 0; i < left.count; i++)
		if (left.r[i].end <= MAPPED_END && left.r[i].end - left.r[i].start >= bytes) {
			word_t *to = paddr_to_ptr(left.r[i].start);
			for (word_t n = 0; n < bytes / sizeof(word_t); n++)
				to[n] = 0;
			return left.r[i].start;
		}
	return 0;
}

/* The first module is the root task; the others are for it, as device memory. */
static const char *read_modules(void)
{
	const struct multiboot_module first = boot.module[0];
	struct boot_args *args = &out.args;
	vptr_t start, end;

	if (!boot.module_count)
		return "no module, which would be the root task";
	for (unsigned i = 0; i < boot.module_count; i++)
		regions_add(&out.modules, align_down_u64(boot.module[i].start, PAGE),
			    align_up_u64(boot.module[i].end, PAGE));
	const void *image = paddr_to_ptr(first.start);
	if (!elf_size(image, first.end - first.start, &start, &end, &args->image_entry) ||
	    end - start > IMAGE_MAX)
		return "the first module is no ELF64 program for a root task";
	word_t bytes = align_up_u64(end, PAGE) - start;
	args->image_start = take_image(bytes);
	if (!args->image_start)
		return "no memory for the root task";
	args->image_end = args->image_start + bytes;
	args->image_offset = args->image_start - start;
	elf_load(image, paddr_to_ptr(args->image_start), start);
	/* Loaded: the module's own memory is free. */
	regions_subtract(&out.modules, align_down_u64(first.start, PAGE),
			 align_up_u64(first.end, PAGE));
	return NULL;
}

/* What the ABI demands of the CPU; 1 GiB pages start.S has seen. */
static const char *check_cpu(void)
{
	if (!(cpuid(1, 0).c & 1u << 26))
		return "this CPU has no XSAVE";
	if (cpuid(0, 0).a < 7 || !(cpuid(7, 0).b & 1))
		return "this CPU has no FSGSBASE";
	if (!(cpuid(0x80000001, 0).d & 1u << 11))
		return "this CPU has no SYSCALL";
	return NULL;
}

/* The two 8259s: out of the way of the exceptions, and silent. */
static void pics_disable(void)
{
	static const uint16_t base[] = { 0x20, 0xa0 };

	for (unsigned i = 0; i < 2; i++) {
		out8(base[i], 0x11);
		out8(base[i] + 1, (uint8_t)(PIC_FIRST_VECTOR + 8 * i));
		out8(base[i] + 1, i ? 2 : 4);
		out8(base[i] + 1, 1);
		out8(base[i] + 1, 0xff);
	}
}

/* It stays in x2APIC mode if firmware has left that on. */
static void lapic_enable(void)
{
	msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | APIC_ENABLED);
}

const struct handover *loader_main(uint32_t magic, paddr_t info)
{
	pics_disable();
	lapic_enable();
	out.error = check_cpu();
	if (!out.error)
		out.error = multiboot_read(&boot, magic, info);
	if (!out.error)
		out.error = acpi_read(&out.interrupts, boot.has_rsdp ? boot.rsdp : NULL, out.rsdp);
	if (out.error)
		return &out;
	read_map();
	out.error = read_modules();
	return &out;
}
