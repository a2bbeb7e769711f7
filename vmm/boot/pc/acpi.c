/* Root pointer and fixed tables (ACPI 6.4, 5.2; HPET 1.0a, 3.2.4; PCI firmware
 * 3.0, 4.1.2). Offsets are those in the specification's tables. */
#include "acpi.h"

#include "dsdt.h"

#include <selvage/base.h>
#include <string.h>

#define TABLE_HEADER 36u
#define TABLE_ALIGN 16u
#define RSDP_BYTES 36u
#define RSDP_OLD_BYTES 20u
#define FACS_BYTES 64u
#define FADT_BYTES 268u
#define HPET_BYTES 56u
#define MCFG_BYTES 60u
#define MADT_CPU_BYTES 8u
#define MADT_IOAPIC_BYTES 12u
#define MADT_OVERRIDE_BYTES 10u
#define MADT_NMI_BYTES 6u
#define XSDT_TABLES_MAX 4u

#define GAS_MEMORY 0u
#define GAS_IO 1u

#define ARCH_LEGACY 1u
#define ARCH_8042 2u
#define ARCH_NO_VGA 4u
#define ARCH_NO_RTC 0x20u
#define FADT_WBINVD 1u
#define FADT_PROC_C1 4u
#define FADT_NO_SLEEP_BUTTON 0x20u
#define FADT_NO_FIXED_RTC 0x40u
#define FADT_RESET 0x400u

#define MADT_PCAT 1u /* there are 8259s too */
#define OVERRIDE_AS_BUS 0u
#define OVERRIDE_LEVEL_HIGH 0xdu

struct tables {
	uint8_t *to;
	size_t size, n;
	uint32_t gpa;
	bool full;
	unsigned n_listed;
	uint32_t listed[XSDT_TABLES_MAX];
};

static uint8_t sum(const uint8_t *p, size_t bytes)
{
	uint8_t s = 0;

	for (size_t i = 0; i < bytes; i++)
		s = (uint8_t)(s + p[i]);
	return (uint8_t)(0u - s);
}

/* Zeroed room at a multiple of `align`; NULL: none. */
static uint8_t *room(struct tables *t, size_t bytes, size_t align)
{
	size_t at = align_up_u64(t->n, align);

	if (t->full || at > t->size || bytes > t->size - at) {
		t->full = true;
		return NULL;
	}
	memset(t->to + t->n, 0, at + bytes - t->n);
	t->n = at + bytes;
	return t->to + at;
}

static uint32_t gpa_of(const struct tables *t, const uint8_t *p)
{
	return t->gpa + (uint32_t)(p - t->to);
}

/* Header and checksum of a table that is otherwise complete. */
static uint32_t seal(struct tables *t, uint8_t *p, size_t bytes, const char *signature,
		     uint8_t revision)
{
	memcpy(p, signature, 4);
	store_le32(p + 4, (uint32_t)bytes);
	p[8] = revision;
	memcpy(p + 10, "SELVAG", 6);
	memcpy(p + 16, "SELVAGPC", 8);
	store_le32(p + 24, 1);
	memcpy(p + 28, "SLVG", 4);
	store_le32(p + 32, 1);
	p[9] = 0;
	p[9] = sum(p, bytes);
	return gpa_of(t, p);
}

static void list(struct tables *t, uint32_t gpa)
{
	t->listed[t->n_listed++] = gpa;
}

static uint32_t add_dsdt(struct tables *t, const struct acpi_config *c)
{
	uint8_t *p = room(t, TABLE_HEADER, TABLE_ALIGN);
	struct aml a;

	if (p == NULL)
		return 0;
	a = (struct aml){ .to = t->to + t->n, .size = t->size - t->n };
	dsdt_fill(&a, c);
	t->n += a.n;
	t->full |= a.full;
	return t->full ? 0 : seal(t, p, TABLE_HEADER + a.n, "DSDT", 2);
}

static uint32_t add_facs(struct tables *t)
{
	uint8_t *p = room(t, FACS_BYTES, 64);

	if (p == NULL)
		return 0;
	memcpy(p, "FACS", 4);
	store_le32(p + 4, FACS_BYTES);
	p[32] = 2;
	return gpa_of(t, p);
}

