/* Image recognition, and the ELF files that a user names. */
#include <stdlib.h>

#include "diag.h"
#include "elfcheck.h"
#include "files.h"
#include "guestimg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guestimg_kernel kernel;
	struct file file = { .path = (char *)(uintptr_t) "fuzz.elf",
			     .data = (uint8_t *)(uintptr_t)data,
			     .size = size };

	diag_silence(true);
	if (!guestimg_check_kernel(data, size, &kernel) &&
	    (kernel.image_size < size || kernel.text_offset >= 2u << 20))
		abort();
	(void)guestimg_check_initrd(data, size);
	(void)elfcheck_program(&file, "");
	return 0;
}
