/* Sizes and durations as people write them in a system description. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* "256M", "1G", "64K", "0x40000000", "4096"; powers of 1024. */
bool units_parse_size(const char *text, uint64_t *bytes);
/* "10ms", "500us", "1s". A number without a unit is refused. */
bool units_parse_duration(const char *text, uint64_t *us);
/* Writes a size the way units_parse_size reads it; a static buffer of four
 * that are used in turn. */
const char *units_size_text(uint64_t bytes);
