/* The ACPI tables that init reads: the input is the RSDP, and memory from 0 on. */
#include <acpi.h>
#include <string.h>

static const uint8_t *memory;
static size_t bytes;

static bool read_memory(void *ctx, uint64_t at, void *to, size_t n)
{
	(void)ctx;
	if (at > bytes || n > bytes - at)
		return false;
	memcpy(to, memory + at, n);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct acpi_reader reader = { .read = read_memory };
	struct acpi_facts facts;

	if (size < ACPI_RSDP_BYTES)
		return 0;
	memory = data;
	bytes = size;
	(void)acpi_read(&reader, data, &facts);
	return 0;
}
