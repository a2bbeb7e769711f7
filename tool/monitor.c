#include "monitor.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "files.h"

#define PROMPT "(qemu) "
#define PATIENCE_MS 20000u
#define GREETING_PATIENCE_MS 5000u

/* --- what stands in the bytes --- */

char *monitor_hmp_answer(const char *data, size_t n)
{
	const size_t prompt = strlen(PROMPT);
	const char *begin;
	char *text, *to;

	if (n < prompt || memcmp(data + n - prompt, PROMPT, prompt) != 0)
		return NULL;
	n -= prompt;
	begin = memchr(data, '\n', n); /* what it echoes ends there */
	begin = begin ? begin + 1 : data + n;
	text = to = malloc(n + 1);
	for (; text && begin < data + n; begin++) {
		if (*begin != '\r' && *begin != '\0')
			*to++ = *begin;
	}
	if (to)
		*to = '\0';
	return text;
}

static char *text_of(const cJSON *item)
{
	return cJSON_IsString(item) ? files_text("%s", item->valuestring) : files_text("%s", "");
}

enum qmp_kind monitor_qmp_line(const char *line, size_t n, unsigned id, char **text)
{
	cJSON *root = cJSON_ParseWithLength(line, n);
	const cJSON *its_id = cJSON_GetObjectItemCaseSensitive(root, "id");
	const cJSON *answer = cJSON_GetObjectItemCaseSensitive(root, "return");
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(root, "error");
	enum qmp_kind kind = QMP_OTHER;

	*text = NULL;
	if (cJSON_GetObjectItemCaseSensitive(root, "QMP")) {
		kind = QMP_GREETING;
	} else if (cJSON_IsNumber(its_id) && its_id->valuedouble == id && error) {
		kind = QMP_ERROR;
		*text = text_of(cJSON_GetObjectItemCaseSensitive(error, "desc"));
	} else if (cJSON_IsNumber(its_id) && its_id->valuedouble == id && answer) {
		kind = QMP_RETURN;
		*text = text_of(answer);
	}
	cJSON_Delete(root);
	return kind;
}

/* --- the conversation --- */

static void say_why(enum wire_event event)
{
	if (event == WIRE_SILENT)
		diag_error("the monitor does not answer; is another client connected to it, or is "
			   "it no QEMU monitor?");
	else if (event == WIRE_CLOSED)
		diag_error("the monitor closed the connection");
}

static char *hmp_answer(struct monitor *m, unsigned patience_ms)
{
	char *text;

	while (!(text = monitor_hmp_answer((const char *)m->wire.in.data, m->wire.in.size))) {
		enum wire_event event = wire_wait(&m->wire, patience_ms);

		if (event != WIRE_DATA) {
			say_why(event);
			return NULL;
		}
	}
	m->wire.in.size = 0;
	m->owes = false;
	return text;
}

/* Takes lines until one of this kind is among them, or an error. */
static char *qmp_answer(struct monitor *m, unsigned patience_ms)
{
	for (;;) {
		const char *data = (const char *)m->wire.in.data;
		const char *end = m->wire.in.size ? memchr(data, '\n', m->wire.in.size) : NULL;
		enum wire_event event;

		if (end) {
			char *text;
			enum qmp_kind kind = monitor_qmp_line(data, (size_t)(end - data), m->id,
							      &text);

			buffer_drop(&m->wire.in, (size_t)(end - data) + 1);
			if (kind == QMP_RETURN)
				return text;
			if (kind == QMP_ERROR)
				diag_error("the monitor refuses: %s", text);
			free(text);
			if (kind == QMP_ERROR)
				return NULL;
			continue;
		}
		event = wire_wait(&m->wire, patience_ms);
		if (event != WIRE_DATA) {
			say_why(event);
			return NULL;
		}
	}
}

static char *qmp_execute(struct monitor *m, const char *command, const char *line)
{
	cJSON *root = cJSON_CreateObject(), *arguments;
	char *text, *message;
	bool sent;

	cJSON_AddStringToObject(root, "execute", command);
	cJSON_AddNumberToObject(root, "id", ++m->id);
	if (line) {
		arguments = cJSON_AddObjectToObject(root, "arguments");
		cJSON_AddStringToObject(arguments, "command-line", line);
	}
	text = cJSON_PrintUnformatted(root);
	message = files_text("%s\r\n", text);
	sent = wire_send(&m->wire, message, strlen(message));
	cJSON_free(text);
	cJSON_Delete(root);
	free(message);
	if (!sent)
		say_why(WIRE_CLOSED);
	return sent ? qmp_answer(m, PATIENCE_MS) : NULL;
}

char *monitor_ask(struct monitor *m, const char *line)
{
	char *message;
	bool sent;

	if (wire_interrupted())
		return NULL;
	if (m->qmp) {
		char *text = qmp_execute(m, "human-monitor-command", line), *to = text;

		for (const char *p = text; p && *p; p++) {
			if (*p != '\r')
				*to++ = *p;
		}
		if (to)
			*to = '\0';
		return text;
	}
	if (m->owes)
		free(hmp_answer(m, PATIENCE_MS));
	m->wire.in.size = 0; /* nothing was asked: what came is no answer */
	m->owes = true;
	message = files_text("%s\n", line);
	sent = wire_send(&m->wire, message, strlen(message));
	free(message);
	if (!sent) {
		say_why(WIRE_CLOSED);
		return NULL;
	}
	return hmp_answer(m, PATIENCE_MS);
}

/* QMP greets with an object, HMP with a line and a prompt. */
static bool greet(struct monitor *m)
{
	char *text = NULL;

	while (!memchr(m->wire.in.data ? (const char *)m->wire.in.data : "", '\n',
		       m->wire.in.size) &&
	       !monitor_hmp_answer((const char *)m->wire.in.data, m->wire.in.size)) {
		enum wire_event event = wire_wait(&m->wire, GREETING_PATIENCE_MS);

		if (event != WIRE_DATA) {
			say_why(event);
			return false;
		}
	}
	m->qmp = m->wire.in.data[0] == '{';
	text = m->qmp ? qmp_execute(m, "qmp_capabilities", NULL)
		      : hmp_answer(m, GREETING_PATIENCE_MS);
	free(text);
	return text != NULL;
}

bool monitor_open(struct monitor *m, const char *address)
{
	*m = (struct monitor){ 0 };
	if (!wire_open(&m->wire, address))
		return false;
	if (greet(m))
		return true;
	monitor_close(m);
	return false;
}

void monitor_close(struct monitor *m) { wire_close(&m->wire); }
