/* The system description's parser and check: no text crashes it, and what it
 * accepts the target accepts as well. */
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "system.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct system sys;

	diag_silence(true);
	if (!system_parse(&sys, "fuzz.yaml", data, size))
		return 0;
	sys.desc->crc32 = sysdesc_checksum(sys.desc);
	if (sysdesc_check(sys.desc, sys.desc->size, 1))
		abort();
	system_free(&sys);
	return 0;
}
