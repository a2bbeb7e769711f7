#include "acpi.h"

#include <selvage/base.h>
#include <string.h>

#define HEADER_BYTES 36u
#define TABLE_MAX 0x10000u /* a longer one is read that far */
#define TABLES_MAX 64u

/* MADT, 5.2.12: entries; an Interrupt Source Override has five more fields. */
#define MADT_ENTRIES 44u
#define MADT_OVERRIDE 2u
#define OVERRIDE_BYTES 10u
#define POLARITY 3u
#define POLARITY_LOW 3u

/* FADT, 5.2.9. */
#define FADT_DSDT 40u
#define FADT_PM1A_CONTROL 64u
#define FADT_PM1B_CONTROL 68u
#define FADT_BYTES 116u /* of ACPI 1.0 */

/* HPET 1.0a, 3.2.4. */
#define HPET_SPACE 40u /* 0: in memory */
#define HPET_ADDRESS 44u
#define HPET_BYTES 56u
#define HPET_ALIGN 1024u /* of the registers */

struct table {
	uint64_t at;
	uint32_t bytes;
};

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Whether a table of that name is there; its name alone: sums were checked by the
 * kernel where it matters. */
static bool open_table(const struct acpi_reader *r, uint64_t at, const char *name,
		       struct table *t)
{
	uint8_t h[8];

	if (at == 0 || !r->read(r->ctx, at, h, sizeof(h)) || memcmp(h, name, 4) != 0 ||
	    le32(h + 4) < HEADER_BYTES)
		return false;
	t->at = at;
	t->bytes = (uint32_t)min_u64(le32(h + 4), TABLE_MAX);
	return true;
}

static bool find_table(const struct acpi_reader *r, const uint8_t *rsdp, const char *name,
		       struct table *t)
{
	struct table root;
	uint64_t xsdt = (uint64_t)le32(rsdp + 28) << 32 | le32(rsdp + 24);
	bool wide = rsdp[15] >= 2 && open_table(r, xsdt, "XSDT", &root);
	uint32_t step = wide ? 8 : 4;

	if (!wide && !open_table(r, le32(rsdp + 16), "RSDT", &root))
		return false;
	for (uint32_t i = 0; i < TABLES_MAX && HEADER_BYTES + (i + 1) * step <= root.bytes; i++) {
		uint8_t e[8] = { 0 };

		if (!r->read(r->ctx, root.at + HEADER_BYTES + i * step, e, step))
			return false;
		if (open_table(r, (uint64_t)le32(e + 4) << 32 | le32(e), name, t))
			return true;
	}
	return false;
}

static void read_override(const uint8_t *e, struct acpi_facts *out)
{
	uint8_t irq = e[3];

	if (irq >= ACPI_ISA_IRQS)
		return;
	out->pin[irq] = le32(e + 4);
	out->low[irq] = (e[8] & POLARITY) == POLARITY_LOW;
}

static const char *read_madt(const struct acpi_reader *r, const uint8_t *rsdp,
			     struct acpi_facts *out)
{
	struct table t;
	uint8_t e[OVERRIDE_BYTES];
	uint32_t step;

	for (uint32_t i = 0; i < ACPI_ISA_IRQS; i++)
		out->pin[i] = i;
	if (!find_table(r, rsdp, "APIC", &t))
		return "no MADT";
	for (uint32_t i = MADT_ENTRIES; i + 2 <= t.bytes; i += step) {
		if (!r->read(r->ctx, t.at + i, e, 2))
			return "a MADT that cannot be read";
		step = e[1];
		if (step < 2 || i + step > t.bytes)
			break;
		if (e[0] == MADT_OVERRIDE && step >= OVERRIDE_BYTES &&
		    r->read(r->ctx, t.at + i, e, sizeof(e)))
			read_override(e, out);
	}
	return NULL;
}

/* An integer of AML (20.2.3): zero, one or a byte. */
static const uint8_t *small_integer(const uint8_t *p, uint8_t *value)
{
	*value = *p == 0x0a ? p[1] : *p;
	return *p == 0x0a ? p + 2 : *p <= 1 ? p + 1
					    : NULL;
}

/* `_S5_`, a package: 0x12, its length in one byte, number of elements, elements. */
static bool read_s5(const uint8_t *p, struct acpi_facts *out)
{
	if (memcmp(p, "_S5_\x12", 5) != 0 || p[5] > 0x3f || p[6] < 2)
		return false;
	p = small_integer(p + 7, &out->sleep_type[0]);
	return p != NULL && small_integer(p, &out->sleep_type[1]) != NULL;
}

/* At least, if it ends the table, and what read_s5 looks at. */
#define S5_LEAST 9u
#define S5_MOST 11u

/* The package is looked for, as an interpreter of AML would be too much for it. */
static bool find_s5(const struct acpi_reader *r, const struct table *dsdt,
		    struct acpi_facts *out)
{
	uint8_t b[512 + 2 * S5_MOST];

	for (uint32_t at = HEADER_BYTES; at + S5_LEAST <= dsdt->bytes; at += 512) {
		uint32_t n = (uint32_t)min_u64(512 + S5_MOST, dsdt->bytes - at);

		if (!r->read(r->ctx, dsdt->at + at, b, n))
			return false;
		memset(b + n, 0, S5_MOST);
		for (uint32_t i = 0; i + S5_LEAST <= n; i++)
			if (read_s5(b + i, out))
				return true;
	}
	return false;
}

static bool read_off(const struct acpi_reader *r, const uint8_t *rsdp, struct acpi_facts *out)
{
	struct table fadt, dsdt;
	uint8_t f[FADT_BYTES];

	if (!find_table(r, rsdp, "FACP", &fadt) || fadt.bytes < FADT_BYTES ||
	    !r->read(r->ctx, fadt.at, f, sizeof(f)) ||
	    !open_table(r, le32(f + FADT_DSDT), "DSDT", &dsdt))
		return false;
	out->control[0] = (uint16_t)le32(f + FADT_PM1A_CONTROL);
	out->control[1] = (uint16_t)le32(f + FADT_PM1B_CONTROL);
	return out->control[0] != 0 && find_s5(r, &dsdt, out);
}

static uint64_t find_hpet(const struct acpi_reader *r, const uint8_t *rsdp)
{
	struct table t;
	uint8_t b[HPET_BYTES];
	uint64_t at;

	if (!find_table(r, rsdp, "HPET", &t) || t.bytes < HPET_BYTES ||
	    !r->read(r->ctx, t.at, b, sizeof(b)) || b[HPET_SPACE] != 0)
		return 0;
	at = (uint64_t)le32(b + HPET_ADDRESS + 4) << 32 | le32(b + HPET_ADDRESS);
	return at % HPET_ALIGN == 0 ? at : 0;
}

const char *acpi_read(const struct acpi_reader *r, const uint8_t rsdp[ACPI_RSDP_BYTES],
		      struct acpi_facts *out)
{
	const char *error;

	*out = (struct acpi_facts){ 0 };
	error = read_madt(r, rsdp, out);
	out->hpet = find_hpet(r, rsdp);
	out->can_off = error == NULL && read_off(r, rsdp, out);
	return error;
}
