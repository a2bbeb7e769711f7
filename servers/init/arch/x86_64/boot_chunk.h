/* Of the extra boot information: the chunk of that kind, not aligned, or NULL. */
#pragma once

#include <abi/bootinfo.h>
#include <stddef.h>

const void *boot_chunk(const struct abi_bootinfo *bi, uint64_t id, size_t *size);
