/* ACPI tables in guest memory, and the map with them. */
#pragma once

#include "acpi.h"
#include "map.h"

/* Puts them where guests search, from ACPI_GPA on, or, without memory there, at
 * the top of memory below 4 GiB, and takes them out of the map. NULL and where
 * the root pointer is, or what is wrong. */
const char *pc_tables_put(const struct gmem *mem, struct pc_map *map,
			  const struct acpi_config *config, uint64_t *rsdp);
