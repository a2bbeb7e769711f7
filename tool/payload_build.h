/* Writes the payload area of a system image. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct buffer;
struct system;
struct sysimage_parts;

/* Appends the area at the buffer's end, which must be 2 MiB aligned. */
bool payload_append(struct buffer *image, const struct system *sys,
		    const struct sysimage_parts *parts);
/* Makes the area of one VM alone, for `selvage create`; the buffer is empty. */
bool payload_vm(struct buffer *area_bytes, const struct system *sys, uint32_t vm);
