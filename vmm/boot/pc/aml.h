/* Writes ACPI's byte code (ACPI 6.4, 20.2; resources 6.4). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
	uint8_t *to;
	size_t size, n;
	bool full; /* something did not fit, and nothing more is written */
};

/* Where a length is to be filled in. */
typedef size_t aml_mark_t;

/* Names have four characters, or a backslash in front of them. */
void aml_integer(struct aml *a, uint64_t value);
/* Name (name, ...): what is written next is its value. */
void aml_name(struct aml *a, const char *name);
void aml_name_integer(struct aml *a, const char *name, uint64_t value);
void aml_name_string(struct aml *a, const char *name, const char *text);
/* A name that is an identity like PNP0501. */
void aml_name_eisa(struct aml *a, const char *name, const char *id);

aml_mark_t aml_scope(struct aml *a, const char *name);
aml_mark_t aml_device(struct aml *a, const char *name);
aml_mark_t aml_package(struct aml *a, uint8_t elements);
void aml_end(struct aml *a, aml_mark_t mark);

/* A resource template, the value of _CRS, from aml_resources to its end. */
aml_mark_t aml_resources(struct aml *a);
void aml_resources_end(struct aml *a, aml_mark_t mark);
void aml_io(struct aml *a, uint16_t port, uint8_t ports);
/* An interrupt of the 8259s: edge, active high, not shared. */
void aml_irq(struct aml *a, uint8_t irq);
/* A global interrupt: level, active high, shared. */
void aml_interrupt(struct aml *a, uint32_t gsi);
void aml_memory(struct aml *a, uint32_t base, uint32_t size);
/* What a bridge passes on. */
void aml_bus_window(struct aml *a, uint8_t first, uint8_t last);
void aml_io_window(struct aml *a, uint16_t first, uint16_t last);
void aml_memory_window(struct aml *a, uint32_t base, uint32_t size);
void aml_memory_window_64(struct aml *a, uint64_t base, uint64_t size);
