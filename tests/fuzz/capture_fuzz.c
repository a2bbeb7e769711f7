/* A capture file: whatever is taken can be written and taken again, and compared. */
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "compare.h"
#include "diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare_with_itself(const struct capture *capture)
{
	static char page[1 << 20];
	struct comparison c = { .side = { { .file = "a", .capture = capture },
					  { .file = "b", .capture = capture } } };
	FILE *out = fmemopen(page, sizeof(page), "w");

	compare_captures(&c);
	if (c.verdict == VERDICT_ONLY_FIRST || c.verdict == VERDICT_ONLY_SECOND)
		abort();
	compare_print_text(&c, out);
	compare_print_html(&c, out);
	fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct capture capture, again;
	char why[200];
	char *first, *second;

	diag_silence(true);
	if (!capture_from_json(&capture, (const char *)data, size, why, sizeof(why))) {
		if (!*why)
			abort();
		return 0;
	}
	compare_with_itself(&capture);
	first = capture_to_json(&capture);
	if (!capture_from_json(&again, first, strlen(first), why, sizeof(why)))
		abort();
	second = capture_to_json(&again);
	if (strcmp(first, second) != 0)
		abort();
	free(first);
	free(second);
	capture_free(&capture);
	capture_free(&again);
	return 0;
}
