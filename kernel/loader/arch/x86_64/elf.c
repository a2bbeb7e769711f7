/* The root task's image: an ELF file, of which the program headers count. */
#include "../../elf64.h"
#include "loader.h"

#include <selvage/base.h>

#define ELF_CLASS 4
#define ELF_CLASS_64 2
#define PAGE 4096ull

static const struct elf_phdr *segment(const struct elf_header *h, unsigned i)
{
	return (const void *)((const uint8_t *)h + h->phoff + i * sizeof(struct elf_phdr));
}

bool elf_size(const void *image, word_t bytes, vptr_t *start, vptr_t *end, vptr_t *entry)
{
	static const uint8_t magic[] = { 0x7f, 'E', 'L', 'F' };
	const struct elf_header *h = image;

	if (bytes < sizeof(*h) || h->ident[ELF_CLASS] != ELF_CLASS_64 || h->phoff & 7 ||
	    !range_within_u64(h->phoff, h->phnum * sizeof(struct elf_phdr), 0, bytes))
		return false;
	for (unsigned i = 0; i < sizeof(magic); i++)
		if (h->ident[i] != magic[i])
			return false;
	*start = UINT64_MAX;
	*end = 0;
	for (unsigned i = 0; i < h->phnum; i++) {
		const struct elf_phdr *s = segment(h, i);
		if (!s->memsz)
			continue;
		if (s->filesz > s->memsz || !range_within_u64(s->offset, s->filesz, 0, bytes) ||
		    s->vaddr + s->memsz < s->vaddr)
			return false;
		*start = min_u64(*start, s->vaddr);
		*end = max_u64(*end, s->vaddr + s->memsz);
	}
	*entry = h->entry;
	return *start < *end && !(*start & (PAGE - 1)) && *end < UINT64_MAX - PAGE &&
	       h->entry >= *start && h->entry < *end;
}

/* `to` is clear. */
void elf_load(const void *image, void *to, vptr_t start)
{
	const struct elf_header *h = image;

	for (unsigned i = 0; i < h->phnum; i++) {
		const struct elf_phdr *s = segment(h, i);
		const uint8_t *from = (const uint8_t *)image + s->offset;
		uint8_t *out = (uint8_t *)to + (s->vaddr - start);
		for (word_t n = 0; s->memsz && n < s->filesz; n++)
			out[n] = from[n];
	}
}
