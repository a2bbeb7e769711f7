/*
 * A device's registers as a table: what a PrimeCell's programmer's model is
 * on paper. The table dispatches accesses, and tests, snapshots and documents
 * can walk it.
 */
#pragma once

#include <dev/mmio.h>
#include <stddef.h>
#include <stdint.h>

#define DEV_REG_NO_FIELD UINT16_MAX

/*
 * A table has a place for each register by its offset, so that none is
 * searched. The gap between a PrimeCell's registers and its identification
 * folds away; a compiler warns if two registers meet (-Woverride-init). Empty
 * places have no name, and the first one, which all empty ones look like, must
 * not be empty.
 */
#define DEV_REG_PLACES 64u
#define DEV_REG_AT(offset) ((offset) / 4u % DEV_REG_PLACES)

struct dev_reg {
	const char *name;  /* as in the datasheet */
	uint16_t offset;   /* registers are 4 bytes apart */
	uint16_t field;    /* offsetof its uint32_t in the device's state */
	uint32_t reset;    /* value of a field at reset, or the constant */
	uint32_t writable; /* bits that a write changes; 0 without field or hook */
	/* NULL: the field, or the constant if there is none. */
	uint32_t (*read)(void *device);
	/* NULL: the writable bits go to the field. Else it gets them. */
	void (*write)(void *device, uint32_t value);
};

/* Looks the register up and carries the access out. Accesses of 1, 2 and 4
 * bytes at a register's offset are allowed; what is wider or beside one, or
 * at no register, is ignored. */
enum mmio_outcome dev_reg_access(const struct dev_reg table[DEV_REG_PLACES],
				 void *device, struct mmio *m);
/* Sets every field to its reset value. */
void dev_reg_reset(const struct dev_reg table[DEV_REG_PLACES], void *device);

/* An entry of a table; arguments in the order of struct dev_reg. */
#define DEV_REG(name, offset, ...) \
	[DEV_REG_AT(offset)] = { name, offset, __VA_ARGS__ }

/* The identification registers at 0xfe0-0xffc of every PrimeCell. */
/* clang-format off */
#define DEV_REG_CONST(name_, offset_, value_)                                  \
	[DEV_REG_AT(offset_)] = { .name = (name_), .offset = (offset_),        \
				  .field = DEV_REG_NO_FIELD, .reset = (value_) }
#define DEV_REG_PRIMECELL_ID(id0, id1, id2, id3)                               \
	DEV_REG_CONST("PeriphID0", 0xfe0, id0),                                \
	DEV_REG_CONST("PeriphID1", 0xfe4, id1),                                \
	DEV_REG_CONST("PeriphID2", 0xfe8, id2),                                \
	DEV_REG_CONST("PeriphID3", 0xfec, id3),                                \
	DEV_REG_CONST("PCellID0", 0xff0, 0x0d),                                \
	DEV_REG_CONST("PCellID1", 0xff4, 0xf0),                                \
	DEV_REG_CONST("PCellID2", 0xff8, 0x05),                                \
	DEV_REG_CONST("PCellID3", 0xffc, 0xb1)
/* clang-format on */
