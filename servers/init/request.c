#include "request.h"

#include <selvage/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* What each word behind the verb is. */
static const struct {
	const char *word;
	const char *arguments; /* n: a name */
} verbs[VERBS] = {
	[VERB_PS] = { "ps", "" },
	[VERB_CAPS] = { "caps", "" },
	[VERB_ACCOUNTING] = { "accounting", "" },
	[VERB_POWEROFF] = { "poweroff", "" },
	[VERB_START] = { "start", "n" },
	[VERB_STOP] = { "stop", "n" },
	[VERB_KILL] = { "kill", "n" },
	[VERB_REBOOT] = { "reboot", "n" },
	[VERB_PAUSE] = { "pause", "n" },
	[VERB_RESUME] = { "resume", "n" },
	[VERB_CRASH] = { "crash", "n" },
};

const char *request_verb(enum verb verb) { return verbs[verb].word; }

/* Cuts the first word off; NULL: there is none. */
static char *take_word(char **line)
{
	char *word = *line, *end;

	if (*word == '\0')
		return NULL;
	end = strchr(word, ' ');
	if (end == NULL) {
		*line = word + strlen(word);
	} else {
		*end = '\0';
		*line = end + 1;
	}
	return word;
}

/* Of processes too: vmm:linux1. */
static bool name_sound(const char *name)
{
	size_t n = 0;

	for (; name[n] != '\0'; n++) {
		char c = name[n];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		      c == ':'))
			return false;
	}
	return n > 0 && n < CONTROL_NAME;
}

static const char *take_argument(char kind, char *word, struct request *r)
{
	(void)kind;
	if (!name_sound(word))
		return "that is no name";
	r->name = word;
	return NULL;
}

const char *request_parse(char *line, struct request *request)
{
	const char *word = take_word(&line), *wrong = NULL;

	*request = (struct request){ .verb = VERBS };
	for (unsigned i = 0; word != NULL && i < VERBS; i++)
		if (strcmp(verbs[i].word, word) == 0)
			request->verb = (enum verb)i;
	if (request->verb == VERBS)
		return "unknown request";
	for (const char *kind = verbs[request->verb].arguments; *kind != '\0' && !wrong; kind++) {
		char *argument = take_word(&line);

		wrong = argument == NULL ? "a word is missing"
					 : take_argument(*kind, argument, request);
	}
	if (wrong == NULL && *line != '\0')
		wrong = "too many words";
	return wrong;
}
