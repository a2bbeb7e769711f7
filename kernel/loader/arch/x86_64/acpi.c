/* The few facts that are taken from the ACPI tables (ACPI 6.5, 5.2; HPET 1.0a, 3.2.4),
 * while the first 4 GiB are mapped: where interrupt controllers and HPET are. */
#include "loader.h"

#include <selvage/base.h>

#define BIOS_START 0xe0000
#define BIOS_END 0x100000
#define MAPPED_END 0x100000000ull
#define HEADER_BYTES 36
#define TABLE_MAX 0x10000u
#define MADT_ENTRIES 44
#define MADT_LAPIC 0
#define MADT_IOAPIC 1
#define HPET_BYTES 56
#define HPET_SPACE 40 /* 0: in memory */
#define HPET_ADDRESS 44

static bool sums_to_zero(const uint8_t *p, word_t bytes)
{
	uint8_t sum = 0;

	for (word_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + p[i]);
	return sum == 0;
}

static bool has_name(const uint8_t *p, const char *name)
{
	for (; *name; p++, name++)
		if (*p != (uint8_t)*name)
			return false;
	return true;
}

static bool is_rsdp(const uint8_t *p) { return has_name(p, "RSD PTR ") && sums_to_zero(p, 20); }

/* Where a BIOS leaves it. UEFI tells the loader alone. */
static const uint8_t *find_rsdp(void)
{
	for (paddr_t a = BIOS_START; a < BIOS_END; a += 16)
		if (is_rsdp(paddr_to_ptr(a)))
			return paddr_to_ptr(a);
	return NULL;
}

/* A valid table of this name at `a`: its length, else 0. */
static uint32_t table_bytes(paddr_t a, const char *name)
{
	const uint8_t *t = paddr_to_ptr(a);

	if (a > MAPPED_END - TABLE_MAX || !has_name(t, name))
		return 0;
	uint32_t bytes = load_le32(t + 4);
	return bytes >= HEADER_BYTES && bytes <= TABLE_MAX && sums_to_zero(t, bytes) ? bytes : 0;
}

static const char *read_madt(const uint8_t *t, uint32_t bytes, struct machine_interrupts *out)
{
	bool cpu = false;

	out->lapic = load_le32(t + HEADER_BYTES);
	for (uint32_t i = MADT_ENTRIES; i + 2 <= bytes && t[i + 1] >= 2; i += t[i + 1]) {
		if (i + t[i + 1] > bytes)
			break;
		cpu |= t[i] == MADT_LAPIC;
		if (t[i] == MADT_IOAPIC && out->ioapics < MACHINE_IOAPICS && t[i + 1] >= 12)
			out->ioapic[out->ioapics++] = load_le32(t + i + 4);
	}
	if (!cpu || !out->lapic || !out->ioapics)
		return "the ACPI tables name no processor or no IOAPIC";
	return NULL;
}

static void read_hpet(const uint8_t *t, uint32_t bytes, struct machine_interrupts *out)
{
	uint64_t at = load_le64(t + HPET_ADDRESS);

	if (bytes >= HPET_BYTES && t[HPET_SPACE] == 0 && at < MAPPED_END)
		out->hpet = at;
}

const char *acpi_read(struct machine_interrupts *out, const uint8_t *given,
		      uint8_t copy[RSDP_BYTES])
{
	const uint8_t *rsdp = given && is_rsdp(given) ? given : find_rsdp();
	const char *error = "the ACPI tables have no MADT";

	if (!rsdp)
		return "no ACPI tables";
	bool xsdt = rsdp[15] >= 2 && sums_to_zero(rsdp, RSDP_BYTES) && !load_le32(rsdp + 28) &&
		    table_bytes(load_le32(rsdp + 24), "XSDT");
	paddr_t at = xsdt ? load_le32(rsdp + 24) : load_le32(rsdp + 16);
	uint32_t bytes = table_bytes(at, xsdt ? "XSDT" : "RSDT"), step = xsdt ? 8 : 4, madt = 0;
	const uint8_t *root = paddr_to_ptr(at);

	for (uint32_t i = 0; i < (rsdp[15] >= 2 ? RSDP_BYTES : 20); i++)
		copy[i] = rsdp[i];
	*out = (struct machine_interrupts){ 0 };
	for (uint32_t i = HEADER_BYTES; i + step <= bytes; i += step) {
		paddr_t table = xsdt && load_le32(root + i + 4) ? 0 : load_le32(root + i);
		uint32_t hpet = table_bytes(table, "HPET");
		if (!madt && (madt = table_bytes(table, "APIC")) != 0)
			error = read_madt(paddr_to_ptr(table), madt, out);
		if (hpet)
			read_hpet(paddr_to_ptr(table), hpet, out);
	}
	return error;
}
