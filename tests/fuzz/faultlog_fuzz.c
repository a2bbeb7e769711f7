/* Any log: what comes out is an array of bounded records. */
#include "faultlog.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);
	cJSON *records;
	char *json;

	memcpy(text, data, size);
	records = faultlog_parse(text, size > 0 && data[0] == 'o' ? "svc" : NULL);
	if (!cJSON_IsArray(records) || cJSON_GetArraySize(records) > FAULTLOG_MAX)
		abort();
	json = cJSON_PrintUnformatted(records);
	free(json);
	cJSON_Delete(records);
	free(text);
	return 0;
}
