/*
 * What a console said, to be shown again: without what asks the terminal for an answer, which would
 * be typed into the guest. ECMA-48, and what xterm and those like it answer besides.
 */
#pragma once

#include "buffer.h"

/* Appends it to `out`. A sequence without its end, or one whose start is not among the bytes, goes
 * through as it is: no terminal answers either. */
void replay_add(struct buffer *out, const uint8_t *data, size_t size);