/* A generic address; the block's old form stands beside it. */
static void address(uint8_t *p, uint8_t space, unsigned bits, unsigned access, uint64_t at)
{
	p[0] = space;
	p[1] = (uint8_t)bits;
	p[3] = (uint8_t)access;
	store_le64(p + 4, at);
}

static void fill_pm(uint8_t *p, uint16_t port)
{
	store_le32(p + 56, port);
	store_le32(p + 64, port + 4u);
	store_le32(p + 76, port + 8u);
	p[88] = 4;
	p[89] = 2;
	p[91] = 4;
	address(p + 148, GAS_IO, 32, 2, port);
	address(p + 172, GAS_IO, 16, 2, port + 4u);
	address(p + 208, GAS_IO, 32, 3, port + 8u);
}

static void fill_fadt(uint8_t *p, const struct acpi_config *c, uint32_t facs, uint32_t dsdt)
{
	uint32_t flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLEEP_BUTTON | FADT_NO_FIXED_RTC;
	uint32_t arch = ARCH_LEGACY | ARCH_NO_VGA | (c->i8042 ? ARCH_8042 : 0) |
			(c->rtc ? 0 : ARCH_NO_RTC);

	/* Whoever has the 64-bit address must not have the other (5.2.9). */
	store_le32(p + 36, facs);
	store_le32(p + 40, dsdt);
	store_le16(p + 46, c->sci_irq);
	fill_pm(p, c->pm_port);
	store_le16(p + 96, 0xffff); /* no C2 */
	store_le16(p + 98, 0xffff); /* no C3 */
	p[108] = c->rtc ? 0x32 : 0; /* the century in the RTC's memory */
	store_le16(p + 109, (uint16_t)arch);
	if (c->reset_port != 0) {
		flags |= FADT_RESET;
		address(p + 116, GAS_IO, 8, 1, c->reset_port);
		p[128] = c->reset_value;
	}
	store_le32(p + 112, flags);
	store_le64(p + 140, dsdt);
}

static void add_fadt(struct tables *t, const struct acpi_config *c)
{
	uint32_t facs = add_facs(t), dsdt = add_dsdt(t, c);
	uint8_t *p = room(t, FADT_BYTES, TABLE_ALIGN);

	if (p == NULL)
		return;
	fill_fadt(p, c, facs, dsdt);
	list(t, seal(t, p, FADT_BYTES, "FACP", 5));
}

static size_t madt_bytes(const struct acpi_config *c)
{
	size_t ioapic = MADT_IOAPIC_BYTES + (c->pit_on_pin_2 ? 2u : 1u) * MADT_OVERRIDE_BYTES;

	return TABLE_HEADER + 8 + c->n_cpus * MADT_CPU_BYTES + MADT_NMI_BYTES +
	       (c->ioapic_gpa != 0 ? ioapic : 0);
}

static uint8_t *madt_override(uint8_t *p, uint8_t irq, uint32_t gsi, uint16_t flags)
{
	p[0] = 2;
	p[1] = MADT_OVERRIDE_BYTES;
	p[3] = irq;
	store_le32(p + 4, gsi);
	store_le16(p + 8, flags);
	return p + MADT_OVERRIDE_BYTES;
}

static uint8_t *madt_ioapic(uint8_t *p, const struct acpi_config *c)
{
	p[0] = 1;
	p[1] = MADT_IOAPIC_BYTES;
	p[2] = c->ioapic_id;
	store_le32(p + 4, c->ioapic_gpa);
	p += MADT_IOAPIC_BYTES;
	if (c->pit_on_pin_2)
		p = madt_override(p, 0, 2, OVERRIDE_AS_BUS);
	return madt_override(p, c->sci_irq, c->sci_irq, OVERRIDE_LEVEL_HIGH);
}

