/*
 * A length comes before what it counts: room for one of 20 bits is left, and
 * filled in at the end.
 */
#include "aml.h"

#include <selvage/base.h>
#include <string.h>

#define ZERO_OP 0x00u
#define ONE_OP 0x01u
#define NAME_OP 0x08u
#define BYTE_PREFIX 0x0au
#define WORD_PREFIX 0x0bu
#define DWORD_PREFIX 0x0cu
#define STRING_PREFIX 0x0du
#define QWORD_PREFIX 0x0eu
#define SCOPE_OP 0x10u
#define BUFFER_OP 0x11u
#define PACKAGE_OP 0x12u
#define EXT_PREFIX 0x5bu
#define DEVICE_OP 0x82u

#define LENGTH_BYTES 3u /* two behind the first one */
#define LENGTH_MAX 0xfffffu

static void put(struct aml *a, uint64_t value, unsigned bytes)
{
	if (a->full || a->size - a->n < bytes) {
		a->full = true;
		return;
	}
	for (unsigned i = 0; i < bytes; i++)
		a->to[a->n++] = (uint8_t)(value >> 8 * i);
}

static void put_text(struct aml *a, const char *text)
{
	for (; *text != '\0'; text++)
		put(a, (uint8_t)*text, 1);
}

static aml_mark_t begin(struct aml *a)
{
	aml_mark_t mark = a->n;

	put(a, 0, LENGTH_BYTES);
	return mark;
}

void aml_end(struct aml *a, aml_mark_t mark)
{
	size_t length = a->n - mark;

	if (a->full || length > LENGTH_MAX) {
		a->full = true;
		return;
	}
	a->to[mark] = (uint8_t)((LENGTH_BYTES - 1) << 6 | (length & 0xf));
	store_le16(a->to + mark + 1, (uint16_t)(length >> 4));
}

void aml_integer(struct aml *a, uint64_t value)
{
	static const struct {
		uint64_t max;
		unsigned prefix, bytes;
	} form[] = {
		{ 0xff, BYTE_PREFIX, 1 },
		{ 0xffff, WORD_PREFIX, 2 },
		{ 0xffffffff, DWORD_PREFIX, 4 },
		{ UINT64_MAX, QWORD_PREFIX, 8 },
	};
	unsigned i = 0;

	if (value <= 1) {
		put(a, value == 0 ? ZERO_OP : ONE_OP, 1);
		return;
	}
	while (value > form[i].max)
		i++;
	put(a, form[i].prefix, 1);
	put(a, value, form[i].bytes);
}

void aml_name(struct aml *a, const char *name)
{
	put(a, NAME_OP, 1);
	put_text(a, name);
}

void aml_name_integer(struct aml *a, const char *name, uint64_t value)
{
	aml_name(a, name);
	aml_integer(a, value);
}

void aml_name_string(struct aml *a, const char *name, const char *text)
{
	aml_name(a, name);
	put(a, STRING_PREFIX, 1);
	put_text(a, text);
	put(a, 0, 1);
}

static uint32_t hex_digit(char c)
{
	return (uint32_t)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* Three letters of five bits, four digits, and all of it big-endian. */
void aml_name_eisa(struct aml *a, const char *name, const char *id)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 3; i++)
		value = value << 5 | ((uint32_t)id[i] & 0x1f);
	for (unsigned i = 3; i < 7; i++)
		value = value << 4 | hex_digit(id[i]);
	aml_name(a, name);
	put(a, DWORD_PREFIX, 1);
	put(a, __builtin_bswap32(value), 4);
}

aml_mark_t aml_scope(struct aml *a, const char *name)
{
	aml_mark_t mark;

	put(a, SCOPE_OP, 1);
	mark = begin(a);
	put_text(a, name);
	return mark;
}

aml_mark_t aml_device(struct aml *a, const char *name)
{
	aml_mark_t mark;

	put(a, EXT_PREFIX | DEVICE_OP << 8, 2);
	mark = begin(a);
	put_text(a, name);
	return mark;
}

aml_mark_t aml_package(struct aml *a, uint8_t elements)
{
	aml_mark_t mark;

	put(a, PACKAGE_OP, 1);
	mark = begin(a);
	put(a, elements, 1);
	return mark;
}

/* The buffer's size stands behind the length, as a word. */
aml_mark_t aml_resources(struct aml *a)
{
	aml_mark_t mark;

	aml_name(a, "_CRS");
	put(a, BUFFER_OP, 1);
	mark = begin(a);
	put(a, WORD_PREFIX, 1);
	put(a, 0, 2);
	return mark;
}

void aml_resources_end(struct aml *a, aml_mark_t mark)
{
	size_t at = mark + LENGTH_BYTES + 1;

	put(a, 0x79, 2); /* end tag, no checksum */
	if (!a->full)
		store_le16(a->to + at, (uint16_t)(a->n - at - 2));
	aml_end(a, mark);
}

void aml_io(struct aml *a, uint16_t port, uint8_t ports)
{
	put(a, 0x0147, 2); /* 16 address lines */
	put(a, port, 2);
	put(a, port, 2);
	put(a, 1, 1);
	put(a, ports, 1);
}

void aml_irq(struct aml *a, uint8_t irq)
{
	put(a, 0x22, 1);
	put(a, 1u << irq, 2);
}

void aml_interrupt(struct aml *a, uint32_t gsi)
{
	put(a, 0x89, 1);
	put(a, 6, 2);
	put(a, 0x09, 1); /* consumer, level, high, shared */
	put(a, 1, 1);
	put(a, gsi, 4);
}

void aml_memory(struct aml *a, uint32_t base, uint32_t size)
{
	put(a, 0x86, 1);
	put(a, 9, 2);
	put(a, 1, 1); /* read and write */
	put(a, base, 4);
	put(a, size, 4);
}

/* An address space descriptor: `bytes` per number; fixed at both ends, decoded
 * by what is behind the bridge. */
static void window(struct aml *a, uint8_t tag, uint8_t type, uint8_t flags, uint64_t first,
		   uint64_t last, unsigned bytes)
{
	put(a, tag, 1);
	put(a, 3 + 5 * bytes, 2);
	put(a, type, 1);
	put(a, 0x0c, 1);
	put(a, flags, 1);
	put(a, 0, bytes); /* granularity */
	put(a, first, bytes);
	put(a, last, bytes);
	put(a, 0, bytes); /* translation */
	put(a, last - first + 1, bytes);
}

void aml_bus_window(struct aml *a, uint8_t first, uint8_t last)
{
	window(a, 0x88, 2, 0, first, last, 2);
}

void aml_io_window(struct aml *a, uint16_t first, uint16_t last)
{
	window(a, 0x88, 1, 3, first, last, 2);
}

void aml_memory_window(struct aml *a, uint32_t base, uint32_t size)
{
	window(a, 0x87, 0, 1, base, (uint64_t)base + size - 1, 4);
}

void aml_memory_window_64(struct aml *a, uint64_t base, uint64_t size)
{
	window(a, 0x8a, 0, 1, base, base + size - 1, 8);
}
