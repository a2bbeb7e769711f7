/* What a guest's image is: its sums, and where it goes. */
#pragma once

#include "capture.h"

/* Sums of the file; load address and entry if it is ELF or uImage and they are not set yet. False
 * if it cannot be read; then only the name is set. */
bool capture_image_read(struct capture_image *image, const char *path);
/* The same for bytes in memory, without the sums. */
void capture_image_addresses(struct capture_image *image, const uint8_t *data, size_t n);