static void fill_madt(uint8_t *p, const struct acpi_config *c)
{
	store_le32(p + 36, c->lapic_gpa);
	store_le32(p + 40, MADT_PCAT);
	p += TABLE_HEADER + 8;
	for (unsigned i = 0; i < c->n_cpus; i++, p += MADT_CPU_BYTES) {
		p[1] = MADT_CPU_BYTES;
		p[2] = (uint8_t)i;
		p[3] = (uint8_t)i;
		store_le32(p + 4, 1);
	}
	if (c->ioapic_gpa != 0)
		p = madt_ioapic(p, c);
	/* NMI on LINT1 of all. */
	p[0] = 4;
	p[1] = MADT_NMI_BYTES;
	p[2] = 0xff;
	p[5] = 1;
}

static void add_madt(struct tables *t, const struct acpi_config *c)
{
	size_t bytes = madt_bytes(c);
	uint8_t *p = room(t, bytes, TABLE_ALIGN);

	if (p == NULL)
		return;
	fill_madt(p, c);
	list(t, seal(t, p, bytes, "APIC", 4));
}

static void add_hpet(struct tables *t, const struct acpi_config *c)
{
	uint8_t *p = room(t, HPET_BYTES, TABLE_ALIGN);

	if (p == NULL)
		return;
	store_le32(p + 36, c->hpet_id);
	address(p + 40, GAS_MEMORY, 0, 0, c->hpet_gpa);
	list(t, seal(t, p, HPET_BYTES, "HPET", 1));
}

static void add_mcfg(struct tables *t, const struct acpi_config *c)
{
	uint8_t *p = room(t, MCFG_BYTES, TABLE_ALIGN);

	if (p == NULL)
		return;
	store_le64(p + 44, c->ecam_gpa);
	p[55] = c->last_bus;
	list(t, seal(t, p, MCFG_BYTES, "MCFG", 1));
}

static uint32_t add_xsdt(struct tables *t)
{
	size_t bytes = TABLE_HEADER + 8 * t->n_listed;
	uint8_t *p = room(t, bytes, TABLE_ALIGN);

	if (p == NULL)
		return 0;
	for (unsigned i = 0; i < t->n_listed; i++)
		store_le64(p + TABLE_HEADER + 8 * i, t->listed[i]);
	return seal(t, p, bytes, "XSDT", 1);
}

/* For guests that know no 64-bit list. */
static uint32_t add_rsdt(struct tables *t)
{
	size_t bytes = TABLE_HEADER + 4 * t->n_listed;
	uint8_t *p = room(t, bytes, TABLE_ALIGN);

	if (p == NULL)
		return 0;
	for (unsigned i = 0; i < t->n_listed; i++)
		store_le32(p + TABLE_HEADER + 4 * i, t->listed[i]);
	return seal(t, p, bytes, "RSDT", 1);
}

static void fill_rsdp(uint8_t *p, uint32_t rsdt, uint64_t xsdt)
{
	memcpy(p, "RSD PTR ", 8);
	memcpy(p + 9, "SELVAG", 6);
	p[15] = 2;
	store_le32(p + 16, rsdt);
	store_le32(p + 20, RSDP_BYTES);
	store_le64(p + 24, xsdt);
	p[8] = sum(p, RSDP_OLD_BYTES);
	p[32] = sum(p, RSDP_BYTES);
}

size_t acpi_generate(const struct acpi_config *c, uint32_t gpa, void *buffer, size_t size)
{
	struct tables t = { .to = buffer, .size = size, .gpa = gpa };
	uint8_t *rsdp;
	uint32_t rsdt;

	if (c->n_cpus == 0 || c->n_cpus > ACPI_CPUS_MAX || c->n_virtio > ACPI_VIRTIO_MAX)
		return 0;
	rsdp = room(&t, RSDP_BYTES, TABLE_ALIGN);
	add_fadt(&t, c);
	add_madt(&t, c);
	if (c->hpet_gpa != 0)
		add_hpet(&t, c);
	if (c->pci && c->ecam_gpa != 0)
		add_mcfg(&t, c);
	rsdt = add_rsdt(&t);
	if (rsdp != NULL)
		fill_rsdp(rsdp, rsdt, add_xsdt(&t));
	return t.full ? 0 : t.n;
}
