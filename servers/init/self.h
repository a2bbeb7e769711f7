/*
 * Init's own address space, beyond what the kernel's loader put there (image,
 * IPC buffer, boot information): lib/vspace says what is where. Page tables
 * come from init's arena and are kept.
 */
#pragma once

#include "map.h"

/* After mem_open(&init_arena). Returns NULL or what failed. */
const char *self_init(void);

/* Addresses for `bytes`, aligned to 2^align_bits, nothing there; or NULL. */
void *self_reserve(uint64_t bytes, unsigned align_bits);
/* Maps frames of 2^bits bytes one after the other from `at`, which lies in a
 * reservation. After a failure some may be mapped: init gives up then. */
bool self_map(void *at, unsigned bits, const cap_t *frames, unsigned count,
	      unsigned rights, unsigned attributes);
/* Fresh zeroed pages of init's arena at addresses of their own; their slots
 * go to frames[]. NULL: no memory. */
void *self_new_pages(unsigned count, cap_t *frames);

/* One 4 KiB frame that is mapped nowhere else, until self_unview. */
void *self_view(cap_t frame, unsigned rights, unsigned attributes);
void self_unview(void *at);

/*
 * The same at the scratch page, whose table is always there: for the pages
 * of a new process. One at a time; NULL: it cannot be mapped.
 */
void *self_scratch(cap_t frame);
void self_scratch_end(void);

/* One frame of 2^bits bytes, of either size, that may be mapped elsewhere, to be
 * read until self_peek_end(). One at a time; NULL: it cannot be mapped. */
const void *self_peek(cap_t frame, unsigned bits);
void self_peek_end(void);
