#include "elf_image.h"

#include "init_arch.h"

#include <elf.h>
#include <string.h>

static bool inside(const struct elf_image *elf, uint64_t offset, uint64_t size)
{
	return offset <= elf->size && size <= elf->size - offset;
}

const char *elf_open(struct elf_image *elf, const void *bytes, size_t size)
{
	Elf64_Ehdr h;

	*elf = (struct elf_image){ .bytes = bytes, .size = size };
	if (size < sizeof(h))
		return "shorter than an ELF header";
	memcpy(&h, bytes, sizeof(h));
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
		return "no ELF magic";
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB ||
	    h.e_machine != INIT_ELF_MACHINE)
		return "not a little-endian " INIT_ELF_NAME " ELF64 file";
	if (h.e_type != ET_EXEC)
		return "not an executable with fixed addresses";
	if (h.e_phentsize != sizeof(Elf64_Phdr) ||
	    !inside(elf, h.e_phoff, (uint64_t)h.e_phnum * sizeof(Elf64_Phdr)))
		return "program headers outside the file";
	elf->entry = h.e_entry;
	elf->n_segments = h.e_phnum;
	elf->segments_offset = h.e_phoff;
	for (unsigned i = 0; i < h.e_phnum; i++) {
		Elf64_Phdr p;

		memcpy(&p, elf->bytes + h.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type == PT_LOAD &&
		    (p.p_filesz > p.p_memsz || !inside(elf, p.p_offset, p.p_filesz) ||
		     p.p_vaddr + p.p_memsz < p.p_vaddr))
			return "a segment lies outside the file";
	}
	return NULL;
}

bool elf_segment_get(const struct elf_image *elf, unsigned i,
		     struct elf_segment *segment)
{
	for (unsigned n = 0; n < elf->n_segments; n++) {
		Elf64_Phdr p;

		memcpy(&p, elf->bytes + elf->segments_offset + n * sizeof(p), sizeof(p));
		if (p.p_type != PT_LOAD || i-- != 0)
			continue;
		*segment = (struct elf_segment){
			.vaddr = p.p_vaddr,
			.offset = p.p_offset,
			.file_bytes = p.p_filesz,
			.memory_bytes = p.p_memsz,
			.writable = (p.p_flags & PF_W) != 0,
			.executable = (p.p_flags & PF_X) != 0,
		};
		return true;
	}
	return false;
}

/* The i-th section header; false if it is not wholly inside the image. */
static bool section_get(const struct elf_image *elf, unsigned i, Elf64_Shdr *s)
{
	Elf64_Ehdr h;

	memcpy(&h, elf->bytes, sizeof(h));
	if (h.e_shentsize != sizeof(*s) || i >= h.e_shnum ||
	    !inside(elf, h.e_shoff, (uint64_t)h.e_shnum * sizeof(*s)))
		return false;
	memcpy(s, elf->bytes + h.e_shoff + i * sizeof(*s), sizeof(*s));
	return inside(elf, s->sh_offset, s->sh_type == SHT_NOBITS ? 0 : s->sh_size);
}

static bool symbol_covers(const Elf64_Sym *sym, uint64_t addr)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);

	return (type == STT_FUNC || type == STT_OBJECT) && sym->st_value <= addr &&
	       addr - sym->st_value < (sym->st_size != 0 ? sym->st_size : 4);
}

/* Looks `addr` up in one symbol table. */
static const char *symbol_find(const struct elf_image *elf,
			       const Elf64_Shdr *table, uint64_t addr,
			       uint64_t *offset)
{
	Elf64_Shdr names;

	if (!section_get(elf, table->sh_link, &names))
		return NULL;
	for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table->sh_size;
	     at += sizeof(Elf64_Sym)) {
		Elf64_Sym sym;
		const char *name;

		memcpy(&sym, elf->bytes + table->sh_offset + at, sizeof(sym));
		if (!symbol_covers(&sym, addr) || sym.st_name >= names.sh_size)
			continue;
		name = (const char *)elf->bytes + names.sh_offset + sym.st_name;
		if (memchr(name, 0, names.sh_size - sym.st_name) == NULL)
			continue;
		*offset = addr - sym.st_value;
		return name;
	}
	return NULL;
}

const char *elf_symbol(const struct elf_image *elf, uint64_t addr,
		       uint64_t *offset)
{
	Elf64_Shdr table;

	for (unsigned i = 0; section_get(elf, i, &table); i++)
		if (table.sh_type == SHT_SYMTAB)
			return symbol_find(elf, &table, addr, offset);
	return NULL;
}
