/* Parts of the loader. Any failure prints why and stops. */
#pragma once

#include <loader_header.h>
#include <stdint.h>

/* --- print.c --- */
void print(const char *s);
void print_hex(uint64_t v);
_Noreturn void die(const char *what, uint64_t value);

/* --- cpio.c: the file's bytes in a newc archive, or NULL --- */
const void *cpio_find(const void *archive, uint64_t bytes, const char *name,
		      uint64_t *size);

/* --- elf.c --- */
struct elf_extent {
	uint64_t vstart, vend; /* of all PT_LOAD, virtual */
	uint64_t pstart, pend; /* the same by p_paddr */
	uint64_t entry;
};
void elf_extent(const void *elf, uint64_t bytes, struct elf_extent *out);
/* Copies every PT_LOAD to its address + delta, clearing what is not in the
 * file; physical selects p_paddr rather than p_vaddr. */
void elf_copy(const void *elf, uint64_t delta, int physical);

/* --- devicetree.c --- */
/* Copies the devicetree to `to` (at most `room` bytes), notes the payload
 * area in it, and returns the size it has now. */
uint64_t dt_prepare(const void *from, void *to, uint64_t room, uint64_t payload,
		    uint64_t payload_bytes);
/* Whether [start, end) lies in one memory node's range. */
int dt_is_ram(const void *dtb, uint64_t start, uint64_t end);
uint64_t dt_size(const void *dtb);

/* --- main.c --- */
_Noreturn void loader_main(uint64_t dtb);
_Noreturn void loader_exception(uint64_t esr, uint64_t elr, uint64_t far);
/* --- start.S --- */
extern const struct loader_header loader_header;
_Noreturn void loader_jump(uint64_t entry, const uint64_t args[6]);
