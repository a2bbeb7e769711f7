/* Image recognition, and the ELF files that a user names. */
#include <selvage/base.h>
#include <selvage/crc32.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "elfcheck.h"
#include "files.h"
#include "guestimg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Linux has a size, the others pieces of the file. */
static void check(const struct guestimg_kernel *k, size_t size)
{
	size_t bytes = k->unpacked ? k->unpacked_size : size;

	if (k->kind == GUESTIMG_FIND || k->n_pieces > SYSDESC_MAX_PIECES)
		abort();
	if (k->n_pieces == 0 && (k->image_size < size || k->text_offset >= 2u << 20))
		abort();
	for (uint32_t i = 0; i < k->n_pieces; i++) {
		const struct sysdesc_piece *p = &k->piece[i];

		if (p->bytes > bytes || p->offset > bytes - p->bytes || p->bytes > p->size ||
		    p->gpa + p->size < p->gpa)
			abort();
	}
}

/* Past the checksums, which a fuzzer does not guess. */
static void try_uimage(const uint8_t *data, size_t size)
{
	const struct guestimg_wish wish = { .kind = GUESTIMG_UIMAGE };
	struct guestimg_kernel kernel;
	uint8_t *d = malloc(size);

	memcpy(d, data, size);
	store_be32(d, 0x27051956);
	store_be32(d + 12, (uint32_t)size - 64);
	store_be32(d + 24, crc32_update(0, d + 64, size - 64));
	store_be32(d + 4, 0);
	store_be32(d + 4, crc32_update(0, d, 64));
	if (!guestimg_check_kernel(d, size, &wish, &kernel)) {
		check(&kernel, size);
		guestimg_free(&kernel);
	}
	free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guestimg_wish wish = { 0 };
	struct guestimg_kernel kernel;
	struct file file = { .path = (char *)(uintptr_t) "fuzz.elf",
			     .data = (uint8_t *)(uintptr_t)data,
			     .size = size };

	diag_silence(true);
	for (unsigned kind = GUESTIMG_FIND; kind <= GUESTIMG_RAW; kind++) {
		wish.kind = (enum guestimg_kind)kind;
		wish.has_load = kind == GUESTIMG_RAW;
		wish.load = ~(uint64_t)size - kind;
		if (guestimg_check_kernel(data, size, &wish, &kernel))
			continue;
		check(&kernel, size);
		guestimg_free(&kernel);
	}
	if (size > 64)
		try_uimage(data, size);
	(void)guestimg_check_initrd(data, size);
	if (size >= 32)
		(void)guestimg_vectors(data);
	(void)elfcheck_program(&file, size % 2, "");
	return 0;
}
