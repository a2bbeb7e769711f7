#include "walk.h"

#define CR0_WP (1u << 16)
#define CR0_PG (1u << 31)
#define CR4_PSE (1u << 4)
#define CR4_PAE (1u << 5)
#define EFER_LMA (1u << 10)

#define PRESENT 1u
#define WRITABLE 2u
#define USER 4u
#define LARGE 0x80u
#define ADDRESS 0x000ffffffffff000ull

#define FAULT_PRESENT 1u
#define FAULT_WRITE 2u
#define FAULT_USER 4u

/* The format of the tables: levels, bits of an index, bytes of an entry, and which levels
 * may have pages (bit 1: the last). */
struct format {
	unsigned levels, index_bits, entry_bytes, pages;
};

static bool read_entry(const struct gmem *mem, uint64_t at, const struct format *f,
		       uint64_t *entry)
{
	uint32_t narrow = 0;

	if (f->entry_bytes == 8)
		return gmem_read_u64(mem, at, entry);
	if (!gmem_read_u32(mem, at, &narrow))
		return false;
	*entry = narrow;
	return true;
}

/* Of 4 MiB pages, bits 39 to 32 are in the entry's 20 to 13 (PSE-36). */
static uint64_t page_address(const struct format *f, unsigned level, uint64_t entry, unsigned shift)
{
	uint64_t base = entry & ADDRESS & ~((1ull << shift) - 1);

	if (f->entry_bytes == 4 && level == 2)
		base = (entry & 0xffc00000u) | (entry >> 13 & 0xff) << 32;
	return base;
}

static bool allowed(const struct walk_x86 *w, bool write, uint64_t rights)
{
	if (w->user && !(rights & USER))
		return false;
	return !write || (rights & WRITABLE) || (!w->user && !(w->cr0 & CR0_WP));
}

/* Inlined, each format's walk has its numbers in the code. */
static inline __attribute__((always_inline)) bool walk(const struct gmem *mem,
						       const struct walk_x86 *w, struct format f,
						       uint64_t linear, bool write, uint64_t *gpa,
						       uint32_t *error_code)
{
	uint64_t table = f.levels == 3 ? w->cr3 & 0xffffffe0u : w->cr3 & ADDRESS;
	uint64_t rights = WRITABLE | USER;

	for (unsigned level = f.levels, shift = 12 + (level - 1) * f.index_bits; level > 0;
	     level--, shift -= f.index_bits) {
		const uint64_t index = linear >> shift & ((1u << f.index_bits) - 1);
		uint64_t entry;

		if (!read_entry(mem, table + index * f.entry_bytes, &f, &entry) ||
		    !(entry & PRESENT))
			return false;
		if (f.levels != 3 || level != 3) /* PAE's first level has no rights */
			rights &= entry;
		if (level == 1 || ((entry & LARGE) && f.pages >> level & 1)) {
			*error_code |= FAULT_PRESENT;
			*gpa = page_address(&f, level, entry, shift) |
			       (linear & ((1ull << shift) - 1));
			return allowed(w, write, rights);
		}
		table = entry & ADDRESS;
	}
	return false;
}

bool walk_x86(const struct gmem *mem, const struct walk_x86 *w, uint64_t linear, bool write,
	      uint64_t *gpa, uint32_t *error_code)
{
	const struct format long_mode = { 4, 9, 8, 1u << 1 | 1u << 2 | 1u << 3 };
	const struct format pae = { 3, 9, 8, 1u << 1 | 1u << 2 };
	const struct format narrow = { 2, 10, 4, 1u << 1 | (w->cr4 & CR4_PSE ? 1u << 2 : 0) };

	*error_code = (write ? FAULT_WRITE : 0) | (w->user ? FAULT_USER : 0);
	*gpa = linear;
	if (!(w->cr0 & CR0_PG))
		return true;
	if (w->efer & EFER_LMA)
		return walk(mem, w, long_mode, linear, write, gpa, error_code);
	if (w->cr4 & CR4_PAE)
		return walk(mem, w, pae, linear, write, gpa, error_code);
	return walk(mem, w, narrow, linear, write, gpa, error_code);
}
