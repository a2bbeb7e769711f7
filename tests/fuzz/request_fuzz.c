/* Any line on the control channel: what is taken for sound keeps the rules. */
#include "request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request r;
	char *line;

	if (size >= CONTROL_MAX_LINE)
		return 0;
	line = malloc(size + 1); /* so that a byte behind it is noticed */
	if (line == NULL)
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	if (request_parse(line, &r) == NULL &&
	    (r.verb >= VERBS || (r.name != NULL && strpbrk(r.name, "\" \\\n") != NULL) ||
	     (r.bytes != NULL && ((const char *)r.bytes < line ||
				  (const char *)r.bytes + r.n_bytes > line + size))))
		abort();
	free(line);
	return 0;
}
