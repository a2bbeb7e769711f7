/* Any answers of a system to `ps`, `stats` and `events`: what is written of a trace stays
 * JSON, and the table within its room. */
#include "chrome.h"
#include "top.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_table(const struct top_sample *now)
{
	static const struct top_sample before;
	static char text[4096];

	if (top_table(&before, now, text, sizeof(text)) >= sizeof(text) ||
	    top_json(&before, now, text, sizeof(text)) >= sizeof(text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct chrome chrome;
	static struct top_sample sample;
	char *lines = malloc(size + 1), *text = NULL, *save = NULL;
	size_t written;
	FILE *out = open_memstream(&text, &written);
	cJSON *json;

	if (lines == NULL || out == NULL)
		abort();
	memcpy(lines, data, size);
	lines[size] = '\0';
	memset(&sample, 0, sizeof(sample));
	chrome_begin(&chrome, out);
	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		chrome_line(&chrome, line);
		top_line(&sample, line);
	}
	chrome_end(&chrome);
	fclose(out);
	json = cJSON_Parse(text);
	if (json == NULL)
		abort();
	check_table(&sample);
	cJSON_Delete(json);
	free(text);
	free(lines);
	return 0;
}
