/* System V ABI, chapters 4 and 5: headers, segments, notes. */
#include "elf.h"

#include "map.h"

#include <selvage/base.h>
#include <string.h>

#define PT_LOAD 1u
#define PT_NOTE 4u
#define EM_386 3u
#define EM_X86_64 62u
#define ET_EXEC 2u
#define ET_DYN 3u
#define NOTE_HEADER 12u
/* Program headers of one image; all are looked at. */
#define HEADERS_MAX 64u

static const char damaged[] = "an ELF file that is damaged or cut short";

static void read_segment(const uint8_t *p, bool wide, struct pc_elf_segment *s)
{
	if (wide)
		*s = (struct pc_elf_segment){ load_le64(p + 8), load_le64(p + 32),
					      load_le64(p + 16), load_le64(p + 24),
					      load_le64(p + 40) };
	else
		*s = (struct pc_elf_segment){ load_le32(p + 4), load_le32(p + 16),
					      load_le32(p + 8), load_le32(p + 12),
					      load_le32(p + 20) };
}

static const char *add_segment(struct pc_elf *elf, const struct pc_elf_segment *s,
			       uint64_t bytes)
{
	if (s->memory_bytes == 0)
		return NULL;
	if (s->bytes > s->memory_bytes || !range_within_u64(s->offset, s->bytes, 0, bytes) ||
	    !range_within_u64(s->paddr, s->memory_bytes, 0, bit_u64(PC_ADDRESS_BITS)))
		return damaged;
	for (unsigned i = 0; i < elf->n; i++)
		if (range_overlaps_u64(s->paddr, s->memory_bytes, elf->segment[i].paddr,
				       elf->segment[i].memory_bytes))
			return "an ELF file whose segments overlap in physical memory";
	if (elf->n == PC_ELF_SEGMENTS_MAX)
		return "an ELF file with more than 16 loadable segments";
	elf->segment[elf->n++] = *s;
	if (s->bytes != 0)
		elf->load = min_u64(elf->load, s->paddr);
	return NULL;
}

static const char *read_header(const uint8_t *d, uint64_t bytes, struct pc_elf *out)
{
	*out = (struct pc_elf){ .load = UINT64_MAX };
	if (bytes < 52 || memcmp(d, "\177ELF", 4) != 0)
		return "not an ELF file";
	out->wide = d[4] == 2;
	if ((d[4] != 1 && d[4] != 2) || (out->wide && bytes < 64))
		return damaged;
	if (d[5] != 1 || load_le16(d + 18) != (out->wide ? EM_X86_64 : EM_386))
		return "an ELF file for another processor";
	if (load_le16(d + 16) != ET_EXEC && load_le16(d + 16) != ET_DYN)
		return "an ELF file that is not linked";
	out->entry = out->wide ? load_le64(d + 24) : load_le32(d + 24);
	out->table = out->wide ? load_le64(d + 32) : load_le32(d + 28);
	out->stride = load_le16(d + (out->wide ? 54 : 42));
	out->count = load_le16(d + (out->wide ? 56 : 44));
	if (out->count > HEADERS_MAX)
		return "an ELF file with more than 64 program headers";
	if (out->stride < (out->wide ? 56u : 32u) ||
	    !range_within_u64(out->table, (uint64_t)out->count * out->stride, 0, bytes))
		return damaged;
	return NULL;
}

const char *pc_elf_parse(const uint8_t *image, uint64_t bytes, struct pc_elf *out)
{
	const char *error = read_header(image, bytes, out);

	for (uint32_t i = 0; error == NULL && i < out->count; i++) {
		const uint8_t *p = image + out->table + (uint64_t)i * out->stride;
		struct pc_elf_segment s;

		read_segment(p, out->wide, &s);
		if (load_le32(p) == PT_LOAD)
			error = add_segment(out, &s, bytes);
	}
	if (error == NULL && out->n == 0)
		return "an ELF file with nothing to load";
	return error;
}

uint64_t pc_elf_physical(const struct pc_elf *elf, uint64_t vaddr)
{
	for (unsigned i = 0; i < elf->n; i++) {
		const struct pc_elf_segment *s = &elf->segment[i];

		if (vaddr - s->vaddr < s->memory_bytes)
			return vaddr - s->vaddr + s->paddr;
	}
	return vaddr;
}

/* The next note of d[bytes] from *at on: its head, where its name and its
 * value stand. False: there is no whole one. */
struct note {
	uint32_t name_bytes, value_bytes, type;
	const uint8_t *name, *value;
};

static bool next_note(const uint8_t *d, uint64_t bytes, uint64_t *at, struct note *n)
{
	uint64_t name_at = *at + NOTE_HEADER, value_at;

	if (bytes < name_at)
		return false;
	n->name_bytes = load_le32(d + *at);
	n->value_bytes = load_le32(d + *at + 4);
	n->type = load_le32(d + *at + 8);
	value_at = name_at + align_up_u64(n->name_bytes, 4);
	if (value_at > bytes || n->value_bytes > bytes - value_at)
		return false;
	n->name = d + name_at;
	n->value = d + value_at;
	*at = value_at + align_up_u64(n->value_bytes, 4);
	return true;
}

/* Each note takes 12 bytes at least, so the loop ends with the segment. */
static bool find_note(const uint8_t *d, uint64_t bytes, const char *name, uint32_t type,
		      uint64_t *value)
{
	uint64_t at = 0;
	struct note n;

	while (next_note(d, bytes, &at, &n)) {
		if (n.type != type || n.name_bytes != strlen(name) + 1 ||
		    memcmp(n.name, name, n.name_bytes) != 0 ||
		    (n.value_bytes != 4 && n.value_bytes != 8))
			continue;
		*value = n.value_bytes == 4 ? load_le32(n.value) : load_le64(n.value);
		return true;
	}
	return false;
}

bool pc_elf_note(const uint8_t *image, uint64_t bytes, const struct pc_elf *elf,
		 const char *name, uint32_t type, uint64_t *value)
{
	for (uint32_t i = 0; i < elf->count; i++) {
		const uint8_t *p = image + elf->table + (uint64_t)i * elf->stride;
		struct pc_elf_segment s;

		read_segment(p, elf->wide, &s);
		if (load_le32(p) == PT_NOTE && range_within_u64(s.offset, s.bytes, 0, bytes) &&
		    find_note(image + s.offset, s.bytes, name, type, value))
			return true;
	}
	return false;
}
