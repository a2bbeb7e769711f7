/* ELF64, little endian, AArch64: the program headers, nothing else. */
#include "elf64.h"
#include "loader.h"

#include <string.h>

#define PT_LOAD 1
#define EM_AARCH64 183

static const struct elf_phdr *phdr(const struct elf_header *h, unsigned i)
{
	return (const void *)((const char *)h + h->phoff + (uint64_t)i * h->phentsize);
}

static void check(const struct elf_header *h, uint64_t bytes)
{
	if (bytes < sizeof(*h) || memcmp(h->ident, "\177ELF\2\1", 6) ||
	    h->machine != EM_AARCH64)
		die("not a little-endian AArch64 ELF file", bytes);
	if (h->phentsize < sizeof(struct elf_phdr) || h->phoff > bytes ||
	    (uint64_t)h->phnum * h->phentsize > bytes - h->phoff)
		die("ELF program headers outside the file", h->phoff);
	for (unsigned i = 0; i < h->phnum; i++) {
		const struct elf_phdr *p = phdr(h, i);
		if (p->type == PT_LOAD && (p->filesz > p->memsz || p->offset > bytes ||
					   p->filesz > bytes - p->offset))
			die("ELF segment outside the file", p->vaddr);
	}
}

void elf_extent(const void *elf, uint64_t bytes, struct elf_extent *out)
{
	const struct elf_header *h = elf;

	check(h, bytes);
	*out = (struct elf_extent){ ~0ull, 0, ~0ull, 0, h->entry };
	for (unsigned i = 0; i < h->phnum; i++) {
		const struct elf_phdr *p = phdr(h, i);
		if (p->type != PT_LOAD || !p->memsz)
			continue;
		if (p->vaddr < out->vstart)
			out->vstart = p->vaddr;
		if (p->vaddr + p->memsz > out->vend)
			out->vend = p->vaddr + p->memsz;
		if (p->paddr < out->pstart)
			out->pstart = p->paddr;
		if (p->paddr + p->memsz > out->pend)
			out->pend = p->paddr + p->memsz;
	}
	if (out->vend <= out->vstart)
		die("ELF file without segments", bytes);
}

void elf_copy(const void *elf, uint64_t delta, int physical)
{
	const struct elf_header *h = elf;

	for (unsigned i = 0; i < h->phnum; i++) {
		const struct elf_phdr *p = phdr(h, i);
		if (p->type != PT_LOAD || !p->memsz)
			continue;
		char *to = (char *)(uintptr_t)((physical ? p->paddr : p->vaddr) + delta);
		memcpy(to, (const char *)elf + p->offset, p->filesz);
		memset(to + p->filesz, 0, p->memsz - p->filesz);
	}
}
