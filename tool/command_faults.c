/* selvage faults: the records of what stopped VMs, out of the log. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "buffer.h"
#include "cli.h"
#include "client.h"
#include "diag.h"
#include "faultlog.h"

#define LOG_MAX (64u << 20)

/* So many bytes, and up to the next line: the rest of one is no line. */
static void drop_lines(struct buffer *out, size_t size)
{
	const uint8_t *newline = memchr(out->data + size, '\n', out->size - size);

	buffer_drop(out, newline ? (size_t)(newline - out->data) + 1 : out->size);
}

static bool read_all(int fd, struct buffer *out)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR)) {
		for (ssize_t i = 0; i < n; i++)
			bytes[i] = bytes[i] == '\0' ? ' ' : bytes[i];
		if (n > 0)
			buffer_append(out, bytes, (size_t)n);
		if (out->size > LOG_MAX) /* the end is what matters */
			drop_lines(out, out->size - LOG_MAX / 2);
	}
	return n == 0;
}

static bool read_log(const struct options *options, struct buffer *out)
{
	FILE *file;
	bool good;
	int fd;

	if (options->log != NULL) {
		file = fopen(options->log, "rb");
		good = file != NULL && read_all(fileno(file), out);
		if (!good)
			diag_error("%s: %s", options->log, strerror(errno));
		if (file != NULL)
			fclose(file);
		return good;
	}
	fd = client_open(options, "logs", NULL);
	if (fd < 0)
		return false;
	good = client_accepted(fd) && read_all(fd, out);
	close(fd);
	return good;
}

static const char *text_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsString(item) ? item->valuestring : NULL;
}

static void print_pairs(const cJSON *object)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, object)
	{
		char *text = cJSON_IsString(item) ? NULL : cJSON_PrintUnformatted(item);

		printf("  %s %s", item->string, text != NULL ? text : item->valuestring);
		free(text);
	}
	printf("\n");
}

static void print_section(const cJSON *section)
{
	const cJSON *entry;

	if (cJSON_IsObject(section)) {
		printf("  %s:", section->string);
		print_pairs(section);
	}
	if (!cJSON_IsArray(section))
		return;
	cJSON_ArrayForEach(entry, section)
	{
		printf("  %s:", section->string);
		print_pairs(entry);
	}
}

static void print_record(const cJSON *record)
{
	const cJSON *cause = cJSON_GetObjectItemCaseSensitive(record, "cause"), *section;
	const char *key = text_of(cause, "key"), *value = text_of(cause, "value");
	const char *what = text_of(record, "what");

	printf("%s: %s\n", text_of(record, "vm"), what != NULL ? what : "it is not said what");
	if (text_of(cause, "text") != NULL)
		printf("  likely cause: %s\n", text_of(cause, "text"));
	if (key != NULL)
		printf("  to mend it: `%s:%s%s` in the system description\n", key,
		       value != NULL ? " " : "", value != NULL ? value : "");
	cJSON_ArrayForEach(section, record)
	{
		if (section != cause)
			print_section(section);
	}
}

struct asked {
	const char *name;
	char state[16]; /* empty: there is no such VM */
};

static void note_state(void *context, const char *line)
{
	struct asked *a = context;
	cJSON *object = cJSON_Parse(line);

	if (strcmp(answer_string(object, "kind"), "vm") == 0 &&
	    strcmp(answer_string(object, "name"), a->name) == 0)
		snprintf(a->state, sizeof(a->state), "%.15s", answer_string(object, "state"));
	cJSON_Delete(object);
}

/* Why there may be no record of it. False: there is no such VM. */
static bool say_nothing_found(const struct options *options)
{
	struct asked a = { .name = options->arg[0] };
	bool failed;

	if (a.name && !options->log) {
		if (!client_ask(options, "ps", NULL, note_state, &a))
			return false;
		if (a.state[0] == '\0') {
			diag_error("there is no VM `%s`; `selvage ps` lists them", a.name);
			return false;
		}
	}
	failed = strcmp(a.state, "crashed") == 0 || strcmp(a.state, "failed") == 0;
	if (options->json)
		return true;
	if (failed)
		printf("No fault of its guest stopped `%s`, but it %s: see `selvage logs %s`.\n",
		       a.name, a.state, a.name);
	else if (a.name)
		printf("No fault stopped `%s`.\n", a.name);
	else
		puts("No fault stopped a VM.");
	return true;
}

int command_faults(const struct options *options)
{
	bool ok = true;

	struct buffer log = { 0 };
	const cJSON *record;
	cJSON *records;
	char *text;

	if (!read_log(options, &log)) {
		buffer_free(&log);
		return EXIT_FAILED;
	}
	buffer_append(&log, "", 1);
	records = faultlog_parse((char *)log.data, options->arg[0]);
	if (cJSON_GetArraySize(records) == 0)
		ok = say_nothing_found(options);
	if (!ok) {
		/* It is said. */
	} else if (options->json) {
		text = cJSON_Print(records);
		puts(text);
		free(text);
	} else {
		cJSON_ArrayForEach(record, records)
			print_record(record);
	}
	cJSON_Delete(records);
	buffer_free(&log);
	return ok ? EXIT_OK : EXIT_FAILED;
}
