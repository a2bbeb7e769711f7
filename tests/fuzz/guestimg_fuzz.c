/* Image recognition, and the ELF files that a user names. */
#include <stdlib.h>

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
	(void)guestimg_check_initrd(data, size);
	if (size >= 32)
		(void)guestimg_vectors(data);
	(void)elfcheck_program(&file, "");
	return 0;
}
