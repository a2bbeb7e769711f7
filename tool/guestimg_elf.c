/* ELF files as guests: loadable segments at their physical addresses. */
#include <selvage/base.h>
#include <string.h>

#include "guestimg.h"

#define PT_LOAD 1u
#define EM_ARM 40u
#define EM_AARCH64 183u
#define ET_EXEC 2u
#define ET_DYN 3u

struct segment {
	uint64_t offset, vaddr, paddr, file_size, memory_size;
};

struct header {
	uint64_t entry, table; /* of program headers */
	uint32_t count, stride;
};

static void read_header(const uint8_t *d, bool wide, struct header *h)
{
	h->entry = wide ? load_le64(d + 24) : load_le32(d + 24);
	h->table = wide ? load_le64(d + 32) : load_le32(d + 28);
	h->stride = load_le16(d + (wide ? 54 : 42));
	h->count = load_le16(d + (wide ? 56 : 44));
}

static void read_segment(const uint8_t *p, bool wide, struct segment *s)
{
	if (wide)
		*s = (struct segment){ load_le64(p + 8), load_le64(p + 16), load_le64(p + 24),
				       load_le64(p + 32), load_le64(p + 40) };
	else
		*s = (struct segment){ load_le32(p + 4), load_le32(p + 8), load_le32(p + 12),
				       load_le32(p + 16), load_le32(p + 20) };
}

static const char *add_segment(const struct segment *s, size_t size, struct guestimg_kernel *kernel)
{
	if (s->memory_size == 0)
		return NULL;
	if (s->file_size > s->memory_size || !range_within_u64(s->offset, s->file_size, 0, size) ||
	    s->paddr + s->memory_size < s->paddr)
		return "is an ELF file that is damaged or cut off; copy it again";
	if (kernel->n_pieces == SYSDESC_MAX_PIECES)
		return "is an ELF file with more than 16 loadable segments; link it with fewer";
	kernel->piece[kernel->n_pieces++] = (struct sysdesc_piece){
		.offset = s->offset,
		.bytes = s->file_size,
		.gpa = s->paddr,
		.size = s->memory_size,
	};
	return NULL;
}

/* The entry is a virtual address; the guest starts without translation. */
static uint64_t entry_in(const struct segment *s, uint64_t entry)
{
	return entry - s->vaddr < s->memory_size ? entry - s->vaddr + s->paddr : entry;
}

static const char *read_segments(const uint8_t *data, size_t size, const struct header *h,
				 struct guestimg_kernel *kernel)
{
	bool wide = kernel->width == 64, found = false;
	struct segment s;

	for (uint32_t i = 0; i < h->count; i++) {
		const uint8_t *p = data + h->table + (size_t)i * h->stride;
		const char *wrong;

		if (load_le32(p) != PT_LOAD)
			continue;
		read_segment(p, wide, &s);
		wrong = add_segment(&s, size, kernel);
		if (wrong)
			return wrong;
		if (!found && h->entry - s.vaddr < s.memory_size) {
			kernel->entry = entry_in(&s, h->entry);
			found = true;
		}
	}
	if (kernel->n_pieces == 0)
		return "is an ELF file with nothing to load; link it as a program";
	return NULL;
}

const char *guestimg_elf(const uint8_t *data, size_t size, struct guestimg_kernel *kernel)
{
	struct header h;
	bool wide;

	if (size < 52 || memcmp(data, "\x7f"
				      "ELF",
				4) != 0)
		return "is no ELF file; leave `kind` out or give the kind that it is";
	wide = data[4] == 2;
	if (data[4] < 1 || data[4] > 2 || (wide && size < 64))
		return "is an ELF file that is damaged or cut off; copy it again";
	if (data[5] != 1)
		return "is a big-endian ELF file; give a little-endian one";
	if (load_le16(data + 18) != (wide ? EM_AARCH64 : EM_ARM))
		return "is an ELF file for another processor; give one for Arm";
	if (load_le16(data + 16) != ET_EXEC && load_le16(data + 16) != ET_DYN)
		return "is an ELF file that is not linked; give a program";
	read_header(data, wide, &h);
	if (h.stride < (wide ? 56 : 32) ||
	    !range_within_u64(h.table, (uint64_t)h.count * h.stride, 0, size))
		return "is an ELF file that is damaged or cut off; copy it again";
	kernel->width = wide ? 64 : 32;
	kernel->entry = h.entry;
	return read_segments(data, size, &h, kernel);
}
