/* ELF files of the target, by libelf. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;

/* Whether the file is a static program of AArch64, or of x86-64. Reports it if not;
 * `hint` ends the message. */
bool elfcheck_program(const struct file *file, bool x86, const char *hint);

/*
 * The function of the ELF file at `path` that covers `address`; writes
 * "name+0x12" to out. False if there is none (then out has "0x...").
 */
bool elfcheck_symbol(const char *path, uint64_t address, char *out,
		     size_t size);
