#include "answer.h"

double answer_number(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItem(object, key);

	return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e18
		       ? item->valuedouble
		       : 0;
}

uint32_t answer_number32(const cJSON *object, const char *key)
{
	double value = answer_number(object, key);

	return value <= UINT32_MAX ? (uint32_t)value : 0;
}

const char *answer_string(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItem(object, key);

	return cJSON_IsString(item) ? item->valuestring : "";
}
