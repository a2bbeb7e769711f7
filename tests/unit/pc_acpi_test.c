/* vmm/boot/pc: the ACPI tables by their structure. That Intel's disassembler
 * and Linux understand them: tests/pcboot. */
#include "boot/pc/aml.h"
#include "boot/pc/tables.h"

#include "unit.h"

#include <selvage/base.h>
#include <string.h>

static const struct acpi_config full = {
	.n_cpus = 4,
	.lapic_gpa = 0xfee00000,
	.ioapic_gpa = 0xfec00000,
	.pit_on_pin_2 = true,
	.pm_port = 0x600,
	.sci_irq = 9,
	.s5_type = 5,
	.reset_port = 0xcf9,
	.reset_value = 6,
	.pit = true,
	.rtc = true,
	.i8042 = true,
	.uart = { { 0x3f8, 4 }, { 0x2f8, 3 } },
	.hpet_gpa = 0xfed00000,
	.hpet_id = 0x8086a201,
	.pci = true,
	.ecam_gpa = 0xb0000000,
	.last_bus = 0,
	.pci_gsi = { 16, 17, 18, 19 },
	.pci_mmio_gpa = 0xc0000000,
	.pci_mmio_size = 0x30000000,
	.n_virtio = 1,
	.virtio = { { 0xfe000000, 0x200, 20 } },
};

static unsigned sum_of(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n-- > 0)
		s = (uint8_t)(s + p[n]);
	return s;
}

/* The table of this signature, found as a guest does. */
static const uint8_t *find(const uint8_t *at, uint32_t gpa, const char *signature)
{
	const uint8_t *xsdt = at + load_le64(at + 24) - gpa;

	assert_memory_equal(at, "RSD PTR ", 8);
	assert_int_equal(sum_of(at, 20), 0);
	assert_int_equal(sum_of(at, 36), 0);
	assert_memory_equal(xsdt, "XSDT", 4);
	for (uint32_t i = 36; i < load_le32(xsdt + 4); i += 8) {
		const uint8_t *t = at + load_le64(xsdt + i) - gpa;

		assert_int_equal(sum_of(t, load_le32(t + 4)), 0);
		if (memcmp(t, signature, 4) == 0)
			return t;
	}
	return NULL;
}

static void fixed_tables(void **state)
{
	static uint8_t b[ACPI_BYTES];
	const uint8_t *t;

	(void)state;
	assert_true(acpi_generate(&full, 0xe0000, b, sizeof(b)) != 0);
	t = find(b, 0xe0000, "FACP");
	assert_int_equal(load_le32(t + 4), 268);
	assert_int_equal(load_le16(t + 46), 9);
	assert_int_equal(load_le32(t + 48), 0);
	assert_int_equal(load_le32(t + 56), 0x600);
	assert_int_equal(load_le32(t + 64), 0x604);
	assert_int_equal(load_le32(t + 76), 0x608);
	assert_int_equal(load_le64(t + 120), 0xcf9);
	assert_int_equal(t[128], 6);
	assert_int_equal(load_le32(t + 112) & 0x100400, 0x400);
	assert_int_equal(load_le32(t + 36) % 64, 0);
	assert_memory_equal(b + load_le32(t + 36) - 0xe0000, "FACS", 4);
	t = b + load_le64(t + 140) - 0xe0000;
	assert_memory_equal(t, "DSDT", 4);
	assert_int_equal(sum_of(t, load_le32(t + 4)), 0);
	t = find(b, 0xe0000, "APIC");
	assert_int_equal(load_le32(t + 4), 44 + 4 * 8 + 12 + 20 + 6);
	assert_int_equal(load_le32(t + 36), 0xfee00000);
	assert_int_equal(t[44 + 8 + 3], 1);
	assert_int_equal(load_le32(t + 44 + 32 + 4), 0xfec00000);
	t = find(b, 0xe0000, "HPET");
	assert_int_equal(load_le64(t + 44), 0xfed00000);
	t = find(b, 0xe0000, "MCFG");
	assert_int_equal(load_le64(t + 44), 0xb0000000);
}

/* The least machine: no table for what it does not have. */
static void what_is_not_there(void **state)
{
	const struct acpi_config least = { .n_cpus = 1, .lapic_gpa = 0xfee00000, .sci_irq = 9 };
	static uint8_t b[ACPI_BYTES];
	const uint8_t *t;

	(void)state;
	assert_true(acpi_generate(&least, 0x7ff000, b, sizeof(b)) != 0);
	assert_null(find(b, 0x7ff000, "HPET"));
	assert_null(find(b, 0x7ff000, "MCFG"));
	t = find(b, 0x7ff000, "FACP");
	assert_int_equal(load_le32(t + 112) & 0x400, 0);
	assert_int_equal(load_le16(t + 109) & 0x22, 0x20);
	t = find(b, 0x7ff000, "APIC");
	assert_int_equal(load_le32(t + 4), 44 + 8 + 6);
}

