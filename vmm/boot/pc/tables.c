#include "tables.h"

#include <selvage/base.h>

const char *pc_tables_put(const struct gmem *mem, struct pc_map *map,
			  const struct acpi_config *config, uint64_t *rsdp)
{
	struct pc_places places = { .map = map };
	enum pc_memory type = PC_MEMORY_RESERVED;
	uint64_t at = ACPI_GPA;
	void *to = gmem_span(mem, at, ACPI_BYTES);

	if (to == NULL) {
		type = PC_MEMORY_ACPI;
		at = pc_place(&places, ACPI_BYTES, 0x1000, 0x1000, PC_4GIB, PC_PLACE_HIGHEST);
		to = at == PC_NOWHERE ? NULL : gmem_span(mem, at, ACPI_BYTES);
	}
	if (to == NULL)
		return "no memory below 4 GiB for the ACPI tables";
	if (acpi_generate(config, (uint32_t)at, to, ACPI_BYTES) == 0 ||
	    !pc_map_set(map, at, ACPI_BYTES, type))
		return "the ACPI tables do not fit";
	*rsdp = at;
	return NULL;
}
