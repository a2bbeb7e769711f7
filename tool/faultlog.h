/*
 * Fault records out of a log: lines `[time] vmm:VM: error: fault SECTION:
 * key=value ...` (vmm/report.h), of the log or of what `selvage run` writes,
 * become one JSON object a record (docs/schema/fault.schema.json).
 */
#pragma once

#include <cJSON.h>
#include <stddef.h>

#define FAULTLOG_MAX 256 /* records; the latest */

/* Every record in `text`, or only those of `vm` if that is not NULL, as an
 * array, oldest first. Records whose end is missing are marked `complete:
 * false`. `text` is changed. The caller deletes it. */
cJSON *faultlog_parse(char *text, const char *vm);
