#include "faultlog.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "logline.h"

#define CHANNEL "log| " /* in what `selvage run` writes */
#define MONITOR "vmm:"
#define FAULT "error: fault "
#define MAX_VALUES 1024 /* of a record, and entries of a list */

/* Sections that stand for one of several, and what they are called then. */
static const struct {
	const char *section, *list;
} lists[] = {
	{ "memory", "memory" },
	{ "device", "devices" },
	{ "walk", "walk" },
	{ "segment", "segments" },
	{ "earlier", "earlier" },
};

static cJSON *value_of(const char *text, bool quoted)
{
	size_t digits = strspn(text, "0123456789");

	if (quoted)
		return cJSON_CreateString(text);
	if (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0)
		return cJSON_CreateBool(text[0] == 'y');
	if (digits > 0 && digits < 16 && text[digits] == '\0')
		return cJSON_CreateNumber(strtod(text, NULL));
	return cJSON_CreateString(text);
}

/* key=value key="a value" ... into `object`; what is no such pair is left out. */
static void take_pairs(cJSON *object, char *p)
{
	int n = cJSON_GetArraySize(object);

	while (*p != '\0' && n++ < MAX_VALUES) {
		char *key = p + strspn(p, " "), *equals = strchr(key, '=');
		char *value, *end;
		bool quoted;

		if (equals == NULL)
			return;
		*equals = '\0';
		value = equals + 1;
		quoted = *value == '"';
		value += quoted;
		end = value + strcspn(value, quoted ? "\"" : " ");
		p = *end != '\0' ? end + 1 : end;
		*end = '\0';
		cJSON_DeleteItemFromObjectCaseSensitive(object, key);
		cJSON_AddItemToObject(object, key, value_of(value, quoted));
	}
}

static cJSON *member(cJSON *record, const char *name, bool list)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(record, name);

	if (item == NULL) {
		item = list ? cJSON_CreateArray() : cJSON_CreateObject();
		cJSON_AddItemToObject(record, name, item);
	}
	return item;
}

static cJSON *section_of(cJSON *record, const char *section)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		cJSON *list, *entry;

		if (strcmp(section, lists[i].section) != 0)
			continue;
		list = member(record, lists[i].list, true);
		if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) >= MAX_VALUES)
			return NULL;
		entry = cJSON_CreateObject();
		cJSON_AddItemToArray(list, entry);
		return entry;
	}
	return member(record, section, false);
}

/* The latest record of a VM. */
static cJSON *record_of(cJSON *records, const char *vm)
{
	for (int i = cJSON_GetArraySize(records) - 1; i >= 0; i--) {
		cJSON *record = cJSON_GetArrayItem(records, i);
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(record, "vm");

		if (cJSON_IsString(name) && strcmp(name->valuestring, vm) == 0)
			return record;
	}
	return NULL;
}

static void begin(cJSON *records, const char *vm, double time_s, char *pairs)
{
	cJSON *record = cJSON_CreateObject();

	cJSON_AddNumberToObject(record, "version", 1);
	cJSON_AddNumberToObject(record, "time_s", time_s);
	cJSON_AddFalseToObject(record, "complete");
	take_pairs(record, pairs);
	/* The log says whose it is, not the monitor. */
	cJSON_DeleteItemFromObjectCaseSensitive(record, "vm");
	cJSON_AddStringToObject(record, "vm", vm);
	cJSON_AddItemToArray(records, record);
	if (cJSON_GetArraySize(records) > FAULTLOG_MAX)
		cJSON_DeleteItemFromArray(records, 0);
}

static void take_section(cJSON *records, const char *vm, const char *section, char *pairs)
{
	cJSON *record = record_of(records, vm), *object;

	if (record == NULL || cJSON_GetArraySize(record) >= MAX_VALUES)
		return;
	if (strcmp(section, "end") == 0) {
		cJSON_ReplaceItemInObjectCaseSensitive(record, "complete", cJSON_CreateTrue());
		return;
	}
	object = section_of(record, section);
	if (cJSON_IsObject(object))
		take_pairs(object, pairs);
}

/* `[time] vmm:NAME: error: fault SECTION: pairs`, with the channel before it or not. Behind the
 * process's name a line may say what its guest wants it to. */
static void take_line(cJSON *records, char *line, const char *only)
{
	struct logline l;
	char *vm, *section, *pairs;

	if (strncmp(line, CHANNEL, strlen(CHANNEL)) == 0)
		line += strlen(CHANNEL);
	if (!logline_parse(&l, line) || l.process_size <= strlen(MONITOR) ||
	    strncmp(l.process, MONITOR, strlen(MONITOR)) != 0 ||
	    strncmp(l.text, FAULT, strlen(FAULT)) != 0)
		return;
	vm = line + (l.process - line) + strlen(MONITOR);
	vm[l.process_size - strlen(MONITOR)] = '\0';
	section = line + (l.text - line) + strlen(FAULT);
	pairs = strstr(section, ": ");
	if (pairs == NULL || (only != NULL && strcmp(vm, only) != 0))
		return;
	*pairs = '\0';
	pairs += 2;
	if (strcmp(section, "begin") == 0)
		begin(records, vm, strtod(l.time, NULL), pairs);
	else
		take_section(records, vm, section, pairs);
}

cJSON *faultlog_parse(char *text, const char *vm)
{
	cJSON *records = cJSON_CreateArray();
	char *save = NULL;

	/* Only a newline ends a line: what a guest's console says may have anything else. */
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *end = line + strlen(line);

		while (end > line && end[-1] == '\r')
			*--end = '\0';
		take_line(records, line, vm);
	}
	return records;
}
