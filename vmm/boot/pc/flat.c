/* Images that say nothing about themselves. */
#include "put.h"

#include <selvage/base.h>
#include <string.h>

#define REAL_END 0x100000ull

static const char *check(const struct pc_boot *b, const struct pc_flat *f)
{
	if (b->n_modules != 0)
		return "a flat image takes no modules";
	if (f->mode == PC_MODE_REAL ? f->start >= REAL_END : f->start >= PC_4GIB)
		return f->mode == PC_MODE_REAL ? "an entry in real mode that is not below 1 MiB"
					       : "an entry that is not below 4 GiB";
	return NULL;
}

const char *flat_load(const struct pc_boot *boot, const struct pc_flat *flat,
		      struct pc_entry *entry)
{
	const char *error = check(boot, flat);
	struct pc_put p;

	if (error != NULL)
		return error;
	pc_put_begin(&p, boot);
	/* It may well go where the map has nothing for others: a BIOS does. */
	if (!gmem_write(boot->mem, flat->load, boot->kernel, boot->kernel_bytes))
		return "no memory where the image must be";
	pc_reserve(&p.places, flat->load, boot->kernel_bytes);
	/* The largest ip that gives the address, as boot sectors expect: 0:7c00. */
	if (flat->mode == PC_MODE_REAL)
		pc_entry_real(entry,
			      flat->start < 0x10000 ? 0 : (uint16_t)(flat->start >> 4 & 0xf000),
			      (uint16_t)flat->start);
	else
		pc_put_entry(&p, flat->mode, flat->start, entry);
	memcpy(entry->gpr, flat->gpr, sizeof(entry->gpr));
	entry->load = flat->load;
	return pc_put_end(&p);
}