/* With every size there is either no answer or the whole one, and nothing is
 * written behind the end. */
static void sizes(void **state)
{
	static uint8_t b[ACPI_BYTES + 1];
	size_t needed = acpi_generate(&full, 0xe0000, b, ACPI_BYTES);
	struct acpi_config bad = full;

	(void)state;
	for (size_t n = 0; n <= needed; n++) {
		memset(b, 0xcc, sizeof(b));
		assert_int_equal(acpi_generate(&full, 0xe0000, b, n), n == needed ? n : 0);
		assert_int_equal(b[n], 0xcc);
	}
	bad.n_cpus = 0;
	assert_int_equal(acpi_generate(&bad, 0xe0000, b, ACPI_BYTES), 0);
	bad.n_cpus = ACPI_CPUS_MAX + 1;
	assert_int_equal(acpi_generate(&bad, 0xe0000, b, ACPI_BYTES), 0);
	bad.n_cpus = ACPI_CPUS_MAX;
	bad.n_virtio = ACPI_VIRTIO_MAX;
	assert_true(acpi_generate(&bad, 0xe0000, b, ACPI_BYTES) != 0);
	bad.n_virtio++;
	assert_int_equal(acpi_generate(&bad, 0xe0000, b, ACPI_BYTES), 0);
}

/* Lengths of 20 bits in three bytes: 58, 48 and 19. */
static void byte_code(void **state)
{
	static const uint8_t wanted[] = {
		0x10, 0x8a, 0x03, 0x00, '\\', '_', 'S', 'B', '_',       /* Scope (\_SB) */
		0x5b, 0x82, 0x80, 0x03, 0x00, 'D', 'E', 'V', '0',       /* Device (DEV0) */
		0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x05, 0x01, /* PNP0501 */
		0x08, '_', 'U', 'I', 'D', 0x01,
		0x08, '_', 'C', 'R', 'S', 0x11, 0x83, 0x01, 0x00, 0x0b, 0x0d, 0x00,
		0x47, 0x01, 0xf8, 0x03, 0xf8, 0x03, 0x01, 0x08, 0x22, 0x10, 0x00, 0x79, 0x00
	};
	uint8_t b[128];
	struct aml a = { .to = b, .size = sizeof(b) };
	aml_mark_t scope, device, resources;

	(void)state;
	scope = aml_scope(&a, "\\_SB_");
	device = aml_device(&a, "DEV0");
	aml_name_eisa(&a, "_HID", "PNP0501");
	aml_name_integer(&a, "_UID", 1);
	resources = aml_resources(&a);
	aml_io(&a, 0x3f8, 8);
	aml_irq(&a, 4);
	aml_resources_end(&a, resources);
	aml_end(&a, device);
	aml_end(&a, scope);
	assert_false(a.full);
	assert_int_equal(a.n, sizeof(wanted));
	assert_memory_equal(b, wanted, sizeof(wanted));
}

static void in_memory(void **state)
{
	static uint8_t ram[0x200000];
	struct gmem all = { 0 }, chunks = { 0 };
	struct pc_map map;
	uint64_t rsdp;

	(void)state;
	assert_true(gmem_add(&all, 0, sizeof(ram), ram));
	assert_true(pc_map_from_ram(&map, &all, PC_LOW_PLAIN));
	assert_null(pc_tables_put(&all, &map, &full, &rsdp));
	assert_int_equal(rsdp, 0xe0000);
	assert_memory_equal(ram + rsdp, "RSD PTR ", 8);
	assert_int_equal(map.range[1].start, 0xe0000);
	assert_int_equal(map.range[1].type, PC_MEMORY_RESERVED);
	/* No memory there: the top, for which there is a type. */
	assert_true(gmem_add(&chunks, 0x500, 0x9f700, ram));
	assert_true(gmem_add(&chunks, 0x100000, 0x100000, ram + 0x100000));
	assert_true(pc_map_from_ram(&map, &chunks, PC_LOW_PC));
	assert_null(pc_tables_put(&chunks, &map, &full, &rsdp));
	assert_int_equal(rsdp, 0x200000 - ACPI_BYTES);
	assert_int_equal(map.range[4].type, PC_MEMORY_ACPI);
	assert_true(pc_map_from_ram(&map, &(struct gmem){ 0 }, PC_LOW_PC));
	assert_non_null(pc_tables_put(&(struct gmem){ 0 }, &map, &full, &rsdp));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_tables),
		cmocka_unit_test(what_is_not_there),
		cmocka_unit_test(sizes),
		cmocka_unit_test(byte_code),
		cmocka_unit_test(in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
