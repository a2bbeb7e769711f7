/*
 * Loads a guest of a PC as the monitor would, but into a file: memory for QEMU,
 * and the registers as text for tests/pcboot/run.
 *
 *   pcboot MACHINE PROTOCOL MEMORY_FILE MIB KERNEL CMDLINE [MODULE [MODULE_CMDLINE]]...
 *   pcboot acpi FILE      the tables of a machine that has everything, for ACPI_GPA
 */
#include "boot/pc/boot.h"
#include "boot/pc/tables.h"

#include <fcntl.h>
#include <selvage/base.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What QEMU's `pc` has: the machine under the guest here. */
static struct acpi_config machine = {
	.n_cpus = 1,
	.lapic_gpa = 0xfee00000,
	.ioapic_gpa = 0xfec00000,
	.pit_on_pin_2 = true,
	.pm_port = 0x600,
	.sci_irq = 9,
	.s5_type = 0,
	.reset_port = 0xcf9,
	.reset_value = 6,
	.pit = true,
	.rtc = true,
	.i8042 = true,
	.uart = { { 0x3f8, 4 } },
	.hpet_gpa = 0xfed00000,
	.hpet_id = 0x8086a201,
	.pci = true,
	.last_bus = 255,
	.pci_gsi = { 16, 17, 18, 19 },
	.pci_mmio_gpa = 0xc0000000,
	.pci_mmio_size = 0x30000000,
};

/* And what its `q35` has beside that; memory from 2 GiB on is above 4 GiB. */
#define ECAM 0xb0000000u
#define Q35_LOW 0x80000000ull

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "pcboot: error: %s: %s\n", what, why);
	exit(1);
}

static void *map_file(const char *path, bool make, uint64_t *bytes)
{
	int fd = open(path, make ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY, 0600);
	struct stat status;
	void *p;

	if (fd < 0 || (make && ftruncate(fd, (off_t)*bytes) != 0) || fstat(fd, &status) != 0)
		fail(path, "cannot be opened");
	*bytes = (uint64_t)status.st_size;
	p = mmap(NULL, *bytes, make ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		fail(path, "cannot be mapped");
	close(fd);
	return p;
}

/* One of each. */
static void write_tables(const char *path)
{
	struct acpi_config c = machine;
	uint64_t bytes = ACPI_BYTES;

	c.n_cpus = 4;
	c.s5_type = 5;
	for (unsigned i = 0; i < 4; i++)
		c.uart[i] = (struct acpi_uart){
			(uint16_t)(0x3f8 - 0x100 * (i % 2) - 0x10 * (i / 2)), (uint8_t)(4 - i % 2)
		};
	c.ecam_gpa = ECAM;
	c.pci_mmio64_gpa = 0x8000000000;
	c.pci_mmio64_size = 0x4000000000;
	c.n_virtio = ACPI_VIRTIO_MAX;
	for (unsigned i = 0; i < c.n_virtio; i++)
		c.virtio[i] = (struct acpi_virtio){ 0xfeb00000 + 0x200 * i, 0x200, 20 + i % 4 };
	if (acpi_generate(&c, ACPI_GPA, map_file(path, true, &bytes), ACPI_BYTES) == 0)
		fail(path, "the tables do not fit");
}

static const char *load(const char *protocol, const struct pc_boot *b, struct pc_entry *e)
{
	if (strcmp(protocol, "linux32") == 0)
		return bzimage_load(b, PC_MODE_PROTECTED, e);
	if (strcmp(protocol, "linux64") == 0)
		return bzimage_load(b, PC_MODE_LONG, e);
	if (strcmp(protocol, "pvh") == 0)
		return pvh_load(b, e);
	if (strcmp(protocol, "multiboot") == 0)
		return multiboot_load(b, e);
	return "no such protocol; there are linux32, linux64, pvh, multiboot";
}

static void print(const struct pc_entry *e)
{
	static const char *const gpr[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp",
					   "rsi", "rdi", "r8", "r9", "r10", "r11",
					   "r12", "r13", "r14", "r15" };

	printf("mode %u\nrip %llu\ncr0 %llu\ncr3 %llu\ncr4 %llu\nefer %llu\n", e->mode,
	       (unsigned long long)e->rip, (unsigned long long)e->cr0,
	       (unsigned long long)e->cr3, (unsigned long long)e->cr4,
	       (unsigned long long)e->efer);
	printf("gdt %llu\ngdt_limit %u\ncs %u\nds %u\n", (unsigned long long)e->gdtr.base,
	       e->gdtr.limit, e->segment[PC_CS].selector, e->segment[PC_DS].selector);
	for (unsigned i = 0; i < PC_GPRS; i++)
		printf("%s %llu\n", gpr[i], (unsigned long long)e->gpr[i]);
}

/* The file's bytes where the machine has them. */
static bool add_memory(struct gmem *mem, const char *path, uint64_t bytes, bool q35)
{
	uint8_t *p = map_file(path, true, &bytes);
	uint64_t low = q35 ? min_u64(bytes, Q35_LOW) : bytes;

	return gmem_add(mem, 0, low, p) &&
	       (low == bytes || gmem_add(mem, PC_4GIB, bytes - low, p + low));
}

int main(int argc, char **argv)
{
	struct gmem mem = { 0 };
	bool q35;
	struct pc_map map;
	struct pc_entry entry;
	struct pc_boot b = { .mem = &mem, .map = &map };
	const char *error;

	if (argc == 3 && strcmp(argv[1], "acpi") == 0) {
		write_tables(argv[2]);
		return 0;
	}
	if (argc < 7)
		fail("usage", "pcboot MACHINE PROTOCOL MEMORY_FILE MIB KERNEL CMDLINE "
			      "[MODULE CMDLINE]...");
	q35 = strcmp(argv[1], "q35") == 0;
	machine.ecam_gpa = q35 ? ECAM : 0;
	machine.s5_type = q35 ? 7 : 0;
	argv++, argc--;
	b.kernel = map_file(argv[4], false, &b.kernel_bytes);
	b.cmdline = argv[5];
	for (int i = 6; i < argc && b.n_modules < PC_MODULES_MAX; i += 2) {
		struct pc_module *m = &b.module[b.n_modules++];

		m->bytes = map_file(argv[i], false, &m->size);
		m->cmdline = i + 1 < argc ? argv[i + 1] : NULL;
	}
	if (!add_memory(&mem, argv[2], strtoull(argv[3], NULL, 10) << 20, q35) ||
	    !pc_map_from_ram(&map, &mem, PC_LOW_PC))
		fail(argv[3], "not so much memory");
	error = pc_tables_put(&mem, &map, &machine, &b.rsdp);
	if (error == NULL)
		error = load(argv[1], &b, &entry);
	if (error != NULL)
		fail(argv[4], error);
	print(&entry);
	return 0;
}
