/* Writes the payload area of a system image. */
#pragma once

#include <stdbool.h>

struct buffer;
struct system;
struct sysimage_parts;

/* Appends the area at the buffer's end, which must be 2 MiB aligned. */
bool payload_append(struct buffer *image, const struct system *sys,
		    const struct sysimage_parts *parts);
