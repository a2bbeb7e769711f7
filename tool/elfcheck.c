#include "elfcheck.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <unistd.h>

#include "diag.h"
#include "files.h"

static bool has_segment(Elf *elf)
{
	size_t n = 0;
	GElf_Phdr phdr;

	if (elf_getphdrnum(elf, &n) != 0)
		return false;
	for (size_t i = 0; i < n && i < 1024; i++) {
		if (gelf_getphdr(elf, (int)i, &phdr) &&
		    phdr.p_type == PT_LOAD && phdr.p_memsz > 0)
			return true;
	}
	return false;
}

static const char *program_problem(Elf *elf, bool x86)
{
	GElf_Ehdr header;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
		return "is no ELF file";
	if (gelf_getclass(elf) != ELFCLASS64 || header.e_machine != (x86 ? EM_X86_64 : EM_AARCH64))
		return x86 ? "is an ELF file of another architecture than x86-64"
			   : "is an ELF file of another architecture than AArch64";
	if (header.e_type != ET_EXEC)
		return "is no static program (ELF type EXEC)";
	if (!has_segment(elf))
		return "has nothing to load";
	return NULL;
}

bool elfcheck_program(const struct file *file, bool x86, const char *hint)
{
	Elf *elf;
	const char *problem;

	elf_version(EV_CURRENT);
	/* libelf takes a pointer to char but only reads here. */
	elf = elf_memory((char *)(uintptr_t)file->data, file->size);
	problem = program_problem(elf, x86);
	elf_end(elf);
	if (problem)
		diag_error_at(file->path, 0, "it %s; %s", problem, hint);
	return !problem;
}

struct best_symbol {
	const char *name;
	uint64_t start;
};

static void search_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
			 uint64_t address, struct best_symbol *best)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
	GElf_Sym symbol;

	for (size_t i = 0; data && i < n; i++) {
		if (!gelf_getsym(data, (int)i, &symbol))
			return;
		if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC ||
		    symbol.st_value > address ||
		    (symbol.st_size != 0 &&
		     address - symbol.st_value > symbol.st_size))
			continue;
		if (best->name && symbol.st_value < best->start)
			continue;
		best->name = elf_strptr(elf, header->sh_link, symbol.st_name);
		best->start = symbol.st_value;
	}
}

static void search_symbols(Elf *elf, uint64_t address,
			   struct best_symbol *best)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section))) {
		if (gelf_getshdr(section, &header) &&
		    header.sh_type == SHT_SYMTAB)
			search_table(elf, section, &header, address, best);
	}
}

bool elfcheck_symbol(const char *path, uint64_t address, char *out,
		     size_t size)
{
	struct best_symbol best = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf = NULL;

	snprintf(out, size, "0x%llx", (unsigned long long)address);
	elf_version(EV_CURRENT);
	if (fd >= 0)
		elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf)
		search_symbols(elf, address, &best);
	if (best.name)
		snprintf(out, size, "%s+0x%llx", best.name,
			 (unsigned long long)(address - best.start));
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	return best.name != NULL;
}
