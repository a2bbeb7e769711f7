/* What init takes from the ACPI tables (servers/init/arch/x86_64/acpi.c). */
#include <acpi.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RSDT 0x1000u
#define MADT 0x1100u
#define FADT 0x1200u
#define DSDT 0x1300u
#define HPET 0x1700u
#define BYTES 0x800u

static uint8_t memory[BYTES]; /* from RSDT on */
static uint8_t rsdp[ACPI_RSDP_BYTES];

static bool read_memory(void *ctx, uint64_t at, void *to, size_t n)
{
	(void)ctx;
	if (at < RSDT || at - RSDT > BYTES || n > BYTES - (at - RSDT))
		return false;
	memcpy(to, memory + (at - RSDT), n);
	return true;
}

static const struct acpi_reader reader = { .read = read_memory };

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint8_t *table(uint32_t at, const char *name, uint32_t bytes)
{
	uint8_t *t = memory + (at - RSDT);

	memcpy(t, name, 4);
	put32(t + 4, bytes);
	return t;
}

static int set_up(void **state)
{
	static const uint8_t override[] = { 2, 10, 0, 0, 2, 0, 0, 0, 0, 0 };
	static const uint8_t low[] = { 2, 10, 0, 9, 9, 0, 0, 0, 0xf, 0 };
	static const uint8_t s5[] = { '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5, 1, 0, 0 };
	uint8_t *t;

	(void)state;
	memset(memory, 0, sizeof(memory));
	memset(rsdp, 0, sizeof(rsdp));
	put32(rsdp + 16, RSDT);
	t = table(RSDT, "RSDT", 36 + 12);
	put32(t + 36, FADT);
	put32(t + 40, MADT);
	put32(t + 44, HPET);
	t = table(HPET, "HPET", 56);
	put32(t + 44, 0xfed00000);
	t = table(MADT, "APIC", 44 + 20);
	memcpy(t + 44, override, sizeof(override));
	memcpy(t + 54, low, sizeof(low));
	t = table(FADT, "FACP", 116);
	put32(t + 40, DSDT);
	put32(t + 64, 0x604);
	t = table(DSDT, "DSDT", 0x400);
	memcpy(t + 36 + 505, s5, sizeof(s5)); /* across two reads */
	return 0;
}

static void overrides(void **state)
{
	struct acpi_facts f;

	(void)state;
	assert_null(acpi_read(&reader, rsdp, &f));
	assert_int_equal(f.pin[0], 2);
	assert_int_equal(f.pin[4], 4);
	assert_false(f.low[0]);
	assert_true(f.low[9]);
}

static void way_off(void **state)
{
	struct acpi_facts f;

	(void)state;
	assert_null(acpi_read(&reader, rsdp, &f));
	assert_true(f.can_off);
	assert_int_equal(f.control[0], 0x604);
	assert_int_equal(f.control[1], 0);
	assert_int_equal(f.sleep_type[0], 5);
	assert_int_equal(f.sleep_type[1], 1);
}

/* Its shortest package is the last of the table, as Bochs has it; one byte less is none. */
static void way_off_at_the_end(void **state)
{
	static const uint8_t last[] = { '_', 'S', '5', '_', 0x12, 4, 2, 1, 1 };
	uint8_t *t = memory + (DSDT - RSDT);
	struct acpi_facts f;

	(void)state;
	memset(t + 36, 0xff, 0x400 - 36);
	for (uint32_t bytes = 36 + sizeof(last); bytes < 36 + 600; bytes++) {
		put32(t + 4, bytes);
		memcpy(t + bytes - sizeof(last), last, sizeof(last));
		assert_null(acpi_read(&reader, rsdp, &f));
		assert_true(f.can_off);
		assert_int_equal(f.sleep_type[0], 1);
		assert_int_equal(f.sleep_type[1], 1);
		put32(t + 4, bytes - 1);
		assert_null(acpi_read(&reader, rsdp, &f));
		assert_false(f.can_off);
		t[bytes - sizeof(last)] = 0;
	}
}

static void hpet(void **state)
{
	struct acpi_facts f;
	uint8_t *t = memory + (HPET - RSDT);

	(void)state;
	assert_null(acpi_read(&reader, rsdp, &f));
	assert_int_equal(f.hpet, 0xfed00000);
	put32(t + 44, 0xfed00004); /* not aligned */
	assert_null(acpi_read(&reader, rsdp, &f));
	assert_int_equal(f.hpet, 0);
	put32(t + 44, 0xfed00400);
	t[40] = 1; /* in ports */
	assert_null(acpi_read(&reader, rsdp, &f));
	assert_int_equal(f.hpet, 0);
	t[40] = 0;
	put32(t + 4, 55);
	assert_null(acpi_read(&reader, rsdp, &f));
	assert_int_equal(f.hpet, 0);
}

static void no_way_off(void **state)
{
	struct acpi_facts f;

	(void)state;
	memory[DSDT - RSDT + 36 + 505] = 'X';
	assert_null(acpi_read(&reader, rsdp, &f));
	assert_false(f.can_off);
}

/* Entries of no length, an override cut short, tables that lie nowhere. */
static void damaged(void **state)
{
	struct acpi_facts f;
	uint8_t *madt = memory + (MADT - RSDT);

	(void)state;
	madt[44 + 1] = 0;
	assert_null(acpi_read(&reader, rsdp, &f));
	assert_int_equal(f.pin[0], 0);
	madt[44 + 1] = 10;
	put32(madt + 4, 44 + 9);
	assert_null(acpi_read(&reader, rsdp, &f));
	assert_int_equal(f.pin[0], 0);
	put32(madt + 4, 0xffffffff);
	assert_null(acpi_read(&reader, rsdp, &f));
	put32(rsdp + 16, 0x5000);
	assert_non_null(acpi_read(&reader, rsdp, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(overrides, set_up),
		cmocka_unit_test_setup(way_off, set_up),
		cmocka_unit_test_setup(way_off_at_the_end, set_up),
		cmocka_unit_test_setup(hpet, set_up),
		cmocka_unit_test_setup(no_way_off, set_up),
		cmocka_unit_test_setup(damaged, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
